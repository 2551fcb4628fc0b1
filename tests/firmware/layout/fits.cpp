// A buffer of BYTES bytes that is written to its last one. fits_test.py looks for the largest that links.

#include <allot/arena/static_arena.hpp>
#include <allot/source/section_buffer.hpp>
#include <allot/source/static_buffer.hpp>

#include <board/board.hpp>

#include <cstddef>
#include <span>

#if defined(IN_AN_ARENA)
constinit allot::static_arena<BYTES> memory;
#elif defined(IN_A_SECTION)
ALLOT_SECTION_BUFFER(memory, BYTES, 1, ".usbsram");
#else
constinit allot::static_buffer<BYTES> memory;
#endif

namespace {

std::span<std::byte> claimed() {
#if defined(IN_AN_ARENA)
  return {static_cast<std::byte*>(memory.claim("all").allocate(BYTES, 1)), BYTES};
#else
  return memory.claim("all");
#endif
}

std::byte written_to(std::size_t index) { return static_cast<std::byte>(index * 7 % 251); }

} // namespace

int main() {
  const std::span<std::byte> bytes = claimed();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = written_to(i);
  board::write("written\n"); // the stack is in use below this call: it must not reach into the bytes
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i] != written_to(i)) return 1;
  board::write("read back\n");
  return memory.is_claimed() && bytes.size() == BYTES ? 0 : 2;
}
