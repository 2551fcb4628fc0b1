#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

namespace service {

/// Writes text into a buffer of fixed size. What does not fit is left out as a whole, and `fits()` says so.
class text_writer {
public:
  explicit text_writer(std::span<char> buffer) noexcept : buffer_{buffer} {}

  text_writer& operator<<(std::string_view text) noexcept {
    if (text.size() > buffer_.size() - size_) {
      fits_ = false;
    } else {
      std::copy(text.begin(), text.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
      size_ += text.size();
    }
    return *this;
  }

  text_writer& operator<<(std::unsigned_integral auto number) noexcept {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return *this << std::string_view(digits, static_cast<std::size_t>(end - digits));
  }

  /// As a JSON string with its quotes. Bytes above 127 go through: the caller's text is UTF-8.
  text_writer& quoted(std::string_view text) noexcept {
    *this << "\"";
    for (const char& c : text) {
      if (c == '"' || c == '\\') {
        *this << "\\" << std::string_view(&c, 1);
      } else if (static_cast<unsigned char>(c) < 0x20) {
        constexpr std::string_view hex = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        *this << "\\u00" << hex.substr(byte >> 4, 1) << hex.substr(byte & 15, 1);
      } else {
        *this << std::string_view(&c, 1);
      }
    }
    return *this << "\"";
  }

  /// What is still free, for others to write into; `add` then says how much they wrote.
  [[nodiscard]] std::span<char> room() noexcept { return buffer_.subspan(size_); }
  void add(std::size_t written) noexcept { size_ += written; }

  [[nodiscard]] bool fits() const noexcept { return fits_; }
  [[nodiscard]] std::string_view text() const noexcept { return {buffer_.data(), size_}; }

private:
  std::span<char> buffer_;
  std::size_t size_ = 0;
  bool fits_ = true;
};

} // namespace service
