#pragma once

#include <cstdint>
#include <string_view>

/// \file
/// What the examples and the tests need of a machine: a Cortex-M that QEMU plays, or one behind a debugger that answers
/// semihosting calls.

namespace board {

/// Writes to the console of the debugger.
void write(std::string_view text) noexcept;

/// Ends the run, with this exit status for who started it.
[[noreturn]] void exit(int status) noexcept;

/// Starts the machine anew, as its watchdog would: memory keeps what it holds.
[[noreturn]] void reset() noexcept;

/// Calls `board_tick` from an interrupt every so many cycles of the processor, 2 to 2^24. 0 ends it.
void tick_every(std::uint32_t cycles) noexcept;

/// The exit status of a program that came upon a fault, a trap instruction among them: the shell's for an abort.
constexpr int exit_of_a_fault = 134;

} // namespace board

extern "C" {

/// The handler of the timer's interrupt: defined by a program that starts the timer.
void board_tick();
}
