#include <allot/arena/bump_resource.hpp>

#include <allot/arena/monotonic_resource.hpp>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/room.hpp"
#include "support/shadow_model.hpp"

#include <array>
#include <bit>
#include <limits>
#include <memory>
#include <memory_resource>
#include <vector>

namespace {

constexpr std::size_t huge = SIZE_MAX;
constexpr std::size_t address_bits = std::numeric_limits<std::size_t>::digits;
constexpr std::size_t half = std::size_t{1} << (address_bits - 1);

struct owning_fixture {
  allot::bump_resource<support::room(64 * 1024)> r;
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
};

struct coarse_fixture {
  allot::bump_resource<support::room(64 * 1024), 8> r;
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
};

struct span_fixture {
  alignas(64) std::array<std::byte, support::room(64 * 1024)> memory;
  allot::bump_resource<> r{std::span{memory}.subspan(3)};
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
};

/// bump_resource by division, in arithmetic that cannot wrap while addresses are in the lower half.
class reference {
public:
  reference(const void* begin, std::size_t size, std::size_t min_alignment)
      : begin_{up(reinterpret_cast<std::uintptr_t>(begin), min_alignment)},
        end_{(reinterpret_cast<std::uintptr_t>(begin) + size) / min_alignment * min_alignment},
        cursor_{end_},
        floor_{end_},
        min_{min_alignment} {}

  using address = std::uintptr_t;
  struct state {
    address cursor;
    address floor;
  };

  /// 0: does not fit.
  address allocate(std::size_t bytes, std::size_t alignment) {
    const address taken = bytes == 0 ? 1 : bytes;
    const address start = cursor_ < taken ? 0 : (cursor_ - taken) / wide(alignment) * wide(alignment);
    if (start < begin_) return 0;
    cursor_ = start;
    high_ = std::max(high_, used());
    return start;
  }

  void deallocate(const void* p, std::size_t bytes) {
    const address start = reinterpret_cast<std::uintptr_t>(p);
    if (start == cursor_ && start < floor_) cursor_ = up(start + (bytes == 0 ? 1 : bytes), min_);
  }

  state mark() {
    const state here{cursor_, floor_};
    floor_ = cursor_;
    return here;
  }

  void rewind(const state& to) {
    cursor_ = to.cursor;
    floor_ = to.floor;
  }

  [[nodiscard]] address used() const { return end_ - cursor_; }
  [[nodiscard]] address high_water() const { return high_; }
  [[nodiscard]] address remaining(std::size_t alignment) const {
    const address first = up(begin_, wide(alignment));
    return first < cursor_ ? cursor_ - first : 0;
  }

private:
  static address up(address n, address alignment) { return (n + alignment - 1) / alignment * alignment; }
  [[nodiscard]] address wide(std::size_t alignment) const { return std::max(alignment, min_); }

  address begin_, end_, cursor_, floor_, high_ = 0;
  std::size_t min_;
};

template <std::size_t MinAlign>
void run_against_reference(std::uint64_t seed) {
  CAPTURE(seed);
  allot::split_mix random{seed};
  std::vector<std::byte> memory(support::room(1 + random.below(random.below(4) == 0 ? 300'000 : 8000)));
  const auto part = std::span{memory}.subspan(random.below(std::min<std::size_t>(memory.size(), 70)));
  allot::bump_resource<std::dynamic_extent, MinAlign> arena{part};
  reference expected{part.data(), part.size(), MinAlign};
  support::shadow_model model;
  struct checkpoint {
    decltype(arena.mark()) mark;
    reference::state state;
    std::size_t live;
  };
  std::vector<checkpoint> marks;

  for (int turn = 0; turn < 600; ++turn) {
    const std::size_t floor = marks.empty() ? 0 : marks.back().live;
    switch (random.below(12)) {
    case 0:
      if (model.size() == floor) break;
      if (const auto b = model.remove(floor + random.below(model.size() - floor)); true) {
        arena.deallocate(b.p, b.shape.bytes, b.shape.alignment);
        expected.deallocate(b.p, b.shape.bytes);
      }
      break;
    case 1:
    case 2:
      if (model.size() == floor) break;
      if (const auto b = model.remove(model.size() - 1); true) {
        arena.deallocate(b.p, b.shape.bytes, b.shape.alignment);
        expected.deallocate(b.p, b.shape.bytes);
      }
      break;
    case 3:
      if (marks.size() < 5) marks.push_back({arena.mark(), expected.mark(), model.size()});
      break;
    case 4:
      if (marks.empty()) break;
      for (std::size_t n = 1 + (random.below(3) == 0 ? random.below(marks.size()) : 0); n > 0; --n) {
        model.shrink_to(marks.back().live);
        arena.rewind(marks.back().mark);
        expected.rewind(marks.back().state);
        marks.pop_back();
      }
      break;
    default: {
      const auto [bytes, alignment] = support::random_request(random);
      void* const p = arena.try_allocate(bytes, alignment);
      REQUIRE(reinterpret_cast<std::uintptr_t>(p) == expected.allocate(bytes, alignment));
      if (p != nullptr) model.add(p, {bytes, alignment});
    }
    }
    REQUIRE(arena.used() == expected.used());
    REQUIRE(arena.high_water() == expected.high_water());
    const std::size_t alignment = std::size_t{1} << random.below(address_bits);
    REQUIRE(arena.remaining(alignment) == expected.remaining(alignment));
  }
  model.clear();
}

} // namespace

TEST_SUITE("bump_resource") {
  TEST_CASE("keeps the contract of a memory resource: over its own bytes") { check_contract<owning_fixture>(); }
  TEST_CASE("keeps the contract of a memory resource: with a minimum alignment") { check_contract<coarse_fixture>(); }
  TEST_CASE("keeps the contract of a memory resource: over an odd span") { check_contract<span_fixture>(); }

  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    {
      std::pmr::vector<int> v{&arena};
      v.reserve(100);
      v.assign(100, 7);
      CHECK(arena.used() == 400);
    } // v gives its block back, which is the last one: it is free again
    CHECK(arena.used() == 0);
    CHECK(arena.high_water() == 400);
    CHECK(arena.try_allocate(1025) == nullptr);
    // [example]
  }

  TEST_CASE("N bytes serve N blocks of one byte, at any address, down to the first byte") {
    alignas(64) std::array<std::byte, 164> memory{};
    for (std::size_t offset = 0; offset < 64; ++offset) {
      const auto part = std::span{memory}.subspan(offset, 100);
      allot::bump_resource arena{part};
      for (int i = 0; i < 100; ++i)
        REQUIRE(arena.try_allocate(1, 1) != nullptr);
      CHECK(arena.used() == 100);
      CHECK(arena.owns(part.data()) == allot::ownership::yes);
      CHECK(arena.try_allocate(1, 1) == nullptr);
      CHECK(arena.try_allocate(0, 1) == nullptr);
    }
  }

  TEST_CASE("an owning arena of N bytes serves N bytes in one block") {
    allot::bump_resource<100> arena;
    CHECK(arena.capacity() == 100);
    CHECK(arena.try_allocate(101, 1) == nullptr);
    CHECK(arena.try_allocate(100, 1) != nullptr);
    CHECK(arena.remaining(1) == 0);
  }

  TEST_CASE("remaining is exact for every alignment: that much fits, one byte more does not") {
    alignas(support::room(4096 * 32) / 32) static std::array<std::byte, support::room(40000)> memory;
    for (std::size_t shift = 0; shift < address_bits; ++shift) {
      const std::size_t alignment = std::size_t{1} << shift;
      for (const std::size_t offset : {0u, 1u, 8u, 63u}) {
        allot::bump_resource arena{std::span{memory}.subspan(offset)};
        (void)arena.allocate(5, 1);
        const std::size_t room = arena.remaining(alignment);
        CHECK(arena.try_allocate(room + 1, alignment) == nullptr);
        if (room > 0) CHECK(arena.try_allocate(room, alignment) != nullptr);
      }
    }
  }

#if ALLOT_TEST_ROOM > 200'000
  TEST_CASE("a block of more than 64 KiB is placed as any other") {
    static std::array<std::byte, 200'001> memory;
    allot::bump_resource arena{std::span{memory}.subspan(1)};
    CHECK(arena.try_allocate(200'001, 1) == nullptr);
    void* const p = arena.allocate(70'000, 64);
    CHECK(allot::is_aligned(p, 64));
    CHECK(arena.allocate(65'537, 1) == static_cast<std::byte*>(p) - 65'537);
    CHECK(arena.allocate(arena.remaining(1), 1) == &memory[1]);
    CHECK(arena.used() == 200'000);
  }
#endif

  TEST_CASE("a block lies at a multiple of its alignment, up to 2 MiB") {
    constexpr std::size_t size = support::room(std::size_t{1} << 23);
    const auto memory = std::make_unique<std::array<std::byte, size>>();
    allot::bump_resource arena{*memory};
    for (std::size_t alignment = 1; alignment <= size / 4; alignment *= 2) {
      CHECK(allot::is_aligned(arena.allocate(3, alignment), alignment));
    }
  }

  TEST_CASE("sizes that could wrap are refused and change nothing") {
    allot::bump_resource<256> arena;
    allot::bump_resource<256, 8> coarse;
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

  TEST_CASE("the step is right at both ends of the address space") {
    const auto at = [](std::ptrdiff_t address) { return std::bit_cast<std::byte*>(address); };
    std::byte* cursor = nullptr;
    const auto steps = [&](std::ptrdiff_t from, std::ptrdiff_t begin, std::size_t bytes, std::size_t alignment) {
      cursor = at(from);
      const bool fast = allot::detail::is_step(bytes) &&
                        allot::detail::step_down<1>(cursor, at(begin), bytes, allot::detail::negated(alignment));
      const std::byte* const there = cursor;
      cursor = at(from);
      const bool slow = allot::detail::step_down_slow(cursor, at(begin), bytes, allot::detail::negated(alignment));
      if (fast) CHECK(there == cursor);
      if (allot::detail::is_step(bytes)) CHECK(fast == slow);
      return slow;
    };
    CHECK_FALSE(steps(24, 8, 25, 1)); // would wrap below zero
    CHECK_FALSE(steps(24, 8, 17, 1));
    CHECK_FALSE(steps(24, 8, 1, 32));
    CHECK_FALSE(steps(24, 8, huge, 1));
    CHECK_FALSE(steps(24, 8, 1, half));
    CHECK((steps(24, 8, 16, 8) && cursor == at(8)));

    CHECK_FALSE(steps(-8, -64, 57, 1));
    CHECK_FALSE(steps(-8, -64, half - 1, 1)); // would pass the middle
    CHECK_FALSE(steps(-8, -64, 1, half));
    CHECK((steps(-8, -64, 56, 64) && cursor == at(-64)));
  }

  TEST_CASE("an empty span refuses everything, zero bytes too") {
    allot::bump_resource arena{std::span<std::byte>{}};
    CHECK(arena.try_allocate(0, 1) == nullptr);
    CHECK(arena.try_allocate(1, 1) == nullptr);
    CHECK(arena.try_allocate(huge, half) == nullptr);
    CHECK(arena.capacity() == 0);
    CHECK(arena.remaining(1) == 0);
    CHECK(arena.owns(nullptr) == allot::ownership::no);
    arena.reset_zeroed();
  }

  TEST_CASE("a minimum alignment cuts the ends of the buffer, and a buffer with none inside is empty") {
    alignas(16) std::array<std::byte, 64> memory;
    using coarse = allot::bump_resource<std::dynamic_extent, 16>;
    CHECK(coarse{std::span{memory}.subspan(1, 40)}.capacity() == 16);
    CHECK(coarse{std::span{memory}.subspan(1, 14)}.capacity() == 0);
    CHECK(coarse{std::span{memory}.subspan(1, 30)}.capacity() == 0);
    coarse arena{memory};
    CHECK(allot::is_aligned(arena.allocate(1, 1), 16));
    CHECK(arena.used() == 16);
  }

  TEST_CASE("a span that holds no multiple of the minimum alignment has no address that is not one") {
    alignas(16) std::array<std::byte, 16> memory;
    for (std::size_t offset = 1; offset < 8; ++offset) {
      const auto part = std::span{memory}.subspan(offset, 8 - offset);
      CHECK(allot::is_aligned(allot::detail::aligned_part(part, 8).data(), 8));
      allot::bump_resource<std::dynamic_extent, 8> arena{part};
      CHECK(arena.capacity() == 0);
      CHECK(arena.try_allocate(1, 1) == nullptr); // UBSan sees an address that is taken for aligned
      CHECK(arena.try_allocate(0, 1) == nullptr);
    }
  }

  TEST_CASE("an owning arena is a member of an aggregate, and an element of an array") {
    struct request {
      allot::bump_resource<100> arena;
      int number;
    };
    request r{};
    std::array<allot::bump_resource<64>, 2> pair{};
    CHECK(r.arena.name() == nullptr);
    CHECK(r.arena.remaining(1) == 100);
    CHECK(pair[1].remaining(1) == 64);
  }

  TEST_CASE("zero bytes give a block of its own") {
    allot::bump_resource<4> arena;
    void* const a = arena.allocate(0, 1);
    void* const b = arena.allocate(0, 1);
    void* const c = arena.allocate(1, 1);
    CHECK(a != b);
    CHECK(b != c);
    arena.deallocate(c, 1, 1);
    arena.deallocate(b, 0, 1);
    CHECK(arena.used() == 1);
  }

  TEST_CASE("only the last block is taken back") {
    allot::bump_resource<64> arena;
    void* const a = arena.allocate(16, 8);
    void* const b = arena.allocate(16, 8);
    arena.deallocate(a, 16, 8);
    CHECK(arena.used() == 32);
    arena.deallocate(b, 16, 8);
    CHECK(arena.used() == 16);
    CHECK(arena.allocate(16, 8) == b);
  }

  TEST_CASE("a mark keeps blocks from before it, even the last one, from being taken back") {
    allot::bump_resource<64> arena;
    void* const before = arena.allocate(8, 8);
    const auto mark = arena.mark();
    void* const after = arena.allocate(8, 8);

    arena.deallocate(after, 8, 8);
    CHECK(arena.used() == 8);
    arena.deallocate(before, 8, 8);
    CHECK(arena.used() == 8);

    (void)arena.allocate(4, 1);
    arena.rewind(mark);
    CHECK(arena.used() == 8);
  }

  TEST_CASE("rewind to an earlier mark makes those after it void") {
    allot::bump_resource<256> arena;
    (void)arena.allocate(16, 1);
    const auto outer = arena.mark();
    (void)arena.allocate(16, 1);
    const auto inner = arena.mark();
    (void)arena.allocate(16, 1);
    arena.rewind(outer);
    CHECK(arena.used() == 16);
    CHECK_FALSE(arena.is_latest(inner));
#if ALLOT_CHECK_LEVEL > 0
    CHECK(dies([&] { arena.rewind(inner); }, "admits"));
#endif
    (void)arena.allocate(8, 1);
    CHECK(arena.used() == 24);
  }

  TEST_CASE("rewind restores the floor of the mark before") {
    allot::bump_resource<64> arena;
    const auto outer = arena.mark();
    void* const p = arena.allocate(8, 8);
    const auto inner = arena.mark();
    (void)arena.allocate(8, 8);
    CHECK(arena.is_latest(inner));
    CHECK_FALSE(arena.is_latest(outer));

    arena.rewind(inner);
    CHECK(arena.is_latest(outer));
    arena.deallocate(p, 8, 8); // lies below the outer mark's floor again
    CHECK(arena.used() == 0);
    arena.rewind(outer);
  }

  TEST_CASE("high_water outlives everything that lowers used") {
    allot::bump_resource<128> arena;
    const auto mark = arena.mark();
    (void)arena.allocate(50, 1);
    CHECK(arena.high_water() == 50);
    arena.rewind(mark);
    CHECK(arena.high_water() == 50);
    arena.deallocate(arena.allocate(60, 1), 60, 1);
    CHECK(arena.high_water() == 60);
    (void)arena.allocate(70, 1);
    arena.reset();
    CHECK(arena.used() == 0);
    CHECK(arena.high_water() == 70);
  }

#if !ALLOT_VALGRIND // Memcheck takes what an arena gave back for uninitialised
  TEST_CASE("reset_zeroed wipes all that was ever used, and nothing else") {
    std::array<std::byte, 64> memory;
    memory.fill(std::byte{0xAA});
    {
      allot::bump_resource arena{memory};
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
    allot::bump_resource<64> arena;
    const auto some = arena.alloc_bytes(24, 8);
    REQUIRE(some.has_value());
    CHECK(some->size() == 24);
    CHECK(allot::is_aligned(some->data(), 8));
    CHECK(arena.alloc_bytes(0)->data() != nullptr);
    CHECK_FALSE(arena.alloc_bytes(64).has_value());
  }

  TEST_CASE("owns is exact at both ends") {
    std::array<std::byte, 64> memory{};
    allot::bump_resource arena{std::span{memory}.subspan(8, 32)};
    CHECK(arena.owns(&memory[7]) == allot::ownership::no);
    CHECK(arena.owns(&memory[8]) == allot::ownership::yes);
    CHECK(arena.owns(&memory[39]) == allot::ownership::yes);
    CHECK(arena.owns(&memory[40]) == allot::ownership::no);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record of a failure says what was asked for, of whom, and what there was") {
    allot::bump_resource<100> arena{"scratch"};
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
      CHECK(std::string_view{e.record().resource} == "bump_resource");
    }
    CHECK_THROWS_AS((void)allot::bump_resource{std::span<std::byte>{}}.allocate(0, 1), allot::out_of_memory);
  }
#endif

  TEST_CASE("random calls agree with a model in arithmetic that cannot wrap") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      run_against_reference<1>(seed);
      run_against_reference<8>(seed);
      run_against_reference<64>(seed);
    }
  }

  TEST_CASE("an arena over an arena's block gives it back clean") {
    allot::bump_resource<1024> outer;
    void* const block = outer.allocate(256, 1);
    {
      allot::bump_resource inner{std::span{static_cast<std::byte*>(block), 256}};
      std::memset(inner.allocate(100, 1), 1, 100);
      inner.reset();
      allot::bump_resource<64> local;
      std::memset(local.allocate(64, 1), 1, 64);
    }
    std::memset(block, 2, 256); // a report where the inner one left poison behind
    outer.deallocate(block, 256, 1);
    CHECK(outer.used() == 0);
  }

#if ALLOT_ASAN
  TEST_CASE("a use after reset, rewind or deallocate is a report and not silence") {
    allot::bump_resource<256> arena;
    const auto mark = arena.mark();
    volatile char* const p = static_cast<char*>(arena.allocate(16, 16));
    p[0] = 1;
    const auto touch = [&] { p[0] = 2; };
    CHECK(support::ending_of(touch).exited(0));
    CHECK(support::ending_of([&] { arena.reset(), touch(); }).says("use-after-poison"));
    CHECK(support::ending_of([&] { arena.rewind(mark), touch(); }).says("use-after-poison"));
    CHECK(support::ending_of([&] { arena.deallocate(const_cast<char*>(p), 16), touch(); }).says("use-after-poison"));
    CHECK(support::ending_of([&] { p[-1] = 1; }).says("use-after-poison")); // the free bytes below
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a broken precondition ends the program") {
    allot::bump_resource<256> arena;
    void* const p = arena.allocate(8, 8);
    const auto mark = arena.mark();
    CHECK(dies([&] { (void)arena.try_allocate(8, 3); }, "is_alignment"));
    CHECK(dies([&] { (void)arena.remaining(0); }, "is_alignment"));
    CHECK(dies([&] { arena.reset(), arena.deallocate(p, 8, 8); }, "is_in_use"));
    CHECK(dies([&] { arena.deallocate(&arena, 8, 8); }, "is_in_use"));
    CHECK(dies([&] { arena.deallocate(p, 300, 8); }, "taken"));
    CHECK(dies([&] { arena.rewind(mark), arena.rewind(mark); }, "admits"));
    CHECK(dies([&] { arena.reset(), arena.rewind(mark); }, "admits"));
    const auto second = arena.mark();
    const auto third = arena.mark();
    CHECK(dies([&] { arena.rewind(second), arena.rewind(third); }, "admits"));
  }

  TEST_CASE("a size to deallocate that wraps when it is rounded is caught") {
    allot::bump_resource<256, 8> coarse;
    allot::bump_resource<256> fine;
    void* const p = coarse.allocate(8, 1);
    void* const q = fine.allocate(8, 1);
    for (const std::size_t bytes : {huge, huge - 1, huge - 6, huge - 7, half, std::size_t{9}}) {
      CHECK(dies([&] { coarse.deallocate(p, bytes, 1); }, "taken"));
      CHECK(dies([&] { fine.deallocate(q, bytes, 1); }, "taken"));
    }
  }

  TEST_CASE("a mark that reset or rewind made void does not pass for one made after it") {
    allot::bump_resource<256> arena;
    (void)arena.allocate(64, 1);
    const auto stale = arena.mark();
    const auto begin_anew = [&] {
      (void)arena.allocate(96, 1);
      return arena.mark();
    };
    CHECK(dies([&] { arena.reset(), (void)begin_anew(), arena.rewind(stale); }, "admits"));
    CHECK(dies([&] { arena.rewind(stale), (void)begin_anew(), arena.rewind(stale); }, "admits"));
    arena.reset();
    const auto fresh = begin_anew();
    CHECK_FALSE(arena.is_latest(stale));
    CHECK(arena.is_latest(fresh));
  }

  TEST_CASE("a mark of another arena ends the program") {
    allot::bump_resource<64> arena;
    allot::bump_resource<64> other;
    const auto mark = arena.mark();
    const auto foreign = other.mark(); // bears the same number
    CHECK(dies([&] { arena.rewind(foreign); }, "is_in_use"));
    CHECK(arena.is_latest(mark));
  }
#endif
}
