#pragma once

#include "support/basic_shadow_model.hpp"

#include "require.hpp"

#include <cstddef>

namespace fuzz {

/// Ends the program, as any finding does.
struct shadow_requires {
  static constexpr std::size_t looked_at = 2048; // an input may ask for much, and often
  static void that(bool is_so, const char* what) noexcept {
    if (!is_so) found(what, __FILE__, __LINE__);
  }
};

using shadow = support::basic_shadow_model<shadow_requires>;

} // namespace fuzz
