#include <allot/adaptor/size_histogram.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>

namespace {

struct no_tally {
  using ledger = allot::plain_counters_t::ledger;
};

} // namespace

TEST_SUITE("size_histogram") {
  TEST_CASE("a bucket ends at a power of two, that size included") {
    using h = allot::size_histogram;
    CHECK(h::bucket_of(0) == 0);
    CHECK(h::bucket_of(1) == 0);
    CHECK(h::bucket_of(2) == 1);
    CHECK(h::bucket_of(3) == 2);
    CHECK(h::bucket_of(64) == 6);
    CHECK(h::bucket_of(65) == 7);
    CHECK(h::bucket_of(std::numeric_limits<std::size_t>::max()) == h::buckets - 1);
    CHECK(h::upper_bound(6) == 64);
    CHECK(h::upper_bound(h::buckets - 1) == std::numeric_limits<std::size_t>::max());
    for (std::size_t k = 0; k < h::buckets; ++k)
      CHECK(h::bucket_of(h::upper_bound(k)) == k);
    for (std::size_t k = 0; k + 1 < h::buckets; ++k)
      CHECK(h::bucket_of(h::upper_bound(k) + 1) == k + 1);
  }

  TEST_CASE("counts what was given out, and nothing that failed or went back") {
    allot::bump_resource<256> arena;
    allot::counting_adaptor counted{arena, allot::with_histogram{allot::plain_counters}};
    const allot::size_histogram before = counted.histogram();
    void* const p = counted.allocate(100, 1);
    (void)counted.allocate(8, 1);
    (void)counted.allocate(8, 1);
    CHECK(counted.try_allocate(1000, 1) == nullptr);
    counted.deallocate(p, 100, 1);

    allot::size_histogram expected;
    expected.counts[7] = 1;
    expected.counts[3] = 2;
    CHECK(counted.histogram() == expected);
    CHECK(counted.histogram() - before == expected);
    CHECK(counted.histogram() - counted.histogram() == allot::size_histogram{});
  }

  TEST_CASE("costs nothing where it is off") {
    CHECK_FALSE(allot::keeps_histogram<allot::plain_counters_t>);
    CHECK(allot::keeps_histogram<allot::with_histogram<allot::plain_counters_t>>);
    CHECK(sizeof(allot::plain_counters_t::ledger) == 11 * sizeof(std::size_t));
    CHECK(sizeof(allot::shared_counters_t::ledger) <= 2 * 64);
    CHECK(alignof(allot::shared_counters_t::ledger) == 64);
  }

  TEST_CASE("goes beside counters that bring a tally, and beside no others") {
    CHECK(allot::has_tally<allot::plain_counters_t>);
    CHECK(allot::has_tally<allot::shared_counters_t>);
    CHECK(allot::counting_policy<no_tally>);
    CHECK_FALSE(allot::has_tally<no_tally>);
  }
}
