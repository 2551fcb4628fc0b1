#include "timer.hpp"

#include <board/board.hpp>

#include <atomic>
#include <cstddef>

namespace interrupts {
namespace {

constinit handler current = nullptr;
constinit volatile unsigned ticks_so_far = 0, ticks_so_far_in_windows = 0;
constinit volatile bool is_open = false;

/// A linear congruential generator (Numerical Recipes): a fixed row of numbers would keep step with a loop whose length
/// divides their sum. The least leaves the main loop a few dozen instructions between two interrupts.
std::uint32_t next_period() noexcept {
  static std::uint32_t state = 1;
  state = state * 1664525 + 1013904223;
  return 67 + (state >> 24);
}

/// What the core leaves on the stack at an interrupt.
struct frame {
  std::uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

void tick_at(const frame& interrupted) noexcept __asm__("tick_at");
[[gnu::used]] void tick_at(const frame& interrupted) noexcept {
  board::tick_every(0); // or the next tick would be due before this one has ended, and the main loop never run
  ticks_so_far = ticks_so_far + 1;
  if (current == nullptr) return; // it was on its way when the timer stopped
  if (is_open) {
    ticks_so_far_in_windows = ticks_so_far_in_windows + 1;
    current(interrupted.pc);
  }
  board::tick_every(next_period());
}

} // namespace

timer::timer(handler tick) noexcept {
  current = tick;
  is_open = false; // a jump may have left a window
  board::tick_every(next_period());
}

timer::~timer() {
  current = nullptr;
  board::tick_every(0);
}

unsigned ticks() noexcept { return ticks_so_far; }
unsigned ticks_in_windows() noexcept { return ticks_so_far_in_windows; }

// The compiler keeps the order too: what the main loop does inside and outside of a window stays there.
window::window() noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  is_open = true;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}
window::~window() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  is_open = false;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

bool are_masked() noexcept {
  std::uint32_t primask;
  __asm__ volatile("mrs %0, primask" : "=r"(primask));
  return primask != 0;
}

bool is_in_a_handler() noexcept {
  std::uint32_t ipsr;
  __asm__ volatile("mrs %0, ipsr" : "=r"(ipsr));
  return ipsr != 0;
}

// A return from an exception takes a frame from the stack: this makes one that returns to the caller, whose registers are
// those that a function keeps.
[[gnu::naked]] void end_the_interrupt() noexcept {
  __asm__(".syntax unified\n\t"
          "sub sp, #32\n\t"
          "mov r0, lr\n\t"
          "movs r1, #1\n\t"
          "bics r0, r1\n\t"
          "str r0, [sp, #24]\n\t" // pc
          "lsls r1, r1, #24\n\t"
          "str r1, [sp, #28]\n\t"   // xpsr: Thumb
          "ldr r0, =0xfffffff9\n\t" // to the main loop, on the main stack
          "bx r0\n\t"
          ".ltorg");
}

} // namespace interrupts

[[gnu::naked]] void board_tick() {
  __asm__("mov r0, sp\n\t"
          "ldr r1, =tick_at\n\t"
          "bx r1\n\t"
          ".ltorg");
}
