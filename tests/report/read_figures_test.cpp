#include <allot/report/read_figures.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/tag_snapshot.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/source/malloc_resource.hpp>
#include <allot/testing/checking_resource.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string_view>
#include <utility>

namespace {

namespace report = allot::report;
using report::figure;
using report::figures;

template <class... Pair>
figures expected(Pair... pairs) {
  figures all;
  (all.set(pairs.first, pairs.second), ...);
  return all;
}

std::pair<figure, std::size_t> is(figure which, std::size_t value) { return {which, value}; }

struct not_a_snapshot {
  int live_bytes = 3;
  const char* used_bytes = "";
};

struct layer_with_strange_names {
  [[nodiscard]] bool used() const { return true; }
  [[nodiscard]] const char* capacity() const { return ""; }
  [[nodiscard]] std::size_t limit(int) const { return 3; }
};

} // namespace

TEST_SUITE("read_figures") {
  TEST_CASE("each member of a counting_snapshot has its figure") {
    const allot::counting_snapshot s{.live_bytes = 1,
                                     .peak_bytes = 2,
                                     .total_bytes = 3,
                                     .live_blocks = 4,
                                     .peak_blocks = 5,
                                     .allocations = 6,
                                     .deallocations = 7,
                                     .failures = 8,
                                     .largest_bytes = 9};
    CHECK(report::read_snapshot(s) ==
          expected(is(figure::used_bytes, 1), is(figure::peak_bytes, 2), is(figure::allocated_bytes, 3),
                   is(figure::used_blocks, 4), is(figure::peak_blocks, 5), is(figure::allocations, 6),
                   is(figure::deallocations, 7), is(figure::failures, 8), is(figure::largest_block_bytes, 9)));
  }

  TEST_CASE("each member of a limit_snapshot has its figure, and so has what is left") {
    const allot::limit_snapshot s{.used_bytes = 10,
                                  .limit_bytes = 64,
                                  .peak_bytes = 20,
                                  .used_blocks = 3,
                                  .limit_blocks = 5,
                                  .peak_blocks = 4,
                                  .refusals = 7};
    CHECK(report::read_snapshot(s) == expected(is(figure::used_bytes, 10), is(figure::limit_bytes, 64),
                                               is(figure::headroom_bytes, 54), is(figure::peak_bytes, 20),
                                               is(figure::used_blocks, 3), is(figure::limit_blocks, 5),
                                               is(figure::peak_blocks, 4), is(figure::refusals, 7)));
  }

  TEST_CASE("nothing is left of a limit that was lowered below what is in use, or that is none") {
    const auto lowered = report::read_snapshot(allot::limit_snapshot{.used_bytes = 10, .limit_bytes = 4});
    CHECK(lowered[figure::headroom_bytes] == 0);
    const auto none = report::read_snapshot(allot::limit_snapshot{.used_bytes = 10});
    CHECK(none.is_unlimited(figure::limit_bytes));
    CHECK(none.is_unlimited(figure::headroom_bytes));
  }

  TEST_CASE("blocks that are not counted are not reported as none") {
    const auto uncounted = report::read_snapshot(allot::limit_snapshot{.used_bytes = 10, .limit_bytes = 64});
    CHECK(!uncounted.has(figure::used_blocks));
    CHECK(!uncounted.has(figure::peak_blocks));
    CHECK(!uncounted.has(figure::limit_blocks));
    const auto counted = report::read_snapshot(allot::limit_snapshot{.peak_blocks = 1});
    CHECK(counted[figure::used_blocks] == 0);
    CHECK(counted.is_unlimited(figure::limit_blocks));
    CHECK(report::read_snapshot(allot::limit_snapshot{.used_blocks = 2})[figure::used_blocks] == 2);
  }

  TEST_CASE("no figure but a limit is unlimited") {
    figures all;
    all.set(figure::used_bytes, report::no_limit);
    CHECK(!all.is_unlimited(figure::used_bytes));
  }

  TEST_CASE("a tag's row has what was reserved for it") {
    allot::tag_snapshot row;
    row.live_bytes = 4;
    row.reserved_bytes = 8;
    CHECK(report::read_snapshot(row)[figure::used_bytes] == 4);
    CHECK(report::read_snapshot(row)[figure::reserved_bytes] == 8);
  }

  TEST_CASE("a layer's figures are those of its queries") {
    allot::bump_resource<256> arena;
    (void)arena.allocate(96, 1);
    CHECK(report::read_layer(arena) ==
          expected(is(figure::used_bytes, 96), is(figure::peak_bytes, 96), is(figure::capacity_bytes, 256)));
    allot::malloc_resource heap;
    CHECK(report::read_layer(heap) == figures{});
    allot::monotonic_resource<allot::malloc_resource> growing{heap};
    (void)growing.allocate(96, 1);
    CHECK(report::read_layer(growing) == expected(is(figure::used_bytes, growing.used()),
                                                  is(figure::peak_bytes, growing.high_water()),
                                                  is(figure::reserved_bytes, growing.reserved())));
  }

  TEST_CASE("a layer that counts what is live, and no more, has that for what is used") {
    allot::checking_resource up;
    void* const p = up.allocate(96, 1);
    const figures read = report::read_layer(up);
    CHECK(read[figure::used_bytes] == 96);
    CHECK(read[figure::used_blocks] == 1);
    up.deallocate(p, 96, 1);
  }

  TEST_CASE("a layer that has a snapshot has no other figures, but what the snapshot leaves out") {
    allot::bump_resource<256> arena;
    allot::counting_adaptor counted{arena};
    (void)counted.allocate(96, 1);
    CHECK(report::read_layer(counted) == report::read_snapshot(counted.snapshot()));
    allot::limit_adaptor capped{counted, 128};
    (void)capped.allocate(100, 1);
    CHECK(report::read_layer(capped) == report::read_snapshot(capped.snapshot())); // no capacity beside the limit
  }

  TEST_CASE("a member of that name and of another type is no figure") {
    CHECK(!report::snapshot_type<not_a_snapshot>);
    CHECK(report::read_layer(layer_with_strange_names{}) == figures{});
  }

  TEST_CASE("each figure has words of its own") {
    for (const report::figure_words& a : report::all_figures()) {
      for (const report::figure_words& b : report::all_figures()) {
        const bool is_same = a.which == b.which;
        CHECK((std::string_view{a.key} == b.key) == is_same);
        CHECK((std::string_view{a.text} == b.text) == is_same);
      }
    }
  }
}
