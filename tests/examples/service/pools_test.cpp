#include <block_pool.hpp> // first: proves that the header stands alone
#include <plain_new.hpp>
#include <run_pool.hpp>
#include <whole_blocks.hpp>

#include <allot/testing/conformance.hpp>
#include <allot/testing/split_mix.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>
#include <support/race.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace {

using small_pool = service::block_pool<256, 64>;
using runs = service::run_pool<64, 128>;

template <class Pool>
struct memory_of {
  alignas(4096) std::array<std::byte, Pool::bytes> bytes;
};

template <class Pool>
struct pool_fixture {
  memory_of<Pool> memory;
  Pool r{memory.bytes};
  auto& resource() { return r; }
};

struct rounded_fixture {
  allot::probe_upstream up;
  service::whole_blocks<allot::probe_upstream, 64> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// Threads take blocks, write their own number over them, and find it there when they give them back.
template <class Pool>
void race_for_blocks(std::size_t largest) {
  pool_fixture<Pool> fixture;
  std::atomic<int> spoilt{0};
  race(4, 1, [&](unsigned thread, unsigned) {
    allot::split_mix random{thread};
    std::vector<std::span<std::byte>> mine;
    for (int turn = 0; turn < 3000; ++turn) {
      if (mine.size() < 12 && random.below(2) == 0) {
        const std::size_t bytes = 1 + random.below(largest);
        if (void* const p = fixture.r.try_allocate(bytes)) {
          std::memset(p, static_cast<int>(thread) + 1, bytes);
          mine.emplace_back(static_cast<std::byte*>(p), bytes);
        }
      } else if (!mine.empty()) {
        std::swap(mine[random.below(mine.size())], mine.back());
        for (const std::byte b : mine.back())
          spoilt += b != static_cast<std::byte>(thread + 1);
        fixture.r.deallocate(mine.back().data(), mine.back().size());
        mine.pop_back();
      }
    }
    for (const auto block : mine)
      fixture.r.deallocate(block.data(), block.size());
  });
  CHECK(spoilt == 0);
  CHECK(fixture.r.used() == 0);
}

} // namespace

TEST_SUITE("service::block_pool") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<pool_fixture<small_pool>>(); }

  TEST_CASE("gives out every block once, and then none") {
    pool_fixture<small_pool> fixture;
    std::set<void*> seen;
    while (void* const p = fixture.r.try_allocate(256))
      CHECK(seen.insert(p).second);
    CHECK(seen.size() == 64);
    CHECK(fixture.r.used() == fixture.r.capacity());
    for (void* const p : seen)
      fixture.r.deallocate(p, 256);
    CHECK(fixture.r.used() == 0);
    CHECK(fixture.r.high_water() == fixture.r.capacity());
  }

  TEST_CASE("a block that came back goes out before one that never did") {
    pool_fixture<small_pool> fixture;
    void* const first = fixture.r.allocate(1);
    void* const second = fixture.r.allocate(1);
    fixture.r.deallocate(first, 1);
    CHECK(fixture.r.allocate(1) == first);
    CHECK(fixture.r.high_water() == 2 * 256);
    fixture.r.deallocate(first, 1);
    fixture.r.deallocate(second, 1);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a block that comes back twice, or never went out, ends the program") {
    pool_fixture<small_pool> fixture;
    void* const block = fixture.r.allocate(256);
    const auto fresh = [&] { fixture.r.deallocate(static_cast<std::byte*>(block) + 256, 256); };
    CHECK(support::ending_of(fresh).was_killed_by(SIGABRT));
    fixture.r.deallocate(block, 256);
    const auto twice = [&] { fixture.r.deallocate(block, 256); };
    CHECK(support::ending_of(twice).was_killed_by(SIGABRT));
  }
#endif

  TEST_CASE("no block is two threads' at once") { race_for_blocks<small_pool>(256); }
}

TEST_SUITE("service::run_pool") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<pool_fixture<runs>>(); }

  TEST_CASE("a run takes as many units as it needs, and goes where it fits") {
    pool_fixture<runs> fixture;
    std::array<void*, 4> each{};
    for (void*& p : each)
      p = fixture.r.allocate(2 * 64);
    CHECK(fixture.r.used() == 8 * 64);
    fixture.r.deallocate(each[1], 2 * 64);
    CHECK(fixture.r.try_allocate(3 * 64) != each[1]); // too long for the gap
    CHECK(fixture.r.try_allocate(65) == each[1]);
    CHECK(fixture.r.used() == 11 * 64);
  }

  TEST_CASE("all units make one run, and no run is longer") {
    pool_fixture<runs> fixture;
    CHECK(fixture.r.try_allocate(runs::bytes + 1) == nullptr);
    void* const all = fixture.r.try_allocate(runs::bytes);
    REQUIRE(all != nullptr);
    CHECK(fixture.r.try_allocate(1) == nullptr);
    fixture.r.deallocate(all, runs::bytes);
    CHECK(fixture.r.used() == 0);
    CHECK(fixture.r.high_water() == runs::bytes);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a run that comes back twice, or longer than it was, ends the program") {
    pool_fixture<runs> fixture;
    void* const run = fixture.r.allocate(2 * 64);
    const auto longer = [&] { fixture.r.deallocate(run, 3 * 64); };
    CHECK(support::ending_of(longer).was_killed_by(SIGABRT));
    fixture.r.deallocate(run, 2 * 64);
    const auto twice = [&] { fixture.r.deallocate(run, 2 * 64); };
    CHECK(support::ending_of(twice).was_killed_by(SIGABRT));
  }
#endif

  TEST_CASE("no unit is two threads' at once") { race_for_blocks<runs>(500); }
}

TEST_SUITE("service::whole_blocks") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<rounded_fixture>(); }

  TEST_CASE("asks for whole blocks, and gives back what it asked for") {
    rounded_fixture fixture;
    void* const p = fixture.r.allocate(65, 1);
    CHECK(fixture.up.memory().live_bytes() == 128);
    fixture.r.deallocate(p, 65, 1);
    CHECK(fixture.up.memory().live_bytes() == 0);
    CHECK(fixture.r.rounded(64) == 64);
    CHECK(fixture.r.rounded(SIZE_MAX - 3) == SIZE_MAX - 3);
  }
}

TEST_SUITE("service::plain_new") {
  TEST_CASE("blocks are aligned as asked for, also above what operator new gives by itself") {
    service::plain_new heap;
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
      void* const p = heap.allocate(24, alignment);
      CHECK(allot::is_aligned(p, alignment));
      heap.deallocate(p, 24, alignment);
    }
  }
}
