// An interrupt that comes in the middle of an initialiser.

#include <allot/core/once.hpp> // first: proves that the header stands alone

#include "timer.hpp"

#include <support/death.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>

using namespace interrupts;

namespace {

/// Two words that an interrupt could find apart.
struct pair {
  explicit pair(unsigned n) noexcept : first{n}, second{n} {}
  unsigned first, second;
};

constinit allot::once<pair> value;

// What the interrupt has seen: get() gave null, a complete value, or part of one; is_ready() said otherwise than get().
constinit volatile unsigned nothing = 0, whole = 0, torn = 0, otherwise = 0;

void look(std::uintptr_t) noexcept {
  const pair* const p = value.get();
  if (value.is_ready() != (p != nullptr)) otherwise = otherwise + 1;
  if (p == nullptr) {
    nothing = nothing + 1;
  } else if (p->first == p->second && p->first != 0) {
    whole = whole + 1;
  } else {
    torn = torn + 1;
  }
}

/// A value that nobody has made, and an interrupt that has seen nothing yet.
void start() noexcept {
  std::construct_at(&value);
  nothing = 0;
  whole = 0;
  torn = 0;
  otherwise = 0;
}

void wait_for_ticks() noexcept {
  for (const unsigned before = ticks(); ticks() - before < ticks_to_see;) {
  }
}

#if ALLOT_CHECK_LEVEL > 0

void call_once_in_between(std::uintptr_t) noexcept {
  (void)value.call_once([] { return pair{2}; });
}
void try_call_once_in_between(std::uintptr_t) noexcept {
  (void)value.try_call_once([] { return std::optional<pair>{2}; });
}
void read_in_between(std::uintptr_t) noexcept { (void)*value; }

/// Whether `tick`, in the middle of an initialiser, arrives in the failure handler.
bool is_refused_in_the_initialiser(handler tick) {
  start();
  const timer running{tick};
  const bool was_refused = dies(
      [] {
        (void)value.call_once([] {
          const window open;
          wait_for_ticks();
          return pair{1};
        });
      },
      "its initialiser waits for its own value");
  if (is_in_a_handler()) end_the_interrupt();
  return was_refused;
}

#endif

} // namespace

TEST_SUITE("once against an interrupt") {
  TEST_CASE("in the middle of the initialiser there is nothing to get, and nobody waits") {
    start();
    const timer running{look};
    const window open;
    unsigned inside = 0;
    const pair& made = value.call_once([&inside] {
      wait_for_ticks();
      inside = nothing;
      return pair{7};
    });
    CHECK(inside >= ticks_to_see);
    CHECK(made.first == 7);
    CHECK(value.is_ready());
    const unsigned until_made = nothing;
    wait_for_ticks();
    CHECK(whole >= ticks_to_see);
    CHECK(nothing == until_made);
    CHECK(torn == 0);
    CHECK(otherwise == 0);
  }

  TEST_CASE("whenever the interrupt comes it finds nothing, or all of the value") {
    start();
    const timer running{look};
    unsigned wrong = 0;
    for (unsigned round = 1; round <= 30'000; ++round) {
      std::construct_at(&value);
      const window open;
      if (value.call_once([round] { return pair{round}; }).second != round) ++wrong;
      if (value->first != round) ++wrong;
    }
    MESSAGE("the interrupt found nothing " << nothing << " times, the value " << whole << " times");
    CHECK(wrong == 0);
    CHECK(nothing >= ticks_to_see);
    CHECK(whole >= ticks_to_see);
    CHECK(torn == 0);
    CHECK(otherwise == 0);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("an interrupt that makes, in the middle, what is being made is a broken precondition and no hang") {
    CHECK(is_refused_in_the_initialiser(call_once_in_between));
    CHECK(!is_in_a_handler());
  }

  TEST_CASE("so is one that tries to") {
    CHECK(is_refused_in_the_initialiser(try_call_once_in_between));
    CHECK(!is_in_a_handler());
  }

  TEST_CASE("so is one that waits for it") {
    CHECK(is_refused_in_the_initialiser(read_in_between));
    CHECK(!is_in_a_handler());
  }
#endif
}
