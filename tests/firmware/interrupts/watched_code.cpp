#include "watched_code.hpp"

#include <bitset>
#include <cstddef>

// The linker gives both for a section whose name is an identifier.
extern "C" const std::uint16_t __start_watched_code[], __stop_watched_code[];

namespace interrupts {
namespace {

constexpr std::size_t most_halfwords = 256;

constinit std::bitset<most_halfwords> met;

/// The encodings of the Armv6-M and Armv7-M manuals: a halfword from 0b11101 up is the first of two.
constexpr bool is_first_of_two(std::uint16_t halfword) noexcept { return (halfword >> 11) >= 0b11101; }
constexpr std::uint16_t cpsid_i = 0xb672;
constexpr std::uint16_t msr_primask = 0x8810; // the second halfword

} // namespace

void watch(std::uintptr_t at) noexcept {
  const std::size_t i = (at - reinterpret_cast<std::uintptr_t>(__start_watched_code)) / sizeof(std::uint16_t);
  if (i < most_halfwords) met[i] = true;
}

watched_code look_at_watched_code() noexcept {
  watched_code seen;
  bool is_masked = false;
  for (const std::uint16_t* code = __start_watched_code; code < __stop_watched_code; ++code) {
    const bool was_met = met[static_cast<std::size_t>(code - __start_watched_code)];
    if (is_masked) {
      ++(was_met ? seen.met_and_masked : seen.masked);
    } else {
      ++(was_met ? seen.met : seen.missed);
    }
    if (*code == cpsid_i) is_masked = true;
    if (is_first_of_two(*code) && *++code == msr_primask) is_masked = false;
  }
  return seen;
}

} // namespace interrupts
