// What the command lines of the examples take for a size: any text is one, as its page says, or none.

#include "../../examples/support/size_text.hpp"

#include "require.hpp"
#include "target.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace {

__extension__ using wide = unsigned __int128;

/// The same in other words: digits, then a unit of which the case does not matter, and a product that fits.
std::optional<std::size_t> expected(std::string_view text) {
  wide n = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    n = n * 10 + static_cast<wide>(text[digits] - '0');
    if (n > SIZE_MAX) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  std::string unit;
  for (const char c : text.substr(digits))
    unit += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  if (unit == "K" || unit == "KIB") {
    n <<= 10;
  } else if (unit == "M" || unit == "MIB") {
    n <<= 20;
  } else if (unit == "G" || unit == "GIB") {
    n <<= 30;
  } else if (!unit.empty() && unit != "B") {
    return std::nullopt;
  }
  return n > SIZE_MAX ? std::nullopt : std::optional{static_cast<std::size_t>(n)};
}

void run(fuzz::input& in) {
  const std::string text = in.rest();
  FUZZ_REQUIRE(support::parse_size(text) == expected(text));
}

} // namespace

FUZZ_TARGET(run)
