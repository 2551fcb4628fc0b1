#pragma once

#include <allot/adaptor/trace_event.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail {

/// What the first line of a dump says.
struct trace_figures {
  std::size_t came;
  std::size_t dropped;
  std::size_t capacity;
};

/// Writes the lines of a dump: what `trace_ring::dump` needs that is no template. Safe in a signal handler.
class trace_dump {
public:
  /// Writes the first line: "allot: the last 8 of 120 events, 0 dropped".
  trace_dump(int fd, const trace_figures& figures) noexcept;

  /// Writes the line of one event.
  void put(const trace_event& event) noexcept;

  /// Events whose line was written whole.
  [[nodiscard]] std::size_t written() const noexcept { return written_; }

private:
  int fd_;
  std::size_t written_ = 0;
};

} // namespace allot::inline ALLOT_ABI::detail
