#include <allot/arena/atomic_bump_resource.hpp>

#include <allot/arena/bump_resource.hpp>
#include <allot/core/static_slot.hpp>
#include <allot/core/threads.hpp>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/intrude.hpp"
#include "support/race.hpp"
#include "support/room.hpp"
#include "support/shadow_model.hpp"
#if ALLOT_THREADS
#include "support/signal_flood.hpp"
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t huge = SIZE_MAX;
constexpr std::size_t half = std::size_t{1} << (sizeof(std::size_t) * 8 - 1);
constexpr unsigned threads = 4;

template <std::size_t MinAlign>
struct owning_fixture {
  allot::atomic_bump_resource<support::room(64 * 1024), MinAlign> r;
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
};

struct span_fixture {
  alignas(64) std::array<std::byte, support::room(64 * 1024)> memory;
  allot::atomic_bump_resource<> r{std::span{memory}.subspan(3)};
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
};

/// A block, and the number that its owner has filled it with. A misaligned one is never whole.
struct block {
  std::byte* p = nullptr;
  std::size_t bytes = 0;
  std::size_t alignment = 1;
  unsigned char fill = 0;

  [[nodiscard]] bool is_whole() const {
    return std::all_of(p, p + bytes, [&](std::byte x) { return x == std::byte{fill}; });
  }
  friend bool operator<(const block& a, const block& b) { return std::less<>{}(a.p, b.p); }
};

template <class Arena>
std::optional<block> filled_block(Arena& arena, std::size_t bytes, std::size_t alignment, unsigned char fill) {
  auto* const p = static_cast<std::byte*>(arena.try_allocate(bytes, alignment));
  if (p == nullptr) return std::nullopt;
  if (!allot::is_aligned(p, alignment)) return block{p, 1, 1, static_cast<unsigned char>(~std::to_integer<int>(*p))};
  if (bytes != 0) std::memset(p, fill, bytes);
  return block{p, bytes, alignment, fill};
}

/// How many of the blocks overlap with another one or lost what was written into them. Zero bytes have an address.
std::size_t damage(std::vector<block> blocks) {
  std::sort(blocks.begin(), blocks.end());
  std::size_t damaged = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const block& b = blocks[i];
    const std::byte* const end = b.p + std::max<std::size_t>(b.bytes, 1);
    if (!b.is_whole() || (i + 1 < blocks.size() && std::less<>{}(blocks[i + 1].p, end))) ++damaged;
  }
  return damaged;
}

std::vector<block> joined(const std::array<std::vector<block>, threads>& parts) {
  std::vector<block> all;
  for (const auto& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

constexpr std::size_t most = support::room(1 << 17) / 2;
constexpr std::size_t widest = support::room(4096 * 32) / 32; // alignments up to it treat the two alike
alignas(widest) std::array<std::byte, most> ones;
alignas(widest) std::array<std::byte, most> others;

/// One thread's calls give the very blocks that a bump_resource gives over memory at a like address.
template <std::size_t MinAlign>
void run_beside_bump_resource(std::uint64_t seed) {
  CAPTURE(seed);
  allot::split_mix random{seed};
  const std::size_t skip = random.below(70);
  const std::size_t size = random.below(random.below(4) == 0 ? most - skip : std::min<std::size_t>(most - skip, 4000));
  allot::atomic_bump_resource<std::dynamic_extent, MinAlign> arena{std::span{ones}.subspan(skip, size)};
  allot::bump_resource<std::dynamic_extent, MinAlign> other{std::span{others}.subspan(skip, size)};
  REQUIRE(arena.capacity() == other.capacity());
  const auto twin = [&](const void* p) -> std::byte* {
    return p == nullptr ? nullptr : others.data() + (static_cast<const std::byte*>(p) - ones.data());
  };

  support::shadow_model model;
  for (int turn = 0; turn < 400; ++turn) {
    const std::size_t choice = random.below(10);
    if (choice == 0) {
      model.clear();
      arena.reset();
      other.reset();
    } else if (choice < 5 && model.size() > 0) {
      const auto b = model.remove(choice == 1 ? random.below(model.size()) : model.size() - 1);
      arena.deallocate(b.p, b.shape.bytes, b.shape.alignment);
      other.deallocate(twin(b.p), b.shape.bytes, b.shape.alignment);
    } else {
      auto [bytes, alignment] = support::random_request(random);
      alignment = std::min(alignment, widest);
      void* const p = arena.try_allocate(bytes, alignment);
      REQUIRE(twin(p) == other.try_allocate(bytes, alignment));
      if (p != nullptr) model.add(p, {bytes, alignment});
    }
    REQUIRE(arena.used() == other.used());
    REQUIRE(arena.high_water() == other.high_water());
    const std::size_t alignment = std::size_t{1} << random.below(std::countr_zero(widest));
    REQUIRE(arena.remaining(alignment) == other.remaining(alignment));
  }
  model.clear();
}

constinit allot::static_slot<allot::atomic_bump_resource<>, 256> shared_by_all;

#if ALLOT_TEST_INTRUDES
/// AddressSanitizer's marks, and code that is not optimised, take many instructions where nothing of interest can come.
constexpr std::size_t stride = ALLOT_ASAN ? 9 : 2 * support::next_intrusion - 1;
#endif

using small_arena = allot::atomic_bump_resource<64>;

#if ALLOT_THREADS
allot::atomic_bump_resource<1 << 12> interrupted;
std::atomic<std::size_t> handler_blocks{0};
std::atomic<std::size_t> handler_damage{0};

/// Takes two blocks, gives one back, and keeps the other one, of one byte.
void allocate_in_handler(int) {
  const auto kept = filled_block(interrupted, 1, 1, 0xE1);
  const auto passing = filled_block(interrupted, 24, 8, 0xE2);
  if (kept) handler_blocks.fetch_add(1);
  if (!passing) return;
  if (!passing->is_whole() || (kept && !kept->is_whole())) handler_damage.fetch_add(1);
  interrupted.deallocate(passing->p, 24, 8);
}
#endif

} // namespace

TEST_SUITE("atomic_bump_resource") {
  TEST_CASE("keeps the contract of a memory resource: over its own bytes") { check_contract<owning_fixture<1>>(); }
  TEST_CASE("keeps the contract of a memory resource: minimum alignment") { check_contract<owning_fixture<8>>(); }
  TEST_CASE("keeps the contract of a memory resource: over an odd span") { check_contract<span_fixture>(); }

  TEST_CASE("one thread gets what bump_resource would give it") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      run_beside_bump_resource<1>(seed);
      run_beside_bump_resource<8>(seed);
      run_beside_bump_resource<64>(seed);
    }
  }

  TEST_CASE("N bytes serve N blocks of one byte, at any address, down to the first byte") {
    alignas(64) std::array<std::byte, 164> memory;
    for (std::size_t offset = 0; offset < 64; ++offset) {
      allot::atomic_bump_resource arena{std::span{memory}.subspan(offset, 100)};
      for (int i = 0; i < 100; ++i)
        REQUIRE(arena.try_allocate(1, 1) != nullptr);
      CHECK(arena.used() == 100);
      CHECK(arena.try_allocate(1, 1) == nullptr);
      CHECK(arena.try_allocate(0, 1) == nullptr);
    }
  }

  TEST_CASE("sizes that could wrap are refused and change nothing") {
    allot::atomic_bump_resource<256> arena;
    allot::atomic_bump_resource<256, 8> coarse;
    (void)arena.allocate(10, 1);
    for (const std::size_t bytes : {huge, huge - 1, huge - 7, huge - 255, half, half - 1, half + 1}) {
      for (const std::size_t alignment : {std::size_t{1}, std::size_t{8}, std::size_t{1} << 30, half}) {
        CHECK(arena.try_allocate(bytes, alignment) == nullptr);
        CHECK(coarse.try_allocate(bytes, alignment) == nullptr);
      }
    }
    CHECK(arena.try_allocate(1, half) == nullptr);
    CHECK(arena.used() == 10);
    CHECK(coarse.used() == 0);
  }

#if ALLOT_TEST_ROOM > 200'000
  TEST_CASE("a block of more than 64 KiB, and one aligned to 2 MiB, is placed as any other") {
    static std::array<std::byte, support::room(std::size_t{1} << 22)> large;
    allot::atomic_bump_resource arena{std::span{large}.subspan(1)};
    CHECK(allot::is_aligned(arena.allocate(70'000, 64), 64));
    CHECK(allot::is_aligned(arena.allocate(3, large.size() / 2), large.size() / 2));
    CHECK(arena.allocate(arena.remaining(1), 1) == &large[1]);
    CHECK(arena.used() == large.size() - 1);
  }
#endif

  TEST_CASE("an empty span refuses everything, zero bytes too") {
    allot::atomic_bump_resource arena{std::span<std::byte>{}};
    CHECK(arena.try_allocate(0, 1) == nullptr);
    CHECK(arena.try_allocate(huge, half) == nullptr);
    CHECK(arena.capacity() == 0);
    CHECK(arena.remaining(1) == 0);
    CHECK(arena.owns(nullptr) == allot::ownership::no);
    arena.reset_zeroed();
  }

  TEST_CASE("zero bytes give a block of its own") {
    allot::atomic_bump_resource<4> arena;
    void* const a = arena.allocate(0, 1);
    void* const b = arena.allocate(0, 1);
    void* const c = arena.allocate(1, 1);
    CHECK(a != b);
    CHECK(b != c);
    arena.deallocate(c, 1, 1);
    arena.deallocate(b, 0, 1);
    CHECK(arena.used() == 1);
  }

  TEST_CASE("owns is exact at both ends") {
    std::array<std::byte, 64> memory{};
    allot::atomic_bump_resource arena{std::span{memory}.subspan(8, 32)};
    CHECK(arena.owns(&memory[7]) == allot::ownership::no);
    CHECK(arena.owns(&memory[8]) == allot::ownership::yes);
    CHECK(arena.owns(&memory[39]) == allot::ownership::yes);
    CHECK(arena.owns(&memory[40]) == allot::ownership::no);
  }

  TEST_CASE("high_water outlives everything that lowers used") {
    small_arena arena;
    arena.deallocate(arena.allocate(50, 1), 50, 1);
    CHECK(arena.high_water() == 50);
    arena.deallocate(arena.allocate(20, 1), 20, 1);
    CHECK(arena.high_water() == 50);
    (void)arena.allocate(60, 1);
    CHECK(arena.high_water() == 60);
    arena.reset();
    CHECK(arena.used() == 0);
    CHECK(arena.high_water() == 60);
  }

#if !ALLOT_VALGRIND // Memcheck takes what an arena gave back for uninitialised
  TEST_CASE("reset_zeroed wipes all that was ever used, and nothing else") {
    std::array<std::byte, 64> memory;
    memory.fill(std::byte{0xAA});
    {
      allot::atomic_bump_resource arena{memory};
      std::memset(arena.allocate(40, 1), 0xFF, 40);
      arena.reset();
      (void)arena.allocate(8, 1);
      arena.reset_zeroed();
    }
    CHECK(std::count(memory.begin(), memory.end(), std::byte{0}) == 40);
    CHECK(std::count(memory.begin(), memory.end(), std::byte{0xAA}) == 24);
  }
#endif

  TEST_CASE("alloc_bytes gives the bytes asked for, or nothing") {
    small_arena arena;
    const auto some = arena.alloc_bytes(24, 8);
    REQUIRE(some.has_value());
    CHECK(some->size() == 24);
    CHECK(allot::is_aligned(some->data(), 8));
    CHECK(arena.alloc_bytes(0)->data() != nullptr);
    CHECK_FALSE(arena.alloc_bytes(64).has_value());
  }

  TEST_CASE("lies in static memory by static_slot, for whoever gets it") {
    auto& arena = shared_by_all.claim("all");
    CHECK(std::string_view{arena.name()} == "all");
    CHECK(arena.capacity() == 256);
    CHECK(shared_by_all.get() == &arena);
    CHECK(arena.try_allocate(256, 1) != nullptr);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record of a failure says what was asked for, of whom, and what there was") {
    allot::atomic_bump_resource<100> arena{"scratch"};
    (void)arena.allocate(60, 1);
    try {
      (void)arena.allocate(41, 2);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(e.record().bytes == 41);
      CHECK(e.record().alignment == 2);
      CHECK(e.record().used == 60);
      CHECK(e.record().capacity == 100);
      CHECK(std::string_view{e.record().name} == "scratch");
      CHECK(std::string_view{e.record().resource} == "atomic_bump_resource");
    }
  }
#endif

  TEST_CASE("threads that take one byte each get every byte of N, and each byte once") {
    constexpr std::size_t size = support::room<std::array<block, 4>>(8000);
    static allot::atomic_bump_resource<size> arena;
    for (int repetition = 0; repetition < 20; ++repetition) {
      std::array<std::vector<block>, threads> taken;
      support::shared<std::size_t> refused{0};
      race(threads, 1, [&](unsigned thread, unsigned) {
        const auto fill = static_cast<unsigned char>(thread + 1);
        while (const auto b = filled_block(arena, thread % 2, 1, fill)) // odd ones one byte, even ones none
          taken[thread].push_back(*b);
        if (arena.try_allocate(1, 1) == nullptr) refused.fetch_add(1);
      });
      const std::vector<block> all = joined(taken);
      REQUIRE(all.size() == size);
      REQUIRE(damage(all) == 0);
      REQUIRE(refused.load() == threads);
      REQUIRE(arena.used() == size);
      arena.reset();
    }
  }

  TEST_CASE("blocks of several threads, of any size and alignment, given back in any order, share no byte") {
    constexpr std::size_t size = support::room(std::size_t{1} << 18);
    static allot::atomic_bump_resource<size> arena;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      std::array<std::vector<block>, threads> live;
      support::shared<std::size_t> damaged{0};
      race(threads, 1, [&](unsigned thread, unsigned) {
        allot::split_mix random{seed * threads + thread};
        for (int i = 0; i < 1500; ++i) {
          auto& mine = live[thread];
          if (!mine.empty() && random.below(5) < 2) {
            if (!mine.back().is_whole()) damaged.fetch_add(1);
            arena.deallocate(mine.back().p, mine.back().bytes, mine.back().alignment);
            mine.pop_back();
          } else if (const auto b = filled_block(arena, random.below(60), std::size_t{1} << random.below(8),
                                                 static_cast<unsigned char>(random()))) {
            mine.push_back(*b);
          }
        }
      });
      REQUIRE(damaged.load() == 0);
      REQUIRE(damage(joined(live)) == 0);
      REQUIRE(arena.high_water() <= size);
      arena.reset();
    }
  }

  TEST_CASE("what the owner of a block did comes before what the next one does, who got it without a word") {
    static allot::atomic_bump_resource<256>
        arena; // plain writes to the same bytes: a race for ThreadSanitizer otherwise
    std::array<std::size_t, 2> damaged{};
    race(2, 1, [&](unsigned thread, unsigned) {
      const auto fill = static_cast<unsigned char>(thread + 1);
      for (int served = 0; served < 5'000; std::this_thread::yield()) {
        const auto b = filled_block(arena, 200, 1, fill); // at most one has a block
        if (!b) continue;
        ++served;
        if (!b->is_whole()) ++damaged[thread];
        arena.deallocate(b->p, 200, 1);
      }
    });
    CHECK(damaged[0] + damaged[1] == 0);
    CHECK(arena.used() == 0);
  }

  TEST_CASE("of the threads that ask for the last block one gets it, and the others change nothing") {
    static small_arena arena;
    constexpr auto rounds = static_cast<unsigned>(support::room<support::shared<int>>(400));
    std::array<support::shared<int>, rounds> winners{};
    support::shared<int> wrong{0};
    race(threads, rounds, [&](unsigned, unsigned round) {
      void* const p = arena.try_allocate(40, 1);
      if (p == nullptr) {
        if (arena.used() > 40) wrong.fetch_add(1);
        return;
      }
      winners[round].fetch_add(1);
      while (arena.try_allocate(25, 1) != nullptr) // no room: 24 are left
        wrong.fetch_add(1);
      arena.deallocate(p, 40, 1);
    });
    CHECK(wrong.load() == 0);
    CHECK(arena.used() == 0); // the one block was the last one each time
    CHECK(arena.high_water() == 40);
    CHECK(std::all_of(winners.begin(), winners.end(), [](const auto& n) { return n.load() >= 1; }));
  }

#if ALLOT_THREADS // what an interrupt does instead, tests/firmware/interrupts has
  TEST_CASE("example") {
    // [example]
    allot::atomic_bump_resource<1024> arena;
    const auto take = [&] { return arena.alloc_bytes(100).has_value() ? 1 : 0; };
    int first = 0;
    int second = 0;
    std::thread other{[&] { first = take(); }}; // any thread: nothing is locked
    second = take();
    other.join();
    CHECK(first + second == 2);
    CHECK(arena.used() == 200);
    arena.reset(); // no other thread uses it any more
    CHECK(arena.remaining(1) == 1024);
    // [example]
  }

  TEST_CASE("the queries of another thread are of one moment, and its high water never falls") {
    static allot::atomic_bump_resource<4096> arena;
    std::atomic<bool> done{false};
    std::size_t wrong = 0;
    race(2, 1, [&](unsigned thread, unsigned) {
      for (std::size_t high = 0; thread == 0 && !done.load();) {
        const std::size_t used = arena.used();
        const std::size_t now = arena.high_water();
        if (used > now || now < high || now > 4096 || arena.remaining(1) > 4096) ++wrong;
        high = now;
      }
      for (std::size_t i = 0; thread == 1 && i < 30'000; ++i) {
        void* const p = arena.try_allocate(i % 4096, 1);
        arena.deallocate(p, i % 4096, 1);
        if (i % 64 == 0) (void)arena.try_allocate(3, 1);
        if (i % 1024 == 0) arena.reset();
      }
      if (thread == 1) done = true;
    });
    CHECK(wrong == 0);
  }

  TEST_CASE("a thread that is interrupted all the time and its handler share the bytes, and no byte") {
    std::vector<block> own;
    std::size_t damaged = 0;
    constexpr std::size_t rounds = ALLOT_VALGRIND ? 20 : 60;
    constexpr std::chrono::seconds patience{ALLOT_VALGRIND ? 0 : 20};
    const auto enough = std::chrono::steady_clock::now() + patience;
    for (std::size_t round = 0; round < rounds; ++round) {
      interrupted.reset();
      own.clear();
      handler_blocks.store(0);
      own.reserve(interrupted.capacity());
      {
        const support::signal_flood flood{SIGUSR1, allocate_in_handler};
        while (const auto b = filled_block(interrupted, 1, 1, 7)) {
          own.push_back(*b);
          if (const auto passing = filled_block(interrupted, 16, 1, 8)) {
            if (!passing->is_whole()) ++damaged;
            interrupted.deallocate(passing->p, 16, 1);
          }
        }
      }
      REQUIRE(damage(own) == 0);
      REQUIRE(own.size() + handler_blocks.load() <= interrupted.capacity());
      if (round > 10 && std::chrono::steady_clock::now() > enough) break;
    }
    CHECK(damaged == 0);
    CHECK(handler_damage.load() == 0);
  }
#endif

#if ALLOT_TEST_INTRUDES
  TEST_CASE("a handler between any two instructions of an allocation takes, keeps and gives back blocks of its own") {
    for (const std::size_t bytes : {std::size_t{24}, std::size_t{0}}) { // zero takes the slow path
      for (std::size_t at = 1;; at += stride) {
        small_arena arena;
        void* own = nullptr;
        std::optional<block> kept;
        std::optional<block> passing;
        const auto handler = [&] {
          if (at % 2 == 0) kept = filled_block(arena, 16, 1, 2); // else the cursor ends where it was
          passing = filled_block(arena, 5, 1, 3);
          arena.deallocate(passing->p, 5, 1);
        };
        if (!support::intrude(
                at, [&] { own = arena.try_allocate(bytes, 8); }, handler))
          break;
        REQUIRE(own != nullptr);
        std::memset(own, 1, bytes);
        std::vector<block> live{{static_cast<std::byte*>(own), bytes, 8, 1}};
        if (kept) live.push_back(*kept);
        REQUIRE(live.size() == (at % 2 == 0 ? 2U : 1U));
        REQUIRE(damage(live) == 0);
        REQUIRE(arena.high_water() >= 5);
      }
    }
  }

  TEST_CASE(
      "a handler that takes the last byte between any two instructions of an allocation makes it fail, or is late") {
    std::size_t beaten = 0;
    for (std::size_t at = 1;; at += stride) {
      small_arena arena;
      void* own = nullptr;
      void* other = nullptr;
      if (!support::intrude(
              at, [&] { own = arena.try_allocate(40, 1); }, [&] { other = arena.try_allocate(30, 1); }))
        break;
      REQUIRE((own == nullptr) != (other == nullptr));
      REQUIRE(arena.used() == (own == nullptr ? 30U : 40U));
      beaten += own == nullptr ? 1 : 0;
    }
    CHECK(beaten > 0);
  }

  TEST_CASE("a handler between any two instructions of a deallocation finds the block taken, or free, and never half") {
    std::size_t taken_back = 0;
    std::size_t left = 0;
    for (std::size_t at = 1;; at += stride) {
      small_arena arena;
      const auto before = filled_block(arena, 8, 1, 1);
      void* const own = arena.allocate(16, 1);
      std::optional<block> other;
      if (!support::intrude(
              at, [&] { arena.deallocate(own, 16, 1); }, [&] { other = filled_block(arena, 10, 1, 2); }))
        break;
      REQUIRE(other.has_value());
      REQUIRE(damage({*before, *other}) == 0);
      REQUIRE((arena.used() == 34 || arena.used() == 18));
      REQUIRE(arena.high_water() == std::max<std::size_t>(24, arena.used()));
      ++(arena.used() == 34 ? left : taken_back);
    }
    CHECK(left > 0);
    CHECK(taken_back > 0);
  }

  TEST_CASE("a reader between any two instructions of what lowers used never sees a high water below one that was") {
    std::optional<small_arena> arena;
    void* p = nullptr;
    const auto goes_well = [&](auto lower) {
      for (std::size_t at = 1;; at += stride) {
        arena.emplace();
        p = arena->allocate(30, 1);
        std::size_t high = 0;
        if (!support::intrude(at, lower, [&] { high = arena->high_water(); })) return true;
        if (high != 30) return false;
      }
    };
    CHECK(goes_well([&] { arena->deallocate(p, 30, 1); }));
    CHECK(goes_well([&] { arena->reset(); }));
  }
#endif

  TEST_CASE("an arena over an arena's block gives it back clean") {
    allot::atomic_bump_resource<1024> outer;
    void* const block = outer.allocate(253, 1);
    {
      allot::atomic_bump_resource inner{std::span{static_cast<std::byte*>(block), 253}};
      std::memset(inner.allocate(100, 1), 1, 100);
      inner.reset();
      allot::atomic_bump_resource<64> local;
      std::memset(local.allocate(64, 1), 1, 64);
    }
    std::memset(block, 2, 253); // a report where the inner one left poison behind
    outer.deallocate(block, 253, 1);
    CHECK(outer.used() == 0);
  }

#if ALLOT_ASAN
  TEST_CASE("a use after reset or deallocate is a report and not silence") {
    allot::atomic_bump_resource<256> arena;
    (void)arena.allocate(8, 8);
    volatile char* const p = static_cast<char*>(arena.allocate(16, 16));
    p[0] = 1;
    const auto touch = [&] { p[0] = 2; };
    CHECK(support::ending_of(touch).exited(0));
    CHECK(support::ending_of([&] { arena.reset(), touch(); }).says("use-after-poison"));
    CHECK(support::ending_of([&] { arena.deallocate(const_cast<char*>(p), 16), touch(); }).says("use-after-poison"));
    CHECK(support::ending_of([&] { p[-1] = 1; }).says("use-after-poison")); // the free bytes below
    void* const last = arena.allocate(1, 1);
    CHECK(support::ending_of([&] { arena.deallocate(const_cast<char*>(p), 16), touch(); }).says("use-after-poison"));
    arena.deallocate(last, 1, 1);
  }

  TEST_CASE("after reset no byte is accessible, those of a granule that its blocks shared no more than others") {
    alignas(8) std::array<std::byte, 64> memory;
    allot::atomic_bump_resource arena{memory};
    for (const std::size_t bytes : std::initializer_list<std::size_t>{
             3, 8, 14, 7}) // 32 in all: the next block has a granule that they have none of
      (void)arena.allocate(bytes, 1);
    void* const newest = arena.allocate(3, 1);
    arena.deallocate(newest, 3, 1);
    const auto accessible = [&](const std::byte& b) { return __asan_address_is_poisoned(&b) == 0; };
    CHECK(std::any_of(memory.begin(), memory.end(), accessible));
    arena.reset();
    CHECK(std::none_of(memory.begin(), memory.end(), accessible));
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a broken precondition ends the program") {
    allot::atomic_bump_resource<256> arena;
    allot::atomic_bump_resource<256, 8> coarse;
    void* const p = arena.allocate(8, 8);
    void* const q = coarse.allocate(8, 1);
    CHECK(dies([&] { (void)arena.try_allocate(8, 3); }, "is_alignment"));
    CHECK(dies([&] { (void)arena.remaining(0); }, "is_alignment"));
    CHECK(dies([&] { arena.reset(), arena.deallocate(p, 8, 8); }, "is_in_use"));
    CHECK(dies([&] { arena.deallocate(&arena, 8, 8); }, "is_in_use"));
    CHECK(dies([&] { arena.deallocate(p, 300, 8); }, "taken"));
    for (const std::size_t bytes : {huge, huge - 6, huge - 7, half, std::size_t{9}})
      CHECK(dies([&] { coarse.deallocate(q, bytes, 1); }, "taken"));
  }
#endif
}
