// The board's timer, ended while interrupts are masked and one is due: none comes.

#include "board/board.hpp"

#include <cstdint>

namespace {

volatile std::uint32_t ticks = 0;

bool is_due() noexcept {
  const auto& control_and_state = *reinterpret_cast<volatile std::uint32_t*>(0xe000ed04); // ICSR
  return (control_and_state & 1u << 26) != 0;
}

} // namespace

void board_tick() { ticks = ticks + 1; }

int main() {
  board::tick_every(1000);
  while (ticks == 0)
    ;
  __asm__ volatile("cpsid i" ::: "memory");
  while (!is_due())
    ;
  board::tick_every(0);
  const std::uint32_t before = ticks;
  __asm__ volatile("cpsie i\n\tisb" ::: "memory");
  if (ticks == before) return 0;
  board::write("a tick came after the end\n");
  return 1;
}
