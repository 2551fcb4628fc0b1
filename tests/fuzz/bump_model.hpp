#pragma once

#include <allot/core/layout.hpp>

#include "require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace fuzz {

/// What an arena over one buffer must do, in plain arithmetic on addresses.
class bump_model {
public:
  /// \param min_alignment  the buffer is cut to multiples of it
  bump_model(const void* memory, std::size_t bytes, std::size_t min_alignment) : least_{min_alignment} {
    const auto from = reinterpret_cast<std::uintptr_t>(memory);
    begin_ = (from + least_ - 1) / least_ * least_;
    end_ = (from + bytes) / least_ * least_;
    if (end_ < begin_) begin_ = end_ = 0;
    cursor_ = floor_ = lowest_ = end_;
  }

  /// Where the block of a request has to lie; nothing where there is no room.
  [[nodiscard]] std::optional<std::uintptr_t> fit(const allot::layout& wanted) const noexcept {
    const std::size_t taken = std::max<std::size_t>(wanted.bytes, 1);
    if (taken > cursor_ - begin_) return std::nullopt;
    const std::size_t alignment = std::max(wanted.alignment, least_);
    const std::uintptr_t at = (cursor_ - taken) / alignment * alignment;
    if (at < begin_) return std::nullopt;
    return at;
  }

  void take(std::uintptr_t at) noexcept {
    cursor_ = at;
    lowest_ = std::min(lowest_, at);
  }

  void give_back(std::uintptr_t at, std::size_t bytes) noexcept {
    if (at != cursor_ || at >= floor_) return;
    const std::size_t taken = std::max<std::size_t>(bytes, 1);
    cursor_ = at + (taken + least_ - 1) / least_ * least_;
  }

  struct mark_type {
    std::uintptr_t cursor;
    std::uintptr_t floor;
  };

  mark_type mark() noexcept {
    const mark_type here{cursor_, floor_};
    floor_ = cursor_;
    return here;
  }

  void rewind(const mark_type& to) noexcept {
    cursor_ = to.cursor;
    floor_ = to.floor;
  }

  void reset() noexcept { cursor_ = floor_ = end_; }

  [[nodiscard]] std::size_t used() const noexcept { return end_ - cursor_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return end_ - begin_; }
  [[nodiscard]] std::size_t high_water() const noexcept { return end_ - lowest_; }
  [[nodiscard]] bool holds(const void* p) const noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(p);
    return at >= begin_ && at < end_;
  }

private:
  std::size_t least_;
  std::uintptr_t begin_;
  std::uintptr_t end_;
  std::uintptr_t cursor_;
  std::uintptr_t floor_;
  std::uintptr_t lowest_;
};

} // namespace fuzz
