// What runs before main, and the vector table. A vendor's startup file does the same: .data is copied, .bss is zeroed,
// the constructors of statics are called (allot's need none).

#include "board.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

extern "C" {

// Addresses that sections.ld gives.
extern std::byte board_data_load[], board_data_begin[], board_data_end[], board_bss_begin[], board_bss_end[],
    board_stack_top[];
extern void (*board_constructors_begin[])();
extern void (*board_constructors_end[])();

[[noreturn]] void board_start();
void board_fault();

extern void (*const board_vectors[16])(); // found by its name, which takes this file out of a library
}

void* __dso_handle = nullptr; // gcc's own startup files have it, and so would a vendor's link

int program() __asm__("main"); // C++ lets nobody call main by its name

namespace {

using vector = void (*)();

auto& register_at(std::uintptr_t address) noexcept { return *reinterpret_cast<volatile std::uint32_t*>(address); }

auto bytes_between(const std::byte* begin, const std::byte* end) noexcept {
  return static_cast<std::size_t>(end - begin);
}

} // namespace

void board_start() {
  std::memcpy(board_data_begin, board_data_load, bytes_between(board_data_begin, board_data_end));
  std::memset(board_bss_begin, 0, bytes_between(board_bss_begin, board_bss_end));
  for (auto constructor = board_constructors_begin; constructor != board_constructors_end; ++constructor)
    (*constructor)();
  board::exit(program());
}

void board_fault() {
  board::write("fault\n");
  board::exit(board::exit_of_a_fault);
}

// A program that starts the timer brings its own.
[[gnu::weak]] void board_tick() { board_fault(); }

namespace board {

void reset() noexcept {
  constexpr std::uint32_t key = 0x05fa0000, system_reset_request = 1 << 2;
  __asm__ volatile("dsb" ::: "memory");
  register_at(0xe000ed0c) = key | system_reset_request; // AIRCR
  for (;;)
    ;
}

void tick_every(std::uint32_t cycles) noexcept {
  auto &control = register_at(0xe000e010), &reload = register_at(0xe000e014), &current = register_at(0xe000e018);
  constexpr std::uint32_t enable = 1, interrupt = 2, by_the_processors_clock = 4;
  control = 0;
  register_at(0xe000ed04) = 1 << 25; // ICSR: nor does one come that was due while interrupts were masked
  __asm__ volatile("dsb\n\tisb" ::: "memory");
  if (cycles == 0) return;
  reload = cycles - 1;
  current = 0;
  control = enable | interrupt | by_the_processors_clock;
}

} // namespace board

// The first is the initial stack pointer, the fifteenth the system timer.
[[gnu::section(".vectors"), gnu::used]] const vector board_vectors[16] = {
    reinterpret_cast<vector>(board_stack_top),
    reinterpret_cast<vector>(board_start),
    board_fault,
    board_fault,
    board_fault,
    board_fault,
    board_fault,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    board_fault,
    board_fault,
    nullptr,
    board_fault,
    board_tick,
};
