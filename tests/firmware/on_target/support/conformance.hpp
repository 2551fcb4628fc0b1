#pragma once

#include <allot/testing/conformance.hpp>

#include <doctest/doctest.h>

namespace support {

/// As tests/support/conformance.hpp does it on a host. A check that too little memory left undecided is named.
template <class Fixture>
void check_contract() {
  for (const auto& check : allot::conformance_checks()) {
    const allot::finding found = allot::run_check<Fixture>(check);
    if (found.result == allot::verdict::failed) {
      FAIL_CHECK(found.check << " (" << check.claim << "): " << found.reason);
    } else if (found.result == allot::verdict::not_applicable && found.starved != 0) {
      MESSAGE("undecided: " << found.check << ": " << found.reason);
    }
  }
}

} // namespace support

using support::check_contract;
