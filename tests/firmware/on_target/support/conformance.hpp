#pragma once

#include <allot/testing/conformance.hpp>

#include <doctest/doctest.h>

namespace support {

/// As tests/support/conformance.hpp does it on a host.
template <class Fixture>
void check_contract() {
  for (const auto& check : allot::conformance_checks()) {
    const allot::finding found = allot::run_check<Fixture>(check);
    if (found.result != allot::verdict::failed) continue;
    FAIL_CHECK(found.check << " (" << check.claim << "): " << found.reason);
  }
}

} // namespace support

using support::check_contract;
