#pragma once

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/core/atomic.hpp>
#include <allot/core/expects.hpp>

#include <atomic>
#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// Counts for a `counting_adaptor` that several threads use at once: `allot::counting_adaptor c{arena, shared_counters};`
///
/// Guarantees
/// - Nothing is lost, and what is live is never below zero.
/// - Each peak is exact in the order in which the ledger was updated: no sum that was live for an instant is missed.
/// - At rest every figure is exact. While calls are in flight those of one snapshot are of moments close together, and no
///   peak in it is below what is live in it.
///
/// Costs: four locked instructions for an allocation and three for a deallocation, on one cache line that all threads
/// share; a compare-exchange when a peak moves. Two cache lines.
/// Threads: any thread, lock-free, and interrupt handlers. Peaks are restarted by one thread at a time.
struct shared_counters_t {
  class alignas(64) ledger {
  public:
    void allocated(std::size_t bytes) noexcept {
      raise(peak_bytes_, live_bytes_.fetch_add(bytes) + bytes);
      raise(peak_blocks_, live_blocks_.fetch_add(1) + 1);
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
      return {peak_bytes_.load(), peak_blocks_.load(), largest_.load()};
    }

    /// A thread between the two steps of `allocated` has raised what is live and not yet the peak: the peaks are raised
    /// here to what is live here.
    [[nodiscard]] counting_snapshot read() const noexcept {
      counting_snapshot now{.live_bytes = live_bytes_.load(relaxed),
                            .total_bytes = total_.load(relaxed),
                            .live_blocks = live_blocks_.load(relaxed),
                            .allocations = allocations_.load(relaxed),
                            .deallocations = deallocations_.load(relaxed),
                            .failures = failures_.load(relaxed)};
      now.raise_peaks({.bytes = now.live_bytes, .blocks = now.live_blocks});
      now.raise_peaks(peaks());
      return now;
    }

    /// The peaks from before they were last started anew. Whoever reads them after `read` misses none, while another
    /// thread starts them anew: see `restart`.
    [[nodiscard]] counting_peaks earlier_peaks() const noexcept {
      return {earlier_bytes_.load(), earlier_blocks_.load(), earlier_largest_.load()};
    }

    /// Starts the peaks anew from what is live. \return the peaks until now
    counting_peaks restart_peaks() noexcept {
      return {restart(peak_bytes_, earlier_bytes_, live_bytes_), restart(peak_blocks_, earlier_blocks_, live_blocks_),
              restart(largest_, earlier_largest_, none)};
    }

    /// Makes no peak lower than `to`.
    void raise_peaks(const counting_peaks& to) noexcept {
      raise(peak_bytes_, to.bytes);
      raise(peak_blocks_, to.blocks);
      raise(largest_, to.largest_bytes);
    }

    /// Starts the peaks anew, and forgets those from before.
    void reset_peaks() noexcept {
      restart_peaks();
      for (counter* const earlier : {&earlier_bytes_, &earlier_blocks_, &earlier_largest_})
        earlier->store(0);
    }

  private:
    using counter = detail::atomic<std::size_t>;
    static constexpr auto relaxed = std::memory_order_relaxed; // for what orders nothing
    static constexpr counter none{0};

    /// What is live and the peaks are sequentially consistent for the sake of `restart`.
    static void raise(counter& peak, std::size_t to) noexcept {
      std::size_t seen = peak.load();
      while (seen < to && !peak.compare_exchange_weak(seen, to)) {
      }
    }

    /// A peak is in `earlier` before it goes. `live` is read a second time: whoever raised it in between, and then saw the
    /// old peak, did not raise the new one.
    static std::size_t restart(counter& peak, counter& earlier, const counter& live) noexcept {
      std::size_t before = peak.load();
      do
        raise(earlier, before);
      while (!peak.compare_exchange_weak(before, live.load()));
      raise(peak, live.load());
      return before;
    }

    // One cache line, written by every pair of calls.
    counter live_bytes_{0};
    counter live_blocks_{0};
    counter peak_bytes_{0};
    counter peak_blocks_{0};
    counter largest_{0};
    counter total_{0};
    counter allocations_{0};
    counter deallocations_{0};

    counter failures_{0};
    counter earlier_bytes_{0};
    counter earlier_blocks_{0};
    counter earlier_largest_{0};
  };

  /// A count beside the ledger, for any thread.
  class tally {
  public:
    void increment() noexcept { n_.fetch_add(1, std::memory_order_relaxed); }
    /// The count.
    [[nodiscard]] std::size_t read() const noexcept { return n_.load(std::memory_order_relaxed); }

  private:
    detail::atomic<std::size_t> n_{0};
  };
};

/// Names the policy: `allot::counting_adaptor counted{arena, allot::shared_counters};`
inline constexpr shared_counters_t shared_counters{};

} // namespace allot::inline ALLOT_ABI
