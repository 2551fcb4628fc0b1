#pragma once

#include <allot/core/config.hpp>
#include <allot/report/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace allot::inline ALLOT_ABI::report {

/// Writes lines into a caller's buffer, none of them cut.
///
///     buffer: | whole line | whole line | part of the line begun |
///                                       ^ written
///
/// Guarantees
/// - From the first line that does not fit on, nothing more is written: the output is a prefix of the whole.
/// - The lines that do not fit are counted, so that `needed` does not depend on the buffer.
/// - Numbers are digits in any locale. Nothing allocates.
///
/// Costs: a copy of each part.
/// Threads: one thread at a time.
///
/// \snippet tests/report/line_writer_test.cpp example
class line_writer {
public:
  /// \param out  outlives the writer; may be empty, to count only
  explicit line_writer(std::span<char> out) noexcept : out_{out} {}
  line_writer(const line_writer&) = delete;
  line_writer& operator=(const line_writer&) = delete;

  /// Goes on with the line. \pre `part` has no newline in it
  line_writer& put(std::string_view part) noexcept;

  /// The same, for a number in decimal digits.
  line_writer& number(std::uint64_t n) noexcept;

  /// The same, for `n` times the character `c`.
  line_writer& fill(std::size_t n, char c = ' ') noexcept;

  /// Characters of the line begun.
  [[nodiscard]] std::size_t column() const noexcept { return line_; }

  /// Ends the line, which stays if it fits with its newline.
  void end_line() noexcept;

  /// What was written until now. A line begun and not ended is in neither figure.
  [[nodiscard]] result written() const noexcept { return {committed_, needed_}; }

private:
  std::span<char> out_;
  std::size_t committed_ = 0; // invariant: the whole lines in out_, from its begin
  std::size_t needed_ = 0;    // invariant: committed_ <= needed_, equal while nothing was left out
  std::size_t line_ = 0;
  bool full_ = false; // a line did not fit
};

} // namespace allot::inline ALLOT_ABI::report
