#pragma once

#include <cstddef>
#include <cstdint>

/// Bytes that one thing of a test may take. A host has them all; a target has its own of this header, in
/// tests/firmware/on_target.
#define ALLOT_TEST_ROOM SIZE_MAX

namespace support {

/// `most` objects of a type, or as many as the machine has room for.
template <class T = std::byte>
constexpr std::size_t room(std::size_t most) {
  return most;
}

} // namespace support
