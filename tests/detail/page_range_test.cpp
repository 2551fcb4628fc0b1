#include <allot/detail/page_range.hpp> // first: proves that the header stands alone

#include <allot/core/layout.hpp>
#include <allot/detail/system_pages.hpp>
#include <allot/testing/split_mix.hpp>

#include <support/failing_pages.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace {

using allot::detail::page_range;
using allot::detail::page_run;
using allot::detail::page_runs;
using allot::detail::page_size;

constexpr std::size_t never = static_cast<std::size_t>(-1);

/// Whether the free runs are just the pages that nobody has, each run as long as it can be.
bool agrees(const page_range& range, const std::vector<bool>& taken) {
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const std::size_t page = range.first_page() + i;
    const page_run* const run = range.runs().at_or_before(page);
    const bool is_free = run != nullptr && run->end() > page;
    if (is_free == taken[i] || range.is_wrong(page, 1) != is_free) return false;
    if (is_free && run->begin == page && i != 0 && !taken[i - 1]) return false; // it should be one run
  }
  return true;
}

} // namespace

TEST_SUITE("page_range") {
  TEST_CASE("a closed range holds nothing, and an open one its pages and not its books") {
    page_range range;
    CHECK(range.close() == 0);
    CHECK(range.reserved() == 0);
    CHECK(range.holds(&range) == allot::ownership::no);
    CHECK(range.is_wrong(0, 1));
    REQUIRE(range.open({.bytes = 10 * page_size() - 1, .record_bytes = 8, .alignment = 64 * page_size()}) == 0);
    CHECK(range.end_page() - range.first_page() == 10);
    std::byte* const first = range.address_of(range.first_page());
    CHECK(allot::is_aligned(first, 64 * page_size()));
    CHECK(range.holds(first) == allot::ownership::yes);
    CHECK(range.holds(first - 1) == allot::ownership::no);
    CHECK(range.holds(range.address_of(range.end_page()) - 1) == allot::ownership::yes);
    CHECK(range.holds(range.address_of(range.end_page())) == allot::ownership::no);
    CHECK(range.page_of(first + 2 * page_size() - 1) == range.first_page() + 1);
    CHECK(range.reserved() > 10 * page_size());
    CHECK(range.books() == 0);
    CHECK(range.close() == 0);
    CHECK(range.reserved() == 0);
    CHECK(range.holds(first) == allot::ownership::no);
  }

  TEST_CASE("a page of no one's lies in front of the pages, and one behind them") {
    page_range range;
    REQUIRE(range.open({.bytes = 10 * page_size()}) == 0);
    CHECK(range.reserved() == (1 + 1 + 10 + 1) * page_size()); // the first is for the books
    CHECK(range.close() == 0);
  }

  TEST_CASE("pages before the first, behind the last, and across the end are nobody's to give back") {
    page_range range;
    REQUIRE(range.open({.bytes = 10 * page_size()}) == 0);
    REQUIRE(range.expect_blocks(1) == 0);
    range.take(range.runs().find(10, 1), range.first_page(), 10, never);
    CHECK_FALSE(range.is_wrong(range.first_page(), 10));
    CHECK(range.is_wrong(range.first_page() - 1, 1));
    CHECK(range.is_wrong(range.first_page() + 10, 1));
    CHECK(range.is_wrong(range.first_page() + 9, 2));
    CHECK(range.close() == 0);
  }

  TEST_CASE("where every other page is free, the first and the last among them, there are books for each") {
    const std::size_t pages = 2 * (page_size() / sizeof(page_run)) + 1; // one run more than a page of books holds
    page_range range;
    REQUIRE(range.open({.bytes = pages * page_size()}) == 0);
    const std::size_t first = range.first_page();
    for (std::size_t i = 0; i < pages; ++i) {
      REQUIRE(range.expect_blocks(i + 1) == 0);
      range.take(range.runs().find(1, 1), first + i, 1, never);
    }
    for (std::size_t i = 0; i < pages; i += 2)
      range.give(first + i, 1, 0);
    CHECK(range.books() == 2 * page_size());
    for (std::size_t i = 0; i < pages; ++i)
      REQUIRE(range.is_wrong(first + i, 1) == (i % 2 == 0));
    CHECK(range.close() == 0);
  }

  TEST_CASE("every page has a record of zeros, which keeps what is written to it") {
    page_range range;
    REQUIRE(range.open({.bytes = 2000 * page_size(), .record_bytes = 24}) == 0);
    for (std::size_t page = range.first_page(); page < range.end_page(); ++page) {
      REQUIRE(range.reach_records(page) == 0);
      REQUIRE(range.has_record(page));
      auto* const record = static_cast<unsigned char*>(range.record_of(page));
      REQUIRE(std::all_of(record, record + 24, [](unsigned char c) { return c == 0; }));
      std::memset(record, static_cast<int>(page % 251) + 1, 24);
    }
    for (std::size_t page = range.first_page(); page < range.end_page(); ++page)
      REQUIRE(*static_cast<unsigned char*>(range.record_of(page)) == page % 251 + 1);
    CHECK_FALSE(range.has_record(range.end_page()));
    CHECK_FALSE(range.has_record(range.first_page() - 1));
    CHECK(range.close() == 0);
  }

  TEST_CASE("random takes and gives agree with a list of pages, and what is dirty is exact where runs are not mixed") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      page_range range;
      REQUIRE(range.open({.bytes = 120 * page_size()}) == 0);
      std::vector<bool> taken(120, false);
      std::vector<std::pair<std::size_t, std::size_t>> blocks;
      const bool all_dirty = seed % 2 == 0;
      if (all_dirty) {
        REQUIRE(range.expect_blocks(0) == 0);
        range.soil(range.runs().root(), 120);
      }
      for (int i = 0; i < 300; ++i) {
        if (!blocks.empty() && random.below(2) == 0) {
          std::swap(blocks[random.below(blocks.size())], blocks.back());
          const auto [at, pages] = blocks.back();
          blocks.pop_back();
          std::fill_n(taken.begin() + static_cast<std::ptrdiff_t>(at - range.first_page()), pages, false);
          range.give(at, pages, all_dirty ? pages : 0);
        } else {
          const std::size_t pages = 1 + random.below(12);
          const std::size_t step = std::size_t{1} << random.below(4);
          REQUIRE(range.expect_blocks(blocks.size() + 1) == 0);
          page_run* const run = range.runs().find(pages, step);
          if (run == nullptr) continue;
          const std::size_t at = page_runs::fit(*run, pages, step);
          REQUIRE(at % step == 0);
          range.take(run, at, pages, never);
          std::fill_n(taken.begin() + static_cast<std::ptrdiff_t>(at - range.first_page()), pages, true);
          blocks.emplace_back(at, pages);
        }
        REQUIRE(agrees(range, taken));
        const auto free_pages = static_cast<std::size_t>(std::count(taken.begin(), taken.end(), false));
        REQUIRE(range.dirty() == (all_dirty ? free_pages : 0));
      }
      CHECK(range.close() == 0);
    }
  }

  TEST_CASE("a size that no range can have is refused, and a refused call leaves it as it was") {
    support::failing_pages system;
    page_range range;
    CHECK(range.open({.bytes = never}) == ENOMEM);
    CHECK(range.open({.bytes = never / 4, .record_bytes = 1 << 20}) == ENOMEM);
    CHECK(system.calls == 0);
    CHECK_FALSE(range.is_open());
    REQUIRE(range.open({.bytes = page_size()}) == 0);
    system.unreserve_error = ENOMEM;
    CHECK(range.close() == ENOMEM);
    CHECK(range.is_open());
    system.unreserve_error = 0;
    CHECK(range.close() == 0);
  }
}
