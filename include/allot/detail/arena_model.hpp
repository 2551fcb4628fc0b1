#pragma once

#include <allot/core/layout.hpp>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <limits>

namespace allot::inline ALLOT_ABI::detail {

/// What a `bump_resource<>` would do with a sequence of calls, for every size that it could have at once.
///
///     begin                  cursor                     end = begin + size
///       | free ............... | newest | ... | oldest |
///       |                      |<------- used -------->|      one such figure for each phase
///
/// The buffer begins at a multiple of the largest alignment asked for, and is filled from its end. So the padding of a block
/// depends on where the end lies: on the size modulo that alignment, its phase. So does whether a block is the last one when
/// it comes back, since the padding below a block that was taken back is not. Between sizes of one phase there is no
/// difference, and each phase has its own books here.
///
/// Costs: a call is one step for each phase: as many as the largest alignment asked for so far.
template <std::size_t MaxAlign>
class arena_model {
  static_assert(is_alignment(MaxAlign) && MaxAlign <= 65536, "the largest alignment is a power of two, and has a book");

public:
  /// What a block has to remember until it comes back.
  struct seat {
    std::bitset<MaxAlign> flush; // the phases in which it lies on the block before it: neither padding nor loss between
    std::size_t phases;          // that there were then: a later phase p was phase p % phases
  };

  /// The cursors of a moment.
  class state {
    friend arena_model;
    std::array<std::size_t, MaxAlign> used_;
    std::bitset<MaxAlign> at_newest_;
    std::size_t phases_;
  };

  /// Whether an arena of some size could serve a request more.
  [[nodiscard]] bool has_room(std::size_t bytes, std::size_t alignment) const noexcept {
    if (alignment > MaxAlign) return false;
    const auto end = used_.begin() + static_cast<std::ptrdiff_t>(phases_);
    const std::size_t room = largest_size - *std::max_element(used_.begin(), end);
    return room >= alignment && bytes <= room - alignment;
  }

  /// A block is given out. \pre `has_room`
  [[nodiscard]] seat place(std::size_t bytes, std::size_t alignment) noexcept {
    split_into(alignment);
    seat where{.flush = at_newest_, .phases = phases_};
    for (std::size_t phase = 0; phase < phases_; ++phase) {
      const std::size_t start = phase - used_[phase] - taken_by(bytes); // modulo a word, and so modulo `alignment`
      const std::size_t padding = start & (alignment - 1);
      used_[phase] += taken_by(bytes) + padding;
      peak_[phase] = std::max(peak_[phase], used_[phase]);
      if (padding != 0) where.flush[phase] = false;
    }
    at_newest_.set();
    return where;
  }

  /// The newest block that is live comes back, and may be taken back where it is the last one.
  /// \param next_is_neighbour  the block that is the newest now is the one that was it when this one was placed
  /// \return whether that was so in all phases
  bool take_back(const seat& where, std::size_t bytes, bool next_is_neighbour) noexcept {
    bool everywhere = true;
    for (std::size_t phase = 0; phase < phases_; ++phase) {
      if (at_newest_[phase]) {
        used_[phase] -= taken_by(bytes);
        at_newest_[phase] = next_is_neighbour && where.flush[phase & (where.phases - 1)];
      } else {
        everywhere = false;
      }
    }
    return everywhere;
  }

  [[nodiscard]] state now() const noexcept {
    state here;
    here.used_ = used_;
    here.at_newest_ = at_newest_;
    here.phases_ = phases_;
    return here;
  }

  /// \param same_newest  the block that is the newest live one is the one that was it then
  void return_to(const state& then, bool same_newest) noexcept {
    for (std::size_t phase = 0; phase < phases_; ++phase) {
      used_[phase] = then.used_[phase & (then.phases_ - 1)];
      at_newest_[phase] = same_newest && then.at_newest_[phase & (then.phases_ - 1)];
    }
  }

  /// As after a reset: empty, and the peaks stay.
  void clear() noexcept {
    used_.fill(0);
    at_newest_.reset();
  }

  /// The least number of bytes with which, and with any greater number, all requests so far would have been served.
  [[nodiscard]] std::size_t needed_bytes() const noexcept {
    std::size_t needed = 0;
    for (std::size_t phase = 0; phase < phases_; ++phase) {
      if (peak_[phase] == 0) continue;
      const std::size_t to_phase = (peak_[phase] - 1 - phase) & (phases_ - 1);
      const std::size_t above_all_that_fail = to_phase < peak_[phase] ? peak_[phase] - to_phase : 0;
      needed = std::max(needed, above_all_that_fail);
    }
    return needed;
  }

  /// The largest alignment asked for.
  [[nodiscard]] std::size_t needed_alignment() const noexcept { return phases_; }

private:
  static constexpr std::size_t largest_size = std::numeric_limits<std::size_t>::max() / 2;

  static std::size_t taken_by(std::size_t bytes) noexcept { return bytes == 0 ? 1 : bytes; }

  /// Until now the phases modulo `phases_` made the same steps.
  void split_into(std::size_t alignment) noexcept {
    for (; phases_ < alignment; phases_ *= 2) {
      for (std::size_t phase = 0; phase < phases_; ++phase) {
        used_[phases_ + phase] = used_[phase];
        peak_[phases_ + phase] = peak_[phase];
        at_newest_[phases_ + phase] = at_newest_[phase];
      }
    }
  }

  std::array<std::size_t, MaxAlign> used_{}; // from the cursor to the end
  std::array<std::size_t, MaxAlign> peak_{};
  std::bitset<MaxAlign> at_newest_; // the phases in which the cursor stands at the newest block that is live
  std::size_t phases_ = 1;          // the largest alignment asked for
};

} // namespace allot::inline ALLOT_ABI::detail
