#pragma once

#include <allot/core/ownership.hpp>
#include <allot/detail/page_runs.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail {

/// Why a request for pages was refused: a clause for the record, and the system's error where there was one.
struct page_refusal {
  const char* detail = nullptr;
  int system_error = 0;

  static page_refusal too_large() noexcept { return {"larger than the range that it may reserve"}; }
  static page_refusal no_run() noexcept { return {"no free pages in a row are enough"}; }
  static page_refusal of_range(int error) noexcept { return {"the system refused the range of addresses", error}; }
  static page_refusal of_books(int error) noexcept { return {"the system refused memory for the books", error}; }
  static page_refusal of_pages(int error) noexcept { return {"the system refused memory for the pages", error}; }
};

/// An array at a fixed address that becomes accessible from its start, as far as it is needed.
class page_array {
public:
  page_array() noexcept = default;
  page_array(std::byte* begin, std::size_t room) noexcept : begin_{begin}, room_{room} {}

  [[nodiscard]] std::byte* begin() const noexcept { return begin_; }

  /// Bytes that are accessible.
  [[nodiscard]] std::size_t reached() const noexcept { return reached_; }

  /// Makes the first `bytes` bytes accessible; zeros at first. \return the system's error, 0 for none
  [[nodiscard]] int reach(std::size_t bytes) noexcept;

private:
  std::byte* begin_ = nullptr;
  std::size_t room_ = 0;
  std::size_t reached_ = 0;
};

/// One range of addresses, the runs of pages in it that nobody has, and the books about them.
///
///     | books of free runs ... | a record a page ... | inaccessible | pages ...                  | inaccessible |
///
/// It hands out page numbers (an address divided by the size of a page) and makes none of its pages accessible: whoever
/// has them does. Free runs are separated by pages that someone has, so there is at most one run more than there are
/// blocks: where books are there for that many, giving pages back needs no memory and cannot fail.
class page_range {
public:
  page_range() noexcept = default;
  page_range(const page_range&) = delete;
  page_range& operator=(const page_range&) = delete;

  /// What `open` asks of the system.
  struct plan {
    std::size_t bytes = 0;        ///< for the pages; rounded up to whole ones
    std::size_t record_bytes = 0; ///< of a record for each page; 0 for none
    std::size_t alignment = 1;    ///< of the first page; a power of two
  };

  /// Reserves the range. \return the system's error, 0 for none \pre it is closed
  [[nodiscard]] int open(const plan& wanted) noexcept;

  /// Gives the range back, with all that is in it. \return the system's error, 0 for none; then it is as before
  [[nodiscard]] int close() noexcept;

  [[nodiscard]] bool is_open() const noexcept { return mapped_ != nullptr; }

  /// Bytes of address space, books and records included; 0 where it is closed.
  [[nodiscard]] std::size_t reserved() const noexcept { return mapped_bytes_; }

  /// Bytes of books and records that are accessible.
  [[nodiscard]] std::size_t books() const noexcept { return books_.reached() + records_.reached(); }

  [[nodiscard]] std::size_t first_page() const noexcept { return first_; }
  [[nodiscard]] std::size_t end_page() const noexcept { return end_; }

  /// Where a page starts. \pre it is open, and the page is in it or the one behind it
  [[nodiscard]] std::byte* address_of(std::size_t page) const noexcept;

  /// The page that `p` lies in.
  [[nodiscard]] std::size_t page_of(const void* p) const noexcept;

  [[nodiscard]] ownership holds(const void* p) const noexcept;

  /// Makes sure that pages of `blocks` blocks can come back. \return the system's error, 0 for none
  [[nodiscard]] int expect_blocks(std::size_t blocks) noexcept;

  /// The record of a page, in bytes that are zeros at first. \pre `reach_records(page)` gave 0
  [[nodiscard]] void* record_of(std::size_t page) const noexcept;
  [[nodiscard]] int reach_records(std::size_t page) noexcept;

  /// Whether `page` is one of the range's whose record can be read.
  [[nodiscard]] bool has_record(std::size_t page) const noexcept;

  /// The runs to choose from.
  [[nodiscard]] const page_runs& runs() const noexcept { return free_; }

  /// Free pages that may hold memory: those that came back so, and those that `soil` named. Exact as long as no run has
  /// pages of both kinds, else an upper bound.
  [[nodiscard]] std::size_t dirty() const noexcept { return dirty_; }

  /// Takes pages out of a run. \param dirty_end  no free page from there on holds memory
  /// \pre `at` is what `fit` gave for the run, and there are books for one block more than there are
  void take(page_run* run, std::size_t at, std::size_t pages, std::size_t dirty_end) noexcept;

  /// Whether any of these pages is free, or is none of the range's.
  [[nodiscard]] bool is_wrong(std::size_t at, std::size_t pages) const noexcept;

  /// Takes pages back, and joins them with the runs beside them. \param dirty  of them, so many may hold memory
  /// \pre `!is_wrong(at, pages)`
  void give(std::size_t at, std::size_t pages, std::size_t dirty) noexcept;

  /// Notes that `pages` more pages of a run may hold memory.
  void soil(page_run* run, std::size_t pages) noexcept;

  /// Notes that none of a run's pages holds memory any more.
  void clean(page_run* run) noexcept;

private:
  void start_anew() noexcept;
  page_run* new_run(const page_run& as) noexcept;
  void drop(page_run* run) noexcept;

  std::byte* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
  std::size_t page_shift_ = 0;
  std::size_t record_bytes_ = 0;
  page_array books_;          // the books: page_run objects, used or in the list
  page_array records_;        // by page
  page_run* spare_ = nullptr; // a list of unused ones, by `right`
  std::size_t made_ = 0;      // page_run objects taken from the books so far
  std::size_t dirty_ = 0;     // of all runs together
  page_runs free_;
};

} // namespace allot::inline ALLOT_ABI::detail
