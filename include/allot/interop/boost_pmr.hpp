#pragma once

#include <allot/construct/allocator.hpp>
#include <allot/interop/boost_interface.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <memory_resource>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/container/container_fwd.hpp>
#include <boost/container/detail/is_pair.hpp>

namespace allot::inline ALLOT_ABI {

namespace detail_boost {

/// The pair that Boost's flat containers keep, which is none of the standard's.
template <class T>
concept pair_of_boost = boost::container::dtl::is_pair<T>::value &&
    !std::same_as<T, std::pair<typename T::first_type, typename T::second_type>>;

/// Builds such a pair as `std::uninitialized_construct_using_allocator` builds a `std::pair`: each half is handed the
/// allocator where it takes one. The overloads are the ways in which Boost asks for one.
template <class Allocator, class Pair, class... First, class... Second>
void construct_pair_of_boost(const Allocator& a, Pair* p, std::piecewise_construct_t, std::tuple<First...> first,
                             std::tuple<Second...> second) {
  const auto halves = [&]<class Half>(std::type_identity<Half>, auto& args) {
    return std::apply(
        [&](auto&... each) {
          return std::uses_allocator_construction_args<Half>(a, std::forward<decltype(each)>(each)...);
        },
        args);
  };
  ::new (static_cast<void*>(p))
      Pair(std::piecewise_construct, halves(std::type_identity<typename Pair::first_type>{}, first),
           halves(std::type_identity<typename Pair::second_type>{}, second));
}

template <class Allocator, class Pair>
void construct_pair_of_boost(const Allocator& a, Pair* p) {
  construct_pair_of_boost(a, p, std::piecewise_construct, std::tuple<>{}, std::tuple<>{});
}

template <class Allocator, class Pair, class First, class Second>
void construct_pair_of_boost(const Allocator& a, Pair* p, First&& first, Second&& second) {
  construct_pair_of_boost(a, p, std::piecewise_construct, std::forward_as_tuple(std::forward<First>(first)),
                          std::forward_as_tuple(std::forward<Second>(second)));
}

template <class Allocator, class Pair, class Other>
void construct_pair_of_boost(const Allocator& a, Pair* p, Other&& other) {
  construct_pair_of_boost(a, p, std::forward<Other>(other).first, std::forward<Other>(other).second);
}

template <class Allocator, class Pair, class Key, class... Args>
void construct_pair_of_boost(const Allocator& a, Pair* p, boost::container::try_emplace_t, Key&& key, Args&&... args) {
  construct_pair_of_boost(a, p, std::piecewise_construct, std::forward_as_tuple(std::forward<Key>(key)),
                          std::forward_as_tuple(std::forward<Args>(args)...));
}

} // namespace detail_boost

/// Boost.Container's containers in a resource of the standard or of allot, with no adaptor between:
///
///     allot::boost_pmr::flat_map<int, std::pmr::string> names{&arena};             // any memory_resource
///     allot::boost_pmr::stable_vector<job, arena_type> jobs{&arena};                // a known type: no virtual call
///     allot::boost_pmr::small_vector<int, 8> few{allot::boost_pmr::in(arena)};      // which takes no pointer
///
/// The header of the container is the user's to include. `static_vector` needs no resource.
namespace boost_pmr {

template <class T, class Resource>
class container_allocator;

} // namespace boost_pmr

namespace detail_boost {

/// The `container_allocator` that an allocator derives from.
template <class Extended>
using extended_by = boost_pmr::container_allocator<typename Extended::value_type, typename Extended::resource_type>;

template <class Extended, class Allocator>
concept extends_allocator =
    std::derived_from<Extended, extended_by<Extended>> && !std::same_as<Extended, extended_by<Extended>> &&
    std::derived_from<typename Allocator::resource_type, typename Extended::resource_type>;

} // namespace detail_boost

namespace boost_pmr {

/// The allocator of these containers: `allot::allocator` (so there is no default resource, and a copy of a container
/// stays where its original is), which also knows the pairs of Boost's flat containers. With
/// `std::pmr::polymorphic_allocator`, or `allot::allocator` itself, a `std::pmr::string` in a `flat_map` gets its memory
/// from the default resource.
template <class T, class Resource>
class container_allocator : public allocator<T, Resource> {
  using base = allocator<T, Resource>;

public:
  using base::base;

  /// From the allocator of another element type, over the same resource or one whose type derives from `Resource`.
  template <class U, std::derived_from<Resource> Other>
  container_allocator(const allocator<U, Other>& other) noexcept : base{other} {}

  /// To an allocator that extends this one: `small_vector` has one of its own, and takes no other by conversion.
  template <detail_boost::extends_allocator<container_allocator> Extended>
  operator Extended() const noexcept {
    return Extended{detail_boost::extended_by<Extended>{this->resource()}};
  }

  /// Builds an object at `p`, and hands this allocator on where the object, or a half of a pair, takes one.
  template <class U, class... Args>
  void construct(U* p, Args&&... args) {
    if constexpr (detail_boost::pair_of_boost<U>) {
      detail_boost::construct_pair_of_boost(*this, p, std::forward<Args>(args)...);
    } else {
      base::construct(p, std::forward<Args>(args)...);
    }
  }

  /// A copy of a container uses the same resource.
  [[nodiscard]] container_allocator select_on_container_copy_construction() const noexcept { return *this; }
};

/// The allocator of a container in `resource`, which outlives it.
template <detail_boost::can_serve_as<std::pmr::memory_resource> Resource>
[[nodiscard]] container_allocator<std::byte, Resource> in(Resource& resource) noexcept {
  return resource;
}

/// `N` elements in the object itself, more of them in the resource.
template <class T, std::size_t N, class Resource = std::pmr::memory_resource>
using small_vector = boost::container::small_vector<T, N, container_allocator<T, Resource>>;

/// At most `N` elements, all of them in the object itself.
template <class T, std::size_t N>
using static_vector = boost::container::static_vector<T, N>;

/// Elements that never move, each in a block of its own.
template <class T, class Resource = std::pmr::memory_resource>
using stable_vector = boost::container::stable_vector<T, container_allocator<T, Resource>>;

/// A vector with room at both ends.
template <class T, class Resource = std::pmr::memory_resource>
using devector = boost::container::devector<T, container_allocator<T, Resource>>;

/// A set in a sorted vector.
template <class Key, class Resource = std::pmr::memory_resource, class Compare = std::less<Key>>
using flat_set = boost::container::flat_set<Key, Compare, container_allocator<Key, Resource>>;

/// A multiset in a sorted vector.
template <class Key, class Resource = std::pmr::memory_resource, class Compare = std::less<Key>>
using flat_multiset = boost::container::flat_multiset<Key, Compare, container_allocator<Key, Resource>>;

/// A map in a sorted vector.
template <class Key, class T, class Resource = std::pmr::memory_resource, class Compare = std::less<Key>>
using flat_map = boost::container::flat_map<Key, T, Compare, container_allocator<std::pair<Key, T>, Resource>>;

/// A multimap in a sorted vector.
template <class Key, class T, class Resource = std::pmr::memory_resource, class Compare = std::less<Key>>
using flat_multimap =
    boost::container::flat_multimap<Key, T, Compare, container_allocator<std::pair<Key, T>, Resource>>;

} // namespace boost_pmr

} // namespace allot::inline ALLOT_ABI
