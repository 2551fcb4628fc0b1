#include <allot/core/layout.hpp>
#include <allot/detail/poison.hpp>
#include <allot/detail/system_pages.hpp>
#include <allot/source/page_resource.hpp>

#if defined(__unix__) || defined(__APPLE__)

#include <algorithm>

namespace allot::inline ALLOT_ABI {
namespace {

using detail::page_run;
using detail::page_runs;
using detail::page_size;
using detail::system_pages;

/// Whole pages that hold `bytes` bytes.
std::size_t pages_in(std::size_t bytes) noexcept { return bytes / page_size() + (bytes % page_size() != 0 ? 1 : 0); }

/// Pages of a block: zero bytes have one, too.
std::size_t pages_for(std::size_t bytes) noexcept { return std::max<std::size_t>(pages_in(bytes), 1); }

} // namespace

page_resource::~page_resource() { release(); }

std::size_t page_resource::committed() const noexcept {
  return (block_pages_ + stranded_pages_ + range_.dirty()) * page_size() + range_.books();
}

void* page_resource::place(std::size_t bytes, std::size_t alignment) noexcept {
  detail::page_refusal why;
  return take(bytes, alignment, why);
}

void* page_resource::place_or_fail(std::size_t bytes, std::size_t alignment) {
  detail::page_refusal why;
  void* const p = take(bytes, alignment, why);
  if (p != nullptr) return p;
  raise({.resource = class_name,
         .name = name(),
         .detail = why.detail,
         .bytes = bytes,
         .alignment = alignment,
         .used = used_,
         .system_error = why.system_error});
}

void* page_resource::take(std::size_t bytes, std::size_t alignment, detail::page_refusal& why) noexcept {
  const std::size_t pages = pages_for(bytes);
  if (pages > pages_in(options_.reserve)) {
    why = detail::page_refusal::too_large();
    return nullptr;
  }
  if (const int error = open(); error != 0) {
    why = detail::page_refusal::of_range(error);
    return nullptr;
  }
  if (const int error = range_.expect_blocks(blocks_ + stranded_blocks_ + 1); error != 0) {
    why = detail::page_refusal::of_books(error);
    return nullptr;
  }
  const std::size_t all = pages + (options_.guard_gaps ? 1 : 0);
  const std::size_t step = std::max(alignment / page_size(), std::size_t{1});
  page_run* const run = range_.runs().find(all, step);
  if (run == nullptr) {
    why = detail::page_refusal::no_run();
    return nullptr;
  }
  const std::size_t at = page_runs::fit(*run, all, step);
  if (const int error = make_accessible(run, at, pages); error != 0) {
    why = detail::page_refusal::of_pages(error);
    return nullptr;
  }
  range_.take(run, at, all, frontier_);
  ++blocks_;
  block_pages_ += pages;
  used_ += bytes;
  high_water_ = std::max(high_water_, used_);
  std::byte* const p = range_.address_of(at);
  detail::unpoison(p, bytes);
  detail::poison(p + bytes, pages * page_size() - bytes);
  return p;
}

int page_resource::open() noexcept {
  if (void_) {
    if (const int error = close(); error != 0) return error;
  }
  if (range_.is_open()) return 0;
  const std::size_t huge = wants_huge() ? detail::huge_page_size() : 0;
  const int error = range_.open({.bytes = options_.reserve, .alignment = std::max(huge, std::size_t{1})});
  if (error != 0) return error;
  frontier_ = range_.first_page();
  huge_ = huge != 0 && system_pages.prefer_huge(range_.address_of(range_.first_page()),
                                                (range_.end_page() - range_.first_page()) * page_size()) == 0;
  return 0;
}

int page_resource::make_accessible(page_run* run, std::size_t at, std::size_t pages) noexcept {
  if (!options_.guard_gaps) return at + pages <= frontier_ ? 0 : raise_frontier(run, at + pages);
  const int error = system_pages.commit(range_.address_of(at), pages * page_size());
  if (error == 0) frontier_ = std::max(frontier_, at + pages);
  return error;
}

/// All pages from the frontier on are in the last run. Where the system refuses a whole step, what is needed may do.
int page_resource::raise_frontier(page_run* last, std::size_t end) noexcept {
  const auto commit_to = [&](std::size_t to) {
    const int error = system_pages.commit(range_.address_of(frontier_), (to - frontier_) * page_size());
    if (error != 0) return error;
    range_.soil(last, to - frontier_);
    frontier_ = to;
    return 0;
  };
  const std::size_t step =
      std::max(pages_for(options_.commit_step), wants_huge() ? detail::huge_page_size() / page_size() : 0);
  const std::size_t rest = (end - frontier_) % step;
  const std::size_t more = rest == 0 ? 0 : std::min(step - rest, range_.end_page() - end);
  const int error = commit_to(end + more);
  return error == 0 || more == 0 ? error : commit_to(end);
}

void page_resource::give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
  const std::size_t pages = pages_for(bytes);
  const std::size_t all = pages + (options_.guard_gaps ? 1 : 0);
  const std::size_t at = range_.page_of(p);
  if (blocks_ == 0 || !is_aligned(p, std::max(alignment, page_size())) || range_.is_wrong(at, all)) {
    halt({.reason = failure_reason::wrong_deallocation,
          .resource = class_name,
          .name = name(),
          .detail = "not a block of this resource, or one that is free",
          .pointer = p,
          .bytes = bytes,
          .alignment = alignment,
          .used = used_});
  }
  --blocks_;
  block_pages_ -= pages;
  used_ -= bytes;
  detail::poison(p, pages * page_size());
  take_memory_back(at, pages);
}

/// Locked memory cannot be discarded, and is kept. Pages that cannot be made inaccessible are not used again, since a gap may
/// come to lie among them.
void page_resource::take_memory_back(std::size_t at, std::size_t pages) noexcept {
  std::byte* const p = range_.address_of(at);
  const std::size_t bytes = pages * page_size();
  if (!options_.guard_gaps) {
    const bool gave = options_.freed == freed_pages::given_back && system_pages.discard(p, bytes) == 0;
    range_.give(at, pages, gave ? 0 : pages);
  } else if (system_pages.vacate(p, bytes) == 0) {
    range_.give(at, pages + 1, 0);
  } else {
    ++stranded_blocks_;
    stranded_pages_ += pages;
  }
}

std::size_t page_resource::trim() noexcept {
  const std::size_t before = range_.dirty();
  discard_below(range_.runs().root());
  return (before - range_.dirty()) * page_size();
}

void page_resource::discard_below(page_run* tree) noexcept {
  if (tree == nullptr) return;
  discard_below(tree->left);
  discard_below(tree->right);
  if (tree->dirty == 0) return;
  const std::size_t pages = std::min(tree->end(), frontier_) - tree->begin;
  if (system_pages.discard(range_.address_of(tree->begin), pages * page_size()) == 0) range_.clean(tree);
}

std::size_t page_resource::release() noexcept {
  if (!range_.is_open()) return 0;
  const std::size_t before = committed();
  unpoison_all();
  used_ = blocks_ = 0;
  void_ = true;
  return close() == 0 ? before : 0;
}

int page_resource::close() noexcept {
  const int error = range_.close();
  if (error == 0) block_pages_ = stranded_blocks_ = stranded_pages_ = frontier_ = 0;
  if (error == 0) huge_ = void_ = false;
  return error;
}

void page_resource::unpoison_all() noexcept {
  detail::unpoison(range_.address_of(range_.first_page()), (frontier_ - range_.first_page()) * page_size());
}

} // namespace allot::inline ALLOT_ABI

#endif
