#pragma once

#include <allot/core/config.hpp>
#include <allot/core/expects.hpp>
#include <allot/detail/array_bytes.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI {

/// The allocator of containers whose resource type is known: `std::vector<int, allot::allocator<int, arena_type>>`.
///
/// It differs from `std::pmr::polymorphic_allocator` in three things: there is no default resource, and so no default
/// constructor; a copy of a container stays in the resource of its original; and calls are not virtual.
///
/// Guarantees
/// - Elements that take an allocator get this one, also inside of `std::pair`; it converts to
///   `std::pmr::polymorphic_allocator`, so that nested pmr containers land in the same resource.
/// - A container keeps its resource for life: assignment moves elements and never the allocator.
/// - Containers in two resources must not be swapped: as with pmr containers that is undefined.
/// - A count of elements whose size does not fit `std::size_t` is `std::bad_array_new_length`.
///
/// Costs: one pointer; the calls of the resource, inlined where they can be.
/// Threads: as the resource says.
///
/// \snippet tests/construct/allocator_test.cpp example
template <class T, class Resource>
class allocator {
public:
  using value_type = T;
  using resource_type = Resource; ///< `std::pmr::memory_resource` where it is not known

  using propagate_on_container_copy_assignment = std::false_type;
  using propagate_on_container_move_assignment = std::false_type;
  using propagate_on_container_swap = std::false_type;
  using is_always_equal = std::false_type;

  /// \param resource  outlives every container that uses it
  allocator(Resource& resource) noexcept : resource_{&resource} {}

  /// The same, spelled as for `std::pmr` containers. \pre `resource` is not null
  allocator(Resource* resource) noexcept : resource_{resource} { ALLOT_EXPECTS(resource != nullptr); }

  /// From the allocator of another element type, over the same resource or one whose type derives from `Resource`.
  template <class U, std::derived_from<Resource> Other>
  allocator(const allocator<U, Other>& other) noexcept : resource_{other.resource()} {}

  /// To the allocator of pmr containers.
  template <class U>
  operator std::pmr::polymorphic_allocator<U>() const noexcept {
    static_assert(std::derived_from<Resource, std::pmr::memory_resource>);
    return resource_;
  }

  /// Storage for `n` objects.
  /// \throws std::bad_array_new_length  where their size does not fit `std::size_t`
  /// \throws what the resource throws
  [[nodiscard]] T* allocate(std::size_t n) {
    return static_cast<T*>(resource_->allocate(detail::array_bytes<T>(n), alignof(T)));
  }

  /// \pre `p` came from `allocate(n)` of an equal allocator
  void deallocate(T* p, std::size_t n) noexcept { resource_->deallocate(p, n * sizeof(T), alignof(T)); }

  /// Builds an object at `p`, and hands this allocator on where the object takes one.
  template <class U, class... Args>
  void construct(U* p, Args&&... args) {
    std::uninitialized_construct_using_allocator(p, *this, std::forward<Args>(args)...);
  }

  /// A copy of a container uses the same resource: there is no default one.
  [[nodiscard]] allocator select_on_container_copy_construction() const noexcept { return *this; }

  /// Never null.
  [[nodiscard]] Resource* resource() const noexcept { return resource_; }

private:
  Resource* resource_;
};

/// Equal where memory of one can be given back to the other: the same resource, by address.
template <class T, class U, class Resource>
[[nodiscard]] bool operator==(const allocator<T, Resource>& a, const allocator<U, Resource>& b) noexcept {
  return a.resource() == b.resource();
}

/// The allocator for a resource: `std::pmr::polymorphic_allocator` where only an interface is known
/// (`std::pmr::memory_resource`, `allot::resource`), otherwise `allocator`.
template <class T, class Resource>
using allocator_for =
    std::conditional_t<std::is_abstract_v<Resource>, std::pmr::polymorphic_allocator<T>, allocator<T, Resource>>;

} // namespace allot::inline ALLOT_ABI
