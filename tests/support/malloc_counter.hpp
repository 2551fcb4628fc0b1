#pragma once

#include <cstdint>

namespace support {

/// The calls of malloc and its kin since the program started, as malloc_counter.cpp counts them.
struct malloc_counts {
  std::uint64_t malloc = 0;
  std::uint64_t calloc = 0;
  std::uint64_t realloc = 0;
  std::uint64_t aligned_alloc = 0;
  std::uint64_t posix_memalign = 0;
  std::uint64_t memalign = 0;
  std::uint64_t free = 0;  ///< of pointers that are not null
  std::uint64_t bytes = 0; ///< asked for, over all of the above; realloc's new sizes among them
};

/// Allocates nothing. Threads: any thread.
[[nodiscard]] malloc_counts read_malloc_counts() noexcept;

} // namespace support
