#pragma once

#include <allot/core/failure.hpp>
#include <allot/core/layout.hpp>

#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>

namespace allot::inline ALLOT_ABI::detail {

/// What an object is made of, and not an array.
template <class T>
concept single_object = !std::is_array_v<T>;

/// `U[]`.
template <class T>
concept unbounded_array = std::is_unbounded_array_v<T>;

/// `U[]`, where U is no array itself.
template <class T>
concept unbounded_row = std::is_unbounded_array_v<T> && std::rank_v<T>
== 1;

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
