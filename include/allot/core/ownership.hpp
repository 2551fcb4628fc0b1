#pragma once

#include <allot/core/config.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace allot::inline ALLOT_ABI {

/// The answer to "does this address lie in your memory?". It is a range test and no liveness test: `yes` does not say
/// that a block at the address is allocated.
enum class ownership : unsigned char {
  no,      ///< the address is not in this resource's memory
  yes,     ///< the address is in this resource's memory
  unknown, ///< this resource cannot tell
};

/// A resource type with allot's `owns`. A foreign one may have something else of that name.
template <class T>
concept tells_ownership = requires(const T& resource, const void* p) {
  requires noexcept(resource.owns(p));
  requires std::same_as<decltype(resource.owns(p)), ownership>;
};

/// A resource type whose `owns` never answers `unknown`, and says so by `static constexpr bool owns_is_exact = true`.
template <class T>
concept knows_its_own = tells_ownership<T> && requires {
  requires T::owns_is_exact;
};

/// `yes` where `p` lies in the `bytes` bytes that start at `begin` (the end is outside), otherwise `no`. Compared as
/// integers: pointers into different objects have no order that the language promises.
[[nodiscard]] inline ownership within(const void* p, const void* begin, std::size_t bytes) noexcept {
  const auto offset = reinterpret_cast<std::uintptr_t>(p) - reinterpret_cast<std::uintptr_t>(begin);
  return offset < bytes ? ownership::yes : ownership::no;
}

} // namespace allot::inline ALLOT_ABI
