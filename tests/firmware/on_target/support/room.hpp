#pragma once

#include <algorithm>
#include <cstddef>

/// Bytes that one thing of a test may take: a quarter of the RAM, down to a power of two.
#if ALLOT_TEST_RAM >= 2048 * 1024
#define ALLOT_TEST_ROOM 524288
#elif ALLOT_TEST_RAM >= 32 * 1024
#define ALLOT_TEST_ROOM 8192
#elif ALLOT_TEST_RAM >= 8 * 1024
#define ALLOT_TEST_ROOM 2048
#endif

namespace support {

/// `most` objects of a type, or as many as the machine has room for.
template <class T = std::byte>
constexpr std::size_t room(std::size_t most) {
  return std::min<std::size_t>(most, ALLOT_TEST_ROOM / sizeof(T));
}

} // namespace support
