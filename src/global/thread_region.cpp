#include <allot/core/expects.hpp>
#include <allot/global/counter.hpp>
#include <allot/global/thread_region.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace allot::inline ALLOT_ABI::global {
namespace {

std::size_t above(std::ptrdiff_t peak, std::ptrdiff_t start) noexcept {
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(peak - start, 0));
}

counting_difference difference(const detail::thread_peaks& peaks, const counting_difference& start) noexcept {
  const counting_difference now = detail::this_thread.read();
  return {.live_bytes = now.live_bytes - start.live_bytes,
          .peak_bytes = above(peaks.bytes, start.live_bytes),
          .total_bytes = now.total_bytes - start.total_bytes,
          .live_blocks = now.live_blocks - start.live_blocks,
          .peak_blocks = above(peaks.blocks, start.live_blocks),
          .allocations = now.allocations - start.allocations,
          .deallocations = now.deallocations - start.deallocations,
          .failures = now.failures - start.failures,
          .largest_bytes = peaks.largest_bytes};
}

} // namespace

thread_region::thread_region() noexcept
    : outer_{detail::this_thread.innermost_region},
      before_{detail::this_thread.peaks()},
      start_{detail::this_thread.read()} {
  std::atomic_signal_fence(std::memory_order_release); // a signal handler finds the peaks here before they start anew
  detail::this_thread.innermost_region = this;
  std::atomic_signal_fence(std::memory_order_release);
  detail::this_thread.restart_peaks();
}

thread_region::~thread_region() {
  ALLOT_EXPECTS(detail::this_thread.innermost_region == this);
  detail::this_thread.raise_peaks(before_);
  std::atomic_signal_fence(std::memory_order_release);
  detail::this_thread.innermost_region = outer_;
}

detail::thread_peaks thread_region::peaks_inside(const thread_region* region) noexcept {
  detail::thread_peaks peaks = detail::this_thread.peaks();
  for (const thread_region* r = detail::this_thread.innermost_region; r != region; r = r->outer_)
    peaks.raise(r->before_);
  return peaks;
}

counting_difference thread_region::so_far() const noexcept { return difference(peaks_inside(this), start_); }

counting_difference thread_snapshot() noexcept { return difference(thread_region::peaks_inside(nullptr), {}); }

} // namespace allot::inline ALLOT_ABI::global
