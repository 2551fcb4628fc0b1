#pragma once

#include <allot/core/config.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace allot::inline ALLOT_ABI::detail {

/// Puts a line together in a buffer, by nothing but stores: no locale, no errno, and of the C library at most what a
/// compiler may call by itself (strlen, memset). Usable in a signal handler, whatever it interrupted. What does not fit is
/// left out.
class plain_line {
public:
  /// \param out  outlives the line
  explicit constexpr plain_line(std::span<char> out) noexcept : out_{out} {}

  constexpr plain_line& put(char c) noexcept {
    if (length_ < out_.size()) out_[length_++] = c;
    return *this;
  }

  constexpr plain_line& put(std::string_view text) noexcept {
    for (const char c : text)
      put(c);
    return *this;
  }

  /// In decimal digits.
  constexpr plain_line& number(std::size_t n) noexcept { return digits(n, 10); }

  /// In hexadecimal digits, behind "0x".
  constexpr plain_line& hex(std::size_t n) noexcept { return put("0x").digits(n, 16); }

  [[nodiscard]] constexpr std::size_t size() const noexcept { return length_; }
  [[nodiscard]] constexpr std::string_view text() const noexcept { return {out_.data(), length_}; }

private:
  constexpr plain_line& digits(std::size_t n, std::size_t base) noexcept {
    char backwards[3 * sizeof n] = {}; // three decimal digits hold at least eight bits
    std::size_t count = 0;
    do
      backwards[count++] = "0123456789abcdef"[n % base];
    while ((n /= base) != 0);
    while (count != 0)
      put(backwards[--count]);
    return *this;
  }

  std::span<char> out_;
  std::size_t length_ = 0; // invariant: <= out_.size()
};

} // namespace allot::inline ALLOT_ABI::detail
