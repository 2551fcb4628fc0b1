#pragma once

#include <allot/core/config.hpp>

#include <atomic>
#include <cstddef>
#include <functional>

namespace allot::inline ALLOT_ABI::detail {

/// Compares what is live in a stripe, which may be negative: a block can come back in another stripe than the one it went
/// out in.
[[nodiscard]] inline bool is_less_signed(std::size_t a, std::size_t b) noexcept {
  return static_cast<std::ptrdiff_t>(a) < static_cast<std::ptrdiff_t>(b);
}

/// A stripe that one thread writes at a time, without a read-modify-write.
///
/// Peaks are restarted by raising the ledger's epoch, since nobody else may write here: the owner starts its own anew when
/// it sees the new epoch, before it changes anything. Until then nothing has changed since the restart, and the peaks are
/// what is live.
class alignas(64) owned_stripe {
public:
  using counter = std::atomic<std::size_t>;

  [[gnu::always_inline]] void allocated(std::size_t bytes, const counter& epoch) noexcept {
    keep_up_with(epoch);
    const std::size_t bytes_out = total_.load(relaxed) + bytes;
    const std::size_t blocks_out = allocations_.load(relaxed) + 1;
    total_.store(bytes_out, relaxed);
    allocations_.store(blocks_out, relaxed);
    raise(peak_bytes_, bytes_out - freed_.load(relaxed));
    raise(peak_blocks_, blocks_out - deallocations_.load(relaxed));
    if (bytes > largest_.load(relaxed)) [[unlikely]]
      largest_.store(bytes, release);
  }

  [[gnu::always_inline]] void deallocating(std::size_t bytes, const counter& epoch) noexcept {
    keep_up_with(epoch);
    freed_.store(freed_.load(relaxed) + bytes, release);
    deallocations_.store(deallocations_.load(relaxed) + 1, release);
  }

  /// \name What went out, and what came back. Who sees a block come back, and only then asks what went out, sees it there.
  /// \{
  [[nodiscard]] std::size_t freed() const noexcept { return freed_.load(acquire); }
  [[nodiscard]] std::size_t deallocations() const noexcept { return deallocations_.load(acquire); }
  [[nodiscard]] std::size_t total() const noexcept { return total_.load(relaxed); }
  [[nodiscard]] std::size_t allocations() const noexcept { return allocations_.load(relaxed); }
  /// \}

  /// The peaks since `epoch` began, signed. Exact where the owner is at rest.
  template <class Peaks>
  [[nodiscard]] Peaks peaks_in(std::size_t epoch) const noexcept {
    const std::size_t before = epoch_.load(acquire);
    const Peaks seen{peak_bytes_.load(acquire), peak_blocks_.load(acquire), largest_.load(acquire)};
    if (before == epoch && epoch_.load(relaxed) == epoch) [[likely]]
      return seen;
    return {live_bytes(), live_blocks(), 0};
  }

private:
  static constexpr auto relaxed = std::memory_order_relaxed;
  static constexpr auto acquire = std::memory_order_acquire;
  static constexpr auto release = std::memory_order_release;
  static constexpr std::size_t no_epoch = ~std::size_t{0};

  [[nodiscard]] std::size_t live_bytes() const noexcept {
    const std::size_t back = freed();
    return total() - back;
  }
  [[nodiscard]] std::size_t live_blocks() const noexcept {
    const std::size_t back = deallocations();
    return allocations() - back;
  }

  static void raise(counter& peak, std::size_t to) noexcept {
    if (is_less_signed(peak.load(relaxed), to)) [[unlikely]]
      peak.store(to, release);
  }

  void keep_up_with(const counter& epoch) noexcept {
    if (epoch.load(relaxed) != epoch_.load(relaxed)) [[unlikely]]
      start_peaks(epoch.load(acquire));
  }

  /// Inlined, though it is rare: a call in the middle would cost every caller its registers.
  [[gnu::always_inline]] void start_peaks(std::size_t epoch) noexcept {
    epoch_.store(no_epoch, relaxed); // for whoever reads meanwhile: who sees one of the peaks sees this
    peak_bytes_.store(live_bytes(), release);
    peak_blocks_.store(live_blocks(), release);
    largest_.store(0, release);
    epoch_.store(epoch, release);
  }

  // What is live is a difference of two sums. The sums may wrap; the differences stay right.
  counter total_{0};
  counter freed_{0};
  counter allocations_{0};
  counter deallocations_{0};
  counter peak_bytes_{0};
  counter peak_blocks_{0};
  counter largest_{0};
  counter epoch_{0}; // the one that the peaks belong to
};

/// The stripe of all threads that have none of their own. What is live and the peaks are sequentially consistent for the
/// sake of `restart`.
class alignas(64) common_stripe {
public:
  using counter = std::atomic<std::size_t>;

  void allocated(std::size_t bytes) noexcept {
    total_.fetch_add(bytes); // before it is live: who sees it live sees it here
    allocations_.fetch_add(1);
    raise(peak_bytes_, live_bytes_.fetch_add(bytes) + bytes, is_less_signed);
    raise(peak_blocks_, live_blocks_.fetch_add(1) + 1, is_less_signed);
    raise(largest_, bytes, std::less<>{});
  }

  void deallocating(std::size_t bytes) noexcept {
    live_bytes_.fetch_sub(bytes);
    live_blocks_.fetch_sub(1);
  }

  /// Of any thread.
  void failed() noexcept { failures_.fetch_add(1); }
  [[nodiscard]] std::size_t failures() const noexcept { return failures_.load(); }

  [[nodiscard]] std::size_t live_bytes() const noexcept { return live_bytes_.load(); }
  [[nodiscard]] std::size_t live_blocks() const noexcept { return live_blocks_.load(); }
  [[nodiscard]] std::size_t total() const noexcept { return total_.load(); }
  [[nodiscard]] std::size_t allocations() const noexcept { return allocations_.load(); }

  /// The peaks since they were restarted, signed.
  template <class Peaks>
  [[nodiscard]] Peaks peaks() const noexcept {
    return {peak_bytes_.load(), peak_blocks_.load(), largest_.load()};
  }

  void restart_peaks() noexcept {
    restart(peak_bytes_, live_bytes_);
    restart(peak_blocks_, live_blocks_);
    largest_.store(0);
  }

private:
  template <class Less>
  static void raise(counter& peak, std::size_t to, Less less) noexcept {
    std::size_t seen = peak.load();
    while (less(seen, to) && !peak.compare_exchange_weak(seen, to)) {
    }
  }

  /// `live` is read a second time: whoever raised it in between, and then saw the old peak, did not raise the new one.
  static void restart(counter& peak, const counter& live) noexcept {
    peak.store(live.load());
    raise(peak, live.load(), is_less_signed);
  }

  counter total_{0};
  counter allocations_{0};
  counter live_bytes_{0};
  counter live_blocks_{0};
  counter peak_bytes_{0};
  counter peak_blocks_{0};
  counter largest_{0};
  counter failures_{0};
};

} // namespace allot::inline ALLOT_ABI::detail
