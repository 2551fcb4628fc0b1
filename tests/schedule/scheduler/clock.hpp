#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace schedule {

inline constexpr std::size_t most_threads = 6;

/// How many steps a thread has made. 0: before all threads.
using tick = std::uint32_t;

/// A step of a thread.
struct moment {
  std::size_t thread = 0;
  tick at = 0;
};

/// A vector clock: up to which of its steps each thread is known.
class clock {
public:
  [[nodiscard]] tick of(std::size_t thread) const noexcept { return ticks_[thread]; }
  [[nodiscard]] bool knows(const moment& m) const noexcept { return m.at <= ticks_[m.thread]; }

  void advance(std::size_t thread) noexcept { ++ticks_[thread]; }

  void join(const clock& other) noexcept {
    for (std::size_t i = 0; i < most_threads; ++i)
      ticks_[i] = std::max(ticks_[i], other.ticks_[i]);
  }

private:
  std::array<tick, most_threads> ticks_{};
};

} // namespace schedule
