#include <allot/detail/block_store.hpp>

#include <allot/core/layout.hpp>
#include <allot/detail/upstream_chunks.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <vector>

using allot::ownership;
using allot::detail::block_chain;
using allot::detail::block_store;
using allot::detail::free_block;
using allot::detail::store_chunk;

namespace {

constexpr std::size_t footer = sizeof(store_chunk);

/// A store over a checking_resource.
struct stock {
  explicit stock(std::size_t block_bytes) : store{block_bytes} {}
  ~stock() { give_back(store.remove_chunks()); }

  bool grow(std::size_t most = SIZE_MAX) {
    const auto take = [this](const allot::layout& chunk) { return up.try_allocate(chunk.bytes, chunk.alignment); };
    return allot::detail::grow(store, most, alignof(store_chunk), take, take);
  }

  void* get() {
    if (store.is_empty() && !store.carve(4)) {
      REQUIRE(grow());
      store.carve(4);
    }
    return store.pop();
  }

  std::size_t give_back(store_chunk* chunks) {
    return allot::detail::give_chunks_back(up, chunks, alignof(store_chunk));
  }

  allot::checking_resource up;
  block_store store;
};

std::size_t length_of(const block_chain& chain) {
  std::size_t n = 0;
  const free_block* last = nullptr;
  for (const free_block* block = chain.first; block != nullptr; block = block->next, ++n)
    last = block;
  CHECK(last == chain.last);
  return n;
}

} // namespace

TEST_SUITE("block_store") {
  TEST_CASE("has nothing to give before its first chunk") {
    stock s{16};
    CHECK(s.store.is_empty());
    CHECK_FALSE(s.store.carve(1));
    CHECK(s.store.take(5).count == 0);
    CHECK(s.store.remove_free_chunks() == nullptr);
    CHECK(s.store.remove_chunks() == nullptr);
    CHECK(s.store.holds(&s) == ownership::no);
    CHECK(s.store.reserved() == 0);
  }

  TEST_CASE("plans a first chunk of 512 bytes, or two blocks, or one where two are more than 4 KiB") {
    CHECK(stock{8}.store.plan_chunk(SIZE_MAX).wanted == (512 - footer) / 8 * 8 + footer);
    CHECK(stock{128}.store.plan_chunk(SIZE_MAX).wanted == 3 * 128 + footer);
    CHECK(stock{320}.store.plan_chunk(SIZE_MAX).wanted == 2 * 320 + footer);
    CHECK(stock{1792}.store.plan_chunk(SIZE_MAX).wanted == 2 * 1792 + footer);
    CHECK(stock{2048}.store.plan_chunk(SIZE_MAX).wanted == 2048 + footer);
    CHECK(stock{4096}.store.plan_chunk(SIZE_MAX).wanted == 4096 + footer);
    CHECK(stock{1 << 20}.store.plan_chunk(SIZE_MAX).wanted == (1 << 20) + footer);
    CHECK(stock{8}.store.plan_chunk(5).wanted == 5 * 8 + footer);
    CHECK(stock{8}.store.plan_chunk(0).wanted == 8 + footer);
    CHECK(stock{80}.store.plan_chunk(SIZE_MAX).least == 80 + footer);
  }

  TEST_CASE("a chunk doubles what is reserved up to 4 KiB, then adds half of it, up to 64 KiB") {
    for (const std::size_t block_bytes : {8u, 40u, 512u, 3072u}) {
      CAPTURE(block_bytes);
      stock s{block_bytes};
      const std::size_t first = s.store.plan_chunk(SIZE_MAX).wanted;
      for (int i = 0; i < 24; ++i) {
        s.grow();
        const std::size_t all = s.store.reserved();
        const std::size_t share = std::clamp<std::size_t>(all < 4096 ? all : all / 2, first, 65536);
        const std::size_t next = s.store.plan_chunk(SIZE_MAX).wanted;
        CHECK(next <= share);
        CHECK(next + block_bytes > share);
      }
      CHECK(s.store.plan_chunk(SIZE_MAX).wanted == (65536 - footer) / block_bytes * block_bytes + footer);
    }
  }

  TEST_CASE("gives each block once, upwards, and the one that came back last first") {
    stock s{24};
    std::set<void*> seen;
    for (int i = 0; i < 1000; ++i)
      CHECK(seen.insert(s.get()).second);
    CHECK(s.store.used() == 1000);
    CHECK(s.store.blocks() * 24 + s.store.chunks() * footer == s.store.reserved());
    CHECK(s.store.reserved() == s.up.live_bytes());
    s.store.push(*seen.begin());
    CHECK(s.get() == *seen.begin());
  }

  TEST_CASE("a chain has as many blocks as were asked for, where there are as many, and goes back as a whole") {
    stock s{32};
    CHECK(s.grow(14));
    const block_chain five = s.store.take(5);
    CHECK(length_of(five) == 5);
    s.store.put(five);
    CHECK(s.store.used() == 0);
    const block_chain eight = s.store.take(8); // five that came back, and three of the run
    CHECK(eight.count == 8);
    CHECK(eight.first == five.first);
    CHECK(length_of(eight) == 8);
    const block_chain rest = s.store.take(100);
    CHECK(length_of(rest) == 6);
    CHECK(s.store.used() == 14);
    s.store.put(rest);
    s.store.put({});
    CHECK(s.store.used() == 8);
    CHECK(s.store.take(100).count == 6);
  }

  TEST_CASE("a chunk that is added before the run is at its end loses no block") {
    stock s{32};
    CHECK(s.grow(14));
    (void)s.store.take(3);
    CHECK(s.grow(10));
    CHECK(s.store.blocks() == 24);
    CHECK(length_of(s.store.take(100)) == 21);
  }

  TEST_CASE("carves no further than it is told") {
    stock s{32};
    s.grow(10);
    std::byte* const begin = s.store.run_begin();
    CHECK(s.store.carve(3));
    CHECK(s.store.run_begin() == begin + 3 * 32);
    CHECK(s.store.pop() == begin);
    CHECK(s.store.pop() == begin + 32);
    CHECK(s.store.carve(1)); // in front of the one that is left
    CHECK(s.store.pop() == begin + 3 * 32);
    CHECK(s.store.carve(100));
    CHECK_FALSE(s.store.carve(1));
  }

  TEST_CASE("holds is exact at both ends of every chunk") {
    stock s{56};
    for (int i = 0; i < 30; ++i) {
      s.grow(3);
      std::byte* const begin = s.store.run_begin();
      CHECK(s.store.holds(begin) == ownership::yes);
      CHECK(s.store.holds(begin - 1) == ownership::no);
      CHECK(s.store.holds(begin + 3 * 56 - 1) == ownership::yes);
      CHECK(s.store.holds(begin + 3 * 56) == ownership::no);
    }
  }

  TEST_CASE("the chunks that are removed as free are those of which no block is used, newest first") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      stock s{24};
      std::vector<void*> used;
      for (int turn = 0; turn < 12; ++turn) {
        for (std::size_t n = random.below(300); n > 0; --n)
          used.push_back(s.get());
        const std::size_t kept = random.below(3) == 0 ? 0 : random.below(used.size() + 1);
        const bool by_age = random.below(2) == 0; // else scattered: few chunks are wholly free
        while (used.size() > kept) {
          const std::size_t i = by_age ? used.size() - 1 : random.below(used.size());
          s.store.push(used[i]);
          used.erase(used.begin() + static_cast<std::ptrdiff_t>(i));
        }
        const std::size_t reserved = s.store.reserved();
        const std::size_t given_back = s.give_back(s.store.remove_free_chunks());
        REQUIRE(s.store.reserved() == reserved - given_back);
        REQUIRE(s.store.reserved() == s.up.live_bytes());
        REQUIRE(s.store.used() == used.size());
        REQUIRE((!used.empty() || s.store.chunks() == 0));
        REQUIRE(std::all_of(used.begin(), used.end(), [&](void* p) { return s.store.holds(p) == ownership::yes; }));
        REQUIRE(s.store.remove_free_chunks() == nullptr); // all of them at once
        const block_chain left = s.store.take(SIZE_MAX);
        REQUIRE(left.count == s.store.blocks() - used.size());
        s.store.put(left);
      }
    }
  }

  TEST_CASE("what upstream refused is wanted half as large the next time") {
    stock s{64};
    const auto plan = s.store.plan_chunk(SIZE_MAX);
    void* const memory = s.up.allocate(plan.least, 8);
    s.store.add_chunk(memory, plan.least, plan);
    CHECK(s.store.blocks() == 1);
    CHECK(s.store.plan_chunk(SIZE_MAX).wanted <= plan.wanted / 2);
    CHECK(s.store.plan_chunk(SIZE_MAX).wanted > plan.wanted / 2 - 64);
  }

  TEST_CASE("what is wanted after a refusal grows by doubling, not to its share at once") {
    stock s{64};
    while (s.store.reserved() < 200'000)
      s.grow();
    for (int refusals = 0; refusals < 5; ++refusals) {
      const auto plan = s.store.plan_chunk(SIZE_MAX);
      s.store.add_chunk(s.up.allocate(plan.least, 8), plan.least, plan);
    }
    CHECK(s.store.plan_chunk(SIZE_MAX).wanted <= 2048);
    s.grow();
    CHECK(s.store.plan_chunk(SIZE_MAX).wanted <= 4096);
    CHECK(s.store.plan_chunk(SIZE_MAX).wanted > 3072);
  }
}
