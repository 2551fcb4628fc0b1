#include <allot/pool/block_pool_resource.hpp>

#include <allot/core/static_slot.hpp>
#include <allot/source/static_buffer.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/probe_upstream.hpp>
#include <allot/testing/split_mix.hpp>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/room.hpp"
#include "support/shadow_model.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <list>
#include <memory_resource>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t footer = sizeof(allot::detail::store_chunk);
constexpr std::size_t natural = alignof(std::max_align_t); // what a size makes blocks aligned to, at the most

struct buffer_fixture {
  alignas(16) std::array<std::byte, 64 * support::room<std::array<std::byte, 64>>(100)> memory;
  allot::block_pool_resource<64> r{memory};
  auto& resource() { return r; }
  static constexpr bool bounded = true;
};

struct crooked_buffer_fixture {
  alignas(16) std::array<std::byte, support::room(10'003)> memory;
  allot::block_pool_resource<100, 8> r{std::span{memory}.subspan(3, memory.size() - 4)};
  auto& resource() { return r; }
  static constexpr bool bounded = true;
};

struct growing_fixture {
  allot::probe_upstream up;
  allot::block_pool_resource<200, 64, allot::probe_upstream> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool bounded = true; // to one size
};

#if ALLOT_EXCEPTIONS
struct foreign_fixture {
  allot::probe_upstream up;
  allot::block_pool_resource<64, 16, std::pmr::memory_resource> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool bounded = true;
};
#endif

constexpr std::size_t slot_bytes = support::room(4096);
constinit allot::static_slot<allot::block_pool_resource<48>, slot_bytes> slot;
constinit allot::static_buffer<1000, 8> buffer;

/// All blocks that there are.
template <class Pool>
std::vector<void*> take_all(Pool& pool, std::size_t bytes, std::size_t alignment) {
  std::vector<void*> blocks;
  while (void* const p = pool.try_allocate(bytes, alignment))
    blocks.push_back(p);
  return blocks;
}

#if ALLOT_EXCEPTIONS
/// The record of a request that fails.
template <class Pool>
allot::failure record_of(Pool& pool, std::size_t bytes, std::size_t alignment) {
  try {
    (void)pool.allocate(bytes, alignment);
  } catch (const allot::out_of_memory& e) {
    return e.record();
  }
  FAIL("allocated");
  return {};
}
#endif

template <class Pool>
void run_against_model(Pool& pool, std::size_t most_blocks, allot::split_mix& random) {
  support::shadow_model model;
  std::size_t high = pool.high_water();
  for (std::size_t turn = 0; turn < 600; ++turn) {
    const std::size_t growing = turn / 100 % 2 == 0 ? 12 : 6; // of 20 turns
    if (random.below(20) < growing) {
      const allot::layout request{random.below(45), std::size_t{1} << random.below(6)};
      const bool fits = request.bytes <= 40 && request.alignment <= 8;
      void* const p = pool.try_allocate(request.bytes, request.alignment);
      REQUIRE((p != nullptr) == (fits && model.size() < most_blocks));
      if (p != nullptr) model.add(p, request);
    } else if (model.size() != 0) {
      const auto block = model.remove(random.below(model.size()));
      pool.deallocate(block.p, block.shape.bytes, block.shape.alignment);
    }
    high = std::max(high, pool.used());
    REQUIRE(pool.used() == 40 * model.size());
    REQUIRE(pool.high_water() == high);
  }
  while (model.size() != 0) {
    const auto block = model.remove(0);
    pool.deallocate(block.p, block.shape.bytes, block.shape.alignment);
  }
}

#if ALLOT_EXCEPTIONS
/// Gives no chunk that is aligned.
struct crooked final : allot::resource_interface<crooked> {
  static constexpr const char* class_name = "crooked";
  void* place(std::size_t n, std::size_t) noexcept {
    if (n >= sizeof memory) return nullptr;
    ++live;
    return memory + 1;
  }
  void give_back(void*, std::size_t, std::size_t) noexcept { --live; }
  alignas(64) std::byte memory[16384];
  int live = 0;
};
#endif

} // namespace

template class allot::block_pool_resource<1>;
template class allot::block_pool_resource<20, 64>;
template class allot::block_pool_resource<4096, 16, allot::resource>;

TEST_SUITE("block_pool_resource") {
  TEST_CASE("keeps the contract of a memory resource: over a buffer") { check_contract<buffer_fixture>(); }
  TEST_CASE("keeps the contract of a memory resource: over an unaligned buffer") {
    check_contract<crooked_buffer_fixture>();
  }
  TEST_CASE("keeps the contract of a memory resource: over an upstream") { check_contract<growing_fixture>(); }
#if ALLOT_EXCEPTIONS
  TEST_CASE("keeps the contract of a memory resource: over any upstream") { check_contract<foreign_fixture>(); }
#endif

  TEST_CASE("example") {
    // [example]
    static constinit allot::static_buffer<1024> memory;
    allot::block_pool_resource<32> messages{memory.claim("messages")}; // 32 blocks, and never more

    void* const one = messages.allocate(20, 4);
    void* const two = messages.allocate(32);
    CHECK(messages.used() == 64);
    CHECK(messages.try_allocate(33) == nullptr); // no other size
    messages.deallocate(one, 20, 4);
    messages.deallocate(two, 32);
    CHECK(messages.high_water() == 64);
    // [example]
  }

  TEST_CASE("a slot holds one, in .bss, and gives it all of its bytes") {
    allot::block_pool_resource<48>& nodes = slot.claim("nodes");
    CHECK(nodes.capacity() == slot_bytes / 48 * 48);
    CHECK(std::string_view{nodes.name()} == "nodes");
    CHECK(take_all(nodes, 48, natural).size() == slot_bytes / 48);
  }

  TEST_CASE("works over the claim of a static buffer") {
    allot::block_pool_resource<100, 4> pool{buffer.claim()};
    constexpr std::size_t block =
        (100 + sizeof(void*) - 1) / sizeof(void*) * sizeof(void*); // a free one holds a pointer
    CHECK(pool.block_bytes == block);
    CHECK(take_all(pool, 100, 4).size() == 1000 / block);
  }

  TEST_CASE("has as many blocks as fit into its bytes, wherever they start and end") {
    alignas(32) static std::array<std::byte, 700> memory;
    for (std::size_t begin = 0; begin < 40; ++begin) {
      for (std::size_t size = 0; size < 200; ++size) {
        const std::span bytes = std::span{memory}.subspan(begin, size);
        allot::block_pool_resource<40, 8> pool{bytes};
        const std::size_t padding = (8 - begin % 8) % 8;
        const std::size_t blocks = size < padding ? 0 : (size - padding) / 40;
        REQUIRE(pool.capacity() == blocks * 40);
        const auto all = take_all(pool, 40, 8);
        REQUIRE(all.size() == blocks);
        if (blocks != 0) REQUIRE(all.front() == memory.data() + begin + padding);
        for (std::size_t i = 1; i < blocks; ++i)
          REQUIRE(static_cast<std::byte*>(all[i]) == static_cast<std::byte*>(all[i - 1]) + 40);
      }
    }
  }

  TEST_CASE("no memory at all is a pool that is full") {
    allot::block_pool_resource<8> none{std::span<std::byte>{}};
    CHECK(none.try_allocate(1) == nullptr);
    CHECK(none.capacity() == 0);
    CHECK(none.high_water() == 0);
    CHECK(none.owns(nullptr) == allot::ownership::no);
    none.reset();
    CHECK(none.remaining(1) == 0);
  }

  TEST_CASE("blocks are as aligned as it says, and by nature as their size is, up to the widest type") {
    alignas(128) static std::array<std::byte, support::room(4096)> memory;
    allot::block_pool_resource<72> nodes{memory};
    CHECK(nodes.try_allocate(8, 8) != nullptr);
    CHECK(nodes.try_allocate(8, 16) == nullptr);
    allot::block_pool_resource<72, 128> lines{std::span{memory}.subspan(1)};
    CHECK(lines.block_bytes == 128);
    for (void* const p : take_all(lines, 72, 128))
      CHECK(allot::is_aligned(p, 128));
    CHECK(lines.used() == memory.size() - 128);
    static_assert(allot::block_pool_resource<64>::block_bytes == 64);
    static_assert(allot::block_pool_resource<1>::block_bytes == sizeof(void*));
    allot::block_pool_resource<64> large{memory};
    CHECK(large.try_allocate(64, natural) != nullptr);
    CHECK(large.try_allocate(64, 2 * natural) == nullptr);
  }

  TEST_CASE("a block that came back is the next one out, and zero bytes get one too") {
    std::array<std::byte, 400> memory;
    allot::block_pool_resource<24, 8> pool{memory};
    void* const a = pool.allocate(24, 8);
    void* const b = pool.allocate(0, 1);
    CHECK(a != b);
    pool.deallocate(a, 24, 8);
    CHECK(pool.allocate(0, 1) == a);
    CHECK(pool.used() == 2 * 24);
  }

  TEST_CASE("remaining says whether there is a block, and what fits into it") {
    alignas(8) std::array<std::byte, 48> memory;
    allot::block_pool_resource<20, 4> pool{memory};
    CHECK(pool.remaining(4) == 20);
    CHECK(pool.remaining(8) == 0);
    void* const p = pool.allocate(20, 4);
    CHECK(pool.remaining() == 20);
    (void)pool.allocate(1, 1);
    CHECK(pool.remaining() == 0);
    pool.deallocate(p, 20, 4);
    CHECK(pool.remaining(1) == 20);
  }

  TEST_CASE("reset frees all blocks, and the high water stays") {
    std::array<std::byte, 800> memory;
    allot::block_pool_resource<32, 8> pool{memory};
    const auto first = take_all(pool, 1, 1);
    pool.deallocate(first[3], 1, 1);
    pool.reset();
    CHECK(pool.used() == 0);
    CHECK(pool.high_water() == pool.capacity());
    CHECK(take_all(pool, 32, 8) == first);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record of a failure says whether it is full, or cannot serve such a request") {
    alignas(8) std::array<std::byte, 64> memory;
    allot::block_pool_resource<32, 8> pool{memory, "small"};
    CHECK(std::string_view{record_of(pool, 33, 1).detail}.find("more bytes") != std::string_view::npos);
    CHECK(std::string_view{record_of(pool, 1, 16).detail}.find("alignment") != std::string_view::npos);
    (void)take_all(pool, 32, 8);
    const allot::failure full = record_of(pool, 32, 8);
    CHECK(std::string_view{full.detail}.find("in use") != std::string_view::npos);
    CHECK(std::string_view{full.name} == "small");
    CHECK(full.used == 64);
    CHECK(full.capacity == 64);
    allot::checking_resource up;
    allot::block_pool_resource<32, 8, allot::checking_resource> growing{up, "growing"};
    CHECK(std::string_view{record_of(growing, SIZE_MAX, 1).detail}.find("more bytes") != std::string_view::npos);
    CHECK(std::string_view{record_of(growing, 1, 64).name} == "growing");
    CHECK(up.attempts() == 0);
  }

  TEST_CASE("a chunk that is not aligned goes back to upstream, and the record says so") {
    crooked up;
    allot::block_pool_resource<32, 8, crooked> pool{up, "growing"};
    CHECK(pool.upstream_resource() == &up);
    CHECK(std::string_view{pool.name()} == "growing");
    CHECK(pool.try_allocate(32, 8) == nullptr);
    CHECK(std::string_view{record_of(pool, 32, 8).detail} ==
          "upstream gave a chunk that is not aligned as it was asked for");
    CHECK(up.live == 0);
    CHECK(pool.used() == 0);
  }

  TEST_CASE("what a foreign upstream throws beside bad_alloc passes through, and loses nothing") {
    struct throwing : std::pmr::memory_resource {
      void* do_allocate(std::size_t, std::size_t) override { throw std::runtime_error{"mine"}; }
      void do_deallocate(void*, std::size_t, std::size_t) override {}
      bool do_is_equal(const std::pmr::memory_resource&) const noexcept override { return false; }
    } up;
    allot::block_pool_resource<32, 8, std::pmr::memory_resource> pool{up};
    CHECK_THROWS_AS((void)pool.allocate(10, 1), std::runtime_error);
    CHECK(pool.used() == 0);
    CHECK(pool.reserved() == 0);
  }
#endif

  TEST_CASE("random calls over a buffer agree with a model") {
    alignas(16) static std::array<std::byte, 1600> memory;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      const std::size_t blocks = random.below(40);
      allot::block_pool_resource<40, 8> pool{std::span{memory}.first(40 * blocks + random.below(40))};
      run_against_model(pool, blocks, random);
      if (random.below(2) == 0) pool.reset();
      run_against_model(pool, blocks, random);
    }
  }

  TEST_CASE("random calls over an upstream agree with a model, and trim gives back all that is free") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      allot::checking_resource up;
      allot::block_pool_resource<40, 8, allot::checking_resource> pool{up};
      run_against_model(pool, SIZE_MAX, random);
      CHECK(pool.reserved() == up.live_bytes());
      CHECK(pool.trim() > 0);
      CHECK(up.live_blocks() == 0);
      run_against_model(pool, SIZE_MAX, random);
      (void)pool.allocate(40, 8);
      pool.release();
      CHECK(up.live_blocks() == 0);
      CHECK(pool.used() == 0);
    }
  }

  TEST_CASE("over an upstream chunks grow, and one for a single block is asked for where that is refused") {
    allot::checking_resource memory;
    allot::failing_adaptor up{memory};
    allot::block_pool_resource<120, 8, decltype(up)> pool{up};
    up.fail_above(300);
    CHECK(pool.allocate(120, 8) != nullptr);
    CHECK(memory.last_allocated() == allot::layout{120 + footer, 8});
    up.heal();
    for (int i = 0; i < 9; ++i)
      (void)pool.allocate(1, 1);
    CHECK(memory.largest_bytes() > 300);
    CHECK(pool.owns(pool.allocate(3, 1)) == allot::ownership::yes);
    CHECK(pool.owns(&pool) == allot::ownership::no);
    up.fail_all();
    CHECK(pool.remaining(8) == 120); // a fresh block is still there
    (void)take_all(pool, 5, 1);
    CHECK(pool.remaining(8) == 0);
    up.heal();
    CHECK(pool.try_allocate(5, 1) != nullptr);
  }

  TEST_CASE("a node container of fixed nodes lives in one") {
    constexpr std::size_t blocks = support::room<std::array<std::byte, 32>>(91);
    alignas(16) std::array<std::byte, 32 * blocks> memory;
    allot::block_pool_resource<32> pool{memory};
    std::pmr::list<long> numbers{&pool};
    for (long i = 0; i < 1000; ++i) {
      numbers.push_back(i);
      if (numbers.size() == blocks) numbers.pop_front();
    }
    CHECK(numbers.back() == 999);
    CHECK(pool.high_water() == blocks * 32);
  }

  TEST_CASE("the buffer goes back clean") {
    alignas(16) static std::array<std::byte, 512> memory;
    {
      allot::block_pool_resource<32> pool{memory};
      for (void* const p : take_all(pool, 30, 1))
        pool.deallocate(std::memset(p, 1, 30), 30, 1);
    }
    std::memset(memory.data(), 2, memory.size()); // a report where poison was left behind
  }

#if ALLOT_ASAN
  TEST_CASE("a use after deallocate or reset, and one of a fresh block, is a report and not silence") {
    alignas(16) static std::array<std::byte, 512> memory;
    allot::block_pool_resource<32> pool{memory};
    volatile char* const p = static_cast<char*>(pool.allocate(30, 1));
    const auto touch = [&] { p[20] = 2; };
    CHECK(support::ending_of(touch).exited(0));
    CHECK(support::ending_of([&] { p[33] = 2; }).says("use-after-poison"));
    CHECK(support::ending_of([&] { pool.reset(), touch(); }).says("use-after-poison"));
    CHECK(support::ending_of([&] { pool.deallocate(const_cast<char*>(p), 30, 1), touch(); }).says("use-after-poison"));
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a wrong deallocation ends the program") {
    alignas(16) static std::array<std::byte, 512> memory;
    allot::block_pool_resource<32, 16> pool{memory};
    auto* const p = static_cast<std::byte*>(pool.allocate(32, 16));
    (void)pool.allocate(32, 16);
    CHECK(dies([&] { pool.deallocate(p + 16, 16, 16); }, "is_block"));
    CHECK(dies([&] { pool.deallocate(p + 64, 16, 16); }, "is_block")); // never given out
    CHECK(dies([&] { pool.deallocate(&pool, 16, 8); }, "is_block"));
    CHECK(dies([&] { pool.deallocate(p, 33, 16); }, "serves"));
    CHECK(dies([&] { pool.deallocate(p, 32, 32); }, "serves"));
    CHECK(dies([&] { pool.deallocate(p, 32, 16), pool.deallocate(p, 32, 16); }, "is_next"));
    CHECK(dies([&] { (void)pool.remaining(3); }, "is_alignment"));
    allot::checking_resource up;
    allot::block_pool_resource<32, 16, allot::checking_resource> growing{up};
    auto* const q = static_cast<std::byte*>(growing.allocate(32, 16));
    CHECK(dies([&] { growing.deallocate(q + 1, 31, 1); }, "is_aligned"));
    CHECK(dies([&] { growing.deallocate(q, 32, 16), growing.deallocate(q, 32, 16); }, "used"));
  }
#endif
}
