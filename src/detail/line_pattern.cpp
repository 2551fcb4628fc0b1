#include <allot/detail/line_pattern.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace allot::inline ALLOT_ABI::detail {

/// Appends to a text and counts what does not fit.
class pattern_writer {
public:
  explicit pattern_writer(std::span<char> text) noexcept : text_{text} {}

  void put(std::string_view part) noexcept {
    if (length_ < text_.size())
      std::copy_n(part.data(), std::min(part.size(), text_.size() - length_), text_.data() + length_);
    length_ += part.size();
  }

  void put_value(const line_value& value) noexcept {
    if (value.digits_ == 0) return put(value.text_);
    char digits[20]; // as many as 2^64 has
    std::size_t first = sizeof digits;
    const char* const all = value.digits_ == 2 ? "0123456789ABCDEF" : "0123456789abcdef";
    for (std::uint64_t n = value.number_; n != 0 || sizeof digits - first < value.digits_; n /= value.base_)
      digits[--first] = all[n % value.base_];
    if (value.is_negative_) put("-");
    if (value.base_ == 16) put("0x");
    put(std::string_view{digits + first, sizeof digits - first});
  }

  /// Terminates the text, over its last character where it was cut.
  std::size_t finish() noexcept {
    if (!text_.empty()) text_[std::min(length_, text_.size() - 1)] = '\0';
    return length_;
  }

private:
  std::span<char> text_;
  std::size_t length_ = 0;
};

std::size_t write_values(std::span<char> text, std::string_view pattern, const line_value* values,
                         std::size_t count) noexcept {
  pattern_writer line{text};
  for (const line_value& value : std::span{values, count}) {
    const std::size_t place = pattern.find("{}");
    line.put(pattern.substr(0, place));
    line.put_value(value);
    pattern.remove_prefix(place + 2);
  }
  line.put(pattern);
  return line.finish();
}

} // namespace allot::inline ALLOT_ABI::detail
