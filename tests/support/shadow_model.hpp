#pragma once

#include <allot/core/layout.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "basic_shadow_model.hpp"

namespace support {

/// Ends the test case.
struct shadow_requires {
  static constexpr std::size_t looked_at = std::numeric_limits<std::size_t>::max();
  template <std::size_t N>
  static void that(bool is_so, const char (&what)[N]) { // a pointer is printed as an address
    if (!is_so) FAIL(what);
  }
};

using shadow_model = basic_shadow_model<shadow_requires>;

/// A size and an alignment: mostly small, sometimes zero, sometimes far too much.
inline allot::layout random_request(allot::split_mix& random) {
  const std::size_t alignment = std::size_t{1} << random.below(random.below(8) == 0 ? 21 : 6);
  switch (random.below(32)) {
  case 0: return {0, alignment};
  case 1: return {static_cast<std::size_t>(random()) | (SIZE_MAX / 2), alignment};
  case 2: return {random.below(random.below(2) == 0 ? 150'000 : 2'000), alignment};
  default: return {1 + random.below(100), alignment};
  }
}

} // namespace support
