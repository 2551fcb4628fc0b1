#pragma once

#include <allot/core/layout.hpp>

#include "require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <vector>

namespace fuzz {

/// What a run believes of a resource: the live blocks, in the order in which they came, and what was written into them.
class shadow {
public:
  struct block {
    std::byte* p;
    allot::layout shape;
    std::uint64_t serial; // 1 for the first one
  };

  /// Requires that a new block is aligned and shares no byte with a live one, and fills it. Of zero bytes it has an
  /// address of its own.
  const block& add(void* p, const allot::layout& shape) {
    FUZZ_REQUIRE(p != nullptr && allot::is_aligned(p, shape.alignment));
    const block fresh{static_cast<std::byte*>(p), shape, ++last_};
    const std::uintptr_t at = address(fresh);
    const auto next = by_address_.lower_bound(at);
    FUZZ_REQUIRE(next == by_address_.end() || at + extent(shape) <= next->first);
    FUZZ_REQUIRE(next == by_address_.begin() || std::prev(next)->second <= at);
    by_address_.emplace_hint(next, at, at + extent(shape));
    each_part(fresh, [&](std::byte* part, std::size_t bytes) { std::memset(part, fill(fresh), bytes); });
    return live_.emplace_back(fresh);
  }

  /// Requires that the block has kept what was written into it, and forgets it.
  block remove(std::size_t index) {
    const block gone = live_[index];
    forget(gone);
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(index));
    return gone;
  }

  /// The same for all blocks that came after the one with that number.
  void remove_after(std::uint64_t serial) {
    while (!live_.empty() && live_.back().serial > serial) {
      forget(live_.back());
      live_.pop_back();
    }
  }

  /// The same for all.
  void clear() { remove_after(0); }

  /// Requires it of all, and forgets none.
  void look() const {
    for (const block& b : live_)
      check(b);
  }

  [[nodiscard]] bool is_empty() const noexcept { return live_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return live_.size(); }
  [[nodiscard]] const std::vector<block>& live() const noexcept { return live_; }
  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

  /// Bytes of all live blocks, as they were asked for.
  [[nodiscard]] std::size_t bytes() const noexcept {
    std::size_t sum = 0;
    for (const block& b : live_)
      sum += b.shape.bytes;
    return sum;
  }

private:
  static constexpr std::size_t looked_at = 2048; // bytes at either end

  static std::uintptr_t address(const block& b) noexcept { return reinterpret_cast<std::uintptr_t>(b.p); }
  static std::size_t extent(const allot::layout& shape) noexcept { return std::max<std::size_t>(shape.bytes, 1); }
  static unsigned char fill(const block& b) noexcept { return static_cast<unsigned char>(1 + b.serial % 251); }

  template <class Use>
  static void each_part(const block& b, Use use) {
    const std::size_t part = std::min(b.shape.bytes, looked_at);
    if (part == 0) return;
    use(b.p, part);
    use(b.p + (b.shape.bytes - part), part);
  }

  static void check(const block& b) {
    each_part(b, [&](std::byte* part, std::size_t bytes) {
      FUZZ_REQUIRE(std::all_of(part, part + bytes, [&](std::byte x) { return x == std::byte{fill(b)}; }));
    });
  }

  void forget(const block& b) {
    check(b);
    by_address_.erase(address(b));
  }

  std::vector<block> live_;
  std::map<std::uintptr_t, std::uintptr_t> by_address_; // start to end
  std::uint64_t last_ = 0;
};

} // namespace fuzz
