#pragma once

#include <allot/adaptor/trace_event.hpp>

#include <cstddef>
#include <string_view>

namespace allot::inline ALLOT_ABI::detail {

/// What the first line of a dump says.
struct trace_figures {
  std::size_t came;
  std::size_t dropped;
  std::size_t capacity;
};

/// Writes the lines of a dump: what `trace_ring::dump` needs that is no template. Safe in a signal handler.
///
/// A reader that is slow is waited for, one that takes nothing for a second is not waited for again: a program that crashes
/// comes to its end.
class trace_dump {
public:
  /// Writes the first line: "allot: the last 8 of 120 events, 0 dropped".
  trace_dump(int fd, const trace_figures& figures) noexcept;

  /// Writes the line of one event.
  void put(const trace_event& event) noexcept;

  /// Events whose line was written whole.
  [[nodiscard]] std::size_t written() const noexcept { return written_; }

private:
  bool put_line(std::string_view line) noexcept;

  int fd_;
  int patience_ = 1000; // milliseconds for each line; 0 once they have run out
  std::size_t written_ = 0;
};

} // namespace allot::inline ALLOT_ABI::detail
