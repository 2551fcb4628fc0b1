#include <allot/core/claim_flag.hpp> // first: proves that the header stands alone

#include <allot/core/failure.hpp>

#include <support/death.hpp>
#include <support/race.hpp>
#include <support/room.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>

namespace {

constinit allot::claim_flag at_namespace_scope;

} // namespace

TEST_SUITE("claim_flag") {
  TEST_CASE("is one byte of zero that needs no destructor") {
    static_assert(sizeof(allot::claim_flag) == 1);
    static_assert(std::is_trivially_destructible_v<allot::claim_flag>);
    static_assert(!std::is_copy_constructible_v<allot::claim_flag>);
    CHECK(!at_namespace_scope.is_claimed());
  }

  TEST_CASE("the first claim succeeds and every later one fails") {
    allot::claim_flag flag;
    CHECK(flag.claim());
    CHECK(flag.is_claimed());
    CHECK(!flag.claim());
    CHECK(!flag.claim());
  }

  TEST_CASE("what was given up can be claimed again") {
    allot::claim_flag flag;
    CHECK(flag.claim());
    flag.give_up();
    CHECK(!flag.is_claimed());
    CHECK(flag.claim());
  }

  TEST_CASE("of two threads that claim at once exactly one wins, a thousand times over") {
    constexpr auto rounds = static_cast<unsigned>(support::room<support::shared<int>>(1000));
    const auto flags = std::make_unique<std::array<allot::claim_flag, rounds>>();
    const auto wins = std::make_unique<std::array<support::shared<int>, rounds>>();
    race(2, rounds, [&](unsigned, unsigned round) { (*wins)[round] += (*flags)[round].claim() ? 1 : 0; });
    for (const auto& count : *wins)
      CHECK(count == 1);
  }

  TEST_CASE("who claims what another gave up sees what that one did") {
    constexpr int turns = 2000;
    allot::claim_flag flag;
    int plain = 0; // guarded by the flag: a race here is a report of ThreadSanitizer
    race(2, 1, [&](unsigned, unsigned) {
      for (int done = 0; done < turns;) {
        if (!flag.claim()) continue;
        ++plain;
        ++done;
        flag.give_up();
      }
    });
    CHECK(plain == 2 * turns);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record of a second claim says what, who and how much") {
    try {
      allot::raise_already_claimed("static_buffer", "rx", 512);
    } catch (const allot::already_claimed& e) {
      CHECK(e.record().reason == allot::failure_reason::already_claimed);
      CHECK(std::string_view{e.what()} ==
            "allot: static_buffer \"rx\": already claimed, and can be claimed only once (512 bytes)");
    }
  }
#else
  TEST_CASE("without exceptions a second claim ends the program with its record") {
    CHECK(dies([] { allot::raise_already_claimed("static_buffer", "rx", 512); },
               "static_buffer \"rx\": already claimed"));
  }
#endif
}
