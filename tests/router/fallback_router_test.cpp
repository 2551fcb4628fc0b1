#include <allot/router/fallback_router.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/synchronized_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/chain.hpp>
#include <allot/core/threads.hpp>
#include <allot/source/malloc_resource.hpp>
#include <allot/source/null_resource.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/split_mix.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>
#include <support/race.hpp>
#include <support/room.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory_resource>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

using allot::ownership;

/// The arena is spent soon, and the rest of each check runs over the upstream.
struct small_arena_fixture {
  allot::probe_upstream up;
  allot::bump_resource<100> arena;
  allot::fallback_router<allot::bump_resource<100>, allot::probe_upstream> r{arena, up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// Everything is asked of the primary, and comes from there.
struct primary_fixture {
  allot::probe_upstream up;
  allot::null_resource nothing;
  allot::fallback_router<allot::probe_upstream, allot::null_resource> r{up, nothing};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct three_wide_fixture {
  allot::bump_resource<64> first;
  allot::bump_resource<256> second;
  allot::probe_upstream up;
  allot::fallback_router<allot::bump_resource<64>, allot::bump_resource<256>> arenas{first, second};
  allot::fallback_router<decltype(arenas), allot::probe_upstream> r{arenas, up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// Counts by which function it was asked, and refuses everything.
class refusing final : public allot::resource_interface<refusing> {
public:
  static constexpr const char* class_name = "refusing";
  static constexpr bool owns_is_exact = true;

  explicit refusing(const char* name) noexcept : name_{name} {}
  [[nodiscard]] const char* name() const noexcept { return name_; }
  std::size_t tried = 0;
  std::size_t allocated = 0;

private:
  friend resource_interface;
  void* place(std::size_t, std::size_t) noexcept {
    ++tried;
    return nullptr;
  }
  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    ++allocated;
    fail(bytes, alignment);
  }
  void give_back(void*, std::size_t, std::size_t) noexcept {}
  [[nodiscard]] ownership holds(const void*) const noexcept { return ownership::no; }

  const char* name_;
};

struct cannot_tell final : allot::resource_interface<cannot_tell> {
  static constexpr const char* class_name = "cannot_tell";
  std::byte byte{};
  void* place(std::size_t, std::size_t) noexcept { return &byte; }
  void give_back(void*, std::size_t, std::size_t) noexcept {}
};

template <class Primary, class Secondary>
using router_of = allot::fallback_router<Primary, Secondary>;

using arena = allot::bump_resource<>;

} // namespace

// [example]
std::size_t bytes_past_the_arena() {
  allot::bump_resource<1024> arena;
  allot::checking_resource heap; // in a program: allot::malloc_resource, or a pool
  allot::fallback_router memory{arena, heap};

  std::pmr::vector<char> fits(1000, &memory);   // in the arena
  std::pmr::vector<char> spills(1000, &memory); // not enough room there: from the heap, without an exception
  return heap.live_bytes();
}
// [example]

TEST_SUITE("fallback_router") {
  TEST_CASE_TEMPLATE("keeps the contract of a memory resource", Fixture, small_arena_fixture, primary_fixture,
                     three_wide_fixture) {
    check_contract<Fixture>();
  }

  TEST_CASE("the example keeps its promise") { CHECK(bytes_past_the_arena() == 1000); }

  TEST_CASE("a request goes to the primary, and to the secondary only where that has no room") {
    allot::bump_resource<64> first;
    allot::checking_resource second;
    allot::fallback_router r{first, second};
    void* const p = r.allocate(40, 1);
    void* const q = r.allocate(40, 1); // 24 bytes are left
    void* const s = r.allocate(24, 1);
    CHECK(first.owns(p) == ownership::yes);
    CHECK(second.live_bytes() == 40);
    CHECK(first.owns(s) == ownership::yes);

    r.deallocate(s, 24, 1);
    r.deallocate(q, 40, 1);
    r.deallocate(p, 40, 1);
    CHECK(first.used() == 0);
    CHECK(second.live_blocks() == 0);
  }

  TEST_CASE("the primary is never asked by allocate, so that nothing can be thrown on the way to the secondary") {
    refusing first{"first"};
    refusing second{"second"};
    allot::checking_resource third;
    allot::fallback_router two{first, second};
    allot::fallback_router three{two, third};
    void* const p = three.allocate(10, 2);
    void* const q = three.try_allocate(0, 1);
    CHECK(q != nullptr);
    CHECK(first.tried == 2);
    CHECK(second.tried == 2);
    CHECK(first.allocated + second.allocated == 0);
    CHECK(third.live_blocks() == 2);
    three.deallocate(p, 10, 2);
    three.deallocate(q, 0, 1);
  }

  TEST_CASE("each is asked once for a request, and the last one's failure goes on") {
    refusing first{"first"};
    refusing second{"second"};
    allot::fallback_router r{first, second, "router"};
    CHECK(r.try_allocate(10, 2) == nullptr);
    CHECK(first.tried == 1);
    CHECK(second.tried == 1);
#if ALLOT_EXCEPTIONS
    try {
      (void)r.allocate(11, 2);
      FAIL("both refuse");
    } catch (const allot::out_of_memory& refused) {
      CHECK(refused.record().resource == std::string_view{"refusing"});
      CHECK(refused.record().name == std::string_view{"second"});
      CHECK(refused.record().bytes == 11);
    }
    CHECK(first.tried == 2);
    CHECK(first.allocated == 0);
    CHECK(second.tried == 1);
    CHECK(second.allocated == 1);
#else
    CHECK(dies([&] { (void)r.allocate(11, 2); }, "allot: refusing \"second\""));
#endif
  }

  TEST_CASE("in adjacent buffers a block goes back to the one in which it starts") {
    alignas(64) std::byte memory[128];
    for (const bool primary_is_low : {true, false}) {
      arena low{std::span{memory}.first(64)};
      arena high{std::span{memory}.last(64)};
      allot::counting_adaptor first{primary_is_low ? low : high};
      allot::counting_adaptor second{primary_is_low ? high : low};
      allot::fallback_router r{first, second};

      void* const whole = r.allocate(64, 1);
      void* const next = r.allocate(64, 1); // starts where the primary's memory ends, or ends where that starts
      CHECK(whole == (primary_is_low ? memory : memory + 64));
      CHECK(next == (primary_is_low ? memory + 64 : memory));
      r.deallocate(next, 64, 1);
      CHECK(first.used() == 64);
      CHECK(second.used() == 0);
      r.deallocate(whole, 64, 1);
      CHECK(first.snapshot().deallocations == 1);
    }
  }

  TEST_CASE("blocks of zero bytes are distinct, and find their way back from the ends of the buffers") {
    std::byte memory[4];
    arena low{std::span{memory}.first(2)};
    arena high{std::span{memory}.last(2)};
    allot::counting_adaptor first{low};
    allot::counting_adaptor second{high};
    allot::fallback_router r{first, second};
    void* blocks[4];
    for (void*& p : blocks)
      p = r.allocate(0, 1);
    CHECK(r.try_allocate(0, 1) == nullptr);
    CHECK(first.snapshot().live_blocks == 2);
    CHECK(second.snapshot().live_blocks == 2);
    for (void* const p : blocks)
      r.deallocate(p, 0, 1);
    CHECK(first.snapshot().deallocations == 2);
    CHECK(second.snapshot().deallocations == 2);
  }

  TEST_CASE("owns what either owns") {
    allot::bump_resource<64> first;
    allot::bump_resource<64> second;
    allot::fallback_router r{first, second};
    void* const p = r.allocate(64, 1);
    void* const q = r.allocate(64, 1);
    CHECK(r.owns(p) == ownership::yes);
    CHECK(r.owns(q) == ownership::yes);
    CHECK(r.owns(&r) == ownership::no);
    CHECK(decltype(r)::owns_is_exact);
  }

  TEST_CASE("over a secondary that cannot tell, ownership is known for the primary's memory alone") {
    allot::bump_resource<64> first;
    cannot_tell second;
    allot::fallback_router r{first, second};
    CHECK(r.owns(r.allocate(8, 1)) == ownership::yes);
    CHECK(r.owns(&second.byte) == ownership::unknown);
    CHECK_FALSE(decltype(r)::owns_is_exact);
    CHECK_FALSE(allot::knows_its_own<decltype(r)>); // no primary of another router
  }

  TEST_CASE("takes no size for granted: near SIZE_MAX, and beyond every alignment of both") {
    allot::bump_resource<64> first;
    allot::bump_resource<64> second;
    allot::fallback_router r{first, second};
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    for (const std::size_t bytes : {most, most - 1, most / 2 + 1, std::size_t{65}})
      CHECK(r.try_allocate(bytes, 1) == nullptr);
    CHECK(r.try_allocate(1, std::size_t{1} << 30) == nullptr);
    CHECK(first.used() + second.used() == 0);
  }

  TEST_CASE("through the failure of each allocation nothing is lost, in the primary or the secondary") {
    allot::checking_resource memory;
    allot::failing_adaptor first{memory};
    allot::probe_upstream up;
    allot::fallback_router r{first, up};
    const auto result = allot::allocation_failure_loop(up, [&] {
      void* const p = r.try_allocate(100, 8); // the primary's
      first.fail_all();
      void* const q = r.try_allocate(0, 1);
      void* const s = r.try_allocate(100, 8);
      first.heal();
      r.deallocate(s, 100, 8);
      r.deallocate(q, 0, 1);
      r.deallocate(p, 100, 8);
      return p != nullptr && q != nullptr && s != nullptr;
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.failures_injected == 2);
    CHECK(memory.live_blocks() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("over a foreign secondary it fails by that resource's own exception") {
    allot::bump_resource<64> first;
    allot::fallback_router r{first, *std::pmr::null_memory_resource()};
    CHECK(std::is_same_v<decltype(r), allot::fallback_router<allot::bump_resource<64>>>);
    void* const p = r.allocate(64, 1);
    CHECK(r.try_allocate(1, 1) == nullptr);
    CHECK_THROWS_AS((void)r.allocate(1, 1), std::bad_alloc);
    CHECK(r.owns(p) == ownership::yes);
    CHECK(r.owns(&r) == ownership::unknown);
  }
#endif

  TEST_CASE("its branches and its name are there for reports") {
    allot::bump_resource<64> first;
    allot::checking_resource second;
    const allot::fallback_router r{first, second, "spill"};
    CHECK(&r.primary() == &first);
    CHECK(&r.secondary() == &second);
    CHECK(decltype(r)::branch_count == 2);
    CHECK(&r.branch<0>() == &first);
    CHECK(&r.branch<1>() == &second);
    CHECK(std::string_view{r.name()} == "spill");
    CHECK(router_of<decltype(first), decltype(second)>{first, second}.name() == nullptr);
  }

  TEST_CASE("is the source of a chain, built over references") {
    allot::bump_resource<64> first;
    allot::checking_resource second;
    allot::chain c{allot::layer<allot::counting_adaptor>(),
                   allot::source<allot::fallback_router>(std::ref(first), std::ref(second), "spill")};
    void* const p = c.allocate(64, 1);
    void* const q = c.allocate(64, 1);
    CHECK(c.layer<0>().used() == 128);
    CHECK(&c.layer<allot::fallback_router>().primary() == &first);
    CHECK(second.live_bytes() == 64);
    CHECK(decltype(c)::owns_is_exact);
    c.deallocate(q, 64, 1);
    c.deallocate(p, 64, 1);
  }

  TEST_CASE("random blocks through three branches all go back to where they came from") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      allot::checking_resource memories[3];
      allot::failing_adaptor first{memories[0]};
      allot::failing_adaptor second{memories[1]};
      first.fail_with_probability(0.5, seed);
      second.fail_with_probability(0.5, seed + 100);
      allot::fallback_router two{first, second};
      allot::fallback_router r{two, memories[2]};
      struct block {
        void* p;
        std::size_t bytes;
      };
      constexpr std::size_t most_live = support::room<std::array<std::byte, 256>>(1000); // with what is around each
      std::vector<block> live;
      for (int i = 0; i < 200; ++i) {
        if (live.size() == most_live || (!live.empty() && random.below(2) == 0)) {
          r.deallocate(live.back().p, live.back().bytes, 8);
          live.pop_back();
        } else {
          const std::size_t bytes = random.below(50);
          live.push_back({r.allocate(bytes, 8), bytes});
        }
      }
      for (const block& b : live)
        r.deallocate(b.p, b.bytes, 8);
      for (const auto& memory : memories)
        CHECK(memory.live_blocks() == 0); // a block that went astray stops its resource
    }
  }

#if ALLOT_THREADS
  TEST_CASE("over branches for any thread, two threads get each its own blocks, and all go back") {
    allot::bump_resource<3050> arena;
    allot::synchronized_adaptor first{arena};
    allot::malloc_resource heap;
    allot::counting_adaptor<allot::malloc_resource, allot::shared_counters_t> second{heap};
    allot::fallback_router r{first, second};
    std::atomic<std::size_t> wrong{0};
    support::race(2, 100, [&](unsigned thread, unsigned) {
      const auto mark = static_cast<unsigned char>(thread + 1);
      std::pmr::vector<unsigned char> a(3000, mark, &r); // in the arena, or beside that of the other thread
      std::pmr::vector<unsigned char> b(100, mark, &r);  // no room beside a
      if (std::count(a.begin(), a.end(), mark) != 3000 || std::count(b.begin(), b.end(), mark) != 100) ++wrong;
    });
    CHECK(wrong == 0);
    CHECK(second.used() == 0);
    CHECK(second.snapshot().allocations >= 100);
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops where the secondary gives what the primary takes for its own") {
    allot::bump_resource<64> shared;
    allot::failing_adaptor first{shared};
    allot::fallback_router r{first, shared};
    first.fail_all();
    CHECK(dies([&] { (void)r.allocate(8, 1); }, "primary_.owns(p)"));
    CHECK(dies([&] { (void)r.try_allocate(8, 1); }, "primary_.owns(p)"));
  }
#endif
}
