#include <allot/core/layout.hpp>
#include <allot/detail/page_runs.hpp>

#include <algorithm>
#include <cstdint>

namespace allot::inline ALLOT_ABI::detail {
namespace {

/// The priority of a node comes from its address, which says nothing about the run in it: no field is needed.
/// The multiplier is that of Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4).
std::uint64_t priority(const page_run* run) noexcept {
  const std::uint64_t x = reinterpret_cast<std::uintptr_t>(run) * 0x9E3779B97F4A7C15u;
  return (x ^ (x >> 32)) * 0x9E3779B97F4A7C15u;
}

std::size_t longest_of(const page_run* tree) noexcept { return tree == nullptr ? 0 : tree->longest; }

void look_below(page_run* run) noexcept {
  run->longest = std::max({run->pages, longest_of(run->left), longest_of(run->right)});
}

void split(page_run* tree, std::size_t at, page_run*& below, page_run*& above) noexcept {
  if (tree == nullptr) {
    below = above = nullptr;
  } else if (tree->begin < at) {
    below = tree;
    split(tree->right, at, below->right, above);
    look_below(below);
  } else {
    above = tree;
    split(tree->left, at, below, above->left);
    look_below(above);
  }
}

page_run* join(page_run* below, page_run* above) noexcept {
  if (below == nullptr) return above;
  if (above == nullptr) return below;
  page_run* const top = priority(below) > priority(above) ? below : above;
  page_run*& side = top == below ? below->right : above->left;
  side = top == below ? join(side, above) : join(below, side);
  look_below(top);
  return top;
}

void insert_into(page_run*& link, page_run* run) noexcept {
  if (link == nullptr || priority(link) <= priority(run)) {
    split(link, run->begin, run->left, run->right);
    link = run;
  } else {
    insert_into(run->begin < link->begin ? link->left : link->right, run);
  }
  look_below(link);
}

void erase_from(page_run*& link, page_run* run) noexcept {
  if (link == run) {
    link = join(run->left, run->right);
    return;
  }
  erase_from(run->begin < link->begin ? link->left : link->right, run);
  look_below(link);
}

void refresh_path(page_run* tree, page_run* run) noexcept {
  if (tree != run) refresh_path(run->begin < tree->begin ? tree->left : tree->right, run);
  look_below(tree);
}

/// The lowest run with at least `pages` pages; null where there is none.
page_run* lowest(page_run* tree, std::size_t pages) noexcept {
  if (longest_of(tree) < pages) return nullptr;
  for (;;) {
    if (longest_of(tree->left) >= pages) {
      tree = tree->left;
    } else if (tree->pages >= pages) {
      return tree;
    } else {
      tree = tree->right;
    }
  }
}

/// The lowest run that fits with its alignment, among the first `tries` that are long enough.
page_run* lowest_that_fits(page_run* tree, std::size_t pages, std::size_t step, std::size_t& tries) noexcept {
  if (longest_of(tree) < pages || tries == 0) return nullptr;
  if (page_run* const found = lowest_that_fits(tree->left, pages, step, tries)) return found;
  if (tree->pages >= pages && tries != 0) {
    --tries;
    if (page_runs::fit(*tree, pages, step) != page_runs::none) return tree;
  }
  return lowest_that_fits(tree->right, pages, step, tries);
}

} // namespace

void page_runs::insert(page_run* run) noexcept { insert_into(root_, run); }

void page_runs::erase(page_run* run) noexcept { erase_from(root_, run); }

void page_runs::refresh(page_run* run) noexcept { refresh_path(root_, run); }

page_run* page_runs::at_or_before(std::size_t page) const noexcept {
  page_run* best = nullptr;
  for (page_run* run = root_; run != nullptr;) {
    if (run->begin <= page) {
      best = run;
      run = run->right;
    } else {
      run = run->left;
    }
  }
  return best;
}

page_run* page_runs::find(std::size_t pages, std::size_t step) const noexcept {
  if (step == 1) return lowest(root_, pages);
  std::size_t few = 16;
  if (page_run* const found = lowest_that_fits(root_, pages, step, few)) return found;
  if (const auto enough = checked_add(pages, step - 1)) {
    if (page_run* const found = lowest(root_, *enough)) return found; // so long that it fits wherever it starts
  }
  std::size_t all = none;
  return lowest_that_fits(root_, pages, step, all);
}

std::size_t page_runs::fit(const page_run& run, std::size_t pages, std::size_t step) noexcept {
  const auto start = align_up(run.begin, step);
  if (!start || *start - run.begin > run.pages || run.pages - (*start - run.begin) < pages) return none;
  return *start;
}

} // namespace allot::inline ALLOT_ABI::detail
