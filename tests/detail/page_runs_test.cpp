#include <allot/detail/page_runs.hpp> // first: proves that the header stands alone

#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <vector>

namespace {

using allot::detail::page_run;
using allot::detail::page_runs;

/// The runs by their start, as a map keeps them.
using model = std::map<std::size_t, page_run*>;

page_run* lowest_of(const model& all, std::size_t pages, std::size_t step) {
  for (const auto& [begin, run] : all)
    if (page_runs::fit(*run, pages, step) != page_runs::none) return run;
  return nullptr;
}

page_run* before(const model& all, std::size_t page) {
  const auto above = all.upper_bound(page);
  return above == all.begin() ? nullptr : std::prev(above)->second;
}

std::size_t depth_of(const page_run* tree) {
  return tree == nullptr ? 0 : 1 + std::max(depth_of(tree->left), depth_of(tree->right));
}

} // namespace

TEST_SUITE("page_runs") {
  TEST_CASE("fit gives the first multiple in the run from which there is room") {
    const page_run run{.begin = 5, .pages = 10}; // 5 to 14
    CHECK(page_runs::fit(run, 10, 1) == 5);
    CHECK(page_runs::fit(run, 11, 1) == page_runs::none);
    CHECK(page_runs::fit(run, 7, 8) == 8);
    CHECK(page_runs::fit(run, 8, 8) == page_runs::none);
    CHECK(page_runs::fit(run, 1, 16) == page_runs::none);
    CHECK(page_runs::fit(run, 1, std::numeric_limits<std::size_t>::max() / 2 + 1) == page_runs::none);
    CHECK(page_runs::fit({.begin = 17, .pages = 3}, 1, 16) == page_runs::none);
    CHECK(page_runs::fit({.begin = page_runs::none - 2, .pages = 2}, 1, 16) == page_runs::none);
  }

  TEST_CASE("random changes agree with a map, in what is found and in where") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      std::vector<page_run> memory(400);
      page_runs tree;
      model all;
      for (int i = 0; i < 2000; ++i) {
        page_run& run = memory[random.below(memory.size())];
        const auto place = 100 * (static_cast<std::size_t>(&run - memory.data()) * 7 % memory.size());
        if (run.pages == 0) {
          run = {.begin = place + random.below(10), .pages = 1 + random.below(60)};
          tree.insert(&run);
          all[run.begin] = &run;
        } else if (random.below(2) == 0) {
          tree.erase(&run);
          all.erase(run.begin);
          run.pages = 0;
        } else {
          all.erase(run.begin);
          run.begin = place + random.below(20);
          run.pages = 1 + random.below(70);
          tree.refresh(&run);
          all[run.begin] = &run;
        }
        const std::size_t page = random.below(100 * memory.size());
        REQUIRE(tree.at_or_before(page) == before(all, page));
        const std::size_t pages = 1 + random.below(72);
        REQUIRE(tree.find(pages, 1) == lowest_of(all, pages, 1));
        const std::size_t step = std::size_t{2} << random.below(8);
        page_run* const aligned = tree.find(pages, step);
        REQUIRE((aligned != nullptr) == (lowest_of(all, pages, step) != nullptr));
        if (aligned != nullptr) REQUIRE(page_runs::fit(*aligned, pages, step) != page_runs::none);
      }
    }
  }

  TEST_CASE("the tree is flat, whatever the order in which runs come") {
    std::vector<page_run> memory(10'000);
    page_runs tree;
    for (std::size_t i = 0; i < memory.size(); ++i) {
      memory[i] = {.begin = 2 * i, .pages = 1};
      tree.insert(&memory[i]);
    }
    CHECK(depth_of(tree.root()) < 60); // 14 is the least, and twice the logarithm what a random tree has
    tree.clear();
    CHECK(tree.find(1, 1) == nullptr);
    CHECK(tree.at_or_before(page_runs::none) == nullptr);
  }
}
