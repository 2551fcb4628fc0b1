#pragma once

#include <allot/core/layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace support {

/// What a test believes of a resource: the live blocks, in the order in which they came, and what was written into them.
/// \tparam Require  what to do where it is not so: `that(is_so, "what should be")`. Of a block up to `looked_at` bytes
///                  at either end are filled and looked at.
template <class Require>
class basic_shadow_model {
public:
  struct block {
    std::byte* p;
    allot::layout shape;
    std::size_t serial; // 1 for the first one
  };

  /// Requires that a new block is aligned and shares no byte with a live one, and fills it. Of zero bytes it has an
  /// address of its own.
  const block& add(void* p, const allot::layout& shape) {
    Require::that(p != nullptr, "a block has an address");
    Require::that(allot::is_aligned(p, shape.alignment), "a block is aligned");
    const block fresh{static_cast<std::byte*>(p), shape, ++last_};
    for (const block& b : live_)
      Require::that(end_of(fresh) <= address(b) || end_of(b) <= address(fresh), "no byte is another block's too");
    each_part(fresh, [&](std::byte* part, std::size_t bytes) { std::memset(part, fill(fresh), bytes); });
    return live_.emplace_back(fresh);
  }

  /// Requires that the block has kept what was written into it, and forgets it.
  block remove(std::size_t index) {
    const block gone = live_[index];
    check(gone);
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(index));
    return gone;
  }

  /// The same for all blocks that came after the one with that number.
  void remove_after(std::size_t serial) {
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
  [[nodiscard]] std::size_t last() const noexcept { return last_; }

  /// Bytes of all live blocks, as they were asked for.
  [[nodiscard]] std::size_t bytes() const noexcept {
    std::size_t sum = 0;
    for (const block& b : live_)
      sum += b.shape.bytes;
    return sum;
  }

private:
  static std::uintptr_t address(const block& b) noexcept { return reinterpret_cast<std::uintptr_t>(b.p); }
  static std::uintptr_t end_of(const block& b) noexcept { return address(b) + std::max<std::size_t>(b.shape.bytes, 1); }
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
    check(live_.back());
    live_.pop_back();
  }

  std::vector<block> live_;
  std::size_t last_ = 0;
};

} // namespace support
