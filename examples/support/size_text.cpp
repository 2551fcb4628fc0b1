#include "size_text.hpp"

#include <allot/core/layout.hpp>

#include <algorithm>
#include <charconv>

namespace support {
namespace {

bool same_letters(std::string_view text, std::string_view lower) noexcept {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char c, char l) { return (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) == l; });
}

/// The factor that a suffix stands for, or nothing.
std::optional<std::size_t> unit(std::string_view suffix) noexcept {
  if (suffix.empty() || same_letters(suffix, "b")) return 1;
  if (same_letters(suffix, "k") || same_letters(suffix, "kib")) return std::size_t{1} << 10;
  if (same_letters(suffix, "m") || same_letters(suffix, "mib")) return std::size_t{1} << 20;
  if (same_letters(suffix, "g") || same_letters(suffix, "gib")) return std::size_t{1} << 30;
  return std::nullopt;
}

} // namespace

std::optional<std::size_t> parse_size(std::string_view text) noexcept {
  std::size_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const auto factor = unit(text.substr(static_cast<std::size_t>(rest - text.data())));
  if (!factor) return std::nullopt;
  return allot::checked_multiply(number, *factor);
}

} // namespace support
