#include <allot/core/layout.hpp>
#include <allot/detail/system_pages.hpp>
#include <allot/source/guard_page_resource.hpp>

#if defined(__unix__) || defined(__APPLE__)

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace allot::inline ALLOT_ABI {
namespace {

using detail::page_refusal;
using detail::page_run;
using detail::page_runs;
using detail::page_size;
using detail::system_pages;

enum class block_state : unsigned char {
  none, // what a record is that was never written
  live,
  freed,
  lost, // came back, and could not be made inaccessible: not used again
};

/// Pages that a block can be accessed on: none for zero bytes.
std::size_t pages_in(std::size_t bytes) noexcept { return bytes / page_size() + (bytes % page_size() != 0 ? 1 : 0); }

bool is_slack(const std::byte* begin, const std::byte* end) noexcept {
  return std::all_of(begin, end, [](std::byte b) { return b == std::byte{guard_page_resource::slack_byte}; });
}

} // namespace

/// Stands for the first page of a block.
struct guard_page_resource::record {
  std::size_t bytes = 0;
  std::size_t next = 0; // in quarantine: the first page of the block that came after
  block_state state = block_state::none;
  unsigned char alignment_shift = 0;

  [[nodiscard]] std::size_t alignment() const noexcept { return std::size_t{1} << alignment_shift; }
  [[nodiscard]] std::size_t pages() const noexcept { return pages_in(bytes); }
};

guard_page_resource::~guard_page_resource() { static_cast<void>(range_.close()); }

std::size_t guard_page_resource::committed() const noexcept { return block_pages_ * page_size() + range_.books(); }

void* guard_page_resource::place(std::size_t bytes, std::size_t alignment) noexcept {
  page_refusal why;
  return take(bytes, alignment, why);
}

void* guard_page_resource::place_or_fail(std::size_t bytes, std::size_t alignment) {
  page_refusal why;
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

void* guard_page_resource::take(std::size_t bytes, std::size_t alignment, page_refusal& why) noexcept {
  const std::size_t pages = pages_in(bytes);
  if (pages >= pages_in(options_.reserve)) {
    why = page_refusal::too_large();
    return nullptr;
  }
  if (!range_.is_open()) {
    const int error = range_.open({.bytes = options_.reserve, .record_bytes = sizeof(record)});
    if (error != 0) return why = page_refusal::of_range(error), nullptr;
  }
  if (const int error = range_.expect_blocks(taken_blocks_ + 1); error != 0) {
    return why = page_refusal::of_books(error), nullptr;
  }
  const std::size_t step = std::max(alignment / page_size(), std::size_t{1});
  page_run* const run = find(pages + 1, step);
  if (run == nullptr) return why = page_refusal::no_run(), nullptr;
  const std::size_t at = page_runs::fit(*run, pages + 1, step);
  if (const int error = range_.reach_records(at); error != 0) return why = page_refusal::of_books(error), nullptr;
  if (pages != 0) {
    const int error = system_pages.commit(range_.address_of(at), pages * page_size());
    if (error != 0) return why = page_refusal::of_pages(error), nullptr;
  }

  range_.take(run, at, pages + 1, 0);
  record_of(at) = {.bytes = bytes,
                   .state = block_state::live,
                   .alignment_shift = static_cast<unsigned char>(std::countr_zero(alignment))};
  ++blocks_;
  ++taken_blocks_;
  block_pages_ += pages;
  used_ += bytes;
  high_water_ = std::max(high_water_, used_);
  std::byte* const begin = range_.address_of(at);
  std::byte* const end = begin + pages * page_size();
  std::byte* const p = block_at(at, bytes, alignment);
  std::memset(begin, slack_byte, static_cast<std::size_t>(p - begin));
  std::memset(p + bytes, slack_byte, static_cast<std::size_t>(end - (p + bytes)));
  return p;
}

/// What is in quarantine is given up, oldest first, until there is room.
page_run* guard_page_resource::find(std::size_t pages, std::size_t step) noexcept {
  page_run* run = range_.runs().find(pages, step);
  while (run == nullptr && oldest_ != 0) {
    give_up_oldest();
    run = range_.runs().find(pages, step);
  }
  return run;
}

guard_page_resource::record& guard_page_resource::record_of(std::size_t page) const noexcept {
  return *static_cast<record*>(range_.record_of(page));
}

/// It starts on the first of its pages in any case: a page is aligned to whatever is no more than a page, and above that the
/// first page is aligned as the block.
std::byte* guard_page_resource::block_at(std::size_t page, std::size_t bytes, std::size_t alignment) const noexcept {
  const std::size_t room = pages_in(bytes) * page_size();
  const std::size_t offset = options_.side == guard::before ? 0 : align_down(room - bytes, alignment);
  return range_.address_of(page) + offset;
}

void guard_page_resource::give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
  if (const char* const fault = fault_of(p, bytes, alignment)) {
    halt({.reason = failure_reason::wrong_deallocation,
          .resource = class_name,
          .name = name(),
          .detail = fault,
          .pointer = p,
          .bytes = bytes,
          .alignment = alignment,
          .used = used_});
  }
  const std::size_t page = range_.page_of(p);
  record& block = record_of(page);
  const std::size_t pages = block.pages();
  --blocks_;
  used_ -= bytes;
  if (pages != 0) {
    if (system_pages.vacate(range_.address_of(page), pages * page_size()) != 0) {
      block.state = block_state::lost;
      return;
    }
  }
  block_pages_ -= pages;
  put_in_quarantine(page, block);
}

/// What is wrong with a deallocation, or null.
const char* guard_page_resource::fault_of(const void* p, std::size_t bytes, std::size_t alignment) const noexcept {
  const std::size_t page = range_.page_of(p);
  if (!range_.has_record(page)) return "never given out here";
  const record& block = record_of(page);
  if (block.state == block_state::none) return "not the start of a block";
  if (p != block_at(page, block.bytes, block.alignment())) return "not the start of a block";
  if (block.state != block_state::live) return "given back before";
  if (bytes != block.bytes) return "the size is not the one that was asked for";
  if (alignment != block.alignment()) return "the alignment is not the one that was asked for";
  return fault_of_slack(page, block);
}

const char* guard_page_resource::fault_of_slack(std::size_t page, const record& block) const noexcept {
  const std::byte* const begin = range_.address_of(page);
  const std::byte* const p = block_at(page, block.bytes, block.alignment());
  if (!is_slack(begin, p)) return "a byte in front of the block was overwritten";
  if (!is_slack(p + block.bytes, begin + block.pages() * page_size())) return "a byte behind the block was overwritten";
  return nullptr;
}

void guard_page_resource::put_in_quarantine(std::size_t page, record& block) noexcept {
  block.state = block_state::freed;
  block.next = 0;
  if (oldest_ == 0) {
    oldest_ = page;
  } else {
    record_of(newest_).next = page;
  }
  newest_ = page;
  quarantined_ += (block.pages() + 1) * page_size();
  while (quarantined_ > options_.quarantine_bytes)
    give_up_oldest();
}

void guard_page_resource::give_up_oldest() noexcept {
  const std::size_t page = oldest_;
  record& block = record_of(page);
  const std::size_t pages = block.pages() + 1;
  oldest_ = block.next;
  quarantined_ -= pages * page_size();
  --taken_blocks_;
  block = {};
  range_.give(page, pages, 0);
}

void guard_page_resource::empty_quarantine() noexcept {
  while (oldest_ != 0)
    give_up_oldest();
}

} // namespace allot::inline ALLOT_ABI

#endif
