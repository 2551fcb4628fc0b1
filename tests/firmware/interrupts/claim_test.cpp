// Of the main loop and an interrupt that claim at once exactly one wins.

#include "contest.hpp"
#include "one_shots.hpp"
#include "watched_code.hpp"

#include <allot/core/atomic.hpp>

#include <doctest/doctest.h>

#include <cstdint>

using namespace interrupts;

namespace {

constexpr unsigned rounds = 30'000;

#ifdef ALLOT_TEST_AND_SET
constexpr bool masks_interrupts = true; // masking_hook.cpp
#else
constexpr bool masks_interrupts = ALLOT_MASKS_INTERRUPTS != 0;
#endif

template <class OneShot>
void check_that_one_wins(const char* what, handler watch = nullptr) {
  const contest_result result = contest<OneShot>::run(rounds, watch);
  print(what, result);
  CHECK(result.twice == 0);
  CHECK(result.never == 0);
  CHECK(result.by_main + result.by_interrupt == rounds);
  CHECK(result.by_main >= ticks_to_see);
  CHECK_MESSAGE(result.by_interrupt >= ticks_to_see, "the interrupt came often enough in the middle of a claim");
}

/// A claim that is lost before the exchange, so that its way out is met as well.
struct lost_claims {
  static void renew() noexcept {
    flag_contest::renew();
    (void)flag_contest::claim();
  }
  static bool claim() noexcept { return flag_contest::claim(); }
};

constinit volatile unsigned nothing = 0, whole = 0, torn = 0;

void look_at_the_slot(std::uintptr_t) noexcept {
  const allot::bump_resource<>* const arena = slot_contest::get();
  if (arena == nullptr) {
    if (slot_contest::is_claimed()) nothing = nothing + 1;
  } else if (arena->capacity() == slot_contest::capacity && arena->used() == 0) {
    whole = whole + 1;
  } else {
    torn = torn + 1;
  }
}

} // namespace

TEST_SUITE("a claim against an interrupt") {
  TEST_CASE("a claim_flag has one winner") { check_that_one_wins<flag_contest>("claim_flag", watch); }

  TEST_CASE("a claim that is lost already is won by nobody") {
    const contest_result result = contest<lost_claims>::run(rounds, watch);
    CHECK(result.by_main + result.by_interrupt == 0);
    CHECK(result.in_time >= ticks_to_see);
  }

  TEST_CASE("an interrupt came before every instruction of a claim, and before none that is masked") {
    const watched_code seen = look_at_watched_code();
    MESSAGE("of the instructions of a claim " << seen.met << " were met by an interrupt, " << seen.missed
                                              << " were missed, " << seen.masked << " are masked");
    CHECK(seen.met > 0);
    CHECK(seen.missed == 0);
    CHECK(seen.met_and_masked == 0);
    CHECK((seen.masked > 0) == masks_interrupts);
  }

  TEST_CASE("a static_buffer has one winner") { check_that_one_wins<buffer_contest>("static_buffer"); }

  TEST_CASE("a static_slot has one winner") { check_that_one_wins<slot_contest>("static_slot"); }

  TEST_CASE("a claimed static_slot shows nothing, or all of its resource") {
    const timer running{look_at_the_slot};
    for (unsigned round = 0; round < rounds; ++round) {
      slot_contest::renew();
      const window open;
      (void)slot_contest::claim();
    }
    CHECK(nothing >= ticks_to_see);
    CHECK(whole >= ticks_to_see);
    CHECK(torn == 0);
  }
}
