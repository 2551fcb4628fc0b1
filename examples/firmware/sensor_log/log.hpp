#pragma once

#include "thermometer.hpp"

#include <allot/arena/arena_scope.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory_resource>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sensor_log {

/// Appends `n`, at least `width` characters wide.
inline void append_number(std::pmr::string& line, std::size_t n, std::size_t width = 1) {
  char digits[20];
  const auto size = static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, n).ptr - digits);
  line.append(width > size ? width - size : 0, ' ').append(digits, size);
}

/// Appends a temperature of zero or more.
inline void append_degrees(std::pmr::string& line, int tenths) {
  append_number(line, static_cast<std::size_t>(tenths / 10), 3);
  line += '.';
  append_number(line, static_cast<std::size_t>(tenths % 10));
}

/// Draws the samples from left to right: the warmer, the darker. Of those that share a column the warmest is drawn.
inline void append_curve(std::pmr::string& line, std::span<const std::int16_t> samples, int lowest, int highest) {
  constexpr std::string_view shades = " .:-=+*#";
  constexpr std::size_t columns = 24;
  const auto range = static_cast<std::size_t>(std::max(highest - lowest, 1));
  for (std::size_t column = 0; column < columns; ++column) {
    const std::size_t begin = column * samples.size() / columns;
    const std::size_t end = std::max(begin + 1, (column + 1) * samples.size() / columns);
    const int above = *std::max_element(&samples[begin], samples.data() + end) - lowest;
    line += shades[static_cast<std::size_t>(above) * (shades.size() - 1) / range];
  }
}

/// Takes that many samples and has a line about them written. All that it needs comes from the arena, and is free again when
/// it returns.
/// \pre `count > 0`
template <class Arena>
void log_round(Arena& arena, thermometer& sensor, std::size_t count, void (*write)(std::string_view)) {
  allot::arena_scope round{arena};

  std::pmr::vector<std::int16_t> samples{&arena};
  samples.reserve(count); // growing would leave each smaller block behind in the arena
  std::generate_n(std::back_inserter(samples), count, [&] { return sensor.read(); });
  const auto [lowest, highest] = std::minmax_element(samples.begin(), samples.end());
  const int sum = std::accumulate(samples.begin(), samples.end(), 0);

  std::pmr::string line{&arena};
  line.reserve(96);
  append_number(line, count, 4);
  line += " samples ";
  append_degrees(line, *lowest);
  line += " to ";
  append_degrees(line, *highest);
  line += ", mean ";
  append_degrees(line, sum / static_cast<int>(count));
  line += "  [";
  append_curve(line, samples, *lowest, *highest);
  line += "] ";
  append_number(line, arena.used(), 5);
  line += " bytes\n";
  write(line);
}

/// One round for each burst of samples.
template <class Arena>
void log_day(Arena& arena, void (*write)(std::string_view)) {
  thermometer sensor;
  for (const std::size_t count : {60u, 240u, 720u, 30u, 480u})
    log_round(arena, sensor, count, write);
}

} // namespace sensor_log
