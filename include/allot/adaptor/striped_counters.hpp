#pragma once

#include <allot/core/config.hpp>

#if ALLOT_BARE_METAL
#error "allot: striped_counters needs an operating system: there is none on bare metal"
#endif

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/adaptor/counting_stripe.hpp>
#include <allot/adaptor/shared_counters.hpp>
#include <allot/detail/thread_stripe.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// Counts for a `counting_adaptor` that many threads use at once, a cache line for each:
/// `allot::counting_adaptor c{arena, allot::striped_counters};`
///
///     thread 0 -> | line 0 |      load and store, no read-modify-write: it is the only writer
///     thread 1 -> | line 1 |
///     the rest -> | common |      read-modify-writes, as `shared_counters`
///
/// A thread has the same line in every ledger, from its first allocation through one of them to its end. The rest are
/// those beyond `Stripes`, and those that only deallocate.
///
/// Guarantees
/// - At rest every figure but the peaks is exact. While calls are in flight nothing is lost, and those of one snapshot are
///   of moments close together; what is live is never below zero.
/// - A peak is an upper bound: the sum of the peaks of all lines. It is exact where one thread alone allocates and frees,
///   and loose where a thread frees what others allocated: its line sinks while theirs rise. Restarting the peaks
///   (`counting_region`, `reset_peaks`) makes it tight again.
/// - While one thread restarts the peaks, what another one takes and gives back at that moment may be in none.
/// - A thread that ends leaves its line, and what it counted there, to one that comes.
///
/// Costs: no locked instruction for a thread with a line, six for a pair of calls without. 64 bytes for each line; a
/// snapshot reads them all.
/// Threads: any thread, lock-free, also while one ends, but no interrupt handlers: one that interrupts a call loses what
/// it, or the call, counts. Peaks are restarted by one thread at a time. In the child of a fork the figures go on from the
/// parent's, and the lines of its other threads are not used again.
///
/// \snippet tests/adaptor/striped_counters_test.cpp example
template <std::size_t Stripes = 32>
struct striped_counters_t {
  static_assert(Stripes > 0 && Stripes <= detail::thread_stripe::count);

  class alignas(64) ledger {
  public:
    void allocated(std::size_t bytes) noexcept {
      const std::size_t mine = detail::thread_stripe::current();
      if (mine < Stripes) [[likely]]
        stripes_[mine].allocated(bytes, epoch_);
      else
        allocated_without_line(bytes);
    }

    /// \pre at least one block, and at least `bytes` bytes, are live; it is not checked
    void deallocating(std::size_t bytes) noexcept {
      const std::size_t mine = detail::thread_stripe::current();
      if (mine < Stripes) [[likely]]
        stripes_[mine].deallocating(bytes, epoch_);
      else
        common_.deallocating(bytes); // and no call to take one, which would cost every caller its registers
    }

    void failed() noexcept { common_.failed(); }

    [[nodiscard]] std::size_t live_bytes() const noexcept { return sums().live_bytes; }
    [[nodiscard]] std::size_t live_blocks() const noexcept { return sums().live_blocks; }

    [[nodiscard]] counting_peaks peaks() const noexcept { return peaks_above(sums()); }

    [[nodiscard]] counting_snapshot read() const noexcept {
      counting_snapshot now = sums();
      now.failures = common_.failures();
      now.raise_peaks(peaks_above(now));
      return now;
    }

    /// The peaks from before they were last started anew. Whoever reads them after `read` misses none.
    [[nodiscard]] counting_peaks earlier_peaks() const noexcept { return earlier_.read(); }

    /// Starts the peaks anew from what is live. \return the peaks until now
    counting_peaks restart_peaks() noexcept {
      const counting_peaks before = peaks();
      earlier_.raise(before); // first: a peak is in `earlier_` before it goes
      floor_.clear();
      common_.restart_peaks();
      epoch_.fetch_add(1, std::memory_order_release);
      return before;
    }

    /// Makes no peak lower than `to`.
    void raise_peaks(const counting_peaks& to) noexcept { floor_.raise(to); }

    /// Starts the peaks anew, and forgets those from before.
    void reset_peaks() noexcept {
      restart_peaks();
      earlier_.clear();
    }

  private:
    using counter = std::atomic<std::size_t>;

    /// Peaks that only the thread that restarts them writes.
    class written_peaks {
    public:
      void raise(const counting_peaks& to) noexcept {
        counting_peaks all = read();
        all.raise(to);
        write(all);
      }
      void clear() noexcept { write({}); }
      [[nodiscard]] counting_peaks read() const noexcept {
        return {bytes_.load(std::memory_order_acquire), blocks_.load(std::memory_order_acquire),
                largest_.load(std::memory_order_acquire)};
      }

    private:
      void write(const counting_peaks& peaks) noexcept {
        bytes_.store(peaks.bytes, std::memory_order_release);
        blocks_.store(peaks.blocks, std::memory_order_release);
        largest_.store(peaks.largest_bytes, std::memory_order_release);
      }

      counter bytes_{0};
      counter blocks_{0};
      counter largest_{0};
    };

    [[gnu::noinline]] void allocated_without_line(std::size_t bytes) noexcept {
      const std::size_t mine = detail::thread_stripe::take();
      if (mine < Stripes)
        stripes_[mine].allocated(bytes, epoch_);
      else
        common_.allocated(bytes);
    }

    /// What is live, and the totals. What came back to any line is read before what went out of any: a block that is
    /// missing in the latter is none of the former, and what is live is not below zero.
    [[nodiscard]] counting_snapshot sums() const noexcept {
      counting_snapshot now;
      for (const detail::owned_stripe& stripe : stripes_) {
        now.live_bytes -= stripe.freed();
        now.live_blocks -= stripe.deallocations();
      }
      now.live_bytes += common_.live_bytes();
      now.live_blocks += common_.live_blocks();
      for (const detail::owned_stripe& stripe : stripes_) {
        now.total_bytes += stripe.total();
        now.allocations += stripe.allocations();
      }
      now.live_bytes += now.total_bytes;
      now.live_blocks += now.allocations;
      now.total_bytes += common_.total();
      now.allocations += common_.allocations();
      now.deallocations = now.allocations - now.live_blocks;
      return now;
    }

    /// The sum of the lines' peaks, and not below what is live in `now`.
    [[nodiscard]] counting_peaks peaks_above(const counting_snapshot& now) const noexcept {
      const std::size_t epoch = epoch_.load(std::memory_order_acquire);
      counting_peaks sum = common_.template peaks<counting_peaks>();
      for (const detail::owned_stripe& stripe : stripes_) {
        const auto one = stripe.template peaks_in<counting_peaks>(epoch);
        sum.bytes += one.bytes;
        sum.blocks += one.blocks;
        sum.largest_bytes = std::max(sum.largest_bytes, one.largest_bytes);
      }
      // Of lines that sink while they are read the sum may be negative.
      if (detail::is_less_signed(sum.bytes, now.live_bytes)) sum.bytes = now.live_bytes;
      if (detail::is_less_signed(sum.blocks, now.live_blocks)) sum.blocks = now.live_blocks;
      sum.raise(floor_.read());
      return sum;
    }

    std::array<detail::owned_stripe, Stripes> stripes_; // line k belongs to the thread of number k
    detail::common_stripe common_;
    alignas(64) counter epoch_{0}; // read by every call: on a line that only restarts write
    written_peaks floor_;          // from `raise_peaks`; the peaks are not below
    written_peaks earlier_;
  };

  /// A count beside the ledger, for any thread; shared by all.
  using tally = shared_counters_t::tally;
};

/// Names the policy: `allot::counting_adaptor counted{arena, allot::striped_counters};`, or with another number of lines
/// `allot::striped_counters_t<64>{}`.
inline constexpr striped_counters_t<> striped_counters{};

} // namespace allot::inline ALLOT_ABI
