// That these contests see a race: over a hook in two steps they have rounds with two winners.

#include "contest.hpp"
#include "one_shots.hpp"

#include <doctest/doctest.h>

using namespace interrupts;

namespace {

template <class OneShot>
void check_that_both_win(const char* what) {
  const contest_result result = contest<OneShot>::run(30'000);
  print(what, result);
  CHECK(result.twice > 0);
  CHECK(result.never == 0);
  CHECK(result.by_main >= ticks_to_see);
  CHECK(result.by_interrupt >= ticks_to_see);
}

} // namespace

TEST_SUITE("a test-and-set in two steps") {
  TEST_CASE("gives a claim_flag to two") { check_that_both_win<flag_contest>("claim_flag"); }
  TEST_CASE("gives a static_buffer to two") { check_that_both_win<buffer_contest>("static_buffer"); }
  TEST_CASE("gives a static_slot to two") { check_that_both_win<slot_contest>("static_slot"); }
}
