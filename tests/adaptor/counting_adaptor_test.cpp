#include <allot/adaptor/counting_adaptor.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/room.hpp"

namespace {

template <class Counters>
struct counting_fixture {
  allot::probe_upstream up;
  allot::counting_adaptor<allot::probe_upstream, Counters> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct counter_over_counter_fixture {
  allot::probe_upstream up;
  allot::counting_adaptor<allot::probe_upstream> inner{up};
  allot::counting_adaptor<decltype(inner)> r{inner};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

using with_sizes = allot::with_histogram<allot::plain_counters_t>;

/// The books of a counting_adaptor, kept in the simplest way.
struct shadow_ledger {
  struct block {
    void* p;
    std::size_t bytes;
    std::size_t alignment;
  };

  std::vector<block> live;
  allot::counting_snapshot figures;

  void allocated(const block& b) {
    live.push_back(b);
    figures.live_bytes += b.bytes;
    figures.total_bytes += b.bytes;
    figures.live_blocks = live.size();
    ++figures.allocations;
    figures.peak_bytes = std::max(figures.peak_bytes, figures.live_bytes);
    figures.peak_blocks = std::max(figures.peak_blocks, figures.live_blocks);
    figures.largest_bytes = std::max(figures.largest_bytes, b.bytes);
  }

  block taken(std::size_t i) {
    const block b = live[i];
    live[i] = live.back();
    live.pop_back();
    figures.live_bytes -= b.bytes;
    figures.live_blocks = live.size();
    ++figures.deallocations;
    return b;
  }
};

constexpr std::size_t most_live = support::room<std::array<std::byte, 256>>(1000); // with what a probe puts around each

/// One random call, which may fail, on both.
template <class Counted>
void step(Counted& counted, shadow_ledger& shadow, allot::split_mix& random) {
  const bool is_full = shadow.live.size() == most_live;
  if (is_full || (!shadow.live.empty() && random.below(5) < 2)) {
    const auto b = shadow.taken(random.below(shadow.live.size()));
    counted.deallocate(b.p, b.bytes, b.alignment);
    return;
  }
  const std::size_t bytes = random.below(random.below(10) == 0 ? 5000 : 100);
  const std::size_t alignment = std::size_t{1} << random.below(7);
  if (void* const p = counted.try_allocate(bytes, alignment)) {
    shadow.allocated({p, bytes, alignment});
  } else {
    ++shadow.figures.failures;
  }
}

struct cannot_restart {
  struct ledger : allot::plain_counters_t::ledger {
    allot::counting_peaks restart_peaks() = delete;
  };
};

struct cannot_raise {
  struct ledger : allot::plain_counters_t::ledger {
    void raise_peaks(const allot::counting_peaks&) noexcept = delete;
  };
};

struct may_throw {
  struct ledger : allot::plain_counters_t::ledger {
    void allocated(std::size_t); // not noexcept
  };
};

/// An upstream that looks at the counter's books while it is called.
struct watching final : allot::resource_interface<watching> {
  static constexpr const char* class_name = "watching";

  std::byte block[8];
  const allot::counting_adaptor<watching>* counted = nullptr;
  std::size_t live_at_call = 9;

  void* place(std::size_t, std::size_t) noexcept {
    live_at_call = counted->snapshot().live_blocks;
    return block;
  }
  void give_back(void*, std::size_t, std::size_t) noexcept { live_at_call = counted->snapshot().live_blocks; }
};

} // namespace

TEST_SUITE("counting_adaptor") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<counting_fixture<allot::plain_counters_t>>(); }

#if !ALLOT_VALGRIND // under Memcheck the suite takes seconds, and the policies put nothing in memory but figures
  TEST_CASE_TEMPLATE("keeps the contract with every policy", Counters, allot::shared_counters_t, with_sizes) {
    check_contract<counting_fixture<Counters>>();
  }

  TEST_CASE("keeps the contract over another counting_adaptor") { check_contract<counter_over_counter_fixture>(); }
#endif

  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    allot::counting_adaptor counted{arena, "words"};

    { const std::pmr::vector<int> v(100, &counted); }

    const allot::counting_snapshot now = counted.snapshot();
    CHECK(now.live_bytes == 0);
    CHECK(now.peak_bytes == 400);
    CHECK(now.allocations == 1);
    // [example]
  }

  TEST_CASE("deduces its upstream, with and without a policy and a name") {
    allot::bump_resource<64> arena;
    using arena_type = allot::bump_resource<64>;
    allot::counting_adaptor counted{arena};
    allot::counting_adaptor named{arena, "rx"};
    allot::counting_adaptor shared{arena, allot::shared_counters};
    allot::counting_adaptor both{arena, allot::plain_counters, "tx"};
    allot::counting_adaptor sizes{arena, allot::with_histogram{allot::shared_counters}, "sizes"};

    CHECK(std::is_same_v<decltype(counted), allot::counting_adaptor<arena_type, allot::plain_counters_t>>);
    CHECK(std::is_same_v<decltype(named), decltype(counted)>);
    CHECK(std::is_same_v<decltype(shared), allot::counting_adaptor<arena_type, allot::shared_counters_t>>);
    CHECK(std::is_same_v<decltype(both), decltype(counted)>);
    CHECK(counted.name() == nullptr);
    CHECK(std::string_view{named.name()} == "rx");
    CHECK(std::string_view{both.name()} == "tx");
    CHECK(std::string_view{sizes.name()} == "sizes");
  }

  TEST_CASE("takes a policy that has all that regions need, and no other") {
    CHECK(allot::counting_policy<allot::plain_counters_t>);
    CHECK(allot::counting_policy<allot::shared_counters_t>);
    CHECK(allot::counting_policy<with_sizes>);
    CHECK_FALSE(allot::counting_policy<int>);
    CHECK_FALSE(allot::counting_policy<cannot_restart>);
    CHECK_FALSE(allot::counting_policy<cannot_raise>);
    CHECK_FALSE(allot::counting_policy<may_throw>);
  }

  TEST_CASE("over a counting_adaptor it counts the counter, and is no copy") {
    allot::bump_resource<64> arena;
    allot::counting_adaptor counted{arena, allot::shared_counters};
    allot::counting_adaptor again{counted};
    allot::counting_adaptor named{counted, "outer"};
    allot::counting_adaptor shared{counted, allot::shared_counters};

    CHECK(std::is_same_v<decltype(again), allot::counting_adaptor<decltype(counted)>>);
    CHECK(std::is_same_v<decltype(named), allot::counting_adaptor<decltype(counted)>>);
    CHECK(std::is_same_v<decltype(shared), allot::counting_adaptor<decltype(counted), allot::shared_counters_t>>);
    CHECK(again.upstream_resource() == &counted);

    (void)again.allocate(8, 1);
    CHECK(again.used() == 8);
    CHECK(counted.used() == 8);
  }

  TEST_CASE("counts what was asked for, not what upstream took for it") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up};
    void* const p = counted.allocate(5, 64);
    void* const q = counted.allocate(0, 1);
    CHECK(counted.used() == 5);
    CHECK(counted.snapshot() == allot::counting_snapshot{.live_bytes = 5,
                                                         .peak_bytes = 5,
                                                         .total_bytes = 5,
                                                         .live_blocks = 2,
                                                         .peak_blocks = 2,
                                                         .allocations = 2,
                                                         .largest_bytes = 5});
    counted.deallocate(p, 5, 64);
    counted.deallocate(q, 0, 1);
  }

  TEST_CASE("ignores a null pointer that is given back") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up};
    counted.deallocate(nullptr, 100, 8);
    CHECK(counted.snapshot() == allot::counting_snapshot{});
  }

  TEST_CASE_TEMPLATE("a failure is counted, and changes nothing else", Counters, allot::plain_counters_t,
                     allot::shared_counters_t) {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    allot::counting_adaptor counted{failing, Counters{}};
    void* const p = counted.allocate(10, 2);
    auto expected = counted.snapshot();

    failing.fail_all();
    CHECK(counted.try_allocate(1000, 8) == nullptr);
    CHECK(counted.try_allocate(std::numeric_limits<std::size_t>::max(), std::size_t{1} << 30) == nullptr);
    expected.failures = 2;
    CHECK(counted.snapshot() == expected);
#if ALLOT_EXCEPTIONS
    CHECK_THROWS_AS((void)counted.allocate(1000, 8), allot::out_of_memory);
    expected.failures = 3;
    CHECK(counted.snapshot() == expected);
#endif
    counted.deallocate(p, 10, 2);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("counts a failure by any exception, and hands on what upstream threw") {
    struct odd final : std::pmr::memory_resource {
      void* do_allocate(std::size_t, std::size_t) override { throw 42; }
      void do_deallocate(void*, std::size_t, std::size_t) override {}
      [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
    };
    odd up;
    allot::counting_adaptor counted{up};
    CHECK_THROWS_AS((void)counted.allocate(8, 8), int);
    CHECK(counted.snapshot() == allot::counting_snapshot{.failures = 1});
  }

  TEST_CASE("over a foreign resource it fails by null and by that resource's own exception") {
    allot::counting_adaptor counted{*std::pmr::null_memory_resource()};
    CHECK(std::is_same_v<decltype(counted)::upstream_type, std::pmr::memory_resource>);
    CHECK(counted.try_allocate(8, 8) == nullptr);
    CHECK_THROWS_AS((void)counted.allocate(8, 8), std::bad_alloc);
    CHECK(counted.snapshot() == allot::counting_snapshot{.failures = 2});
  }
#endif

  TEST_CASE("counts after upstream gave, and before upstream takes back") {
    watching up;
    allot::counting_adaptor counted{up};
    up.counted = &counted;
    void* const p = counted.allocate(8, 1);
    CHECK(up.live_at_call == 0);
    up.live_at_call = 9;
    counted.deallocate(p, 8, 1);
    CHECK(up.live_at_call == 0);
  }

  TEST_CASE("the pointer is upstream's own, and so is the answer of owns") {
    allot::bump_resource<64> arena;
    allot::counting_adaptor counted{arena};
    void* const p = counted.allocate(8, 8);
    CHECK(arena.owns(p) == allot::ownership::yes);
    CHECK(counted.owns(p) == allot::ownership::yes);
    CHECK(counted.owns(&arena) == arena.owns(&arena));
    CHECK(decltype(counted)::owns_is_exact);
  }

  TEST_CASE_TEMPLATE("reset_peaks starts them from what is live", Counters, allot::plain_counters_t,
                     allot::shared_counters_t) {
    allot::bump_resource<1024> arena;
    allot::counting_adaptor counted{arena, Counters{}};
    void* const p = counted.allocate(100, 1);
    counted.deallocate(counted.allocate(500, 1), 500, 1);
    CHECK(counted.high_water() == 600);

    counted.reset_peaks();
    CHECK(counted.high_water() == 100);
    CHECK(counted.snapshot().peak_blocks == 1);
    CHECK(counted.snapshot().largest_bytes == 0);
    CHECK(counted.snapshot().total_bytes == 600);
    counted.deallocate(p, 100, 1);
    (void)counted.allocate(60, 1);
    CHECK(counted.high_water() == 100);
    CHECK(counted.snapshot().largest_bytes == 60);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE_TEMPLATE("stops at a deallocation of more than is live", Counters, allot::plain_counters_t,
                     allot::shared_counters_t) {
    allot::bump_resource<64> arena;
    allot::counting_adaptor one{arena, Counters{}};
    void* const p = one.allocate(8, 1);
    CHECK(dies([&] { one.deallocate(p, 9, 1); }, "bytes <= "));
    allot::counting_adaptor none{arena, Counters{}};
    CHECK(dies([&] { none.deallocate(p, 0, 1); }, "> 0 && bytes <= "));
  }

  TEST_CASE("stops when its peaks are reset inside of a region, and when it ends before one") {
    allot::bump_resource<64> arena;
    CHECK(dies(
        [&] {
          allot::counting_adaptor counted{arena};
          const allot::counting_region here{counted};
          counted.reset_peaks();
        },
        "innermost_ == nullptr"));
    CHECK(dies(
        [&] {
          using adaptor = allot::counting_adaptor<allot::bump_resource<64>>;
          alignas(adaptor) std::byte memory[sizeof(adaptor)];
          auto* const early = ::new (memory) adaptor{arena};
          const allot::counting_region here{*early};
          std::destroy_at(early);
        },
        "innermost_ == nullptr"));
  }
#endif

  TEST_CASE_TEMPLATE("agrees with a shadow ledger through random calls and failures", Counters, allot::plain_counters_t,
                     allot::shared_counters_t, with_sizes) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      allot::checking_resource up;
      allot::failing_adaptor failing{up};
      failing.fail_with_probability(0.1, seed);
      allot::counting_adaptor<decltype(failing), Counters> counted{failing};
      shadow_ledger shadow;
      for (int i = 0; i < 500; ++i) {
        step(counted, shadow, random);
        REQUIRE(counted.snapshot() == shadow.figures);
      }
      REQUIRE(up.live_bytes() == counted.used());
      REQUIRE(up.live_blocks() == counted.snapshot().live_blocks);
      while (!shadow.live.empty()) {
        const auto b = shadow.taken(0);
        counted.deallocate(b.p, b.bytes, b.alignment);
      }
      CHECK(counted.snapshot() == shadow.figures);
    }
  }
}
