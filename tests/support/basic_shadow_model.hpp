#pragma once

#include <allot/core/layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <vector>

namespace support {

/// What a test believes of a resource: the live blocks, in the order in which they came, and what was written into them.
/// \tparam Require  what to do where it is not so: `that(bool, const char*)` takes a condition and what it means. Of a
///                  block up to `looked_at` bytes at either end are filled and looked at.
template <class Require>
class basic_shadow_model {
public:
  struct block {
    std::byte* p;
    allot::layout shape;
    std::uint64_t serial; // 1 for the first one
  };

  /// Requires that a new block is aligned and shares no byte with a live one, and fills it. Of zero bytes it has an
  /// address of its own.
  const block& add(void* p, const allot::layout& shape) {
    Require::that(p != nullptr, "a block has an address");
    Require::that(allot::is_aligned(p, shape.alignment), "a block is aligned");
    const block fresh{static_cast<std::byte*>(p), shape, ++last_};
    const std::uintptr_t at = address(fresh);
    const auto next = by_address_.lower_bound(at);
    Require::that(next == by_address_.end() || at + extent(shape) <= next->first, "a block ends before the next one");
    Require::that(next == by_address_.begin() || std::prev(next)->second <= at, "a block begins behind the one before");
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
    while (!live_.empty() && live_.back().serial > serial)
      remove_last();
  }

  /// The same for all but the first `n`, whose bytes are looked at too.
  void shrink_to(std::size_t n) {
    look();
    while (live_.size() > n)
      remove_last();
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
  static std::uintptr_t address(const block& b) noexcept { return reinterpret_cast<std::uintptr_t>(b.p); }
  static std::size_t extent(const allot::layout& shape) noexcept { return std::max<std::size_t>(shape.bytes, 1); }
  static unsigned char fill(const block& b) noexcept { return static_cast<unsigned char>(1 + b.serial % 251); }

  template <class Use>
  static void each_part(const block& b, Use use) {
    const std::size_t part = std::min(b.shape.bytes, Require::looked_at);
    if (part != 0) use(b.p, part);
    if (part != b.shape.bytes) use(b.p + (b.shape.bytes - part), part);
  }

  static void check(const block& b) {
    each_part(b, [&](std::byte* part, std::size_t bytes) {
      Require::that(std::all_of(part, part + bytes, [&](std::byte x) { return x == std::byte{fill(b)}; }),
                    "a block keeps what is written into it");
    });
  }

  void remove_last() {
    forget(live_.back());
    live_.pop_back();
  }

  void forget(const block& b) {
    check(b);
    by_address_.erase(address(b));
  }

  std::vector<block> live_;
  std::map<std::uintptr_t, std::uintptr_t> by_address_; // start to end
  std::uint64_t last_ = 0;
};

} // namespace support
