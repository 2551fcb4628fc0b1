#pragma once

#include <allot/testing/conformance.hpp>

#include <doctest/doctest.h>

#include <string>

namespace support {

/// Puts the resource of a fixture through every check of `allot::conformance_checks()`; a doctest assertion for each.
/// What a fixture is stands in allot/testing/conformance.hpp.
template <class Fixture>
void check_contract() {
  for (const auto& check : allot::conformance_checks()) {
    const allot::finding found = allot::run_check<Fixture>(check);
    const std::string text = std::string{found.check} + " (" + check.claim + "): " + found.reason;
    CHECK_MESSAGE(found.result != allot::verdict::failed, text);
  }
}

} // namespace support

using support::check_contract;
