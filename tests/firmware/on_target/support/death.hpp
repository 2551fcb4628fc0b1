#pragma once

#include <allot/core/failure.hpp>

#include <doctest/doctest.h>

#include <csetjmp>
#include <string>
#include <string_view>

namespace support {

/// What stands in for a forked child, which a target does not have: the failure handler jumps back. Destructors between the
/// failure and `dies` do not run, and what was done until then stays done.
class last_exit {
public:
  last_exit() noexcept : before_{allot::set_failure_handler(take)} { text_[0] = '\0'; }
  ~last_exit() { allot::set_failure_handler(before_); }
  last_exit(const last_exit&) = delete;
  last_exit& operator=(const last_exit&) = delete;

  [[nodiscard]] static std::jmp_buf& place() noexcept { return place_; }
  [[nodiscard]] static std::string_view text() noexcept { return text_; }

private:
  static void take(const allot::failure& what) noexcept {
    allot::describe(what, text_);
    std::longjmp(place_, 1);
  }

  static inline std::jmp_buf place_;
  static inline char text_[256];
  allot::failure_handler before_;
};

/// What `f` leaves behind when it fails in the way that ends a program, as it would stand on stderr; nothing where it
/// does not.
template <class F>
std::string last_words(F f) {
  const last_exit handler;
  if (setjmp(last_exit::place()) == 0) {
    f();
    MESSAGE("lived on");
    return {};
  }
  return std::string{last_exit::text()} + "\n";
}

/// True where `f` fails in that way, and `text` stands in the line.
template <class F>
bool dies(F f, std::string_view text = {}) {
  const std::string words = last_words(f);
  if (!words.empty() && words.find(text) != std::string::npos) return true;
  MESSAGE("said: " << words);
  return false;
}

} // namespace support

using support::dies;
