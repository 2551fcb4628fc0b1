#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace support {

/// The program's mappings as the system lists them. Linux only.
struct mapping_count {
  std::size_t mappings = 0; ///< that touch the range
  std::size_t bytes = 0;    ///< of them, within the range
  std::size_t resident = 0; ///< so many of these mappings are in memory, on either side of the range's ends too
};

/// What is mapped within [begin, begin + bytes).
inline mapping_count mapped_within(const void* begin, std::size_t bytes) {
  const auto from = reinterpret_cast<std::uintptr_t>(begin);
  const auto to = from + bytes;
  mapping_count found;
  std::FILE* const file = std::fopen("/proc/self/smaps", "r");
  REQUIRE(file != nullptr);
  char line[512];
  bool inside = false;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    unsigned long long low = 0;
    unsigned long long high = 0;
    unsigned long long kib = 0;
    if (std::sscanf(line, "%llx-%llx ", &low, &high) == 2) {
      inside = low < to && high > from;
      if (inside) ++found.mappings;
      if (inside) found.bytes += (high < to ? high : to) - (low > from ? low : from);
    } else if (inside && std::sscanf(line, "Rss: %llu kB", &kib) == 1) {
      found.resident += kib * 1024;
    }
  }
  std::fclose(file);
  return found;
}

} // namespace support
