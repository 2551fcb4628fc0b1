#pragma once

#include <cstdint>

/// \file
/// An interrupt that comes in the middle of whatever the main loop does.

namespace interrupts {

/// What an interrupt does. `at` is the address of the instruction that it came before.
using handler = void (*)(std::uintptr_t at) noexcept;

/// While it lives the timer interrupts, each time after another number of cycles: a loop of any length is met before each
/// of its instructions, sooner or later. `tick` is called where a `window` is open. One at a time.
class timer {
public:
  explicit timer(handler tick) noexcept;
  ~timer();
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
};

/// A piece of the main loop in which the interrupt may use what both share. One at a time.
class window {
public:
  window() noexcept;
  ~window();
  window(const window&) = delete;
  window& operator=(const window&) = delete;
};

/// Interrupts until now.
[[nodiscard]] unsigned ticks() noexcept;

/// Those among them that came while a window was open.
[[nodiscard]] unsigned ticks_in_windows() noexcept;

/// What a test wants of them at least, and of either side's wins.
inline constexpr unsigned ticks_to_see = 100;

/// Whether the core holds interrupts back (PRIMASK).
[[nodiscard]] bool are_masked() noexcept;

/// Whether this is an interrupt handler.
[[nodiscard]] bool is_in_a_handler() noexcept;

/// Ends the interrupt that was left by a jump: the caller goes on as a part of the main loop.
/// \pre `is_in_a_handler()`, and the handler's own frames are gone from the stack
void end_the_interrupt() noexcept;

} // namespace interrupts
