#include <atomic>

// Plays a core without atomic exchange. The library was built for another one: only what is inline is used here.
#define ALLOT_TEST_AND_SET test_and_set_of_the_board

#include <allot/core/claim_flag.hpp>

#include <doctest/doctest.h>

namespace {

std::atomic<unsigned> times_asked{0};

} // namespace

bool test_and_set_of_the_board(std::atomic<unsigned char>& flag) noexcept {
  ++times_asked; // a board masks its interrupts here
  const bool was_set = flag.load() != 0;
  flag.store(1);
  return was_set;
}

TEST_SUITE("ALLOT_TEST_AND_SET") {
  TEST_CASE("stands in for the atomic exchange of a claim") {
    allot::claim_flag flag;
    CHECK(flag.claim());
    CHECK(times_asked == 1);
  }

  TEST_CASE("is not asked for a claim that is lost already") {
    allot::claim_flag flag;
    CHECK(flag.claim());
    const unsigned before = times_asked;
    CHECK(!flag.claim());
    CHECK(!flag.claim());
    CHECK(times_asked == before);
  }
}
