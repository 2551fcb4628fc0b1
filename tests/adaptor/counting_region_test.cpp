#include <allot/adaptor/counting_region.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "support/death.hpp"
#include "support/room.hpp"

namespace {

/// Takes a block and gives it back at once.
void touch(std::pmr::memory_resource& r, std::size_t bytes) { r.deallocate(r.allocate(bytes, 1), bytes, 1); }

/// Each open region on its own: the plain definition of a peak.
struct shadow_region {
  std::size_t start_bytes;
  std::size_t peak_bytes;
  std::size_t peak_blocks;
  std::size_t largest_bytes = 0;
};

} // namespace

TEST_SUITE("counting_region") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    allot::counting_adaptor counted{arena};
    std::pmr::vector<int> kept(10, &counted);

    const allot::counting_region here{counted};
    std::pmr::vector<int>(100, &counted).clear();
    CHECK(here.so_far().peak_bytes == 400); // above the 40 that were live before
    CHECK(here.so_far().live_bytes == 0);
    CHECK(counted.snapshot().peak_bytes == 440);
    // [example]
  }

  TEST_CASE("its peak is not that of the time before it") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up};
    touch(counted, 1000);
    const allot::counting_region here{counted};
    touch(counted, 10);
    CHECK(here.snapshot().peak_bytes == 10);
    CHECK(here.snapshot().largest_bytes == 10);
    CHECK(counted.snapshot().peak_bytes == 1000);
    CHECK(counted.snapshot().largest_bytes == 1000);
  }

  TEST_CASE_TEMPLATE("an inner region spoils no outer peak, and the outer one sees the inner's", Counters,
                     allot::plain_counters_t, allot::shared_counters_t) {
    allot::checking_resource up;
    allot::counting_adaptor counted{up, Counters{}};
    const allot::counting_region outer{counted};
    touch(counted, 50);
    {
      const allot::counting_region inner{counted};
      touch(counted, 10);
      CHECK(inner.so_far().peak_bytes == 10);
      CHECK(outer.so_far().peak_bytes == 50); // seen while the inner one is open
    }
    CHECK(outer.so_far().peak_bytes == 50);
    {
      const allot::counting_region inner{counted};
      touch(counted, 90);
      CHECK(outer.so_far().peak_bytes == 90);
    }
    CHECK(outer.so_far().peak_bytes == 90);
    CHECK(outer.so_far().largest_bytes == 90);
    CHECK(outer.so_far().peak_blocks == 1);
    CHECK(counted.snapshot().peak_bytes == 90);
  }

  TEST_CASE("a region that only gives back has a peak of nothing") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up};
    void* const p = counted.allocate(100, 4);
    const allot::counting_region here{counted};
    counted.deallocate(p, 100, 4);
    touch(counted, 60);
    CHECK(here.start().peak_bytes == 100);
    CHECK(here.so_far() == allot::counting_difference{.live_bytes = -100,
                                                      .peak_bytes = 0,
                                                      .total_bytes = 60,
                                                      .live_blocks = -1,
                                                      .allocations = 1,
                                                      .deallocations = 2,
                                                      .largest_bytes = 60});
  }

  TEST_CASE("measure gives what a function cost, and its result") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up};
    const allot::counting_difference cost = allot::measure(counted, [&] { touch(counted, 8); });
    CHECK(cost.allocations == 1);
    CHECK(cost.live_bytes == 0);

    const auto [numbers, price] = allot::measure(counted, [&] { return std::pmr::vector<int>(10, &counted); });
    CHECK(numbers.size() == 10);
    CHECK(numbers.get_allocator().resource() == &counted);
    CHECK(price.live_bytes == 40); // the result is alive, and was not copied
    CHECK(price.allocations == 1);
  }

  TEST_CASE("measure hands on references, and results that cannot be moved") {
    struct pinned {
      explicit pinned(int v) noexcept : value{v} {}
      pinned(const pinned&) = delete;
      pinned& operator=(const pinned&) = delete;
      int value;
    };
    allot::bump_resource<64> arena;
    allot::counting_adaptor counted{arena};
    int x = 1;
    const auto by_reference = allot::measure(counted, [&]() -> int& { return x; });
    CHECK(&by_reference.result == &x);
    CHECK(allot::measure(counted, [] { return pinned{7}; }).result.value == 7);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("measure lets f's exception pass, and leaves the peaks as they should be") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up};
    touch(counted, 100);
    const allot::counting_region outer{counted};
    CHECK_THROWS_AS(allot::measure(counted,
                                   [&] {
                                     touch(counted, 30);
                                     throw std::runtime_error{"no"};
                                   }),
                    std::runtime_error);
    CHECK(outer.so_far().peak_bytes == 30);
    CHECK(outer.so_far().deallocations == 1);
    CHECK(counted.snapshot().peak_bytes == 100);
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops when regions are not closed in the order of their opening, the last one first") {
    allot::bump_resource<64> arena;
    using adaptor = allot::counting_adaptor<allot::bump_resource<64>>;
    using region = allot::counting_region<adaptor>;
    CHECK(dies(
        [&] {
          adaptor counted{arena};
          auto outer = std::make_unique<region>(counted);
          const region inner{counted};
          outer.reset();
        },
        "innermost_ == this"));
  }
#endif

  TEST_CASE_TEMPLATE("agrees with a shadow of each region through random nesting", Counters, allot::plain_counters_t,
                     allot::shared_counters_t) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      allot::checking_resource up;
      allot::counting_adaptor<allot::checking_resource, Counters> counted{up};
      using region = allot::counting_region<decltype(counted)>;
      std::vector<std::unique_ptr<region>> open;
      std::vector<shadow_region> shadows{{0, 0, 0, 0}}; // the first is the adaptor itself
      constexpr std::size_t most_live = support::room<std::array<std::byte, 512>>(1000); // with what is around each
      std::vector<std::pair<void*, std::size_t>> live;
      std::size_t bytes = 0;

      for (int i = 0; i < 400; ++i) {
        switch (live.size() == most_live ? 2 : random.below(6)) {
        case 0:
          if (open.size() < 6) {
            open.push_back(std::make_unique<region>(counted));
            shadows.push_back({bytes, bytes, live.size(), 0});
          }
          break;
        case 1:
          if (!open.empty()) {
            open.pop_back();
            shadows.pop_back();
          }
          break;
        case 2:
        case 3:
          if (!live.empty()) {
            counted.deallocate(live.back().first, live.back().second, 1);
            bytes -= live.back().second;
            live.pop_back();
          }
          break;
        default: {
          const std::size_t n = random.below(200);
          live.emplace_back(counted.allocate(n, 1), n);
          bytes += n;
          for (auto& s : shadows) {
            s.peak_bytes = std::max(s.peak_bytes, bytes);
            s.peak_blocks = std::max(s.peak_blocks, live.size());
            s.largest_bytes = std::max(s.largest_bytes, n);
          }
        }
        }
        REQUIRE(counted.snapshot().peak_bytes == shadows[0].peak_bytes);
        REQUIRE(counted.snapshot().peak_blocks == shadows[0].peak_blocks);
        REQUIRE(counted.snapshot().largest_bytes == shadows[0].largest_bytes);
        for (std::size_t r = 0; r < open.size(); ++r) {
          const allot::counting_difference seen = open[r]->so_far();
          REQUIRE(seen.peak_bytes == shadows[r + 1].peak_bytes - shadows[r + 1].start_bytes);
          REQUIRE(open[r]->snapshot().peak_blocks == shadows[r + 1].peak_blocks);
          REQUIRE(seen.largest_bytes == shadows[r + 1].largest_bytes);
        }
      }
      while (!open.empty())
        open.pop_back();
      for (const auto& [p, n] : live)
        counted.deallocate(p, n, 1);
    }
  }
}
