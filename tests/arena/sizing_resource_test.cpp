#include <allot/arena/sizing_resource.hpp>

#include <allot/arena/arena_scope.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/arena/static_arena.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/room.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t huge = SIZE_MAX;

constexpr std::size_t largest_alignment = support::room(256 * 128) / 128;

#if ALLOT_TEST_ROOM > 200'000
struct fixture {
  allot::probe_upstream up;
  allot::sizing_resource<allot::probe_upstream, 4096> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};
#endif

struct narrow_fixture {
  using arena = allot::bump_resource<support::room(64 * 1024)>;
  arena memory;
  allot::sizing_resource<arena, 16> r{memory};
  auto& resource() { return r; }
  static constexpr bool bounded = true;
  static constexpr bool reuses_memory = false;
};

/// One call of an arena.
struct call {
  enum kind : unsigned char { allocate, deallocate, mark, rewind, reset } what;
  allot::layout asked; // of a block that is allocated
  std::size_t index;   // of a block that is deallocated, among all that were ever allocated; of a mark
};

/// The most that random calls have.
struct variety {
  std::size_t calls;
  std::size_t bytes;
  std::size_t alignment;
};

/// Calls in any order that an arena allows: the newer a block, the likelier it comes back. In every second sequence
/// the alignments grow.
std::vector<call> random_calls(allot::split_mix& random, const variety& most, bool with_marks) {
  const auto shifts = static_cast<std::size_t>(std::countr_zero(most.alignment)) + 1;
  std::vector<call> calls;
  std::vector<std::size_t> live;
  std::vector<std::size_t> marks; // how many blocks were allocated before each
  std::size_t allocated = 0;
  const bool grow = random.below(2) == 0;
  const std::size_t turns = 1 + random.below(most.calls);
  for (std::size_t turn = 0; turn < turns; ++turn) {
    switch (random.below(with_marks ? 12 : 8)) {
    case 0:
    case 1:
    case 2:
    case 3:
      if (!live.empty()) {
        const std::size_t from_end = random.below(4) == 0 ? random.below(live.size()) : 0;
        const auto at = live.end() - 1 - static_cast<std::ptrdiff_t>(from_end);
        calls.push_back({call::deallocate, {}, *at});
        live.erase(at);
        break;
      }
      [[fallthrough]];
    default:
      calls.push_back(
          {call::allocate,
           {random.below(most.bytes + 1), std::size_t{1} << random.below(grow ? 1 + shifts * turn / turns : shifts)},
           0});
      live.push_back(allocated++);
      break;
    case 8:
    case 9:
      calls.push_back({call::mark, {}, 0});
      marks.push_back(allocated);
      break;
    case 10:
      if (marks.empty()) break;
      marks.resize(marks.size() - random.below(random.below(3) == 0 ? marks.size() : 1));
      calls.push_back({call::rewind, {}, marks.size() - 1});
      std::erase_if(live, [&](std::size_t block) { return block >= marks.back(); });
      marks.pop_back();
      break;
    case 11:
      if (random.below(4) != 0) break;
      calls.push_back({call::reset, {}, 0});
      live.clear();
      marks.clear();
      break;
    }
  }
  return calls;
}

/// Whether the arena serves them all.
template <class Arena>
bool serves(Arena& arena, const std::vector<call>& calls) {
  struct given {
    void* p;
    allot::layout asked;
  };
  std::vector<given> blocks;
  std::vector<typename Arena::mark_type> marks;
  for (const call& c : calls) {
    switch (c.what) {
    case call::allocate:
      blocks.push_back({arena.try_allocate(c.asked.bytes, c.asked.alignment), c.asked});
      if (blocks.back().p == nullptr) return false;
      break;
    case call::deallocate:
      arena.deallocate(blocks[c.index].p, blocks[c.index].asked.bytes, blocks[c.index].asked.alignment);
      break;
    case call::mark: marks.push_back(arena.mark()); break;
    case call::rewind:
      arena.rewind(marks[c.index]);
      marks.erase(marks.begin() + static_cast<std::ptrdiff_t>(c.index), marks.end());
      break;
    case call::reset:
      arena.reset();
      marks.clear();
      break;
    }
  }
  return true;
}

/// Whether an arena of that many bytes serves them, at an address that is a multiple of `alignment` and of no more.
bool fits(const std::vector<call>& calls, std::size_t bytes, std::size_t alignment) {
  alignas(2 * largest_alignment) static std::array<std::byte, support::room(64 * 1024)> memory;
  REQUIRE(bytes <= memory.size() - alignment);
  allot::bump_resource arena{std::span{memory}.subspan(alignment, bytes)};
  return serves(arena, calls);
}

struct need {
  std::size_t bytes;
  std::size_t alignment;
};

need need_of(const std::vector<call>& calls) {
  allot::checking_resource up;
  allot::sizing_resource<allot::checking_resource, largest_alignment> sizing{up};
  REQUIRE(serves(sizing, calls));
  return {sizing.needed_bytes(), sizing.needed_alignment()};
}

void check_exact(const std::vector<call>& calls) {
  const need needed = need_of(calls);
  const std::size_t bytes = needed.bytes, alignment = needed.alignment;
  CAPTURE(bytes);
  CAPTURE(alignment);
  std::size_t largest = 1;
  for (const call& c : calls)
    if (c.what == call::allocate) largest = std::max(largest, c.asked.alignment);
  REQUIRE(alignment == largest);
  for (std::size_t more = 0; more <= alignment; ++more) // a whole period: so any greater one
    REQUIRE(fits(calls, bytes + more, alignment));
  if (bytes > 0) REQUIRE_FALSE(fits(calls, bytes - 1, alignment));
}

#if ALLOT_EXCEPTIONS
/// What a program does with containers of many kinds.
void use_containers(std::pmr::memory_resource& memory) {
  std::pmr::vector<int> numbers{&memory};
  for (int i = 0; i < 100; ++i)
    numbers.push_back(i);
  std::pmr::map<int, std::pmr::string> names{&memory};
  for (int i = 0; i < 20; ++i)
    names[i * 7 % 20] = "a text that is too long for the string's own object";
  for (int i = 0; i < 20; i += 3)
    names.erase(i);
  std::pmr::string line{&memory};
  for (const auto& [number, name] : names)
    line += name;
  numbers.reserve(200);
}
#endif

constinit allot::static_arena<29, 8> just_enough;
constinit allot::static_arena<28, 8> one_byte_less;

#if ALLOT_EXCEPTIONS
/// Gives no block that is aligned.
struct crooked final : allot::resource_interface<crooked> {
  static constexpr const char* class_name = "crooked";
  void* place(std::size_t, std::size_t) noexcept { return memory + ++live; }
  void give_back(void*, std::size_t, std::size_t) noexcept { --live; }
  alignas(64) std::byte memory[64];
  int live = 0;
};
#endif

} // namespace

TEST_SUITE("sizing_resource") {
#if ALLOT_TEST_ROOM > 200'000
  TEST_CASE("keeps the contract of a memory resource") { check_contract<fixture>(); }
#endif
  TEST_CASE("keeps the contract of a memory resource: over little memory, with books for a few alignments") {
    check_contract<narrow_fixture>();
  }

  TEST_CASE("example") {
    // [example]
    allot::checking_resource heap; // any resource that has room
    allot::sizing_resource sizing{heap};
    for (int round = 0; round < 3; ++round) {
      allot::arena_scope scratch{sizing};
      std::pmr::vector<std::uint16_t> samples{&sizing};
      samples.reserve(100);
      std::pmr::string line{"a log line, longer than the object of a string!", &sizing};
      samples.assign(100, 20);
    }
    std::array<char, 80> text;
    CHECK(sizing.declaration(text, "log_arena") == "constinit allot::static_arena<248, 2> log_arena;");
    // [example]
    CHECK(sizing.requests() == 6);
    CHECK(sizing.high_water() == 248);
  }

  TEST_CASE("the declaration that it writes is enough, and one byte less is not") {
    const auto workload = [](auto& arena) {
      return arena.try_allocate(13, 1) != nullptr && arena.try_allocate(16, 8) != nullptr;
    };
    allot::checking_resource up;
    allot::sizing_resource sizing{up};
    CHECK(workload(sizing));
    std::array<char, 64> text;
    CHECK(sizing.declaration(text, "just_enough") == "constinit allot::static_arena<29, 8> just_enough;");
    CHECK(workload(just_enough.claim()));
    CHECK_FALSE(workload(one_byte_less.claim()));
    CHECK(up.live_blocks() == 2);
  }

  TEST_CASE("random calls need what it says, and any arena that is larger serves them") {
    constexpr std::size_t calls = support::room(60 * 256) / 256;
    constexpr auto shifts = static_cast<std::size_t>(std::countr_zero(largest_alignment)) + 1;
    for (std::uint64_t seed = 1; seed <= 100 * calls; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      const std::size_t alignment = std::size_t{1} << random.below(random.below(8) == 0 ? shifts : 5);
      const std::size_t bytes = std::size_t{1} << random.below(random.below(8) == 0 ? shifts : 5);
      check_exact(random_calls(random, {calls, bytes, alignment}, random.below(2) == 0));
    }
  }

  TEST_CASE("a few small random calls, too, of which each makes a difference") {
    for (std::uint64_t seed = 1; seed <= support::room(30'000); ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      check_exact(random_calls(random, {.calls = support::room(14 * 256) / 256, .bytes = 5, .alignment = 8},
                               random.below(4) == 0));
    }
  }

  TEST_CASE("a size that serves by luck is not taken for enough") {
    // With 37 bytes, the end lies so that the second block has no padding, and both are taken back.
    std::vector<call> calls;
    for (std::size_t round = 0; round < 4; ++round) {
      calls.push_back({call::allocate, {29, 1}, 0});
      calls.push_back({call::allocate, {8, 8}, 0});
      calls.push_back({call::deallocate, {}, 2 * round + 1});
      calls.push_back({call::deallocate, {}, 2 * round});
    }
    CHECK(fits(calls, 37, 8));
    CHECK_FALSE(fits(calls, 38, 8));
    check_exact(calls);
    CHECK(need_of(calls).bytes > 100);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("containers need what it says") {
    allot::checking_resource up;
    allot::sizing_resource sizing{up};
    use_containers(sizing);
    CHECK(sizing.live_blocks() == 0);
    CHECK(sizing.lost_bytes() > 0);
    CHECK(sizing.needed_bytes() > sizing.high_water());
    CHECK(sizing.needed_alignment() == alignof(void*));

    alignas(64) static std::array<std::byte, 64 * 1024> memory;
    const auto run_in = [&](std::size_t bytes) {
      allot::bump_resource arena{std::span{memory}.subspan(0, bytes)};
      use_containers(arena);
      return arena.high_water();
    };
    CHECK(run_in(sizing.needed_bytes()) <= sizing.needed_bytes());
    CHECK(run_in(sizing.needed_bytes() + 1) > 0);
    CHECK_THROWS_AS((void)run_in(sizing.needed_bytes() - 1), allot::out_of_memory);
  }
#endif

  TEST_CASE("a workload that rewinds each round needs what its largest round needs") {
    allot::checking_resource up;
    allot::sizing_resource sizing{up};
    void* const kept = sizing.allocate(10, 1);
    for (std::size_t round = 1; round <= 9; ++round) {
      allot::arena_scope scratch{sizing};
      (void)sizing.allocate(round * 8, 8);
      CHECK(up.live_blocks() == 2);
    }
    CHECK(up.live_blocks() == 1);
    CHECK(sizing.used() == 10);
    CHECK(sizing.needed_bytes() == 82);
    sizing.deallocate(kept, 10, 1);
  }

  TEST_CASE("a block from before a mark is not taken back, and from after the rewind it is again") {
    allot::checking_resource up;
    allot::sizing_resource sizing{up};
    void* const first = sizing.allocate(10, 1);
    void* const second = sizing.allocate(20, 1);
    {
      allot::arena_scope scratch{sizing};
      sizing.deallocate(second, 20, 1);
      CHECK(sizing.lost_bytes() == 20);
    }
    (void)sizing.allocate(5, 1);
    CHECK(sizing.needed_bytes() == 35);
    sizing.reset();
    CHECK(up.live_blocks() == 0);

    void* const again = sizing.allocate(30, 1);
    { allot::arena_scope nothing{sizing}; }
    sizing.deallocate(again, 30, 1);
    (void)sizing.allocate(30, 1);
    CHECK(sizing.needed_bytes() == 35);
    CHECK(sizing.lost_bytes() == 20);
    CHECK(first != nullptr);
  }

  TEST_CASE("a block that lies behind padding in an arena of some size counts as lost") {
    allot::checking_resource up;
    allot::sizing_resource sizing{up};
    void* const first = sizing.allocate(29, 1);
    void* const second = sizing.allocate(8, 8);
    sizing.deallocate(second, 8, 8);
    CHECK(sizing.lost_bytes() == 0);
    sizing.deallocate(first, 29, 1);
    CHECK(sizing.lost_bytes() == 29);
  }

  TEST_CASE("zero bytes take one, as in an arena") {
    allot::checking_resource up;
    allot::sizing_resource sizing{up};
    CHECK(sizing.needed_bytes() == 0);
    void* const a = sizing.allocate(0, 1);
    void* const b = sizing.allocate(0, 1);
    CHECK(a != b);
    CHECK(sizing.needed_bytes() == 2);
    sizing.deallocate(b, 0, 1);
    sizing.deallocate(sizing.allocate(0, 1), 0, 1);
    sizing.deallocate(a, 0, 1);
    CHECK(sizing.needed_bytes() == 2);
    CHECK(sizing.used() == 0);
  }

  TEST_CASE("what upstream refuses, or no arena could hold, is not counted") {
    allot::checking_resource memory;
    allot::failing_adaptor up{memory};
    allot::sizing_resource sizing{up, "mine"};
    sizing.deallocate(sizing.allocate(24, 4), 24, 4);
    up.fail_from(1);
    CHECK(sizing.try_allocate(1000, 64) == nullptr);
    up.heal();
    for (std::size_t below = 0; below < 300; ++below)
      for (const std::size_t bytes : {huge - below, huge / 2 - below})
        for (const std::size_t alignment : {std::size_t{1}, std::size_t{64}, std::size_t{128}, huge / 2 + 1})
          REQUIRE(sizing.try_allocate(bytes, alignment) == nullptr);
    CHECK(sizing.try_allocate(1, 128) == nullptr);
    CHECK(sizing.needed_bytes() == 24);
    CHECK(sizing.needed_alignment() == 4);
    CHECK(sizing.requests() == 1);
    CHECK(sizing.reserved() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record of a refusal says why") {
    allot::checking_resource up;
    allot::sizing_resource sizing{up, "mine"};
    const auto why = [&](std::size_t bytes, std::size_t alignment) -> std::string {
      try {
        (void)sizing.allocate(bytes, alignment);
        return "allocated";
      } catch (const allot::out_of_memory& e) {
        CHECK(std::string_view{e.record().name} == "mine");
        CHECK(e.record().bytes == bytes);
        return e.record().detail;
      }
    };
    CHECK(why(1, 128) == "the alignment is above the MaxAlign of its books");
    CHECK(why(huge, 1) == "no arena can be that large");
    CHECK(sizing.requests() == 0);
  }

  TEST_CASE("a block of upstream's that is not aligned goes back to it, and the record says so") {
    crooked up;
    allot::sizing_resource sizing{up};
    CHECK(sizing.try_allocate(8, 8) == nullptr);
    try {
      (void)sizing.allocate(8, 8);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().detail} == "upstream gave a block that is not aligned as it was asked for");
    }
    CHECK(up.live == 0);
    CHECK(sizing.requests() == 0);
  }

  TEST_CASE("what upstream throws passes through, and changes nothing") {
    allot::bump_resource<256> small{"small"};
    allot::sizing_resource sizing{small};
    (void)sizing.allocate(8, 8);
    const std::size_t reserved = sizing.reserved();
    try {
      (void)sizing.allocate(1000, 8);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "small");
    }
    CHECK(sizing.needed_bytes() == 8);
    CHECK(sizing.reserved() == reserved);
  }
#endif

  TEST_CASE("an upstream is given by reference or, as in std, by pointer, and one over another is no copy") {
    allot::checking_resource up;
    allot::sizing_resource outer{&up, "outer"};
    allot::sizing_resource inner{outer};
    CHECK(outer.upstream_resource() == &up);
    CHECK(inner.upstream_resource() == &outer);
    CHECK(std::string_view{outer.name()} == "outer");
#if ALLOT_EXCEPTIONS
    allot::sizing_resource foreign{std::pmr::new_delete_resource()};
    foreign.deallocate(foreign.allocate(10, 64), 10, 64);
    CHECK(foreign.needed_alignment() == 64);
#endif
  }

  TEST_CASE("every block has room before it, and stays as it was written") {
    allot::checking_resource up;
    allot::sizing_resource<allot::checking_resource, largest_alignment> sizing{up};
    std::vector<void*> blocks;
    for (std::size_t alignment = 1; alignment <= largest_alignment; alignment *= 2) {
      void* const p = sizing.allocate(100, alignment);
      CHECK(allot::is_aligned(p, alignment));
      std::memset(p, static_cast<int>(blocks.size()), 100);
      blocks.push_back(p);
    }
    CHECK(sizing.reserved() == up.live_bytes());
    CHECK(sizing.used() == 100 * blocks.size());
    CHECK(sizing.live_blocks() == blocks.size());
    CHECK(sizing.owns(blocks[0]) == up.owns(blocks[0]));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto* const bytes = static_cast<const unsigned char*>(blocks[i]);
      CHECK(std::all_of(bytes, bytes + 100, [&](unsigned char byte) { return byte == i; }));
      sizing.deallocate(blocks[i], 100, std::size_t{1} << i);
    }
    CHECK(sizing.reserved() == 0);
  }

  TEST_CASE("over an arena, blocks of any size that come back in the reverse order leave nothing behind") {
    allot::bump_resource<1024> arena;
    allot::sizing_resource sizing{arena};
    for (int round = 0; round < 100; ++round) {
      void* const first = sizing.allocate(33, 1);
      void* const second = sizing.allocate(17, 2);
      sizing.deallocate(second, 17, 2);
      sizing.deallocate(first, 33, 1);
    }
    CHECK(arena.used() == 0);
  }

  TEST_CASE("live blocks go back at reset, and at the end") {
    allot::checking_resource up;
    {
      allot::sizing_resource sizing{up};
      (void)sizing.allocate(10, 1);
      sizing.reset();
      CHECK(up.live_blocks() == 0);
      CHECK(sizing.used() == 0);
      (void)sizing.allocate(10, 1);
      CHECK(sizing.needed_bytes() == 10);
      CHECK(up.live_blocks() == 1);
    }
    CHECK(up.live_blocks() == 0);
  }

  TEST_CASE("a buffer that is too short for the declaration stays without one") {
    allot::checking_resource up;
    allot::sizing_resource sizing{up};
    constexpr std::string_view whole = "constinit allot::static_arena<1, 1> arena;";
    std::array<char, whole.size() + 1> text;
    CHECK(sizing.declaration(text) == whole);
    CHECK(text.back() == '\0');
    for (std::size_t size = 0; size < text.size(); ++size)
      CHECK(sizing.declaration(std::span{text}.first(size)).empty());
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a broken precondition ends the program") {
    allot::checking_resource up;
    allot::sizing_resource sizing{up};
    void* const p = sizing.allocate(8, 8);
    const auto mark = sizing.mark();
    CHECK(dies([&] { (void)sizing.try_allocate(8, 3); }, "is_alignment"));
    CHECK(dies([&] { sizing.deallocate(p, 9, 8); }, "asked"));
    CHECK(dies([&] { sizing.deallocate(p, 8, 4); }, "asked"));
    CHECK(dies([&] { sizing.rewind(mark), sizing.rewind(mark); }, "admits"));
    CHECK(dies([&] { sizing.reset(), sizing.rewind(mark); }, "admits"));
    CHECK(dies([] { allot::sizing_resource s{static_cast<allot::resource*>(nullptr)}; }, "upstream"));
  }
#endif
}
