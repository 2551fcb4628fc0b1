#pragma once

#include <allot/core/config.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace allot::inline ALLOT_ABI::detail {

/// What stands in a line in the place of a "{}": a text, a number in decimal digits, an address, or a byte as two
/// hexadecimal digits.
class line_value {
public:
  constexpr line_value(std::string_view text) noexcept : text_{text} {}
  constexpr line_value(const char* text) noexcept : text_{text} {}
  template <std::integral T>
  constexpr line_value(T n) noexcept
      : number_{n < T{} ? std::uint64_t{0} - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n)},
        digits_{1},
        base_{10},
        is_negative_{n < T{}} {}
  line_value(const void* p) noexcept : number_{reinterpret_cast<std::uintptr_t>(p)}, digits_{1}, base_{16} {}
  constexpr line_value(std::byte b) noexcept : number_{std::to_integer<unsigned>(b)}, digits_{2}, base_{16} {}

private:
  friend class pattern_writer;

  std::string_view text_;
  std::uint64_t number_ = 0;
  std::uint8_t digits_ = 0; // at least so many; 0: it is a text
  std::uint8_t base_ = 0;
  bool is_negative_ = false;
};

/// A literal in which `values` times "{}" stands; another count does not compile.
template <std::size_t values>
class line_pattern {
public:
  consteval line_pattern(const char* text) noexcept : text_{text} {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text_.find("{}", at)) != std::string_view::npos; at += 2)
      ++count;
    if (count != values) a_pattern_and_its_values_differ_in_number();
  }

  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

private:
  static void a_pattern_and_its_values_differ_in_number() noexcept {} // not constexpr: calling it is the error

  std::string_view text_;
};

/// `write_line`, with its values as a list.
std::size_t write_values(std::span<char> text, std::string_view pattern, const line_value* values,
                         std::size_t count) noexcept;

/// Writes `pattern` with the values in their places into `text`, always terminated by a null where there is room for one,
/// and cut where it does not fit. It stands in for `std::snprintf`, since a small C library's knows no `%zu`. Allocates
/// nothing.
/// \return the length of the whole line without the null
template <class... Values>
std::size_t write_line(std::span<char> text, std::type_identity_t<line_pattern<sizeof...(Values)>> pattern,
                       const Values&... values) noexcept {
  const std::array<line_value, sizeof...(Values)> list{line_value(values)...};
  return write_values(text, pattern.text(), list.data(), list.size());
}

} // namespace allot::inline ALLOT_ABI::detail
