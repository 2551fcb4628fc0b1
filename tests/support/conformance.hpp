#pragma once

#include <allot/testing/conformance.hpp>

#include <doctest/doctest.h>

#include <string>

namespace support {

/// Puts the resource of a fixture through every check of `allot::conformance_checks()`; a doctest assertion for each.
/// A check that too little memory left undecided is a failed one: a host has it.
/// What a fixture is stands in allot/testing/conformance.hpp.
template <class Fixture>
void check_contract() {
  for (const auto& check : allot::conformance_checks()) {
    const allot::finding found = allot::run_check<Fixture>(check);
    const std::string text = std::string{found.check} + " (" + check.claim + "): " + found.reason;
    const bool undecided = found.result == allot::verdict::not_applicable && found.starved != 0;
    CHECK_MESSAGE((found.result != allot::verdict::failed && !undecided), text);
  }
}

} // namespace support

using support::check_contract;
