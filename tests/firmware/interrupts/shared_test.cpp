// An arena, a budget and counters that the main loop shares with an interrupt.

#include "timer.hpp"

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/shared_counters.hpp>
#include <allot/arena/atomic_bump_resource.hpp>
#include <allot/core/resource_interface.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

using namespace interrupts;

namespace {

/// Blocks that one side has, each filled with that side's mark.
class holding {
public:
  explicit constexpr holding(std::byte mark) noexcept : mark_{mark} {}

  void add(void* p, std::size_t bytes) noexcept {
    std::memset(p, std::to_integer<int>(mark_), bytes);
    blocks_[count_++] = {static_cast<std::byte*>(p), bytes};
    bytes_ += bytes;
  }

  /// Takes the newest out, and looks at its bytes.
  struct block {
    std::byte* begin;
    std::size_t bytes;
  };
  block take() noexcept {
    const block last = blocks_[--count_];
    bytes_ -= last.bytes;
    if (!is_ours(last)) damaged_ = true;
    return last;
  }

  void clear() noexcept {
    while (count_ != 0)
      (void)take();
  }

  [[nodiscard]] bool is_full() const noexcept { return count_ == most; }
  [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool is_damaged() const noexcept { return damaged_; }

private:
  static constexpr std::size_t most = 96;

  [[nodiscard]] bool is_ours(const block& one) const noexcept {
    return std::all_of(one.begin, one.begin + one.bytes, [this](std::byte b) { return b == mark_; });
  }

  block blocks_[most]{};
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::byte mark_;
  bool damaged_ = false;
};

/// Sizes in a row that neither side's loop keeps step with.
std::size_t next_size(std::size_t& state, std::size_t most) noexcept {
  state = state % 251 + 1;
  return state * 37 % most + 1;
}

constinit holding of_main{std::byte{0x11}};
constinit holding of_interrupt{std::byte{0xee}};
std::size_t size_of_main = 0, size_of_interrupt = 0;

template <class Resource>
bool take(Resource& from, holding& mine, std::size_t bytes) noexcept {
  if (mine.is_full()) return false;
  void* const p = from.try_allocate(bytes, 1);
  if (p == nullptr) return false;
  mine.add(p, bytes);
  return true;
}

template <class Resource>
void give_back(Resource& to, holding& mine) noexcept {
  const auto [p, bytes] = mine.take();
  to.deallocate(p, bytes, 1);
}

using arena_type = allot::atomic_bump_resource<384>;
arena_type* arena = nullptr; // of the case that runs

void take_one(std::uintptr_t) noexcept { (void)take(*arena, of_interrupt, next_size(size_of_interrupt, 7)); }

void take_two_and_give_them_back(std::uintptr_t) noexcept {
  for (unsigned i = 0; i < 2; ++i)
    (void)take(*arena, of_interrupt, next_size(size_of_interrupt, 7));
  while (!of_interrupt.is_empty())
    give_back(*arena, of_interrupt);
}

void take_or_give_back(std::uintptr_t) noexcept {
  if (ticks() % 2 == 0 && !of_interrupt.is_empty()) {
    give_back(*arena, of_interrupt);
  } else {
    (void)take(*arena, of_interrupt, next_size(size_of_interrupt, 7));
  }
}

/// Takes until the arena has no byte left. \return interrupts meanwhile
unsigned fill(arena_type& from) noexcept {
  const unsigned before = ticks_in_windows();
  const window open;
  while (from.remaining(1) != 0 && !of_main.is_full())
    (void)take(from, of_main, std::min(next_size(size_of_main, 11), std::max<std::size_t>(from.remaining(1), 1)));
  return ticks_in_windows() - before;
}

constexpr std::size_t limit = 64;

/// Gives the same bytes to everyone, who is not to touch them: an upstream that no interrupt can harm.
class nowhere_resource final : public allot::resource_interface<nowhere_resource> {
public:
  static constexpr const char* class_name = "nowhere_resource";

private:
  friend allot::resource_interface<nowhere_resource>;

  void* place(std::size_t, std::size_t) noexcept { return &place_; }
  void give_back(void*, std::size_t, std::size_t) noexcept {}

  std::max_align_t place_{};
};

using budget_type = allot::limit_adaptor<nowhere_resource>;
budget_type* capped = nullptr;
constinit volatile unsigned refused = 0, above = 0;
constinit volatile std::size_t kept = 0; // bytes that the interrupt has

/// Takes on one tick and gives back on the next: so the main loop meets a charge that comes, and one that goes.
void charge(std::uintptr_t) noexcept {
  if (kept != 0) {
    capped->deallocate(capped, kept, 1);
    kept = 0;
  } else {
    const std::size_t bytes = next_size(size_of_interrupt, limit / 2);
    if (capped->try_allocate(bytes, 1) == nullptr) {
      refused = refused + 1;
    } else {
      kept = bytes;
    }
  }
  if (capped->used() > limit) above = above + 1;
}

using counted_type = allot::counting_adaptor<nowhere_resource, allot::shared_counters_t>;
counted_type* counted = nullptr;
constinit volatile unsigned pairs_by_interrupt = 0;
constinit volatile std::size_t bytes_by_interrupt = 0, most_live_bytes = 0, most_live_blocks = 0;

void count(std::uintptr_t) noexcept {
  const std::size_t bytes = next_size(size_of_interrupt, 50);
  void* const p = counted->try_allocate(bytes, 1);
  const allot::counting_snapshot now = counted->snapshot();
  if (now.live_bytes > most_live_bytes) most_live_bytes = now.live_bytes;
  if (now.live_blocks > most_live_blocks) most_live_blocks = now.live_blocks;
  counted->deallocate(p, bytes, 1);
  pairs_by_interrupt = pairs_by_interrupt + 1;
  bytes_by_interrupt = bytes_by_interrupt + bytes;
}

} // namespace

TEST_SUITE("what an interrupt shares") {
  TEST_CASE("of an atomic_bump_resource every byte goes to one side, and none is lost") {
    arena_type memory;
    arena = &memory;
    const timer running{take_one};
    unsigned in_windows = 0, unaccounted = 0, blocks_of_interrupt = 0;
    for (unsigned round = 0; round < 100; ++round) {
      in_windows += fill(memory);
      if (!of_interrupt.is_empty()) ++blocks_of_interrupt;
      if (memory.used() != of_main.bytes() + of_interrupt.bytes()) ++unaccounted;
      of_main.clear();
      of_interrupt.clear();
      memory.reset();
    }
    MESSAGE(in_windows << " interrupts came while the main loop filled an arena");
    CHECK(unaccounted == 0);
    CHECK(!of_main.is_damaged());
    CHECK(!of_interrupt.is_damaged());
    CHECK(blocks_of_interrupt >= ticks_to_see);
    CHECK(memory.high_water() == memory.capacity());
  }

  TEST_CASE("what an interrupt takes and gives back again the main loop does not notice") {
    arena_type memory;
    arena = &memory;
    const unsigned before = ticks_in_windows();
    const timer running{take_two_and_give_them_back};
    unsigned unaccounted = 0;
    for (unsigned round = 0; round < 1'000; ++round) {
      const window open;
      for (unsigned i = 0; i < 5; ++i)
        (void)take(memory, of_main, next_size(size_of_main, 11));
      if (memory.used() != of_main.bytes()) ++unaccounted;
      while (!of_main.is_empty())
        give_back(memory, of_main);
      if (memory.used() != 0) ++unaccounted;
    }
    CHECK(unaccounted == 0);
    CHECK(!of_main.is_damaged());
    CHECK(!of_interrupt.is_damaged());
    CHECK(ticks_in_windows() - before >= ticks_to_see);
  }

  TEST_CASE("blocks of both sides that come and go in any order share no byte") {
    arena_type memory;
    arena = &memory;
    const unsigned before = ticks_in_windows();
    const timer running{take_or_give_back};
    unsigned too_few = 0, taken = 0;
    for (unsigned round = 0; round < 1'000; ++round) {
      {
        const window open;
        for (unsigned i = 0; i < 5; ++i)
          if (take(memory, of_main, next_size(size_of_main, 11))) ++taken;
        while (!of_main.is_empty())
          give_back(memory, of_main);
      }
      if (memory.used() < of_interrupt.bytes()) ++too_few;
      if (memory.remaining(1) < 60) { // for what was given back too early to be taken back
        of_interrupt.clear();
        memory.reset();
      }
    }
    of_interrupt.clear();
    CHECK(taken > 0);
    CHECK(too_few == 0);
    CHECK(!of_main.is_damaged());
    CHECK(!of_interrupt.is_damaged());
    CHECK(ticks_in_windows() - before >= ticks_to_see);
  }

  TEST_CASE("a limit_adaptor is never above its limit, and back at nothing in the end") {
    nowhere_resource up;
    budget_type budget{up, limit};
    capped = &budget;
    refused = 0;
    above = 0;
    kept = 0;
    const unsigned before = ticks_in_windows();
    unsigned refused_to_main = 0, charged = 0;
    {
      const timer running{charge};
      const window open;
      for (unsigned i = 0; i < 10'000; ++i) {
        const std::size_t bytes = next_size(size_of_main, limit);
        if (void* const p = budget.try_allocate(bytes, 1)) {
          ++charged;
          budget.deallocate(p, bytes, 1);
        } else {
          ++refused_to_main;
        }
      }
    }
    if (kept != 0) budget.deallocate(&budget, kept, 1);
    MESSAGE("the main loop was refused " << refused_to_main << " times, the interrupt " << refused << " times");
    CHECK(budget.used() == 0);
    CHECK(above == 0);
    CHECK(budget.peak() <= limit);
    CHECK(budget.snapshot().refusals == refused_to_main + refused);
    CHECK(charged >= ticks_to_see);
    CHECK(refused_to_main > 0);
    CHECK(refused > 0);
    CHECK(ticks_in_windows() - before >= ticks_to_see);
  }

  TEST_CASE("shared_counters are exact at rest") {
    constexpr unsigned pairs = 5'000;
    nowhere_resource up;
    counted_type counts{up};
    counted = &counts;
    pairs_by_interrupt = 0;
    bytes_by_interrupt = 0;
    std::size_t bytes_by_main = 0;
    unsigned wrong_peaks = 0, two_at_once = 0;
    {
      const timer running{count};
      for (unsigned i = 0; i < pairs; ++i) {
        const std::size_t bytes = next_size(size_of_main, 20);
        counts.reset_peaks(); // each round has its own: a peak that is lost does not come again
        most_live_bytes = 0;
        most_live_blocks = 0;
        {
          const window open;
          counts.deallocate(counts.try_allocate(bytes, 1), bytes, 1);
        }
        bytes_by_main += bytes;
        const allot::counting_snapshot now = counts.snapshot();
        if (now.peak_bytes != std::max(bytes, std::size_t{most_live_bytes})) ++wrong_peaks;
        if (now.peak_blocks != std::max(std::size_t{1}, std::size_t{most_live_blocks})) ++wrong_peaks;
        if (most_live_blocks == 2) ++two_at_once;
      }
    }
    const allot::counting_snapshot now = counts.snapshot();
    MESSAGE("pairs by the main loop " << pairs << ", by the interrupt " << pairs_by_interrupt << "; " << two_at_once
                                      << " rounds had a block of both");
    CHECK(now.allocations == pairs + pairs_by_interrupt);
    CHECK(now.deallocations == now.allocations);
    CHECK(now.total_bytes == bytes_by_main + bytes_by_interrupt);
    CHECK(now.live_bytes == 0);
    CHECK(now.live_blocks == 0);
    CHECK(now.failures == 0);
    CHECK(wrong_peaks == 0);
    CHECK(two_at_once >= ticks_to_see);
    CHECK(pairs_by_interrupt >= ticks_to_see);
  }
}
