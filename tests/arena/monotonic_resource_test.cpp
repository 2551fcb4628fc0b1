#include <allot/arena/monotonic_resource.hpp>

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/probe_upstream.hpp>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/room.hpp"
#include "support/shadow_model.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <memory_resource>
#include <optional>
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
using std::pmr::monotonic_buffer_resource;
#include "arena/std_program.inc"
} // namespace with_std
namespace with_allot {
using monotonic_buffer_resource = allot::monotonic_resource<>;
#include "arena/std_program.inc"
} // namespace with_allot
#endif

namespace {

constexpr std::size_t footer = sizeof(allot::detail::chunk_footer);
constexpr std::size_t huge = SIZE_MAX;

struct growing_fixture {
  allot::probe_upstream up;
  allot::monotonic_resource<allot::probe_upstream> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool reuses_memory = false;
};

struct coarse_fixture {
  allot::probe_upstream up;
  allot::monotonic_resource<allot::probe_upstream, 8> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool reuses_memory = false;
};

struct buffered_fixture {
  allot::probe_upstream up;
  std::array<std::byte, 333> buffer;
  allot::monotonic_resource<allot::probe_upstream> r{buffer.data() + 1, 300, up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool reuses_memory = false;
};

#if ALLOT_EXCEPTIONS
struct foreign_fixture {
  allot::probe_upstream up;
  allot::monotonic_resource<> r{&up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool reuses_memory = false;
};
#endif

/// Asks for the same blocks each time it is called.
template <class Arena>
void work(Arena& arena, std::uint64_t seed, int requests) {
  allot::split_mix random{seed};
  for (int i = 0; i < requests; ++i) {
    const std::size_t alignment = std::size_t{1} << random.below(8);
    (void)arena.allocate(random.below(random.below(20) == 0 ? 5000 : 100), alignment);
  }
}

void run_against_model(std::uint64_t seed) {
  CAPTURE(seed);
  allot::split_mix random{seed};
  allot::checking_resource memory;
  allot::failing_adaptor up{memory};
  up.fail_with_probability(0.2, seed);
  std::vector<std::byte> buffer(random.below(2000));
  allot::monotonic_resource arena{buffer.data(), buffer.size(), up};
  support::shadow_model model;
  struct checkpoint {
    decltype(arena.mark()) mark;
    std::size_t used;
    std::size_t live;
  };
  std::vector<checkpoint> marks;
  std::size_t high = 0;

  for (int turn = 0; turn < 600; ++turn) {
    switch (random.below(40)) {
    case 0:
    case 1: marks.push_back({arena.mark(), arena.used(), model.size()}); break;
    case 2:
      if (marks.empty()) break;
      for (std::size_t n = 1 + (random.below(3) == 0 ? random.below(marks.size()) : 0); n > 0; --n) {
        model.shrink_to(marks.back().live);
        arena.rewind(marks.back().mark);
        REQUIRE(arena.used() == marks.back().used);
        marks.pop_back();
      }
      break;
    case 3:
      model.clear();
      marks.clear();
      if (random.below(2) == 0) {
        arena.reset();
      } else {
        arena.release();
        REQUIRE(memory.live_blocks() == 0);
      }
      REQUIRE(arena.used() == 0);
      break;
    default: {
      const auto [bytes, alignment] = support::random_request(random);
      const std::size_t used = arena.used();
      const std::size_t room = arena.remaining(alignment);
      const std::size_t attempts = up.calls();
      void* const p = arena.try_allocate(bytes, alignment);
      REQUIRE((up.calls() == attempts) == (std::max<std::size_t>(bytes, 1) <= room || bytes > SIZE_MAX / 2 - 64));
      if (p == nullptr) {
        REQUIRE(arena.used() == used);
        REQUIRE(arena.remaining(alignment) == room);
        break;
      }
      REQUIRE(arena.used() - used >= std::max<std::size_t>(bytes, 1));
      REQUIRE(arena.owns(p) == allot::ownership::yes);
      model.add(p, {bytes, alignment});
    }
    }
    high = std::max(high, arena.used());
    REQUIRE(arena.high_water() == high);
    REQUIRE(arena.reserved() == memory.live_bytes());
  }
  model.clear();
}

/// Gives chunks that are aligned to 16 and no more than that, where they are for more than `straight` bytes.
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

/// Chunks in their order, as upstream sees it.
class order_upstream final : public allot::resource_interface<order_upstream> {
public:
  static constexpr const char* class_name = "order_upstream";

  bool newest_first = true;

private:
  friend resource_interface;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    void* const p = memory_.try_allocate(bytes, alignment);
    given_.push_back(p);
    return p;
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    newest_first = newest_first && given_.back() == p;
    std::erase(given_, p);
    memory_.deallocate(p, bytes, alignment);
  }

  allot::checking_resource memory_;
  std::vector<void*> given_;
};

} // namespace

template class allot::monotonic_resource<allot::bump_resource<64>>;
#if ALLOT_EXCEPTIONS
template class allot::monotonic_resource<>;
#endif

TEST_SUITE("monotonic_resource") {
  TEST_CASE("keeps the contract of a memory resource: over a known upstream") { check_contract<growing_fixture>(); }
  TEST_CASE("keeps the contract of a memory resource: with a minimum alignment") { check_contract<coarse_fixture>(); }
  TEST_CASE("keeps the contract of a memory resource: behind a buffer") { check_contract<buffered_fixture>(); }
#if ALLOT_EXCEPTIONS
  TEST_CASE("keeps the contract of a memory resource: over any upstream") { check_contract<foreign_fixture>(); }

  TEST_CASE("stands in for std::pmr::monotonic_buffer_resource in a program written for it") {
    allot::checking_resource for_std;
    allot::checking_resource for_allot;
    CHECK(with_allot::run(&for_allot) == with_std::run(&for_std));
    CHECK(for_allot.live_blocks() == 0);
    CHECK(for_allot.allocations() <= for_std.allocations());
  }

  TEST_CASE("reads the default resource once, when it is made") {
    allot::checking_resource first;
    std::pmr::memory_resource* const before = std::pmr::set_default_resource(&first);
    allot::monotonic_resource<> arena;
    std::pmr::set_default_resource(before);
    (void)arena.allocate(10);
    CHECK(first.live_blocks() == 1);
    CHECK(arena.upstream_resource() == &first);
  }
#endif

  TEST_CASE("example") {
    // [example]
    allot::bump_resource<64 * 1024> memory;
    allot::monotonic_resource request{memory}; // knows its upstream's type: no virtual call to it

    for (int turn = 0; turn < 3; ++turn) {
      {
        std::pmr::list<std::pmr::string> lines{&request};
        for (int i = 0; i < 100; ++i)
          lines.emplace_back("a line that is too long for the string object itself");
      }
      request.reset(); // keeps its chunks: the second turn takes nothing from memory
    }
    CHECK(request.used() == 0);
    CHECK(request.reserved() == memory.used());
    // [example]
  }

  TEST_CASE("what it is constructed from says what it is over") {
    allot::checking_resource up;
    std::array<std::byte, 64> buffer;
    allot::monotonic_resource over{up};
    allot::monotonic_resource behind{buffer.data(), buffer.size(), up};
    allot::monotonic_resource twice{over};
    CHECK(std::is_same_v<decltype(behind), decltype(over)>);
    CHECK(twice.upstream_resource() == &over);
#if ALLOT_EXCEPTIONS // the default resource can fail by an exception alone
    const std::size_t size = 100;
    allot::monotonic_resource sized{size};
    CHECK(std::is_same_v<decltype(sized), allot::monotonic_resource<std::pmr::memory_resource>>);
#endif
  }

  TEST_CASE("deduces its upstream, and one over another is no copy") {
    allot::bump_resource<4096> bottom;
    allot::monotonic_resource first{&bottom};
    allot::monotonic_resource second{first};
    allot::monotonic_resource third{100, second, "third"};
    using first_type = allot::monotonic_resource<allot::bump_resource<4096>>;
    using second_type = allot::monotonic_resource<first_type>;
    static_assert(std::is_same_v<decltype(first), first_type>);
    static_assert(std::is_same_v<decltype(second), second_type>);
    static_assert(std::is_same_v<decltype(third), allot::monotonic_resource<second_type>>);
    CHECK(third.upstream_resource() == &second);
    CHECK(std::string_view{third.name()} == "third");
  }

  TEST_CASE("chunks double from 1 KiB") {
    allot::checking_resource up;
    allot::monotonic_resource arena{up};
    for (std::size_t size = 1024; size <= 64 * 1024; size *= 2) {
      while (arena.remaining(1) > 0)
        (void)arena.allocate(1, 1);
      (void)arena.allocate(1, 1);
      CHECK(up.last_allocated().bytes == size);
    }
  }

  TEST_CASE("an initial size is one chunk with room for as much") {
    allot::checking_resource up;
    for (const std::size_t size : {1u, 16u, 1000u, 100'000u}) {
      allot::monotonic_resource arena{size, up};
      allot::checking_resource::monitor since{up};
      for (std::size_t i = 0; i < size; ++i)
        (void)arena.allocate(1, 1);
      CHECK(since.allocations() == 1);
      CHECK(arena.used() == size);
    }
    allot::monotonic_resource none{0, up};
    CHECK(none.try_allocate(10) != nullptr);
    allot::monotonic_resource most{huge, up};
    CHECK(most.try_allocate(10) != nullptr);
  }

  TEST_CASE("a buffer is used first, to the last byte, and the first chunk is twice as large") {
    allot::checking_resource up;
    std::array<std::byte, 2001> buffer;
    allot::monotonic_resource arena{&buffer[1], 2000, up};
    for (int i = 0; i < 2000; ++i)
      (void)arena.allocate(1, 1);
    CHECK(up.allocations() == 0);
    CHECK(arena.owns(&buffer[0]) == allot::ownership::no);
    CHECK(arena.owns(&buffer[1]) == allot::ownership::yes);
    (void)arena.allocate(1, 1);
    CHECK(up.last_allocated().bytes == 4000 + footer);
  }

  TEST_CASE("a buffer of no bytes still grows") {
    allot::checking_resource up;
    std::byte none[1];
    allot::monotonic_resource empty{none, 0, up};
    allot::monotonic_resource null{nullptr, 0, up};
    for (int i = 0; i < 1000; ++i) {
      (void)empty.allocate(16);
      (void)null.allocate(16);
    }
    CHECK(up.allocations() == 2 * 5); // 1, 2, 4, 8, 16 KiB: and no upstream call for each request
  }

  TEST_CASE("a large request gets a chunk that just fits it, whatever its alignment") {
    allot::checking_resource up;
    for (const std::size_t alignment : {std::size_t{1}, std::size_t{64}, std::size_t{4096}, support::room(1 << 20)}) {
      allot::monotonic_resource arena{up};
      CHECK(allot::is_aligned(arena.allocate(10'000, alignment), alignment));
      CHECK(up.last_allocated() == allot::layout{10'000 + footer, std::max(alignment, alignof(std::max_align_t))});
      CHECK(arena.remaining(1) == 0);
    }
  }

  TEST_CASE("remaining is exact: that much needs no upstream, one byte more does") {
    for (std::size_t alignment = 1; alignment <= 8192; alignment *= 2) {
      allot::checking_resource up;
      allot::monotonic_resource arena{up};
      (void)arena.allocate(3000, 1);
      (void)arena.allocate(9000, 1);
      arena.reset();
      (void)arena.allocate(5, 1);
      const std::size_t room = arena.remaining(alignment);
      const auto mark = arena.mark();
      (void)arena.allocate(room, alignment);
      CHECK(up.allocations() == 2);
      arena.rewind(mark);
      (void)arena.allocate(room + 1, alignment);
      CHECK(up.allocations() == 3);
    }
  }

  TEST_CASE("after reset the same requests make no upstream call, whatever came before") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      CAPTURE(seed);
      allot::checking_resource up;
      allot::monotonic_resource arena{up};
      for (std::uint64_t other = 0; other < 3; ++other) {
        work(arena, seed + 100 * other, 50 * static_cast<int>(1 + seed % 7));
        arena.reset();
      }
      work(arena, seed, 400);
      const allot::checking_resource::monitor since{up};
      for (int turn = 0; turn < 3; ++turn) {
        arena.reset();
        work(arena, seed, 400);
      }
      CHECK(since.attempts() == 0);
    }
  }

  TEST_CASE("a chunk that is too small for one request serves a later one") {
    allot::checking_resource up;
    allot::monotonic_resource arena{up};
    (void)arena.allocate(500, 1);
    (void)arena.allocate(1000, 1);
    (void)arena.allocate(5000, 1);
    arena.reset();
    (void)arena.allocate(500, 1);
    (void)arena.allocate(5000, 1); // passes over the second chunk
    (void)arena.allocate(1000, 1);
    CHECK(up.allocations() == 3);
  }

  TEST_CASE("release gives everything back as it was taken, and starts anew in the buffer") {
    allot::checking_resource up; // aborts where size, alignment or address are not what they were
    std::array<std::byte, 100> buffer;
    allot::monotonic_resource arena{buffer.data(), buffer.size(), up};
    for (int turn = 0; turn < 2; ++turn) {
      work(arena, 7, 200);
      CHECK(up.live_bytes() == arena.reserved());
      arena.release();
      CHECK(up.live_blocks() == 0);
      CHECK(arena.reserved() == 0);
      CHECK(arena.used() == 0);
      void* const p = arena.allocate(100, 1);
      CHECK(p == buffer.data());
      (void)arena.allocate(1, 1);
      CHECK(up.last_allocated().bytes == 1024);
    }
  }

  TEST_CASE("release gives chunks back newest first, so that an arena below takes them back") {
    allot::bump_resource<64 * 1024> bottom;
    allot::monotonic_resource arena{bottom};
    for (int i = 0; i < 300; ++i)
      (void)arena.allocate(60, 4);
    CHECK(bottom.used() > 16 * 1024);
    arena.release();
    CHECK(bottom.used() == 0);
  }

  TEST_CASE("release gives chunks back newest first, in whatever order reset and rewind had them used") {
    order_upstream up;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      CAPTURE(seed);
      allot::monotonic_resource arena{100, up};
      for (std::uint64_t other = 0; other < 4; ++other) {
        const auto mark = arena.mark();
        work(arena, 10 * seed + other, 60);
        other % 2 == 0 ? arena.reset() : arena.rewind(mark);
      }
      arena.release();
      CHECK(up.newest_first);
    }
    allot::bump_resource<16 * 1024> bottom;
    {
      allot::monotonic_resource arena{100, bottom};
      (void)arena.allocate(100);
      (void)arena.allocate(150);
      arena.reset();
      (void)arena.allocate(5000); // used first now, and taken last
    }
    CHECK(bottom.used() == 0);
  }

  TEST_CASE("a chunk that is not aligned as asked goes back, and is no memory") {
    crooked_upstream up;
    allot::monotonic_resource arena{64, up};
    void* const first = arena.allocate(8, 8);
    CHECK(arena.try_allocate(112, 128) == nullptr);
    CHECK(arena.used() == 8);
    CHECK(arena.reserved() == 64 + footer);
    CHECK(up.memory.live_blocks() == 1);
    CHECK(arena.allocate(8, 8) == static_cast<std::byte*>(first) - 8);
  }

  TEST_CASE("where the doubled chunk is not aligned as asked, the least that fits may be") {
    crooked_upstream up;
    up.straight = 112 + footer;
    allot::monotonic_resource arena{64, up};
    (void)arena.allocate(8, 8);
    CHECK(allot::is_aligned(arena.allocate(112, 128), 128));
    CHECK(up.memory.last_allocated().bytes == 112 + footer);
    CHECK(up.memory.live_blocks() == 2);
  }

  TEST_CASE("zero bytes give a block of its own, even where upstream has no more than that") {
    allot::checking_resource memory;
    allot::failing_adaptor up{memory};
    allot::monotonic_resource arena{up};
    up.fail_above(footer + alignof(std::max_align_t));
    void* const a = arena.allocate(0, 1);
    void* const b = arena.allocate(0, 1);
    CHECK(a != b);
    CHECK(arena.used() == 2);
  }

  TEST_CASE("deallocate does nothing") {
    allot::checking_resource up;
    allot::monotonic_resource arena{up};
    void* const p = arena.allocate(16);
    arena.deallocate(p, 16);
    CHECK(arena.used() == 16);
    CHECK(arena.allocate(16) != p);
  }

  TEST_CASE("rewind to an earlier mark passes over the marks and the chunks after it") {
    allot::checking_resource up;
    allot::monotonic_resource arena{up};
    (void)arena.allocate(100, 1);
    const auto outer = arena.mark();
    (void)arena.allocate(2000, 1);
    const auto inner = arena.mark();
    (void)arena.allocate(5000, 1);
    const std::size_t reserved = arena.reserved();
    arena.rewind(outer);
    CHECK(arena.used() == 100);
    CHECK(arena.reserved() == reserved);
    CHECK_FALSE(arena.is_latest(inner));
#if ALLOT_CHECK_LEVEL > 0
    CHECK(dies([&] { arena.rewind(inner); }, "admits"));
#endif
  }

  TEST_CASE("rewind goes back over chunks and keeps them") {
    allot::checking_resource up;
    allot::monotonic_resource arena{up};
    (void)arena.allocate(100, 1);
    const auto outer = arena.mark();
    void* const p = arena.allocate(1, 1);
    work(arena, 5, 100);
    const auto inner = arena.mark();
    work(arena, 6, 100);
    const std::size_t high = arena.used();
    CHECK(arena.is_latest(inner));

    arena.rewind(inner);
    CHECK(arena.is_latest(outer));
    arena.rewind(outer);
    CHECK(arena.used() == 100);
    CHECK(arena.high_water() == high);
    CHECK(arena.reserved() == up.live_bytes());
    CHECK(arena.allocate(1, 1) == p);
    CHECK(up.deallocations() == 0);
  }

  TEST_CASE("where upstream refuses the doubled chunk, the least that fits is enough") {
    allot::checking_resource memory;
    allot::failing_adaptor up{memory};
    allot::monotonic_resource arena{up};
    up.fail_above(500);
    CHECK(arena.try_allocate(400, 1) != nullptr);
    CHECK(memory.last_allocated().bytes == 400 + footer);
    CHECK(arena.try_allocate(500 - footer + 1, 1) == nullptr);
    CHECK(arena.used() == 400);
    for (int i = 0; i < 100; ++i)
      CHECK(arena.try_allocate(10, 1) != nullptr);
    CHECK(memory.allocations() < 15); // what is wanted shrinks until upstream has it: no chunk for each block
  }

  TEST_CASE("over a bump arena it fails only when request and footer no longer fit") {
    for (std::size_t bytes = 1; bytes < 3000; bytes += 37) {
      CAPTURE(bytes);
      allot::bump_resource<10'000> bottom;
      allot::monotonic_resource arena{bottom};
      while (arena.try_allocate(bytes, 8) != nullptr) {
      }
      CHECK(arena.remaining(8) < bytes);
      CHECK(bottom.remaining() < *allot::align_up(bytes, alignof(std::max_align_t)) + footer);
    }
  }

  TEST_CASE("a failure of upstream at any call leaves it usable") {
    for (std::size_t k = 1; k < 12; ++k) {
      allot::checking_resource memory;
      allot::failing_adaptor up{memory};
      allot::monotonic_resource arena{up};
      up.fail_from(k);
      std::size_t served = 0;
      while (served < 100'000 && arena.try_allocate(100, 4) != nullptr)
        ++served;
      const std::size_t used = arena.used();
      CHECK(arena.try_allocate(100, 4) == nullptr);
      CHECK(arena.used() == used);
      up.heal();
      CHECK(arena.try_allocate(100, 4) != nullptr);
      CHECK(arena.reserved() == memory.live_bytes());
    }
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a failure is upstream's own, except where no chunk could be large enough") {
    allot::bump_resource<2048> bottom{"bottom"};
    allot::monotonic_resource arena{bottom, "top"};
    try {
      (void)arena.allocate(4000, 1);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "bottom");
      CHECK(e.record().bytes == 4000 + footer);
    }
    try {
      (void)arena.allocate(huge - 10, 1);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "top");
      CHECK(e.record().bytes == huge - 10);
    }
    CHECK(bottom.used() == 0);
  }

  TEST_CASE("what a foreign upstream throws beside bad_alloc passes through") {
    struct throwing : std::pmr::memory_resource {
      void* do_allocate(std::size_t, std::size_t) override { throw std::runtime_error{"mine"}; }
      void do_deallocate(void*, std::size_t, std::size_t) override {}
      bool do_is_equal(const std::pmr::memory_resource&) const noexcept override { return false; }
    } up;
    allot::monotonic_resource<> arena{&up};
    CHECK_THROWS_AS((void)arena.allocate(10), std::runtime_error);
    CHECK(arena.used() == 0);
  }
#endif

#if ALLOT_EXCEPTIONS
  TEST_CASE("what a foreign resource throws passes through an adaptor of allot in between, too") {
    struct throwing : std::pmr::memory_resource {
      void* do_allocate(std::size_t, std::size_t) override { throw std::runtime_error{"mine"}; }
      void do_deallocate(void*, std::size_t, std::size_t) override {}
      bool do_is_equal(const std::pmr::memory_resource&) const noexcept override { return false; }
    } foreign;
    allot::failing_adaptor between{foreign};
    allot::monotonic_resource arena{between};
    CHECK_THROWS_AS((void)arena.allocate(10), std::runtime_error);
    CHECK(arena.used() == 0);
  }

  TEST_CASE("the record of a chunk that is not aligned says so") {
    crooked_upstream up;
    allot::monotonic_resource arena{up, "mine"};
    try {
      (void)arena.allocate(10'000, 64);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "mine");
      CHECK(std::string_view{e.record().detail}.find("not aligned") != std::string_view::npos);
      CHECK(e.record().bytes == 10'000);
      CHECK(e.record().alignment == 64);
    }
    CHECK(up.memory.live_blocks() == 0);
  }

#ifndef HAS_CLANG_UBSAN
  TEST_CASE("over std's pool, whose chunks may not be aligned, every block is, and none is given twice") {
    for (std::size_t alignment = 32; alignment <= 1024; alignment *= 2) {
      for (std::size_t bytes = 1; bytes < 2000; bytes += 37) {
        std::pmr::unsynchronized_pool_resource pool;
        (void)pool.allocate(bytes + footer, 8);
        allot::monotonic_resource<> arena{64, &pool};
        support::shadow_model model;
        model.add(arena.allocate(8, 8), {8, 8});
        for (int i = 0; i < 3; ++i)
          if (void* const p = arena.try_allocate(bytes, alignment)) model.add(p, {bytes, alignment});
        model.clear();
      }
    }
  }

#endif

  TEST_CASE("takes every call that std's takes, and refuses the one that means something else") {
    using pool = std::pmr::unsynchronized_pool_resource;
    CHECK(allot::monotonic_resource<>(nullptr, 0).used() == 0);
    CHECK(allot::monotonic_resource<>(nullptr, 0, std::pmr::new_delete_resource()).used() == 0);
    static_assert(std::is_constructible_v<allot::monotonic_resource<>, std::size_t, pool*>);
    static_assert(std::is_constructible_v<allot::monotonic_resource<>, std::byte*, std::size_t>);
    static_assert(!std::is_constructible_v<allot::monotonic_resource<>, pool*, std::size_t>); // the pool as the buffer
    static_assert(!std::is_constructible_v<allot::monotonic_resource<>, std::pmr::memory_resource*, int>);
  }
#endif

  TEST_CASE("a buffer that holds no multiple of the minimum alignment is as none") {
    alignas(16) std::array<std::byte, 16> memory;
    allot::checking_resource up;
    allot::monotonic_resource<allot::checking_resource, 8> arena{&memory[1], 3, up};
    CHECK(arena.remaining(1) == 0);
    CHECK(allot::is_aligned(arena.allocate(1, 1), 8)); // UBSan sees an address that is taken for aligned
    CHECK(up.allocations() == 1);
  }

  TEST_CASE("sizes that could wrap are refused without asking upstream") {
    allot::checking_resource up;
    allot::monotonic_resource arena{up};
    for (std::size_t below = 0; below < 200; ++below) {
      for (const std::size_t alignment : {std::size_t{1}, std::size_t{1} << 30, huge / 2 + 1}) {
        REQUIRE(arena.try_allocate(huge - below, alignment) == nullptr);
      }
    }
    CHECK(up.attempts() == 0);
  }

  TEST_CASE("random calls over an upstream that fails now and then agree with a model") {
    for (std::uint64_t seed = 1; seed <= 100; ++seed)
      run_against_model(seed);
  }

  TEST_CASE("stacked arenas give memory back clean") {
    alignas(16) static std::byte memory[16 * 1024];
    {
      allot::bump_resource bottom{memory};
      allot::monotonic_resource middle{bottom};
      for (int turn = 0; turn < 3; ++turn) {
        allot::monotonic_resource top{middle};
        for (int i = 0; i < 20; ++i)
          std::memset(top.allocate(90, 2), 1, 90);
        top.reset();
        std::memset(top.allocate(500, 1), 1, 500);
      }
      middle.release();
      std::memset(bottom.allocate(bottom.remaining(1), 1), 1, 1);
    }
    std::memset(memory, 2, sizeof memory); // a report where poison was left behind
  }

#if ALLOT_ASAN
  TEST_CASE("a use after reset, rewind or release is a report and not silence") {
    alignas(16) std::array<std::byte, 64> buffer;
    allot::bump_resource<16 * 1024> bottom;
    allot::monotonic_resource arena{buffer.data(), buffer.size(), bottom};
    const auto mark = arena.mark();
    for (const std::size_t bytes : {32u, 500u, 1000u}) { // in the buffer, in the first chunk, in a further one
      volatile char* const p = static_cast<char*>(arena.allocate(bytes, 16));
      const auto touch = [&] { p[0] = 2; };
      CHECK(support::ending_of(touch).exited(0));
      CHECK(support::ending_of([&] { arena.reset(), touch(); }).says("use-after-poison"));
      CHECK(support::ending_of([&] { arena.rewind(mark), touch(); }).says("use-after-poison"));
      CHECK(support::ending_of([&] { arena.release(), touch(); }).says("use-after-poison"));
      CHECK(
          support::ending_of([&] { arena.deallocate(const_cast<char*>(p), bytes), touch(); }).says("use-after-poison"));
      CHECK(support::ending_of([&] { p[-1] = 1; }).says("use-after-poison")); // the free bytes below
    }
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a broken precondition ends the program") {
    allot::checking_resource up;
    allot::monotonic_resource arena{up};
    (void)arena.allocate(8, 8);
    const auto mark = arena.mark(); // in a chunk
    CHECK(dies([&] { (void)arena.try_allocate(8, 24); }, "is_alignment"));
    CHECK(dies([&] { (void)arena.remaining(0); }, "is_alignment"));
    CHECK(dies([&] { arena.rewind(mark), arena.rewind(mark); }, "admits"));
    CHECK(dies([&] { arena.reset(), arena.rewind(mark); }, "admits"));
    CHECK(dies([&] { arena.release(), arena.rewind(mark); }, "admits"));
    CHECK(dies([] { allot::monotonic_resource a{static_cast<allot::resource*>(nullptr)}; }, "upstream"));
  }

  TEST_CASE("a mark that reset, release or rewind made void does not pass for one made after it") {
    allot::checking_resource up;
    allot::monotonic_resource arena{up};
    (void)arena.allocate(2000, 1);
    const auto stale = arena.mark();
    const auto begin_anew = [&] {
      (void)arena.allocate(3000, 1);
      (void)arena.mark();
    };
    CHECK(dies([&] { arena.reset(), begin_anew(), arena.rewind(stale); }, "admits"));
    CHECK(dies([&] { arena.release(), begin_anew(), arena.rewind(stale); }, "admits"));
    CHECK(dies([&] { arena.rewind(stale), begin_anew(), arena.rewind(stale); }, "admits"));
    CHECK(dies([&] { arena.release(), (void)arena.allocate(9000, 1), arena.rewind(stale); }, "admits"));
    arena.release();
    CHECK_FALSE(arena.is_latest(stale));
  }
#endif
}
