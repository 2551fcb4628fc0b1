#pragma once

#include <utility>

namespace support {

/// What the contenders of a race write to together. They come one after the other, and a Cortex-M0 has no std::atomic
/// that counts.
template <class T>
class shared {
public:
  constexpr shared() noexcept = default;
  constexpr shared(T value) noexcept : value_{value} {}

  operator T() const noexcept { return value_; }
  [[nodiscard]] T load() const noexcept { return value_; }
  void store(T value) noexcept { value_ = value; }
  T fetch_add(T n) noexcept { return (*this += n) - n; }
  T fetch_sub(T n) noexcept { return fetch_add(static_cast<T>(T{} - n)); }
  bool compare_exchange_weak(T& expected, T to) noexcept {
    const T before = value_;
    if (before == expected) value_ = to;
    return before == std::exchange(expected, before);
  }
  T operator+=(T n) noexcept { return value_ = value_ + n; }
  T operator++() noexcept { return *this += 1; }

private:
  T value_{};
};

/// Without threads the contenders of a round come one after the other. What an interrupt does to them, tests/firmware/interrupts
/// shows.
template <class F>
void race(unsigned threads, unsigned rounds, F f) {
  for (unsigned round = 0; round < rounds; ++round) {
    for (unsigned thread = 0; thread < threads; ++thread)
      f(thread, round);
  }
}

} // namespace support

using support::race;
