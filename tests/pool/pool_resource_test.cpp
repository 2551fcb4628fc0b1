#include <allot/pool/pool_resource.hpp>

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/probe_upstream.hpp>
#include <allot/testing/split_mix.hpp>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/shadow_model.hpp"

#include <array>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define HAS_CLANG_UBSAN 1 // stops where std's own pool gives what is not aligned
#endif
#endif

#if ALLOT_EXCEPTIONS
namespace with_std {
using std::pmr::unsynchronized_pool_resource;
#include "pool/std_pool_program.inc"
} // namespace with_std
namespace with_allot {
using unsynchronized_pool_resource = allot::pool_resource<>;
#include "pool/std_pool_program.inc"
} // namespace with_allot
#endif

namespace {

constexpr std::size_t footer = sizeof(allot::detail::store_chunk);
constexpr std::size_t huge = SIZE_MAX;
constexpr std::size_t largest = 64 * 1024;

struct pool_fixture {
  allot::probe_upstream up;
  allot::pool_resource<allot::probe_upstream> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct small_blocks_fixture {
  allot::probe_upstream up;
  allot::pool_resource<allot::probe_upstream> r{{3, 100}, up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct over_buffer_fixture {
  allot::bump_resource<16 * 1024> bottom;
  allot::pool_resource<allot::bump_resource<16 * 1024>> r{bottom};
  auto& resource() { return r; }
  static constexpr bool bounded = true;
};

#if ALLOT_EXCEPTIONS
struct foreign_fixture {
  allot::probe_upstream up;
  allot::pool_resource<> r{&up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};
#endif

/// The bytes that a request takes from a pool whose largest block has `most` bytes.
std::size_t bytes_taken(const allot::layout& request, std::size_t most) {
  const std::size_t key = allot::detail::class_key(std::max<std::size_t>(request.bytes, 1), request.alignment);
  return key < most ? allot::detail::class_bytes(allot::detail::class_of(key)) : request.bytes;
}

/// The figures of all sizes agree with those of the whole.
template <class Pool>
void check_figures(const Pool& pool) {
  const allot::pool_class_figures large = pool.large_figures();
  std::size_t used = 0;
  std::size_t reserved = large.reserved_bytes;
  for (std::size_t i = 0; i < pool.class_count(); ++i) {
    const allot::pool_class_figures figures = pool.class_figures(i);
    const std::size_t blocks = figures.blocks_used + figures.blocks_free;
    REQUIRE(figures.reserved_bytes == blocks * figures.block_bytes + figures.chunks * footer);
    used += figures.blocks_used * figures.block_bytes;
    reserved += figures.reserved_bytes;
  }
  REQUIRE(reserved == pool.reserved());
  REQUIRE((large.blocks_used == 0 ? used == pool.used() : used <= pool.used()));
}

/// Random requests and deallocations over an upstream that refuses now and then.
void run_against_model(std::uint64_t seed) {
  CAPTURE(seed);
  allot::split_mix random{seed};
  allot::checking_resource memory;
  allot::failing_adaptor up{memory};
  up.fail_with_probability(0.2, seed);
  const std::size_t most = random.below(2) == 0 ? 0 : 1 + random.below(2000);
  allot::pool_resource pool{{random.below(20), most}, up};
  support::shadow_model model;
  std::size_t used = 0;
  const std::size_t begin = random.below(100);

  for (std::size_t turn = 0; turn < 800; ++turn) {
    const std::size_t growing = (turn + begin) / 100 % 2 == 0 ? 12 : 5; // of 20 turns
    if (random.below(100) == 0) {
      const std::size_t reserved = pool.reserved();
      const std::size_t trimmed = pool.trim();
      REQUIRE(pool.reserved() == reserved - trimmed);
    } else if (random.below(300) == 0) {
      model.clear();
      pool.release();
      used = 0;
      REQUIRE(memory.live_blocks() == 0);
    } else if (random.below(20) < growing) {
      const allot::layout request = support::random_request(random);
      if (void* const p = pool.try_allocate(request.bytes, request.alignment)) {
        REQUIRE(pool.owns(p) == allot::ownership::yes);
        model.add(p, request);
        used += bytes_taken(request, pool.options().largest_required_pool_block);
      }
    } else if (model.size() != 0) {
      const auto block = model.remove(random.below(model.size()));
      pool.deallocate(block.p, block.shape.bytes, block.shape.alignment);
      used -= bytes_taken(block.shape, pool.options().largest_required_pool_block);
    }
    REQUIRE(pool.used() == used);
    REQUIRE(pool.reserved() == memory.live_bytes());
    if (turn % 8 == 0) check_figures(pool);
  }
  while (model.size() != 0) {
    const auto block = model.remove(model.size() - 1);
    pool.deallocate(block.p, block.shape.bytes, block.shape.alignment);
  }
  REQUIRE(pool.used() == 0);
  (void)pool.trim();
  REQUIRE(memory.live_blocks() == 0);
}

/// Gives memory that is aligned to 16 and no more than that, where it is for more than `straight` bytes.
class crooked_upstream final : public allot::resource_interface<crooked_upstream> {
public:
  static constexpr const char* class_name = "crooked_upstream";

  allot::checking_resource memory;
  std::size_t straight = 0;

private:
  friend resource_interface;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if (bytes <= straight) return memory.try_allocate(bytes, alignment);
    auto* const p = static_cast<std::byte*>(memory.try_allocate(bytes + alignment, alignment));
    return p + (alignment > 16 ? 16 : 0);
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (bytes <= straight) return memory.deallocate(p, bytes, alignment);
    memory.deallocate(static_cast<std::byte*>(p) - (alignment > 16 ? 16 : 0), bytes + alignment, alignment);
  }
};

#if ALLOT_EXCEPTIONS
/// Throws what is no std::bad_alloc, at the call `at` and no other: who swallowed it would be served when he asks again.
struct throwing_upstream : std::pmr::memory_resource {
  std::size_t at = 0;
  std::size_t calls = 0;
  allot::checking_resource memory;

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (calls++ == at) throw std::runtime_error{"mine"};
    return memory.allocate(bytes, alignment);
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    memory.deallocate(p, bytes, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }
};
#endif

} // namespace

template class allot::pool_resource<allot::bump_resource<64>>;
#if ALLOT_EXCEPTIONS
template class allot::pool_resource<>;
#endif

TEST_SUITE("pool_resource") {
  TEST_CASE("keeps the contract of a memory resource: over a known upstream") { check_contract<pool_fixture>(); }
  TEST_CASE("keeps the contract of a memory resource: with options") { check_contract<small_blocks_fixture>(); }
  TEST_CASE("keeps the contract of a memory resource: over an arena") { check_contract<over_buffer_fixture>(); }
#if ALLOT_EXCEPTIONS
  TEST_CASE("keeps the contract of a memory resource: over any upstream") { check_contract<foreign_fixture>(); }

  TEST_CASE("stands in for std::pmr::unsynchronized_pool_resource in a program written for it") {
    allot::checking_resource for_std;
    allot::checking_resource for_allot;
    CHECK(with_allot::run(&for_allot) == with_std::run(&for_std));
    CHECK(for_allot.live_blocks() == 0);
  }

  TEST_CASE("reads the default resource once, when it is made, and takes nothing from it then") {
    allot::checking_resource first;
    std::pmr::memory_resource* const before = std::pmr::set_default_resource(&first);
    allot::pool_resource<> pool;
    const allot::pool_resource<> with_options{std::pmr::pool_options{}};
    std::pmr::set_default_resource(before);
    CHECK(first.attempts() == 0);
    (void)pool.allocate(10);
    CHECK(first.live_blocks() == 1);
    CHECK(pool.upstream_resource() == &first);
    CHECK(with_options.upstream_resource() == &first);
  }
#endif

  TEST_CASE("example") {
    // [example]
    allot::checking_resource memory;
    allot::pool_resource pool{memory}; // knows its upstream's type: no virtual call to it

    std::pmr::map<int, std::pmr::string> names{&pool};
    for (int turn = 0; turn < 3; ++turn) {
      for (int i = 0; i < 1000; ++i)
        names.emplace(i, "a name that is too long for the string object itself");
      names.clear(); // the second turn takes nothing from memory
    }
    CHECK(pool.used() == 0);
    CHECK(pool.trim() > 0); // all chunks are free, and go back
    CHECK(memory.live_blocks() == 0);
    // [example]
  }

  TEST_CASE("deduces its upstream, and one over another is no copy") {
    allot::bump_resource<16 * 1024> bottom;
    allot::pool_resource first{&bottom};
    allot::pool_resource second{first};
    allot::pool_resource third{std::pmr::pool_options{0, 64}, second, "third"};
    using first_type = allot::pool_resource<allot::bump_resource<16 * 1024>>;
    using second_type = allot::pool_resource<first_type>;
    static_assert(std::is_same_v<decltype(first), first_type>);
    static_assert(std::is_same_v<decltype(second), second_type>);
    static_assert(std::is_same_v<decltype(third), allot::pool_resource<second_type>>);
    CHECK(third.upstream_resource() == &second);
    CHECK(std::string_view{third.name()} == "third");
    CHECK(third.allocate(8) != nullptr);
    CHECK(bottom.used() > 0);
  }

  TEST_CASE("options tell the values that are obeyed") {
    allot::checking_resource up;
    const auto obeyed = [&](std::size_t blocks, std::size_t bytes) {
      const std::pmr::pool_options all = allot::pool_resource{{blocks, bytes}, up}.options();
      return std::pair{all.max_blocks_per_chunk, all.largest_required_pool_block};
    };
    CHECK(obeyed(0, 0).second == largest);
    CHECK(obeyed(0, huge) == obeyed(0, 0));
    CHECK(obeyed(huge, 0) == obeyed(0, 0));
    CHECK(obeyed(7, 600) == std::pair<std::size_t, std::size_t>{7, 640});
    CHECK(obeyed(1, 1) == std::pair<std::size_t, std::size_t>{1, 8});
    CHECK(obeyed(1, 5121).second == 6144);
  }

  TEST_CASE(
      "a chunk has no more blocks than the options allow, and one larger than the largest block is upstream's own") {
    allot::checking_resource up;
    allot::pool_resource pool{{5, 600}, up};
    for (int i = 0; i < 100; ++i)
      (void)pool.allocate(40, 8);
    CHECK(up.allocations() == 20);
    CHECK(up.largest_bytes() == 5 * 40 + footer);
    void* const p = pool.allocate(641, 1);
    CHECK(up.allocations() == 21);
    pool.deallocate(p, 641, 1);
    CHECK(up.deallocations() == 1);
    (void)pool.allocate(640, 1);
    CHECK(pool.class_figures(pool.class_count() - 1).blocks_used == 1);
  }

  TEST_CASE("the chunks of many blocks are few, of up to 64 KiB, and no more than half of what is there too much") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    for (std::size_t blocks = 1; blocks < 40'000; ++blocks) {
      (void)pool.allocate(24, 8);
      REQUIRE(up.live_bytes() <= 512 + blocks * 24 * 2);
      if (blocks * 24 > 8192) REQUIRE(up.live_bytes() <= blocks * 24 * 8 / 5);
    }
    CHECK(up.largest_bytes() == (64 * 1024 - footer) / 24 * 24 + footer);
    CHECK(up.allocations() < 30);
  }

  TEST_CASE("a few blocks of each of many sizes take little more than they are") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    std::size_t asked = 0;
    for (std::size_t bytes = 16; bytes <= 4096; asked += bytes, bytes += bytes < 512 ? 8 : 256)
      (void)pool.allocate(bytes, 8);
    CHECK(up.live_bytes() < asked * 9 / 4);
  }

  TEST_CASE("over 512 bytes, too, a block that comes back is the next one out") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    for (std::size_t bytes = 480; bytes <= largest; bytes += 33) {
      void* const p = pool.allocate(bytes, 1);
      void* const q = pool.allocate(bytes, 1);
      pool.deallocate(p, bytes, 1);
      CHECK(pool.allocate(bytes, 1) == p);
      pool.deallocate(q, bytes, 1);
      pool.deallocate(p, bytes, 1);
    }
    CHECK(pool.used() == 0);
  }

  TEST_CASE("a block that comes back is the next one out, and fresh blocks lie side by side") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    std::byte* p = static_cast<std::byte*>(pool.allocate(24, 8));
    for (int i = 0; i < 18; ++i) {
      auto* const next = static_cast<std::byte*>(pool.allocate(24, 8));
      CHECK(next == p + 24);
      p = next;
    }
    pool.deallocate(p, 24, 8);
    CHECK(pool.allocate(17, 4) == p);
  }

  TEST_CASE("every size up to 5 KiB is aligned to every alignment, and over-aligned ones beyond the classes are too") {
    allot::checking_resource up; // gives exactly the alignment asked for
    allot::pool_resource pool{up};
    for (std::size_t alignment = 1; alignment <= (std::size_t{1} << 21); alignment *= 4) {
      for (std::size_t bytes = 1; bytes < 5000; bytes += bytes < 140 ? 1 : 61) {
        void* const p = pool.allocate(bytes, alignment);
        REQUIRE(allot::is_aligned(p, alignment));
        pool.deallocate(p, bytes, alignment);
      }
    }
    CHECK(pool.used() == 0);
    CHECK(allot::is_aligned(pool.allocate(17, 16), 16));
    CHECK(allot::is_aligned(pool.allocate(17, 16), 16));
  }

  TEST_CASE("a large block goes back as it was taken, at once") {
    allot::checking_resource up; // aborts where size, alignment or address are not what they were
    allot::pool_resource pool{up};
    const std::array<allot::layout, 6> requests{
        {{largest + 1, 1}, {1'000'000, 8}, {1, 2 * largest}, {0, 2 * largest}, {100'001, 4096}, {largest, 1 << 20}}};
    std::vector<void*> blocks;
    std::size_t bytes = 0;
    for (const auto& [size, alignment] : requests) {
      blocks.push_back(pool.allocate(size, alignment));
      CHECK(allot::is_aligned(blocks.back(), alignment));
      CHECK(pool.owns(blocks.back()) == allot::ownership::yes);
      CHECK(pool.used() == (bytes += size));
    }
    CHECK(pool.large_figures().blocks_used == requests.size());
    CHECK(pool.reserved() == up.live_bytes());
    for (const std::size_t i : {2u, 0u, 5u, 1u, 4u, 3u}) {
      pool.deallocate(blocks[i], requests[i].bytes, requests[i].alignment);
      CHECK(pool.reserved() == up.live_bytes());
    }
    CHECK(up.live_blocks() == 0);
    CHECK(pool.owns(blocks[0]) == allot::ownership::no);
  }

  TEST_CASE("a byte beyond the largest class is upstream's, and takes a footer of four words with it") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    for (std::size_t bytes = 8; bytes <= 64; bytes += 8)
      (void)pool.allocate(bytes, 8); // what lies behind the last class's list is not null
    void* const p = pool.allocate(largest + 1, 1);
    CHECK(up.last_allocated().bytes == largest + 8 + 4 * sizeof(void*));
    (void)pool.allocate(largest + 8, 1);
    CHECK(up.last_allocated().bytes == largest + 8 + 4 * sizeof(void*));
    CHECK(pool.large_figures().blocks_used == 2);
    pool.deallocate(p, largest + 1, 1);
    CHECK(pool.large_figures().blocks_used == 1);
  }

  TEST_CASE("zero bytes get a block of their own") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    void* const a = pool.allocate(0, 1);
    void* const b = pool.allocate(0, 1);
    void* const c = pool.allocate(0, 64);
    CHECK(a != b);
    CHECK(allot::is_aligned(c, 64));
    CHECK(pool.used() == 8 + 8 + 64);
    pool.deallocate(a, 0, 1);
    CHECK(pool.allocate(1, 1) == a);
  }

  TEST_CASE("release gives everything back as it was taken, and starts anew") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    for (int turn = 0; turn < 3; ++turn) {
      allot::split_mix random{7};
      for (int i = 0; i < 500; ++i) {
        const auto [bytes, alignment] = support::random_request(random);
        if (bytes < huge / 4) (void)pool.allocate(bytes, alignment);
      }
      CHECK(up.live_bytes() == pool.reserved());
      pool.release();
      CHECK(up.live_blocks() == 0);
      CHECK(pool.used() == 0);
      CHECK(pool.reserved() == 0);
      (void)pool.allocate(24, 8);
      CHECK(up.last_allocated().bytes == (512 - footer) / 24 * 24 + footer);
    }
  }

  TEST_CASE("trim gives back a chunk when its last block has come back, and no other") {
    allot::checking_resource up;
    allot::pool_resource pool{{4, 0}, up};
    std::array<void*, 12> blocks; // in three chunks
    for (void*& p : blocks)
      p = pool.allocate(40, 8);
    for (const std::size_t i : {4u, 9u, 5u, 1u, 7u, 6u}) {
      CHECK(pool.trim() == 0);
      pool.deallocate(blocks[i], 40, 8);
    }
    CHECK(pool.trim() == 4 * 40 + footer);
    CHECK(pool.owns(blocks[4]) == allot::ownership::no);
    CHECK(pool.owns(blocks[1]) == allot::ownership::yes);
    CHECK(pool.class_figures(4) == allot::pool_class_figures{40, 6, 2, 2, 8 * 40 + 2 * footer});
    CHECK(pool.trim() == 0);
    (void)pool.allocate(40, 8);
    (void)pool.allocate(40, 8);
    CHECK(up.live_blocks() == 2); // what trim kept is used again
  }

  TEST_CASE("trim takes the newest chunk too, though not all of it was ever used") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    void* const kept = pool.allocate(24, 8);
    std::vector<void*> more;
    while (up.live_blocks() < 3)
      more.push_back(pool.allocate(24, 8));
    for (void* const p : more)
      pool.deallocate(p, 24, 8);
    (void)pool.trim();
    CHECK(up.live_blocks() == 1);
    CHECK(pool.owns(kept) == allot::ownership::yes);
    pool.deallocate(pool.allocate(24, 8), 24, 8);
    CHECK(up.live_blocks() == 1);
  }

  TEST_CASE("where upstream refuses the larger chunk, one for a single block is enough") {
    allot::checking_resource memory;
    allot::failing_adaptor up{memory};
    allot::pool_resource pool{up};
    up.fail_above(500);
    CHECK(pool.try_allocate(384, 1) != nullptr);
    CHECK(memory.last_allocated().bytes == 384 + footer);
    CHECK(pool.try_allocate(480, 1) == nullptr);
    CHECK(pool.used() == 384);
    for (int i = 0; i < 100; ++i)
      CHECK(pool.try_allocate(10, 1) != nullptr);
    CHECK(memory.allocations() < 20); // what is wanted shrinks until upstream has it: no chunk for each block
  }

  TEST_CASE("a failure of upstream at any call leaves it usable, and loses nothing") {
    allot::probe_upstream up;
    const auto use = [&] {
      allot::pool_resource pool{up};
      support::shadow_model model;
      bool served = true;
      for (const std::size_t bytes : {100u, 5u, 3000u, 70'000u, 100u, 0u, 200'000u, 400u, 1u}) {
        void* const p = pool.try_allocate(bytes, 16);
        if (p != nullptr) model.add(p, {bytes, 16});
        served = served && p != nullptr;
        CHECK(pool.reserved() == up.memory().live_bytes());
      }
      model.clear();
      return served;
    };
    const auto result = allot::allocation_failure_loop(up, use, {.accept_swallowed = true});
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.failures_injected == 6);
    CHECK(result.swallowed == 3); // a chunk that was refused was wanted, and not needed
  }

  TEST_CASE("after a failure the same request is served as soon as upstream can") {
    for (std::size_t k = 1; k < 12; ++k) {
      allot::checking_resource memory;
      allot::failing_adaptor up{memory};
      allot::pool_resource pool{up};
      up.fail_from(k);
      std::size_t served = 0;
      while (served < 100'000 && pool.try_allocate(100, 4) != nullptr)
        ++served;
      const std::size_t used = pool.used();
      CHECK(pool.try_allocate(100, 4) == nullptr);
      CHECK(pool.try_allocate(100'000, 4) == nullptr);
      CHECK(pool.used() == used);
      up.heal();
      CHECK(pool.try_allocate(100, 4) != nullptr);
      CHECK(pool.reserved() == memory.live_bytes());
    }
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("what a foreign upstream throws beside bad_alloc passes through, at any call, and loses nothing") {
    for (std::size_t at = 0; at < 9; ++at) {
      throwing_upstream up;
      allot::pool_resource<> pool{&up};
      up.at = at;
      const auto use = [&] {
        for (const std::size_t bytes : {8u, 100u, 100'000u, 3000u, 70'000u, 20u, 200u, 40'000u, 1'000'000u})
          (void)pool.allocate(bytes, 8);
      };
      CHECK_THROWS_AS(use(), std::runtime_error);
      CHECK(pool.reserved() == up.memory.live_bytes());
      use();
      pool.release();
      CHECK(up.memory.live_blocks() == 0);
    }
  }

  TEST_CASE("a failure is upstream's own, except where no block could be as large") {
    allot::bump_resource<2048> bottom{"bottom"};
    allot::pool_resource pool{bottom, "top"};
    try {
      (void)pool.allocate(4000, 1);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "bottom");
      CHECK(e.record().bytes == 4096 + footer);
    }
    try {
      (void)pool.allocate(huge - 10, 1);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "top");
      CHECK(e.record().bytes == huge - 10);
    }
    CHECK(bottom.used() == 0);
  }

  TEST_CASE("memory that is not aligned as asked goes back, and the record says so") {
    crooked_upstream up;
    allot::pool_resource pool{up, "mine"};
    for (const std::size_t bytes : {64u, 100'000u}) {
      try {
        (void)pool.allocate(bytes, 64);
        FAIL("allocated");
      } catch (const allot::out_of_memory& e) {
        CHECK(std::string_view{e.record().name} == "mine");
        CHECK(std::string_view{e.record().detail}.find("not aligned") != std::string_view::npos);
        CHECK(e.record().bytes == bytes);
      }
    }
    CHECK(up.memory.live_blocks() == 0);
    CHECK(pool.try_allocate(8, 8) != nullptr);
  }

#ifndef HAS_CLANG_UBSAN
  TEST_CASE("over std's pool, whose chunks may not be aligned, every block is, and none is given twice") {
    std::pmr::unsynchronized_pool_resource bottom;
    allot::pool_resource<> pool{{3, 0}, &bottom};
    support::shadow_model model;
    allot::split_mix random{3};
    for (int i = 0; i < 400; ++i) {
      const std::size_t alignment = std::size_t{1} << random.below(11);
      const std::size_t bytes = 1 + random.below(3000);
      if (void* const p = pool.try_allocate(bytes, alignment)) model.add(p, {bytes, alignment});
    }
    CHECK(model.size() > 100);
    model.clear();
  }
#endif
#endif

  TEST_CASE("where the larger chunk is not aligned as asked, the one for a single block may be") {
    crooked_upstream up;
    up.straight = 128 + footer;
    allot::pool_resource pool{up};
    CHECK(allot::is_aligned(pool.try_allocate(128, 128), 128));
    CHECK(up.memory.live_blocks() == 1);
    CHECK(pool.reserved() == 128 + footer);
  }

  TEST_CASE("sizes that could wrap are refused without asking upstream") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    for (std::size_t below = 0; below < 200; ++below) {
      for (const std::size_t alignment : {std::size_t{1}, std::size_t{1} << 30, huge / 2 + 1}) {
        REQUIRE(pool.try_allocate(huge - below, alignment) == nullptr);
      }
    }
    CHECK(up.attempts() == 0);
    CHECK(pool.try_allocate(huge / 2, 1) == nullptr);
  }

  TEST_CASE("owns is exact: blocks, used or free, and nothing beside") {
    allot::checking_resource up;
    allot::pool_resource pool{{2, 0}, up};
    std::vector<std::byte*> blocks;
    for (int i = 0; i < 100; ++i)
      blocks.push_back(static_cast<std::byte*>(pool.allocate(48, 8)));
    pool.deallocate(blocks[50], 48, 8);
    for (std::byte* const p : blocks) {
      CHECK(pool.owns(p) == allot::ownership::yes);
      CHECK(pool.owns(p + 47) == allot::ownership::yes);
    }
    CHECK(pool.owns(blocks[1] + 48) == allot::ownership::no); // the footer of the first chunk
    CHECK(pool.owns(blocks[0] - 1) == allot::ownership::no);
    CHECK(pool.owns(&pool) == allot::ownership::no);
    CHECK(pool.owns(nullptr) == allot::ownership::no);
    auto* const large = static_cast<std::byte*>(pool.allocate(70'000, 1));
    CHECK(pool.owns(large + 69'999) == allot::ownership::yes);
    CHECK(pool.owns(large + 70'000) == allot::ownership::no);
  }

  TEST_CASE("random calls over an upstream that fails now and then agree with a model") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
      run_against_model(seed);
  }

  TEST_CASE("memory goes back clean") {
    alignas(16) static std::byte memory[64 * 1024];
    {
      allot::bump_resource bottom{memory};
      allot::pool_resource middle{bottom};
      for (int turn = 0; turn < 3; ++turn) {
        allot::pool_resource top{middle};
        for (int i = 0; i < 20; ++i) {
          void* const p = top.allocate(90, 2);
          std::memset(p, 1, 90);
          if (i % 2 == 0) top.deallocate(p, 90, 2);
        }
        (void)top.trim();
      }
      middle.release();
      std::memset(bottom.allocate(bottom.remaining(1), 1), 1, 1);
    }
    std::memset(memory, 2, sizeof memory); // a report where poison was left behind
  }

#if ALLOT_ASAN
  TEST_CASE("a use after deallocate or release, and one past the end, is a report and not silence") {
    allot::bump_resource<16 * 1024> bottom;
    allot::pool_resource pool{bottom};
    volatile char* const p = static_cast<char*>(pool.allocate(27, 1));
    const auto touch = [&] { p[20] = 2; };
    CHECK(support::ending_of(touch).exited(0));
    CHECK(support::ending_of([&] { p[27] = 2; }).says("AddressSanitizer"));
    CHECK(support::ending_of([&] { p[32 + 8] = 2; }).says("use-after-poison")); // a fresh block
    CHECK(support::ending_of([&] { pool.release(), touch(); }).says("use-after-poison"));
    CHECK(support::ending_of([&] { pool.deallocate(const_cast<char*>(p), 27, 1), touch(); }).says("use-after-poison"));
    volatile char* const small = static_cast<char*>(pool.allocate(3, 1));
    CHECK(support::ending_of([&] { small[3] = 2; }).says("AddressSanitizer"));
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a broken precondition ends the program") {
    allot::checking_resource up;
    allot::pool_resource pool{up};
    void* const p = pool.allocate(8, 8);
    CHECK(dies([&] { (void)pool.try_allocate(8, 24); }, "is_alignment"));
    CHECK(dies([&] { pool.deallocate(p, 8, 8), pool.deallocate(p, 8, 8); }, "used_"));
    CHECK(dies([&] { pool.deallocate(p, 100, 8); }, "used_"));
    CHECK(dies([&] { (void)pool.class_figures(pool.class_count()); }, "class_count"));
    CHECK(dies([] { allot::pool_resource a{static_cast<allot::resource*>(nullptr)}; }, "upstream"));
    void* const q = pool.allocate(8, 8);
    pool.deallocate(p, 8, 8);
    CHECK(dies([&] { pool.deallocate(p, 8, 8); }, "free_"));
    CHECK(dies([&] { pool.deallocate(static_cast<std::byte*>(q) + 1, 8, 1); }, "is_aligned"));
    void* const large = pool.allocate(100'000, 8);
    CHECK(dies([&] { pool.deallocate(large, 100'001 - 8, 8); }, "bytes"));
  }
#endif
}
