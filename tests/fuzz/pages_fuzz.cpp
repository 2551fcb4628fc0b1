// page_resource and guard_page_resource in a range of a few pages: figures, the lowest free pages, no refusal where there is
// room, and blocks that touch the inaccessible page. Few calls each run: most are calls of the system.

#include <allot/source/guard_page_resource.hpp>
#include <allot/source/page_resource.hpp>

#include "ask.hpp"
#include "shadow.hpp"
#include "target.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>

#include <unistd.h>

namespace {

using fuzz::input;

constexpr std::size_t most_steps = 40;
constexpr std::size_t range_pages = 48;

std::size_t page() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

std::size_t pages_of(std::size_t bytes) { return std::max<std::size_t>(bytes / page() + (bytes % page() != 0), 1); }

/// Mostly of a few pages.
allot::layout request(input& in) {
  const std::size_t bytes = in.size();
  const bool is_scaled = in.flag();
  const std::size_t alignment = in.below(4) == 0 ? in.alignment() : std::size_t{1} << in.below(8);
  return {is_scaled ? bytes % (8 * page()) : bytes, alignment};
}

class page_run {
public:
  explicit page_run(input& in)
      : in_{in},
        has_gaps_{in.flag()},
        pages_{{.name = "fuzz",
                .reserve = range_pages * page(),
                .commit_step = (1 + in.below(8)) * page(),
                .freed = in.flag() ? allot::freed_pages::kept : allot::freed_pages::given_back,
                .guard_gaps = has_gaps_}} {}

  void go() {
    find_first();
    for (std::size_t steps = 0; !in_.is_empty() && steps < most_steps; ++steps) {
      step();
      check_figures();
    }
    blocks_.look();
    if (in_.flag()) release();
  }

private:
  void step() {
    switch (in_.below(8)) {
    case 4:
    case 5:
    case 6: return free_one();
    case 7: return in_.below(4) == 0 ? release() : trim();
    default: return allocate(request(in_));
    }
  }

  /// The first block lies at the start of the range.
  void find_first() {
    void* const p = pages_.try_allocate(1, 1);
    FUZZ_REQUIRE(p != nullptr);
    first_ = reinterpret_cast<std::uintptr_t>(p);
    high_water_ = std::max<std::size_t>(high_water_, 1);
    pages_.deallocate(p, 1, 1);
  }

  /// The lowest page from which on as many are free, and the last of them is in the range.
  [[nodiscard]] std::size_t lowest_fit(std::size_t pages, std::size_t alignment) const {
    for (std::size_t at = 0; at + pages <= range_pages; ++at) {
      const auto is_taken = [&](std::size_t n) { return taken_.count(n) != 0; };
      bool fits = (first_ + at * page()) % alignment == 0;
      for (std::size_t n = at; fits && n < at + pages; ++n)
        fits = !is_taken(n);
      if (fits) return at;
    }
    return range_pages;
  }

  void allocate(const allot::layout& wanted) {
    const std::size_t pages = wanted.bytes > range_pages * page() ? range_pages + 1 : pages_of(wanted.bytes);
    const std::size_t expected = lowest_fit(pages + (has_gaps_ ? 1 : 0), wanted.alignment);
    const std::size_t committed = pages_.committed();
    void* const p = fuzz::ask(pages_, wanted, in_.byte());
    if (p == nullptr) {
      FUZZ_REQUIRE(expected == range_pages && pages_.committed() == committed);
      return;
    }
    FUZZ_REQUIRE(allot::is_aligned(p, page()) && pages_.owns(p) == allot::ownership::yes);
    const std::size_t at = (reinterpret_cast<std::uintptr_t>(p) - first_) / page();
    if (wanted.alignment <= page()) FUZZ_REQUIRE(at == expected || expected == range_pages);
    blocks_.add(p, wanted);
    mark(at, pages, true);
    high_water_ = std::max(high_water_, blocks_.bytes());
  }

  void mark(std::size_t at, std::size_t pages, bool taken) {
    for (std::size_t n = at; n < at + pages + (has_gaps_ ? 1 : 0); ++n) {
      FUZZ_REQUIRE(taken ? taken_.insert(n).second : taken_.erase(n) == 1);
    }
  }

  void free_one() {
    if (blocks_.is_empty()) return;
    const auto gone = blocks_.remove(in_.byte() % blocks_.size());
    mark((reinterpret_cast<std::uintptr_t>(gone.p) - first_) / page(), pages_of(gone.shape.bytes), false);
    fuzz::give_back(pages_, gone.p, gone.shape, in_.byte());
  }

  void trim() {
    const std::size_t before = pages_.committed();
    const std::size_t given = pages_.trim();
    FUZZ_REQUIRE(before - pages_.committed() == given && pages_.trim() == 0);
  }

  void release() {
    blocks_.clear();
    taken_.clear();
    (void)pages_.release();
    FUZZ_REQUIRE(pages_.used() == 0 && pages_.committed() == 0 && pages_.reserved() == 0);
    find_first();
  }

  void check_figures() const {
    std::size_t own = 0;
    for (const auto& b : blocks_.live())
      own += pages_of(b.shape.bytes) * page();
    FUZZ_REQUIRE(pages_.used() == blocks_.bytes() && pages_.live_blocks() == blocks_.size());
    FUZZ_REQUIRE(pages_.high_water() == high_water_);
    FUZZ_REQUIRE(pages_.committed() >= own && pages_.committed() <= pages_.reserved());
    FUZZ_REQUIRE(pages_.owns(this) == allot::ownership::no);
  }

  input& in_;
  bool has_gaps_;
  allot::page_resource pages_;
  fuzz::shadow blocks_;
  std::uintptr_t first_ = 0;
  std::set<std::size_t> taken_; // pages, from the first one, gaps included
  std::size_t high_water_ = 0;
};

class guard_run {
public:
  explicit guard_run(input& in)
      : in_{in},
        side_{in.flag() ? allot::guard::before : allot::guard::after},
        most_quarantined_{in.below(range_pages) * page()},
        pages_{
            {.name = "fuzz", .side = side_, .reserve = range_pages * page(), .quarantine_bytes = most_quarantined_}} {}

  void go() {
    for (std::size_t steps = 0; !in_.is_empty() && steps < most_steps; ++steps) {
      step();
      check_figures();
    }
    blocks_.look();
  }

private:
  void step() {
    const std::size_t operation = in_.below(8);
    if (operation == 7) {
      pages_.empty_quarantine();
      FUZZ_REQUIRE(pages_.quarantined() == 0);
    } else if (operation >= 4 && !blocks_.is_empty()) {
      const auto gone = blocks_.remove(in_.byte() % blocks_.size());
      fuzz::give_back(pages_, gone.p, gone.shape, in_.byte());
    } else {
      allocate(request(in_));
    }
  }

  void allocate(const allot::layout& wanted) {
    void* const p = fuzz::ask(pages_, wanted, in_.byte());
    if (p == nullptr) { // the quarantine is given up before
      FUZZ_REQUIRE(!blocks_.is_empty() || wanted.alignment > page() || pages_of(wanted.bytes) + 2 > range_pages);
      return;
    }
    FUZZ_REQUIRE(pages_.owns(p) == allot::ownership::yes);
    const auto at = reinterpret_cast<std::uintptr_t>(p);
    if (wanted.bytes != 0 && side_ == allot::guard::after) {
      const std::uintptr_t end = at + wanted.bytes;
      FUZZ_REQUIRE((page() - end % page()) % page() < wanted.alignment);
    }
    if (wanted.bytes != 0 && side_ == allot::guard::before) FUZZ_REQUIRE(at % page() == 0);
    blocks_.add(p, wanted);
    high_water_ = std::max(high_water_, blocks_.bytes());
  }

  void check_figures() const {
    FUZZ_REQUIRE(pages_.used() == blocks_.bytes() && pages_.live_blocks() == blocks_.size());
    FUZZ_REQUIRE(pages_.high_water() == high_water_);
    FUZZ_REQUIRE(pages_.committed() >= pages_.used() && pages_.quarantined() <= most_quarantined_);
    FUZZ_REQUIRE(pages_.owns(this) == allot::ownership::no);
  }

  input& in_;
  allot::guard side_;
  std::size_t most_quarantined_;
  allot::guard_page_resource pages_;
  fuzz::shadow blocks_;
  std::size_t high_water_ = 0;
};

void run(input& in) {
  if (in.below(3) == 0) {
    guard_run{in}.go();
  } else {
    page_run{in}.go();
  }
}

} // namespace

FUZZ_TARGET(run)
