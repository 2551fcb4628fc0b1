#pragma once

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/core/expects.hpp>

#include <algorithm>
#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// Counts for a `counting_adaptor` that one thread at a time uses. The policy of `counting_adaptor` where none is named.
///
/// Guarantees
/// - Every figure is exact, and all of one snapshot are of the same moment.
///
/// Costs: seven stores for a pair of calls and no branch; 11 words.
/// Threads: one thread at a time.
struct plain_counters_t {
  class ledger {
  public:
    void allocated(std::size_t bytes) noexcept {
      ++allocations_;
      total_ += bytes;
      peaks_.bytes = std::max(peaks_.bytes, live_bytes());
      peaks_.blocks = std::max(peaks_.blocks, live_blocks());
      peaks_.largest_bytes = std::max(peaks_.largest_bytes, bytes);
    }

    /// \pre at least one block, and at least `bytes` bytes, are live
    void deallocating(std::size_t bytes) noexcept {
      ALLOT_EXPECTS(live_blocks() > 0 && bytes <= live_bytes());
      ++deallocations_;
      freed_ += bytes;
    }

    void failed() noexcept { ++failures_; }

    [[nodiscard]] std::size_t live_bytes() const noexcept { return total_ - freed_; }
    [[nodiscard]] std::size_t live_blocks() const noexcept { return allocations_ - deallocations_; }

    [[nodiscard]] counting_peaks peaks() const noexcept { return peaks_; }

    [[nodiscard]] counting_snapshot read() const noexcept {
      return {.live_bytes = live_bytes(),
              .peak_bytes = peaks_.bytes,
              .total_bytes = total_,
              .live_blocks = live_blocks(),
              .peak_blocks = peaks_.blocks,
              .allocations = allocations_,
              .deallocations = deallocations_,
              .failures = failures_,
              .largest_bytes = peaks_.largest_bytes};
    }

    /// The peaks from before they were last started anew.
    [[nodiscard]] counting_peaks earlier_peaks() const noexcept { return earlier_peaks_; }

    /// Starts the peaks anew from what is live. \return the peaks until now
    counting_peaks restart_peaks() noexcept {
      const counting_peaks before = peaks_;
      earlier_peaks_.raise(before);
      peaks_ = {.bytes = live_bytes(), .blocks = live_blocks(), .largest_bytes = 0};
      return before;
    }

    /// Makes no peak lower than `to`.
    void raise_peaks(const counting_peaks& to) noexcept { peaks_.raise(to); }

    /// Starts the peaks anew, and forgets those from before.
    void reset_peaks() noexcept {
      restart_peaks();
      earlier_peaks_ = {};
    }

  private:
    // What is live is a difference of two sums: each is written by one side only, so that a pair of calls passes
    // through memory once and not twice. The sums may wrap; the differences stay right.
    std::size_t total_ = 0;
    std::size_t freed_ = 0;
    std::size_t allocations_ = 0;
    std::size_t deallocations_ = 0;
    std::size_t failures_ = 0;
    counting_peaks peaks_; // not below what is live
    counting_peaks earlier_peaks_;
  };

  /// A count beside the ledger, for one thread at a time.
  class tally {
  public:
    void increment() noexcept { ++n_; }
    /// The count.
    [[nodiscard]] std::size_t read() const noexcept { return n_; }

  private:
    std::size_t n_ = 0;
  };
};

/// Names the policy: `allot::counting_adaptor counted{arena, allot::plain_counters};`
inline constexpr plain_counters_t plain_counters{};

} // namespace allot::inline ALLOT_ABI
