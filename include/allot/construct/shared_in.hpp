#pragma once

#include <allot/construct/allocator.hpp>
#include <allot/detail/array_bytes.hpp>

#include <cstddef>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI {

/// A `std::shared_ptr` to a T made of `args`, object and control block in one block of `resource`. Where T takes an
/// allocator it gets one of `resource`.
///
/// The block goes back with the last owner, `std::weak_ptr`s included: a weak pointer keeps the bytes of a dead object,
/// and the resource must outlive it too. Whoever holds a copy may be the one that gives the block back: where threads
/// share the pointer, the resource must be one for any thread.
///
/// \throws what the resource or the constructor throws
/// \snippet tests/construct/shared_in_test.cpp example
template <detail::single_object T, class Resource, class... Args>
[[nodiscard]] std::shared_ptr<T> shared_in(Resource& resource, Args&&... args) {
  return std::allocate_shared<T>(allocator<std::remove_cv_t<T>, Resource>{resource}, std::forward<Args>(args)...);
}

/// The same for an array of `n` value-initialised elements.
/// \throws std::bad_array_new_length  where the size of `n` elements does not fit `std::ptrdiff_t`
template <detail::unbounded_array T, class Resource>
[[nodiscard]] std::shared_ptr<T> shared_in(Resource& resource, std::size_t n) {
  // libstdc++ 12 adds the counts to n, and would not see that the sum wraps around; nor does it make arrays of const.
  using element = std::remove_cv_t<std::remove_extent_t<T>>;
  if (n > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / sizeof(element)) [[unlikely]]
    detail::fail_array_length(alignof(element));
  return std::allocate_shared<element[]>(allocator<std::byte, Resource>{resource}, n);
}

} // namespace allot::inline ALLOT_ABI
