#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::report {

/// What became of a report that was written into a caller's buffer: the buffer holds its first `written` characters, which
/// are whole lines. There is no null at the end. What the buffer holds behind them is unspecified.
struct [[nodiscard]] result {
  std::size_t written = 0; ///< characters in the buffer
  std::size_t needed = 0;  ///< characters of the whole report: the size to come again with where it is truncated

  /// True where the lines at the end are missing.
  [[nodiscard]] constexpr bool truncated() const noexcept { return written < needed; }

  friend bool operator==(const result&, const result&) noexcept = default;
};

} // namespace allot::inline ALLOT_ABI::report
