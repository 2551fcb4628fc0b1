#include <allot/allot.hpp>

#include <cstdio>
#include <string>

using namespace allot::literals;

constinit allot::static_arena<16_KiB> memory; // in .bss: no code before main, none at exit

int main() {
  auto& arena = memory.claim("notes");    // the first caller gets it, a second claim is an error
  allot::counting_adaptor counted{arena}; // knows its upstream's type: no virtual call inside

  auto notes = allot::vector_in<std::pmr::string>(counted, 3);
  for (const char* text : {"short", "a string that is too long to be stored inside of its own object"}) {
    notes.emplace_back(text); // the vector's block and the strings' blocks: all in the arena
  }

  const auto cost = counted.snapshot();
  std::printf("%zu blocks, %zu bytes; %zu of %zu in use\n", cost.live_blocks, cost.live_bytes, arena.used(),
              arena.capacity());
  try {
    notes.reserve(1000);
  } catch (const allot::out_of_memory& failure) {
    std::puts(failure.what());
  }
}
