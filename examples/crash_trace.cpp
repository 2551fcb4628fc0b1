// What a program did last, on stderr when it crashes: the last eight calls of a traced arena.
//
// Usage: crash_trace [csv]
//   without arguments it crashes on purpose, by SIGSEGV; with `csv` it ends well, and its trace goes to stdout as CSV.

#include <allot/adaptor/crash_dump.hpp>
#include <allot/adaptor/trace_adaptor.hpp>
#include <allot/adaptor/trace_ring.hpp>
#include <allot/adaptor/trace_writer.hpp>
#include <allot/arena/bump_resource.hpp>

#include <cstdio>
#include <string_view>

namespace {

constinit allot::trace_ring<8> last_calls; // in .bss

/// Takes twelve blocks, asks for one that does not fit, and gives the last one back.
template <class Resource>
void work(Resource& memory) {
  void* last = nullptr;
  for (std::size_t n = 1; n <= 12; ++n)
    last = memory.allocate(10 * n, 8);
  if (memory.try_allocate(1'000'000, 8) != nullptr) std::puts("a million bytes fit");
  memory.deallocate(last, 120, 8);
}

} // namespace

int main(int argc, char** argv) {
  allot::bump_resource<4096> arena;
  if (argc == 2 && std::string_view{argv[1]} == "csv") {
    allot::trace_writer lines{1, allot::trace_format::csv};
    allot::trace_adaptor traced{arena, lines};
    work(traced);
    return lines.dropped() == 0 ? 0 : 1;
  }
  if (argc != 1) {
    std::fputs("usage: crash_trace [csv]\n", stderr);
    return 2;
  }

  allot::dump_on_crash(last_calls); // one line, early in main
  allot::trace_adaptor traced{arena, last_calls};
  work(traced);

  volatile std::size_t nowhere = 16;
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}
