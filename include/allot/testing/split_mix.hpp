#pragma once

#include <allot/core/config.hpp>

#include <cstddef>
#include <cstdint>

namespace allot::inline ALLOT_ABI {

/// Random numbers for tests: the same on every machine for the same seed.
///
/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
///
/// Threads: one thread at a time.
class split_mix {
public:
  /// Any seed is as good as another.
  explicit constexpr split_mix(std::uint64_t seed = 0) noexcept : state_{seed} {}

  /// 64 random bits.
  constexpr std::uint64_t operator()() noexcept {
    std::uint64_t x = state_ += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }

  /// A number in [0, n). The bias is below n / 2^64. \pre `n > 0`
  constexpr std::size_t below(std::size_t n) noexcept { return static_cast<std::size_t>((*this)() % n); }

  /// A number in [0, 1).
  constexpr double unit() noexcept { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

private:
  std::uint64_t state_;
};

} // namespace allot::inline ALLOT_ABI
