#pragma once

#include "explore.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <iostream>
#include <string>

namespace schedule {

/// Demands that no schedule fails, that there was a choice, and that none within the bounds was left out, unless these say how
/// many are run. Says how many there were.
inline void holds(const std::string& claim, const bounds& b, const std::function<void()>& test) {
  const outcome o = explore(b, test);
  CHECK_MESSAGE(!o.failed, claim, ": ", o);
  CHECK_MESSAGE(o.strayed == 0, claim, ": ", o);
  if (!o.failed) {
    CHECK_MESSAGE(o.in_order > 1, claim, ": the threads share nothing that is looked at");
    CHECK_MESSAGE((o.is_exhaustive || b.most_schedules != bounds{}.most_schedules), claim, ": ", o);
  }
  std::cout << claim << ": " << o << '\n';
}
inline void holds(const std::string& claim, const std::function<void()>& test) { holds(claim, {}, test); }

/// Uses a block as its only owner does: where another thread does so too, it is a data race.
inline void use(void* p, std::size_t bytes) {
  auto* const text = static_cast<volatile char*>(p);
  text[0] = 1;
  text[bytes - 1] = 2;
  ensure(bytes == 1 || text[0] == 1, "a block is its owner's alone");
}

} // namespace schedule
