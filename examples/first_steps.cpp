#include <allot/allot.hpp>

#include <cstdio>
#include <string>

using namespace allot::literals;

constinit allot::static_arena<16_KiB> memory; // in .bss: no code before main, none at exit

int main() {
  allot::chain notes{
      allot::layer<allot::limit_adaptor>(8_KiB, "notes"), // a budget
      allot::layer<allot::counting_adaptor>(),            // what is live, the peak, totals
      allot::over(memory.claim("arena")),                 // the first caller gets it, a second claim is an error
  };                                                      // every type is known: no virtual call between the layers

  auto lines = allot::vector_in<std::pmr::string>(notes, 3);
  for (const char* text : {"short", "a string that is too long to be stored inside of its own object"}) {
    lines.emplace_back(text); // the vector's block and the strings' blocks: all through the chain
  }

  const auto cost = notes.layer<allot::counting_adaptor>().snapshot();
  std::printf("%zu blocks, %zu bytes of a budget of %zu\n", cost.live_blocks, cost.live_bytes,
              notes.layer<allot::limit_adaptor>().limit());
  try {
    lines.reserve(1000);
  } catch (const allot::out_of_memory& failure) {
    std::puts(failure.what());
  }
}
