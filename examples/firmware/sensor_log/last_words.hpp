#pragma once

#include "board/board.hpp"

#include <allot/core/failure.hpp>

#include <string_view>

namespace sensor_log {

constexpr int exit_of_a_failure = 3;

/// A failure handler: tells the debugger what went wrong, and ends the run. On a device it would log and reset.
[[noreturn]] inline void tell_and_end(const allot::failure& what) noexcept {
  char text[160];
  describe(what, text);
  board::write(std::string_view{text});
  board::write("\n");
  board::exit(exit_of_a_failure);
}

} // namespace sensor_log
