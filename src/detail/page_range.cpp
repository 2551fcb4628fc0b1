#include <allot/core/expects.hpp>
#include <allot/core/layout.hpp>
#include <allot/detail/page_range.hpp>
#include <allot/detail/system_pages.hpp>

#if defined(__unix__) || defined(__APPLE__)

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <new>

namespace allot::inline ALLOT_ABI::detail {
namespace {

/// `a + b`, or the greatest number, which no range is as large as.
std::size_t sum(std::size_t a, std::size_t b) noexcept { return checked_add(a, b).value_or(page_runs::none); }

std::size_t product(std::size_t a, std::size_t b) noexcept { return checked_multiply(a, b).value_or(page_runs::none); }

std::size_t up(std::size_t n, std::size_t alignment) noexcept {
  return align_up(n, alignment).value_or(align_down(page_runs::none, alignment));
}

/// Pages of [begin, end) that are below `limit`.
std::size_t below(std::size_t begin, std::size_t end, std::size_t limit) noexcept {
  return std::min(end, limit) - std::min(begin, limit);
}

} // namespace

int page_array::reach(std::size_t bytes) noexcept {
  if (bytes <= reached_) return 0;
  ALLOT_EXPECTS(bytes <= room_);
  const std::size_t to = up(bytes, page_size());
  const int error = system_pages.commit(begin_ + reached_, to - reached_);
  if (error == 0) reached_ = to;
  return error;
}

int page_range::open(const plan& wanted) noexcept {
  const std::size_t page = page_size();
  const std::size_t bytes = up(wanted.bytes, page);
  const std::size_t pages = bytes / page;
  const std::size_t books = up(product(pages / 2 + 2, sizeof(page_run)), page); // no two runs touch
  const std::size_t records = up(product(pages, wanted.record_bytes), page);
  const std::size_t alignment = std::max(wanted.alignment, page);
  // An inaccessible page before and behind the pages, and room to move the first one up to its alignment.
  const std::size_t front = sum(sum(books, records), page);
  const std::size_t all = sum(sum(front, bytes), alignment);
  if (all > page_runs::none / 2) return ENOMEM;

  if (const int error = system_pages.reserve(mapped_, all); error != 0) return error;
  mapped_bytes_ = all;
  page_shift_ = static_cast<std::size_t>(std::countr_zero(page));
  record_bytes_ = wanted.record_bytes;
  books_ = {mapped_, books};
  records_ = {mapped_ + books, records};
  first_ = page_of(mapped_ + front + padding_to(mapped_ + front, alignment));
  end_ = first_ + pages;
  start_anew();
  return 0;
}

void page_range::start_anew() noexcept {
  made_ = 0;
  dirty_ = 0;
  spare_ = nullptr;
  free_.clear();
}

int page_range::close() noexcept {
  if (mapped_ == nullptr) return 0;
  if (const int error = system_pages.unreserve(mapped_, mapped_bytes_); error != 0) return error;
  mapped_ = nullptr;
  mapped_bytes_ = first_ = end_ = 0;
  books_ = records_ = {};
  start_anew();
  return 0;
}

std::byte* page_range::address_of(std::size_t page) const noexcept {
  return mapped_ + ((page << page_shift_) - reinterpret_cast<std::uintptr_t>(mapped_));
}

std::size_t page_range::page_of(const void* p) const noexcept {
  return reinterpret_cast<std::uintptr_t>(p) >> page_shift_;
}

ownership page_range::holds(const void* p) const noexcept {
  return is_open() && page_of(p) - first_ < end_ - first_ ? ownership::yes : ownership::no;
}

int page_range::expect_blocks(std::size_t blocks) noexcept {
  const std::size_t runs = std::min(blocks + 1, (end_ - first_) / 2 + 1);
  if (const int error = books_.reach(runs * sizeof(page_run)); error != 0) return error;
  if (made_ == 0) free_.insert(new_run({.begin = first_, .pages = end_ - first_}));
  return 0;
}

void* page_range::record_of(std::size_t page) const noexcept {
  return records_.begin() + (page - first_) * record_bytes_;
}

int page_range::reach_records(std::size_t page) noexcept { return records_.reach((page - first_ + 1) * record_bytes_); }

bool page_range::has_record(std::size_t page) const noexcept {
  return is_open() && page - first_ < end_ - first_ && (page - first_ + 1) * record_bytes_ <= records_.reached();
}

page_run* page_range::new_run(const page_run& as) noexcept {
  page_run* run = spare_;
  if (run != nullptr) {
    spare_ = run->right;
  } else {
    ALLOT_EXPECTS((made_ + 1) * sizeof(page_run) <= books_.reached());
    run = reinterpret_cast<page_run*>(books_.begin()) + made_++;
  }
  dirty_ += as.dirty;
  return std::construct_at(run, as);
}

void page_range::drop(page_run* run) noexcept {
  dirty_ -= run->dirty;
  run->right = spare_;
  spare_ = run;
}

void page_range::take(page_run* run, std::size_t at, std::size_t pages, std::size_t dirty_end) noexcept {
  const page_run left{
      .begin = run->begin, .pages = at - run->begin, .dirty = std::min(run->dirty, below(run->begin, at, dirty_end))};
  const page_run right{.begin = at + pages,
                       .pages = run->end() - (at + pages),
                       .dirty = std::min(run->dirty, below(at + pages, run->end(), dirty_end))};
  const page_run& rest = left.pages != 0 ? left : right;
  if (rest.pages == 0) {
    free_.erase(run);
    drop(run);
    return;
  }
  dirty_ += rest.dirty - run->dirty;
  run->begin = rest.begin;
  run->pages = rest.pages;
  run->dirty = rest.dirty;
  free_.refresh(run);
  if (left.pages != 0 && right.pages != 0) free_.insert(new_run(right));
}

bool page_range::is_wrong(std::size_t at, std::size_t pages) const noexcept {
  if (!is_open() || at < first_ || at >= end_ || pages > end_ - at) return true;
  const page_run* const near = free_.at_or_before(at + pages - 1);
  return near != nullptr && near->end() > at;
}

void page_range::give(std::size_t at, std::size_t pages, std::size_t dirty) noexcept {
  page_run back{.begin = at, .pages = pages, .dirty = dirty};
  page_run* const above = free_.at_or_before(at + pages);
  if (above != nullptr && above->begin == at + pages) {
    back.pages += above->pages;
    back.dirty += above->dirty;
    free_.erase(above);
    drop(above);
  }
  page_run* const before = free_.at_or_before(at);
  if (before == nullptr || before->end() != at) {
    free_.insert(new_run(back));
    return;
  }
  before->pages += back.pages;
  before->dirty += back.dirty;
  dirty_ += back.dirty;
  free_.refresh(before);
}

void page_range::soil(page_run* run, std::size_t pages) noexcept {
  run->dirty += pages;
  dirty_ += pages;
}

void page_range::clean(page_run* run) noexcept {
  dirty_ -= run->dirty;
  run->dirty = 0;
}

} // namespace allot::inline ALLOT_ABI::detail

#endif
