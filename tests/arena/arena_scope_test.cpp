#include <allot/arena/arena_scope.hpp>

#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/testing/checking_resource.hpp>

#include "support/death.hpp"
#include "support/room.hpp"

#include <memory_resource>
#include <optional>
#include <stdexcept>
#include <vector>

namespace {

using small_arena = allot::bump_resource<support::room(4096)>;

} // namespace

TEST_SUITE("arena_scope") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena;
    std::pmr::vector<int> results{&arena};
    results.reserve(10);
    for (int turn = 0; turn < 10; ++turn) {
      allot::arena_scope scratch{arena};
      std::pmr::vector<int> squares{&arena}; // ends before the scope does
      for (int i = 0; i <= turn; ++i)
        squares.push_back(i * i);
      results.push_back(squares.back());
    }
    CHECK(results.back() == 81);
    CHECK(arena.used() == 10 * sizeof(int));
    // [example]
  }

  TEST_CASE("ends where it began, in a monotonic arena over several chunks too") {
    allot::checking_resource up;
    allot::monotonic_resource arena{64, up};
    (void)arena.allocate(10, 1);
    for (int turn = 0; turn < 3; ++turn) {
      allot::arena_scope outer{arena};
      (void)arena.allocate(200, 1);
      {
        allot::arena_scope inner{arena};
        (void)arena.allocate(900, 1);
      }
      CHECK(arena.used() == 210);
    }
    CHECK(arena.used() == 10);
    CHECK(up.allocations() == 3);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("ends when an exception leaves the block") {
    allot::bump_resource<256> arena;
    const auto fail = [&] {
      allot::arena_scope scope{arena};
      (void)arena.allocate(100, 1);
      throw std::runtime_error{"out of the block"};
    };
    CHECK_THROWS_AS(fail(), std::runtime_error);
    CHECK(arena.used() == 0);
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE_TEMPLATE("refuses to rewind out of order", Arena, small_arena, allot::monotonic_resource<small_arena>) {
    const auto with_two_scopes = [](auto f) {
      small_arena bottom;
      std::optional<Arena> arena;
      if constexpr (std::is_same_v<Arena, small_arena>) {
        arena.emplace();
      } else {
        arena.emplace(bottom);
      }
      std::optional<allot::arena_scope<Arena>> outer{std::in_place, *arena};
      std::optional<allot::arena_scope<Arena>> inner{std::in_place, *arena}; // with nothing allocated in between
      f(*arena, outer, inner);
    };
    with_two_scopes([](auto&, auto& outer, auto& inner) { inner.reset(), outer.reset(); });
    const auto dies_with = [&](auto f) {
      const auto f_alone = [f](auto&... all) {
        f(all...);
        allot::halt({.detail = "lived on"}); // before the scopes' own ends, which are out of order now
      };
      return dies([&] { with_two_scopes(f_alone); }, "is_latest");
    };
    CHECK(dies_with([](auto&, auto& outer, auto&) { outer.reset(); }));
    CHECK(dies_with([](auto& arena, auto&, auto& inner) { arena.reset(), inner.reset(); }));
    CHECK(dies_with([](auto& arena, auto&, auto& inner) {
      arena.reset();
      (void)arena.allocate(64, 1);
      (void)arena.mark(), (void)arena.mark(); // as many as were in force
      inner.reset();
    }));
  }
#endif
}
