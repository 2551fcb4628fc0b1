#pragma once

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/core/expects.hpp>

#include <atomic>
#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// Counts for a `counting_adaptor` that several threads use at once: `allot::counting_adaptor c{arena, shared_counters};`
///
/// Guarantees
/// - Nothing is lost, and what is live is never below zero.
/// - Each peak is exact in the order in which the ledger was updated: no sum that was live for an instant is missed.
/// - At rest every figure is exact. While calls are in flight those of one snapshot are of moments close together.
///
/// Costs: four locked instructions for an allocation and three for a deallocation, on one cache line that all threads
/// share; a compare-exchange when a peak moves. 9 words.
/// Threads: any thread, lock-free, and interrupt handlers. Peaks are restarted by one thread at a time.
struct shared_counters_t {
  class ledger {
  public:
    void allocated(std::size_t bytes) noexcept {
      raise(peak_bytes_, live_bytes_.fetch_add(bytes, relaxed) + bytes);
      raise(peak_blocks_, live_blocks_.fetch_add(1, relaxed) + 1);
      raise(largest_, bytes);
      total_.fetch_add(bytes, relaxed);
      allocations_.fetch_add(1, relaxed);
    }

    /// \pre at least one block, and at least `bytes` bytes, are live
    void deallocating(std::size_t bytes) noexcept {
      [[maybe_unused]] const std::size_t bytes_before = live_bytes_.fetch_sub(bytes, relaxed);
      [[maybe_unused]] const std::size_t blocks_before = live_blocks_.fetch_sub(1, relaxed);
      ALLOT_EXPECTS(blocks_before > 0 && bytes <= bytes_before);
      deallocations_.fetch_add(1, relaxed);
    }

    void failed() noexcept { failures_.fetch_add(1, relaxed); }

    [[nodiscard]] std::size_t live_bytes() const noexcept { return live_bytes_.load(relaxed); }
    [[nodiscard]] std::size_t live_blocks() const noexcept { return live_blocks_.load(relaxed); }

    [[nodiscard]] counting_peaks peaks() const noexcept {
      return {peak_bytes_.load(relaxed), peak_blocks_.load(relaxed), largest_.load(relaxed)};
    }

    [[nodiscard]] counting_snapshot read() const noexcept {
      return {.live_bytes = live_bytes_.load(relaxed),
              .peak_bytes = peak_bytes_.load(relaxed),
              .total_bytes = total_.load(relaxed),
              .live_blocks = live_blocks_.load(relaxed),
              .peak_blocks = peak_blocks_.load(relaxed),
              .allocations = allocations_.load(relaxed),
              .deallocations = deallocations_.load(relaxed),
              .failures = failures_.load(relaxed),
              .largest_bytes = largest_.load(relaxed)};
    }

    /// Starts the peaks anew from what is live. \return the peaks until now
    counting_peaks restart_peaks() noexcept {
      return {restart(peak_bytes_, live_bytes_), restart(peak_blocks_, live_blocks_), largest_.exchange(0, relaxed)};
    }

    /// Makes no peak lower than `to`.
    void raise_peaks(const counting_peaks& to) noexcept {
      raise(peak_bytes_, to.bytes);
      raise(peak_blocks_, to.blocks);
      raise(largest_, to.largest_bytes);
    }

  private:
    using counter = std::atomic<std::size_t>;
    static constexpr auto relaxed = std::memory_order_relaxed; // the counters order nothing but themselves

    static void raise(counter& peak, std::size_t to) noexcept {
      std::size_t seen = peak.load(relaxed);
      while (seen < to && !peak.compare_exchange_weak(seen, to, relaxed)) {
      }
    }

    /// `live` is read a second time: what rose in between, and raised the peak before it was exchanged, is live still.
    static std::size_t restart(counter& peak, const counter& live) noexcept {
      const std::size_t before = peak.exchange(live.load(relaxed));
      raise(peak, live.load());
      return before;
    }

    counter live_bytes_{0};
    counter live_blocks_{0};
    counter peak_bytes_{0};
    counter peak_blocks_{0};
    counter largest_{0};
    counter total_{0};
    counter allocations_{0};
    counter deallocations_{0};
    counter failures_{0};
  };

  /// A count beside the ledger, for any thread.
  class tally {
  public:
    void increment() noexcept { n_.fetch_add(1, std::memory_order_relaxed); }
    [[nodiscard]] std::size_t read() const noexcept { return n_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::size_t> n_{0};
  };
};

/// Names the policy: `allot::counting_adaptor counted{arena, allot::shared_counters};`
inline constexpr shared_counters_t shared_counters{};

} // namespace allot::inline ALLOT_ABI
