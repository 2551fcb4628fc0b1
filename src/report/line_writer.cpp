#include <allot/report/line_writer.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace allot::inline ALLOT_ABI::report {

line_writer& line_writer::put(std::string_view part) noexcept {
  if (!full_ && part.size() > out_.size() - committed_ - line_) full_ = true;
  if (!full_) std::copy(part.begin(), part.end(), out_.begin() + static_cast<std::ptrdiff_t>(committed_ + line_));
  line_ += part.size();
  return *this;
}

line_writer& line_writer::number(std::uint64_t n) noexcept {
  char digits[std::numeric_limits<std::uint64_t>::digits10 + 1];
  const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
  return put({digits, static_cast<std::size_t>(end - digits)});
}

line_writer& line_writer::fill(std::size_t n, char c) noexcept {
  for (; n > 0; --n)
    put({&c, 1});
  return *this;
}

void line_writer::end_line() noexcept {
  put("\n");
  needed_ += line_;
  if (!full_) committed_ += line_;
  line_ = 0;
}

} // namespace allot::inline ALLOT_ABI::report
