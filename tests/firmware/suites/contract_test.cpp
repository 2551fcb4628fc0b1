// How much of the conformance suite a board's memory allows: a check that cannot be made must not look like one that passed.

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/tag_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/pool/pool_resource.hpp>
#include <allot/testing/conformance.hpp>

#include <support/room.hpp>

#include <doctest/doctest.h>

#include <cstddef>

namespace {

struct arena_fixture {
  allot::bump_resource<support::room(64 * 1024)> r;
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
};

template <class Resource>
struct fixture_over_malloc {
  allot::probe_upstream up;
  Resource r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

using counting_fixture = fixture_over_malloc<allot::counting_adaptor<allot::probe_upstream>>;
using tag_fixture = fixture_over_malloc<allot::tag_adaptor<allot::probe_upstream, allot::max_tags_t<2>>>;
using pool_fixture = fixture_over_malloc<allot::pool_resource<allot::probe_upstream>>;
struct monotonic_fixture : fixture_over_malloc<allot::monotonic_resource<allot::probe_upstream>> {
  static constexpr bool reuses_memory = false;
};

constexpr bool is_small = ALLOT_TEST_RAM < 64 * 1024;
constexpr bool is_tiny = ALLOT_TEST_RAM < 32 * 1024;

/// Runs all checks. None fails, `starved` of those that apply find no memory, and the others pass: exactly so many, since a
/// check that is not made says nothing.
template <class Fixture>
void check_contract(std::size_t applicable, std::size_t starved) {
  std::size_t passed = 0, without_memory = 0;
  for (const auto& check : allot::conformance_checks()) {
    const allot::finding found = allot::run_check<Fixture>(check);
    if (found.result == allot::verdict::passed) {
      ++passed;
    } else if (found.result == allot::verdict::failed) {
      FAIL_CHECK(found.check << " (" << check.claim << "): " << found.reason);
    } else if (found.starved != 0) {
      ++without_memory;
      MESSAGE(found.check << ": " << found.reason);
    }
  }
  CHECK(without_memory == starved);
  CHECK(passed == applicable - starved);
}

} // namespace

TEST_SUITE("contract") {
  TEST_CASE("an arena over its own bytes is put through every check, on every board") {
    check_contract<arena_fixture>(18, 0);
  }
  TEST_CASE("14 KiB of RAM hold all checks of an adaptor but one, that of 100 live blocks") {
    check_contract<counting_fixture>(25, is_tiny ? 1 : 0);
    check_contract<tag_fixture>(25, is_tiny ? 1 : 0);
  }
  TEST_CASE("what never gives back runs out of memory in a thousand requests, below 64 KiB") {
    check_contract<monotonic_fixture>(25, is_small ? 1 : 0);
  }
#if ALLOT_TEST_RAM >= 32 * 1024 // it takes 6 KiB of stack
  TEST_CASE("a pool is put through every check") { check_contract<pool_fixture>(25, 0); }
#endif
}
