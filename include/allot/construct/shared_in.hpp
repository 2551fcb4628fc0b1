#pragma once

#include <allot/construct/allocator.hpp>

#include <cstddef>
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
template <class T, class Resource, class... Args>
requires(!std::is_array_v<T>) [[nodiscard]] std::shared_ptr<T> shared_in(Resource& resource, Args&&... args) {
  return std::allocate_shared<T>(allocator<std::remove_cv_t<T>, Resource>{resource}, std::forward<Args>(args)...);
}

/// The same for an array of `n` value-initialised elements.
/// \throws std::bad_array_new_length  where `n` elements do not fit `std::size_t`
template <class T, class Resource>
requires std::is_unbounded_array_v<T>
[[nodiscard]] std::shared_ptr<T> shared_in(Resource& resource, std::size_t n) {
  return std::allocate_shared<T>(allocator<std::remove_cv_t<std::remove_extent_t<T>>, Resource>{resource}, n);
}

} // namespace allot::inline ALLOT_ABI
