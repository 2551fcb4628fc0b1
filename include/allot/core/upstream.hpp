#pragma once

#include <allot/core/config.hpp>
#include <allot/core/ownership.hpp>

#include <concepts>
#include <cstddef>
#include <memory_resource>
#include <new>

namespace allot::inline ALLOT_ABI {

/// A resource that fails without an exception: every class of allot, and `allot::resource` itself.
template <class Upstream>
concept tries = requires(Upstream& upstream, std::size_t n) {
  requires noexcept(upstream.try_allocate(n, n));
  requires std::same_as<decltype(upstream.try_allocate(n, n)), void*>;
};

namespace detail {

/// A resource of any kind. A class with values among its parameters asks for it in its constructors, and not at the parameter:
/// clang 19 takes no such class where a chain's `layer<...>` wants one.
template <class T>
concept resource_type = std::derived_from<T, std::pmr::memory_resource>;

} // namespace detail

/// A block from `upstream`, or null where it fails. A resource of allot is asked by `try_allocate`. Over a foreign
/// `std::pmr::memory_resource` a thrown `std::bad_alloc` becomes null; any other exception is not swallowed, and since
/// `try_allocate` promises noexcept it ends the program.
template <class Upstream>
[[nodiscard]] void* try_allocate_from(Upstream& upstream, std::size_t bytes, std::size_t alignment) noexcept {
  if constexpr (tries<Upstream>) {
    return upstream.try_allocate(bytes, alignment);
  } else {
#if ALLOT_EXCEPTIONS
    try {
      return upstream.allocate(bytes, alignment);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
#else
    static_assert(tries<Upstream>, "without exceptions a foreign std::pmr::memory_resource cannot fail and return: "
                                   "pass an allot::resource& or the concrete type as the upstream");
    return nullptr;
#endif
  }
}

/// What `upstream` says of `p`; `unknown` where it cannot be asked.
template <class Upstream>
[[nodiscard]] ownership owned_by(const Upstream& upstream, const void* p) noexcept {
  if constexpr (tells_ownership<Upstream>) {
    return upstream.owns(p);
  } else {
    return ownership::unknown;
  }
}

} // namespace allot::inline ALLOT_ABI
