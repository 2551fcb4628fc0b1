#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail {

/// Free pages in a row. Pages are counted from address 0, so that a number tells the alignment.
struct page_run {
  std::size_t begin = 0;   // the first page
  std::size_t pages = 0;   // never 0 in a tree
  std::size_t dirty = 0;   // of these, so many at most hold memory
  std::size_t longest = 0; // the most pages of a run in the subtree
  page_run* left = nullptr;
  page_run* right = nullptr;

  [[nodiscard]] std::size_t end() const noexcept { return begin + pages; }
};

/// The free runs of a range by address, and beside that the lowest one that is long enough: a treap, each node of which
/// knows the longest run below it. Runs do not touch each other.
///
/// Costs: logarithmic time; no memory but the runs', which are whoever's calls this.
class page_runs {
public:
  /// \pre no run in the tree has a page of `run` or one beside it
  void insert(page_run* run) noexcept;

  /// \pre `run` is in the tree
  void erase(page_run* run) noexcept;

  /// Owed after `run` was made longer or shorter in place.
  void refresh(page_run* run) noexcept;

  /// The run with the highest start that is not above `page`, or null.
  [[nodiscard]] page_run* at_or_before(std::size_t page) const noexcept;

  /// The lowest run with `pages` pages that start at a multiple of `step`; null where there is none. Where `step` is above 1
  /// it may be a higher one, if the first runs that are long enough have no such start.
  /// \pre `pages > 0`, `step` is a power of two
  [[nodiscard]] page_run* find(std::size_t pages, std::size_t step) const noexcept;

  /// The first page of `run` from which `pages` pages lie in it and that is a multiple of `step`; `none` where there is none.
  [[nodiscard]] static std::size_t fit(const page_run& run, std::size_t pages, std::size_t step) noexcept;

  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// The run at the root, for a walk over all of them.
  [[nodiscard]] page_run* root() const noexcept { return root_; }

  void clear() noexcept { root_ = nullptr; }

private:
  page_run* root_ = nullptr;
};

} // namespace allot::inline ALLOT_ABI::detail
