#include <allot/arena/bump_resource.hpp>
#include <allot/core/claim_flag.hpp>
#include <allot/core/failure.hpp>
#include <allot/core/once.hpp>
#include <allot/core/static_slot.hpp>
#include <allot/source/static_buffer.hpp>

#include "scheduler/holds.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <optional>

namespace {

using schedule::ensure;
using schedule::holds;
using schedule::join;
using schedule::start;

struct thrown {};

template <int Number>
void handler(const allot::failure&) noexcept {}

/// What `f` came to: 1 a value, 2 not_ready.
template <class F>
int result_of(F f) {
  try {
    f();
    return 1;
  } catch (const allot::not_ready&) {
    return 2;
  }
}

} // namespace

TEST_SUITE("schedule") {
  TEST_CASE("claim_flag: one of three has it") {
    holds("one of three has a claim_flag", [] {
      allot::claim_flag flag;
      int winners = 0; // a data race, were there two at once
      for (int i = 0; i < 3; ++i)
        start([&] {
          if (flag.claim()) ++winners;
        });
      join();
      ensure(winners == 1, "one has it");
      ensure(flag.is_claimed(), "it stays claimed");
    });
  }

  TEST_CASE("claim_flag: who gets it after another sees all that this one did") {
    holds("a claim_flag goes from hand to hand", {.preemptions = 3, .old_loads = 2}, [] {
      allot::claim_flag flag;
      int n = 0;
      int claims = 0;
      for (int i = 0; i < 3; ++i)
        start([&] {
          if (!flag.claim()) return;
          ++n;
          claims = n;
          flag.give_up();
        });
      join();
      ensure(claims >= 1 && claims == n, "each claim saw the one before");
      ensure(!flag.is_claimed(), "the last one gave it up");
    });
  }

  TEST_CASE("static_buffer: one thread has the bytes") {
    holds("one of three has a static_buffer's bytes", [] {
      allot::static_buffer<8> buffer;
      std::array<bool, 3> got{};
      for (std::size_t i = 0; i < got.size(); ++i)
        start([&, i] {
          const auto bytes = buffer.try_claim();
          if (!bytes) return;
          schedule::use(bytes->data(), bytes->size());
          got[i] = true;
        });
      join();
      ensure(got[0] + got[1] + got[2] == 1, "one has them");
    });
  }

  TEST_CASE("static_slot: who finds the resource finds all of it") {
    holds("a static_slot shows a whole resource", {.preemptions = 3, .old_loads = 2}, [] {
      allot::static_slot<allot::bump_resource<>, 32> slot;
      std::array<bool, 2> got{};
      for (std::size_t i = 0; i < got.size(); ++i)
        start([&, i] { got[i] = slot.try_claim("slot") != nullptr; });
      start([&] {
        if (const auto* const found = slot.get()) ensure(found->capacity() == 32, "it is built");
      });
      join();
      ensure(got[0] + got[1] == 1, "one has it");
    });
  }

  TEST_CASE("once: the first caller's value is everyone's, and is seen whole") {
    holds("a once is made by one of two, for both and a reader", [] {
      allot::once<std::array<int, 2>> value;
      int runs = 0;
      const auto make = [&] {
        ++runs;
        return std::array{1, 2};
      };
      for (int i = 0; i < 2; ++i)
        start([&] { ensure(value.call_once(make)[1] == 2, "it is made when call_once returns"); });
      start([&] {
        if (const auto* const found = value.get()) ensure((*found)[0] == 1, "who finds it finds all of it");
      });
      join();
      ensure(runs == 1, "one initialiser ran");
    });
  }

  TEST_CASE("once: a reader waits for the initialiser that runs, and never sees half a value") {
    holds("a once is read while it is made", [] {
      allot::once<int> value;
      int seen = 0;
      start([&] { value.call_once([] { return 7; }); });
      start([&] { seen = result_of([&] { ensure(*value == 7, "it is whole"); }); });
      join();
      ensure(seen != 0 && *value == 7, "the reader came to an end");
    });
  }

  TEST_CASE("once: where an initialiser throws, those who wait hear of it") {
    holds("a once is poisoned for all who wait", [] {
      allot::once<int> value;
      int throws = 0;
      std::array<int, 2> seen{};
      for (std::size_t i = 0; i < 2; ++i)
        start([&, i] {
          try {
            seen[i] = result_of([&] {
              value.call_once([&]() -> int {
                ++throws;
                throw thrown{};
              });
            });
          } catch (const thrown&) {
            seen[i] = 3;
          }
        });
      join();
      ensure(throws == 1, "no initialiser runs after one that threw");
      ensure(seen[0] + seen[1] == 5, "one threw, and the other one is told");
      ensure(value.get() == nullptr, "there is no value");
    });
  }

  TEST_CASE("once: where an initialiser says no, one that waits runs its own") {
    holds("a once goes on to the next initialiser", [] {
      allot::once<int> value;
      int runs = 0;
      std::array<int, 2> made{};
      start([&] {
        const int* const p = value.try_call_once([&]() -> std::optional<int> {
          ++runs;
          return std::nullopt;
        });
        made[0] = p == nullptr ? 0 : *p;
      });
      start([&] {
        made[1] = value.call_once([&] {
          ++runs;
          return 9;
        });
      });
      join();
      ensure(made[1] == 9 && (made[0] == 0 || made[0] == 9), "the second one has made it");
      ensure(runs == (made[0] == 0 ? 2 : 1), "none ran in vain");
    });
  }

  TEST_CASE("failure handler: each one that is replaced is told to one caller") {
    holds("handlers are replaced by turns", [] {
      std::array<allot::failure_handler, 2> before{};
      start([&] { before[0] = allot::set_failure_handler(handler<0>); });
      start([&] { before[1] = allot::set_failure_handler(handler<1>); });
      join();
      const allot::failure_handler last = allot::set_failure_handler(nullptr);
      ensure((before[0] == nullptr && before[1] == handler<0> && last == handler<1>) ||
                 (before[1] == nullptr && before[0] == handler<1> && last == handler<0>),
             "one replaced the other");
    });
  }
}
