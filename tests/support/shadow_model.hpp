#pragma once

#include <allot/core/layout.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace support {

/// What a property test believes of a resource: the live blocks and what was written into them.
class shadow_model {
public:
  struct block {
    std::byte* p;
    std::size_t bytes;
    std::size_t alignment;
    unsigned char fill;
  };

  /// Checks a new block against all live ones, and fills it. A block of zero bytes has an address of its own.
  void add(void* p, std::size_t bytes, std::size_t alignment) {
    REQUIRE(p != nullptr);
    REQUIRE(allot::is_aligned(p, alignment));
    const block fresh{static_cast<std::byte*>(p), bytes, alignment, next_fill_++};
    for (const block& b : live_) {
      REQUIRE((end_of(fresh) <= address(b) || end_of(b) <= address(fresh)));
    }
    if (bytes != 0) std::memset(p, fresh.fill, bytes);
    live_.push_back(fresh);
  }

  /// Checks that the block has kept what was written into it, and forgets it.
  block remove(std::size_t index) {
    const block b = live_[index];
    check(b);
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(index));
    return b;
  }

  /// Checks all blocks, and forgets those that came after the first `n`.
  void shrink_to(std::size_t n) {
    for (const block& b : live_)
      check(b);
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(n), live_.end());
  }

  [[nodiscard]] std::size_t size() const { return live_.size(); }
  [[nodiscard]] const std::vector<block>& live() const { return live_; }

private:
  static std::uintptr_t address(const block& b) { return reinterpret_cast<std::uintptr_t>(b.p); }
  static std::uintptr_t end_of(const block& b) { return address(b) + std::max<std::size_t>(b.bytes, 1); }

  static void check(const block& b) {
    REQUIRE(std::all_of(b.p, b.p + b.bytes, [&](std::byte x) { return x == std::byte{b.fill}; }));
  }

  std::vector<block> live_; // in the order in which they were allocated
  unsigned char next_fill_ = 1;
};

/// A size and an alignment: mostly small, sometimes zero, sometimes far too much.
inline allot::layout random_request(allot::split_mix& random) {
  const std::size_t alignment = std::size_t{1} << random.below(random.below(8) == 0 ? 21 : 6);
  switch (random.below(32)) {
  case 0: return {0, alignment};
  case 1: return {static_cast<std::size_t>(random()) | (SIZE_MAX / 2), alignment};
  case 2: return {random.below(random.below(2) == 0 ? 150'000 : 2'000), alignment};
  default: return {1 + random.below(100), alignment};
  }
}

} // namespace support
