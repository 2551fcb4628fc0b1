#include <allot/router/size_router.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/chain.hpp>
#include <allot/router/fallback_router.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/split_mix.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <limits>
#include <memory_resource>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

using namespace allot::literals;

namespace {

using allot::otherwise;
using allot::ownership;
using allot::up_to;

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();

/// The checks' requests fall on all three branches, which stand on one upstream.
struct three_wide_fixture {
  allot::probe_upstream up;
  allot::counting_adaptor<allot::probe_upstream> small{up};
  allot::counting_adaptor<allot::probe_upstream> medium{up};
  allot::size_router<decltype(small), decltype(medium), allot::probe_upstream> r{up_to(0, small), up_to(64, medium),
                                                                                 otherwise(up)};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct one_wide_fixture {
  allot::probe_upstream up;
  allot::size_router<allot::probe_upstream> r{otherwise(up)};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// Four branches of one type that count what they get.
struct counted_branches {
  std::array<allot::checking_resource, 4> memory;
  std::array<allot::counting_adaptor<allot::checking_resource>, 4> counted{
      allot::counting_adaptor<allot::checking_resource>{memory[0]},
      allot::counting_adaptor<allot::checking_resource>{memory[1]},
      allot::counting_adaptor<allot::checking_resource>{memory[2]},
      allot::counting_adaptor<allot::checking_resource>{memory[3]}};

  /// The branch that has live blocks; 4 for none.
  [[nodiscard]] std::size_t in_use() const {
    std::size_t i = 0;
    while (i < counted.size() && counted[i].snapshot().live_blocks == 0)
      ++i;
    return i;
  }
};

struct cannot_tell final : allot::resource_interface<cannot_tell> {
  static constexpr const char* class_name = "cannot_tell";
  void* place(std::size_t, std::size_t) noexcept { return nullptr; }
  void give_back(void*, std::size_t, std::size_t) noexcept {}
};

} // namespace

// [example]
std::size_t bytes_for_nodes() {
  allot::bump_resource<16_KiB> nodes;
  allot::bump_resource<64_KiB> texts;
  allot::checking_resource heap; // in a program: allot::malloc_resource
  allot::size_router memory{up_to(64, nodes), up_to(4_KiB, texts), otherwise(heap)};

  std::pmr::vector<char> node(64, &memory);
  std::pmr::vector<char> text(65, &memory);
  std::pmr::vector<char> image(64_KiB, &memory);
  return nodes.used();
}
// [example]

TEST_SUITE("size_router") {
  TEST_CASE_TEMPLATE("keeps the contract of a memory resource", Fixture, three_wide_fixture, one_wide_fixture) {
    check_contract<Fixture>();
  }

  TEST_CASE("the example keeps its promise") { CHECK(bytes_for_nodes() == 64); }

  TEST_CASE("a size goes to the first branch whose limit is not below it, and comes back to it") {
    counted_branches b;
    allot::size_router r{up_to(8, b.counted[0]), up_to(64, b.counted[1]), up_to(1000, b.counted[2]),
                         otherwise(b.counted[3])};
    const std::array<std::array<std::size_t, 2>, 9> branch_of{
        {{0, 0}, {1, 0}, {8, 0}, {9, 1}, {64, 1}, {65, 2}, {1000, 2}, {1001, 3}, {100'000, 3}}};
    for (const auto& expected : branch_of) {
      const std::size_t bytes = expected[0];
      const std::size_t branch = expected[1];
      CAPTURE(bytes);
      void* const p = r.allocate(bytes, 8);
      CHECK(b.in_use() == branch);
      r.deallocate(p, bytes, 8);
      void* const q = r.try_allocate(bytes, 8);
      CHECK(b.in_use() == branch);
      r.deallocate(q, bytes, 8);
      CHECK(b.in_use() == 4);
    }
  }

  TEST_CASE("the greatest size goes to the last branch") {
    counted_branches b;
    allot::size_router r{up_to(most - 1, b.counted[0]), otherwise(b.counted[1])};
    CHECK(r.try_allocate(most, 1) == nullptr);
    CHECK(b.counted[1].snapshot().failures == 1);
    CHECK(r.try_allocate(most - 1, 1) == nullptr);
    CHECK(b.counted[0].snapshot().failures == 1);
  }

  TEST_CASE("alignment does not count: a small block that is aligned far goes to the branch of its size") {
    counted_branches b;
    allot::size_router r{up_to(8, b.counted[0]), otherwise(b.counted[1])};
    void* const p = r.allocate(8, 4096);
    CHECK(b.in_use() == 0);
    r.deallocate(p, 8, 4096);
    CHECK(b.in_use() == 4);
  }

  TEST_CASE("a branch that refuses is not stood in for, and its record goes on") {
    allot::bump_resource<64> small{"small"};
    allot::bump_resource<64> large{"large"};
    allot::size_router r{"router", up_to(64, small), otherwise(large)};
    (void)r.allocate(60, 1);
    CHECK(r.try_allocate(5, 1) == nullptr);
    CHECK(r.try_allocate(65, 1) == nullptr);
    CHECK(large.used() == 0);
#if ALLOT_EXCEPTIONS
    try {
      (void)r.allocate(5, 1);
      FAIL("4 bytes are left");
    } catch (const allot::out_of_memory& refused) {
      CHECK(refused.record().name == std::string_view{"small"});
    }
#else
    CHECK(dies([&] { (void)r.allocate(5, 1); }, "allot: bump_resource \"small\""));
#endif
  }

  TEST_CASE("keeps the types of its branches, their limits and its name, for reports") {
    allot::bump_resource<64> small;
    allot::counting_adaptor medium{small};
    allot::checking_resource large;
    const allot::size_router r{"sizes", up_to(64, small), up_to(4_KiB, medium), otherwise(large)};
    CHECK(std::is_same_v<decltype(r),
                         const allot::size_router<decltype(small), decltype(medium), allot::checking_resource>>);
    CHECK(decltype(r)::branch_count == 3);
    CHECK(&r.branch<0>() == &small);
    CHECK(&r.branch<1>() == &medium);
    CHECK(&r.branch<2>() == &large);
    CHECK(r.limit<0>() == 64);
    CHECK(r.limit<1>() == 4096);
    CHECK(r.limit<2>() == most);
    CHECK(std::string_view{r.name()} == "sizes");
    CHECK(allot::size_router{otherwise(large)}.name() == nullptr);
  }

  TEST_CASE("owns what one of its branches owns, and cannot tell where a branch cannot") {
    allot::bump_resource<64> small;
    allot::bump_resource<64> large;
    cannot_tell unknown;
    allot::size_router known{up_to(8, small), otherwise(large)};
    CHECK(known.owns(known.allocate(8, 1)) == ownership::yes);
    CHECK(known.owns(known.allocate(9, 1)) == ownership::yes);
    CHECK(known.owns(&known) == ownership::no);
    CHECK(decltype(known)::owns_is_exact);

    for (const bool first : {true, false}) {
      CAPTURE(first);
      const auto asked = [&](const auto& r) {
        CHECK(r.owns(small.try_allocate(1, 1)) == ownership::yes);
        CHECK(r.owns(&small) == ownership::unknown);
        CHECK_FALSE(std::remove_cvref_t<decltype(r)>::owns_is_exact);
      };
      if (first) asked(allot::size_router{up_to(8, unknown), otherwise(small)});
      if (!first) asked(allot::size_router{up_to(8, small), otherwise(unknown)});
    }
  }

  TEST_CASE("through the failure of each allocation, on each branch, nothing is lost") {
    allot::probe_upstream up;
    allot::counting_adaptor small{up};
    allot::counting_adaptor large{up};
    allot::size_router r{up_to(64, small), otherwise(large)};
    const auto result = allot::allocation_failure_loop(up, [&] {
      void* const p = r.try_allocate(0, 1);
      void* const q = r.try_allocate(64, 8);
      void* const s = r.try_allocate(65, 64);
      r.deallocate(p, 0, 1);
      r.deallocate(q, 64, 8);
      r.deallocate(s, 65, 64);
      return p != nullptr && q != nullptr && s != nullptr;
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.failures_injected == 3);
    CHECK(small.used() + large.used() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a foreign branch fails by null and by its own exception") {
    allot::bump_resource<64> small;
    allot::size_router r{up_to(8, small), otherwise(*std::pmr::null_memory_resource())};
    CHECK(r.try_allocate(8, 1) != nullptr);
    CHECK(r.try_allocate(9, 1) == nullptr);
    CHECK_THROWS_AS((void)r.allocate(9, 1), std::bad_alloc);
    CHECK(r.owns(&small) == ownership::unknown);
  }
#endif

  TEST_CASE("is the source of a chain, and the primary of a fallback_router") {
    allot::bump_resource<64> small;
    allot::bump_resource<64> large;
    allot::checking_resource heap;
    allot::chain c{allot::layer<allot::counting_adaptor>(),
                   allot::source<allot::size_router>("sizes", up_to(8, small), otherwise(large))};
    allot::fallback_router r{c, heap};
    void* blocks[3];
    for (std::size_t i = 0; i < 3; ++i)
      blocks[i] = r.allocate(i == 0 ? 8 : 40, 1);
    CHECK(small.used() == 8);
    CHECK(large.used() == 40);
    CHECK(c.layer<0>().used() == 48);
    CHECK(heap.live_bytes() == 40);
    CHECK(c.layer<allot::size_router>().limit<0>() == 8);
    r.deallocate(blocks[2], 40, 1);
    CHECK(heap.live_blocks() == 0);
    r.deallocate(blocks[1], 40, 1);
    CHECK(c.layer<0>().used() == 8);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops where its limits do not ascend") {
    allot::bump_resource<64> small;
    CHECK(dies([&] { allot::size_router{up_to(8, small), up_to(8, small), otherwise(small)}; }, "limits_"));
    CHECK(dies([&] { allot::size_router{up_to(9, small), up_to(8, small), otherwise(small)}; }, "limits_"));
    CHECK(dies([&] { allot::size_router{up_to(most, small), otherwise(small)}; }, "limits_"));
  }
#endif

  TEST_CASE("random blocks all go back to the branch that gave them") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      counted_branches b;
      allot::size_router r{up_to(8, b.counted[0]), up_to(64, b.counted[1]), up_to(1000, b.counted[2]),
                           otherwise(b.counted[3])};
      std::vector<std::tuple<void*, std::size_t, std::size_t>> live;
      for (int i = 0; i < 200; ++i) {
        const std::size_t bytes = random.below(std::size_t{1} << random.below(13));
        const std::size_t alignment = std::size_t{1} << random.below(9);
        live.emplace_back(r.allocate(bytes, alignment), bytes, alignment);
        if (random.below(2) == 0) {
          std::apply([&](auto... block) { r.deallocate(block...); }, live.front());
          live.erase(live.begin());
        }
      }
      for (const auto& block : live)
        std::apply([&](auto... parts) { r.deallocate(parts...); }, block);
      for (const auto& branch : b.counted) {
        CHECK(branch.used() == 0);
        CHECK(branch.snapshot().allocations > 0);
      }
    }
  }
}
