#pragma once

#include <allot/core/config.hpp>

#include <algorithm>
#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// What happened between two snapshots, or in a `counting_region`. Bytes are those that the callers asked for.
struct counting_difference {
  std::ptrdiff_t live_bytes = 0;  ///< growth of what is live; negative where more went back than came out
  std::size_t peak_bytes = 0;     ///< the most that was live at once above what was live at the start; see `operator-`
  std::size_t total_bytes = 0;    ///< given out in between
  std::ptrdiff_t live_blocks = 0; ///< as `live_bytes`
  std::size_t peak_blocks = 0;    ///< as `peak_bytes`
  std::size_t allocations = 0;    ///< blocks given out
  std::size_t deallocations = 0;  ///< blocks that came back
  std::size_t failures = 0;       ///< requests that upstream could not serve
  std::size_t largest_bytes = 0;  ///< the largest single block; see `operator-`

  friend bool operator==(const counting_difference&, const counting_difference&) noexcept = default;
};

/// The figures that only ever rise, and that a `counting_region` starts anew.
struct counting_peaks {
  std::size_t bytes = 0;         ///< the most that were live at once
  std::size_t blocks = 0;        ///< the most that were live at once
  std::size_t largest_bytes = 0; ///< the largest single block given out

  /// Makes none lower than in `to`.
  constexpr void raise(const counting_peaks& to) noexcept {
    bytes = std::max(bytes, to.bytes);
    blocks = std::max(blocks, to.blocks);
    largest_bytes = std::max(largest_bytes, to.largest_bytes);
  }

  friend bool operator==(const counting_peaks&, const counting_peaks&) noexcept = default;
};

/// The figures of a `counting_adaptor` at one moment. Bytes are those that the callers asked for (`requested`): what an
/// upstream adds for alignment or as headers is not in them.
struct counting_snapshot {
  std::size_t live_bytes = 0;    ///< given out and not yet back
  std::size_t peak_bytes = 0;    ///< the most that was ever live at once
  std::size_t total_bytes = 0;   ///< of all blocks ever given out
  std::size_t live_blocks = 0;   ///< given out and not yet back
  std::size_t peak_blocks = 0;   ///< the most that were ever live at once
  std::size_t allocations = 0;   ///< blocks given out
  std::size_t deallocations = 0; ///< blocks that came back
  std::size_t failures = 0;      ///< requests that upstream could not serve; they are in no other figure
  std::size_t largest_bytes = 0; ///< the largest single block ever given out

  /// Makes no peak lower than in `to`.
  constexpr void raise_peaks(const counting_peaks& to) noexcept {
    peak_bytes = std::max(peak_bytes, to.bytes);
    peak_blocks = std::max(peak_blocks, to.blocks);
    largest_bytes = std::max(largest_bytes, to.largest_bytes);
  }

  friend bool operator==(const counting_snapshot&, const counting_snapshot&) noexcept = default;
};

/// What happened since `earlier`. A snapshot knows of one peak and one largest block, since the adaptor was made: as
/// figures of the time in between they are upper bounds. They are exact where `later` is of a `counting_region` and
/// `earlier` its start, and where the peaks were reset at `earlier`. Where other threads reset them after `earlier`, the
/// peak above what was live then may be none: that is 0.
/// \pre both are of the same adaptor, and `later` was not taken before `earlier`
[[nodiscard]] constexpr counting_difference operator-(const counting_snapshot& later,
                                                      const counting_snapshot& earlier) noexcept {
  return {.live_bytes = static_cast<std::ptrdiff_t>(later.live_bytes - earlier.live_bytes),
          .peak_bytes = later.peak_bytes - std::min(later.peak_bytes, earlier.live_bytes),
          .total_bytes = later.total_bytes - earlier.total_bytes,
          .live_blocks = static_cast<std::ptrdiff_t>(later.live_blocks - earlier.live_blocks),
          .peak_blocks = later.peak_blocks - std::min(later.peak_blocks, earlier.live_blocks),
          .allocations = later.allocations - earlier.allocations,
          .deallocations = later.deallocations - earlier.deallocations,
          .failures = later.failures - earlier.failures,
          .largest_bytes = later.largest_bytes};
}

} // namespace allot::inline ALLOT_ABI
