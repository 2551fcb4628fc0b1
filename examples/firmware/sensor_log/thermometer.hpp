#pragma once

#include <cstdint>

namespace sensor_log {

/// Stands in for a thermometer on a bus: a warm day with some noise, the same one on every run.
class thermometer {
public:
  /// Tenths of a degree.
  [[nodiscard]] std::int16_t read() noexcept {
    noise_ = noise_ * 1664525 + 1013904223; // Numerical Recipes' generator
    ++minute_;
    const int hours = minute_ / 60 % 24;
    const int warmth = hours < 12 ? hours : 24 - hours;
    return static_cast<std::int16_t>(150 + 8 * warmth + static_cast<int>(noise_ >> 30));
  }

private:
  std::uint32_t noise_ = 1;
  int minute_ = 0;
};

} // namespace sensor_log
