#pragma once

#include <allot/construct/allocator.hpp>
#include <allot/construct/unique_in.hpp>
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

namespace detail {

#if defined(_LIBCPP_VERSION) && _LIBCPP_VERSION < 180000
/// This libc++ gives the one block that `std::allocate_shared` makes for an array back with another size than it took
/// (llvm-project issue 68051), which no pool survives: the elements have a block of their own instead.
template <class T>
concept shared_array = unbounded_row<T>;

template <shared_array T, class Resource>
std::shared_ptr<T> share_array(Resource& resource, std::size_t n) {
  auto elements = unique_in<T>(resource, n);
  const auto deleter = elements.get_deleter();
  return {elements.release(), deleter, allocator<std::byte, Resource>{resource}};
}
#else
template <class T>
concept shared_array = unbounded_array<T>;

template <shared_array T, class Resource>
std::shared_ptr<T> share_array(Resource& resource, std::size_t n) {
  // libstdc++ 12 makes no arrays of const.
  return std::allocate_shared<std::remove_cv_t<std::remove_extent_t<T>>[]>(allocator<std::byte, Resource>{resource}, n);
}
#endif

} // namespace detail

/// The same for an array of `n` value-initialised elements. With libc++ before 18 the elements have a block of their own, and
/// arrays of arrays are not made.
/// \throws std::bad_array_new_length  where the size of `n` elements does not fit `std::ptrdiff_t`
template <detail::shared_array T, class Resource>
[[nodiscard]] std::shared_ptr<T> shared_in(Resource& resource, std::size_t n) {
  // libstdc++ 12 adds the counts to n, and would not see that the sum wraps around.
  using element = std::remove_extent_t<T>;
  if (n > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / sizeof(element)) [[unlikely]]
    detail::fail_array_length(alignof(element));
  return detail::share_array<T>(resource, n);
}

} // namespace allot::inline ALLOT_ABI
