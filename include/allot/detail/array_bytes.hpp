#pragma once

#include <allot/core/failure.hpp>
#include <allot/core/layout.hpp>

#include <cstddef>
#include <limits>
#include <new>

namespace allot::inline ALLOT_ABI::detail {

/// Fails for a number of elements that no memory can hold, in the words of the standard library.
[[noreturn, gnu::noinline, gnu::cold]] inline void fail_array_length([[maybe_unused]] std::size_t alignment) {
#if ALLOT_EXCEPTIONS
  throw std::bad_array_new_length{};
#else
  halt({.resource = "allocator",
        .detail = "the size of that many elements does not fit std::size_t",
        .bytes = std::numeric_limits<std::size_t>::max(),
        .alignment = alignment});
#endif
}

/// The bytes of `n` Ts in a row.
/// \throws std::bad_array_new_length  where they do not fit `std::size_t`
template <class T>
[[nodiscard]] std::size_t array_bytes(std::size_t n) {
  if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) [[unlikely]]
    fail_array_length(alignof(T));
  return n * sizeof(T);
}

} // namespace allot::inline ALLOT_ABI::detail
