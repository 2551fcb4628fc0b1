#pragma once

#include <allot/core/layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace fuzz {

/// Reads the decisions of one run from its bytes. Where they are used up each further one is 0, and `is_empty` says so.
///
/// Most decisions take one byte, so that a change of one byte changes one of them.
class input {
public:
  explicit input(std::span<const std::uint8_t> bytes) noexcept : left_{bytes} {}

  [[nodiscard]] bool is_empty() const noexcept { return left_.empty(); }

  std::uint8_t byte() noexcept {
    if (left_.empty()) return 0;
    const std::uint8_t first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }

  /// One of `n` choices. \pre 0 < n <= 256
  std::size_t below(std::size_t n) noexcept { return byte() % n; }

  bool flag() noexcept { return byte() % 2 != 0; }

  /// A number of `bytes` bytes, the lowest first.
  std::uint64_t word(std::size_t bytes = 8) noexcept {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      all |= std::uint64_t{byte()} << (8 * i);
    return all;
  }

  /// A number of bytes to ask for: mostly few, sometimes none, near a power of two, or more than there can be.
  std::size_t size() noexcept {
    constexpr std::size_t most = SIZE_MAX;
    const std::size_t kind = byte();
    if (kind < 200) return kind;
    if (kind < 228) return static_cast<std::size_t>(word(2));
    if (kind < 244) {
      const std::size_t near = byte();
      return (std::size_t{1} << (near % 21)) + near / 32 % 3 - 1;
    }
    if (kind < 250) return most - byte();
    if (kind < 253) return most / 2 + 128 - byte();
    return static_cast<std::size_t>(word());
  }

  /// A power of two: mostly up to 128, sometimes up to 2^30.
  std::size_t alignment() noexcept {
    const std::size_t kind = byte();
    return std::size_t{1} << (kind < 216 ? kind % 8 : kind % 31);
  }

  allot::layout request() noexcept {
    const std::size_t bytes = size();
    return {bytes, alignment()};
  }

  /// Up to `most` bytes as they stand, as many as the next byte says. \pre `most` < 256
  std::string text(std::size_t most) {
    const std::size_t length = std::min(below(most + 1), left_.size());
    std::string out(reinterpret_cast<const char*>(left_.data()), length);
    left_ = left_.subspan(length);
    return out;
  }

  /// All that is left.
  std::string rest() {
    std::string out(reinterpret_cast<const char*>(left_.data()), left_.size());
    left_ = {};
    return out;
  }

private:
  std::span<const std::uint8_t> left_;
};

} // namespace fuzz
