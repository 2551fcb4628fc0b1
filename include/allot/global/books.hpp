#pragma once

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/core/config.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>

/// \file
/// For the counter's own sources: what its operators tell it, and the figures of one thread. No promises to users.

namespace allot::inline ALLOT_ABI::global {

class no_allocation_scope;
class thread_region;

namespace detail {

/// The peaks of one thread. Signed, since what a thread has live may be: it frees blocks of others.
struct thread_peaks {
  std::ptrdiff_t bytes = 0;
  std::ptrdiff_t blocks = 0;
  std::size_t largest_bytes = 0;

  /// Makes none lower than in `to`.
  void raise(const thread_peaks& to) noexcept {
    bytes = std::max(bytes, to.bytes);
    blocks = std::max(blocks, to.blocks);
    largest_bytes = std::max(largest_bytes, to.largest_bytes);
  }
};

/// The figures of one thread, which alone writes them: atomic for its signal handlers, and never a locked instruction.
/// It has neither a constructor to run nor a destructor, so that it serves the destructors of all other `thread_local`
/// variables too.
class thread_ledger {
public:
  void allocated(std::size_t bytes) noexcept {
    raise(peak_bytes_, add(live_bytes_, static_cast<std::ptrdiff_t>(bytes)));
    raise(peak_blocks_, add(live_blocks_, std::ptrdiff_t{1}));
    raise(largest_, bytes);
    add(total_, bytes);
    add(allocations_, std::size_t{1});
  }

  void deallocating(std::size_t bytes) noexcept {
    add(live_bytes_, -static_cast<std::ptrdiff_t>(bytes));
    add(live_blocks_, std::ptrdiff_t{-1});
    add(deallocations_, std::size_t{1});
  }

  void failed() noexcept { add(failures_, std::size_t{1}); }

  /// The figures since the thread started, but for the peaks and the largest block.
  [[nodiscard]] counting_difference read() const noexcept {
    return {.live_bytes = live_bytes_.load(relaxed),
            .total_bytes = total_.load(relaxed),
            .live_blocks = live_blocks_.load(relaxed),
            .allocations = allocations_.load(relaxed),
            .deallocations = deallocations_.load(relaxed),
            .failures = failures_.load(relaxed)};
  }

  /// Those since the last `restart_peaks`.
  [[nodiscard]] thread_peaks peaks() const noexcept {
    return {peak_bytes_.load(relaxed), peak_blocks_.load(relaxed), largest_.load(relaxed)};
  }

  /// Starts the peaks anew from what is live.
  void restart_peaks() noexcept {
    peak_bytes_.store(live_bytes_.load(relaxed), relaxed);
    peak_blocks_.store(live_blocks_.load(relaxed), relaxed);
    largest_.store(0, relaxed);
  }

  /// Makes no peak lower than `to`.
  void raise_peaks(const thread_peaks& to) noexcept {
    raise(peak_bytes_, to.bytes);
    raise(peak_blocks_, to.blocks);
    raise(largest_, to.largest_bytes);
  }

  thread_region* innermost_region = nullptr;
  no_allocation_scope* innermost_scope = nullptr;

private:
  static constexpr auto relaxed = std::memory_order_relaxed;

  template <class N>
  static N add(std::atomic<N>& figure, N n) noexcept {
    const N now = figure.load(relaxed) + n;
    figure.store(now, relaxed);
    return now;
  }

  template <class N>
  static void raise(std::atomic<N>& peak, N to) noexcept {
    if (peak.load(relaxed) < to) peak.store(to, relaxed);
  }

  std::atomic<std::ptrdiff_t> live_bytes_{0};
  std::atomic<std::ptrdiff_t> live_blocks_{0};
  std::atomic<std::ptrdiff_t> peak_bytes_{0};
  std::atomic<std::ptrdiff_t> peak_blocks_{0};
  std::atomic<std::size_t> total_{0};
  std::atomic<std::size_t> allocations_{0};
  std::atomic<std::size_t> deallocations_{0};
  std::atomic<std::size_t> failures_{0};
  std::atomic<std::size_t> largest_{0};
};

/// This thread's. Of the model that finds it without a call: the general one takes a thread's copy from malloc at the
/// first use, which may be in a signal handler.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local thread_ledger this_thread;

/// Before a block is asked for: ends the program where a `no_allocation_scope` says so.
void requested(std::size_t bytes, std::size_t alignment) noexcept;

/// A block was given out.
void allocated(std::size_t bytes) noexcept;

/// A request was not served.
void failed() noexcept;

/// A block of `allocated` came back, and is not free yet.
void deallocating(std::size_t bytes) noexcept;

/// A block came back that is none of the counter's.
void deallocating_foreign() noexcept;

} // namespace detail

} // namespace allot::inline ALLOT_ABI::global
