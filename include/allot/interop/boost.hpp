#pragma once

#include <allot/construct/allocator.hpp>
#include <allot/core/expects.hpp>
#include <allot/core/failure.hpp>
#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/core/upstream.hpp>

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
#include <boost/container/pmr/memory_resource.hpp>
#include <boost/container/throw_exception.hpp>

/// \file
/// Boost.Container (1.81 or later) has a `memory_resource` of its own, with the same functions as the standard's and no
/// relation to it. `as_boost` and `as_std` make one look like the other. No library of Boost is needed for them.

/// Whether adaptors of one resource are equal needs RTTI: an inline body that depends on a setting, so it is in the name.
#if defined(__cpp_rtti)
#define ALLOT_DETAIL_BOOST_EQUALITY equal_by_upstream
#else
#define ALLOT_DETAIL_BOOST_EQUALITY equal_by_identity
#endif

namespace allot::inline ALLOT_ABI {
inline namespace ALLOT_DETAIL_BOOST_EQUALITY {

namespace detail_boost {

/// What every `boost_adaptor` is, whatever the type of its upstream.
class boost_adaptor_base : public boost::container::pmr::memory_resource {
public:
  boost_adaptor_base(const boost_adaptor_base&) = delete;
  boost_adaptor_base& operator=(const boost_adaptor_base&) = delete;

protected:
  explicit boost_adaptor_base(const std::pmr::memory_resource& below) noexcept : below_{below} {}
  ~boost_adaptor_base() override = default;

private:
  bool do_is_equal(const boost::container::pmr::memory_resource& other) const noexcept final {
    if (this == &other) return true;
#if defined(__cpp_rtti)
    const auto* const adaptor = dynamic_cast<const boost_adaptor_base*>(&other);
    return adaptor != nullptr && below_ == adaptor->below_;
#else
    return false;
#endif
  }

  [[maybe_unused]] const std::pmr::memory_resource& below_; // unused without RTTI
};

/// Reaches the function behind `allocate` of a resource of Boost. `allocate` itself passes a null through an operator new
/// that is not noexcept, and so lets a compiler assume that there is none.
class boost_do_allocate : private boost::container::pmr::memory_resource {
public:
  static void* of(boost::container::pmr::memory_resource& r, std::size_t bytes, std::size_t alignment) {
    return (r.*(&boost_do_allocate::do_allocate))(bytes, alignment);
  }
};

} // namespace detail_boost

/// A `std::pmr::memory_resource` as a `boost::container::pmr::memory_resource`; made by `as_boost`.
///
///     Boost's container -> boost_adaptor -> upstream
///
/// Guarantees
/// - One call to the upstream for each request; size, alignment and pointer pass through unchanged.
/// - What the upstream throws goes on to Boost's caller. allot's failures are `std::bad_alloc`; that is no
///   `boost::container::bad_alloc`, which derives from `std::exception` alone.
/// - On Boost's side two adaptors are equal where their upstreams are, whatever their static types: blocks of one can be
///   given back to the other. Without RTTI they are equal only if they are the same object.
///
/// Costs: the virtual call of Boost's interface, and none below it where the upstream's type is known.
/// Threads: as the upstream says.
///
/// \snippet tests/interop/boost_test.cpp as_boost
template <std::derived_from<std::pmr::memory_resource> Upstream = std::pmr::memory_resource>
class boost_adaptor final : public detail_boost::boost_adaptor_base {
public:
  /// The upstream's type, `std::pmr::memory_resource` where it is not known.
  using upstream_type = Upstream;

  /// True where `owns` never answers `unknown`.
  static constexpr bool owns_is_exact = knows_its_own<Upstream>;

  /// \param upstream  outlives the adaptor
  explicit boost_adaptor(Upstream& upstream) noexcept : boost_adaptor_base{upstream}, upstream_{upstream} {}

  /// A block from the upstream; never null.
  /// \pre `alignment` is a power of two
  /// \throws what the upstream throws
  [[nodiscard]] void* allocate(std::size_t bytes, std::size_t alignment = max_align) {
    ALLOT_EXPECTS(is_alignment(alignment));
    return upstream_.allocate(bytes, alignment);
  }

  /// The same block, or null where `allocate` would fail.
  /// \pre `alignment` is a power of two
  [[nodiscard]] void* try_allocate(std::size_t bytes, std::size_t alignment = max_align) noexcept {
    ALLOT_EXPECTS(is_alignment(alignment));
    return try_allocate_from(upstream_, bytes, alignment);
  }

  /// Gives a block back to the upstream; null is ignored.
  /// \pre `p` came from this or an equal adaptor for the same `bytes` and `alignment`, and is still allocated
  void deallocate(void* p, std::size_t bytes, std::size_t alignment = max_align) noexcept {
    ALLOT_EXPECTS(is_alignment(alignment));
    if (p != nullptr) upstream_.deallocate(p, bytes, alignment);
  }

  /// The upstream's answer.
  [[nodiscard]] ownership owns(const void* p) const noexcept { return owned_by(upstream_, p); }

  /// The resource that the memory comes from; never null.
  [[nodiscard]] Upstream* upstream_resource() const noexcept { return &upstream_; }

private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override { return allocate(bytes, alignment); }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override { deallocate(p, bytes, alignment); }

  Upstream& upstream_;
};

/// A `boost::container::pmr::memory_resource` as a resource of allot; made by `as_std`.
///
///     std container -> std_adaptor -> a resource of Boost
///
/// Guarantees
/// - One call to the upstream for each request; size, alignment and pointer pass through unchanged.
/// - `boost::container::bad_alloc` becomes `out_of_memory`, which a caller of the standard's interface expects; anything
///   else that the upstream throws goes on.
/// - Null from the upstream is a failure. So is a block that is not aligned as it was asked for, and it is given back:
///   Boost's interface allows both pools and `new_delete_resource` to ignore an alignment above `max_align`.
/// - Equal only to itself, as every resource of allot; a container that moves between two adaptors moves its elements.
///
/// Costs: the virtual call of Boost's interface (none over a `boost_adaptor`, which is called by its type), two tests.
/// Threads: as the upstream says.
///
/// \snippet tests/interop/boost_test.cpp as_std
template <std::derived_from<boost::container::pmr::memory_resource> Upstream = boost::container::pmr::memory_resource>
class std_adaptor final : public resource_interface<std_adaptor<Upstream>> {
public:
  static constexpr const char* class_name = "std_adaptor";

  /// The upstream's type, `boost::container::pmr::memory_resource` where it is not known.
  using upstream_type = Upstream;

  /// True where `owns` never answers `unknown`.
  static constexpr bool owns_is_exact = knows_its_own<Upstream>;

  /// \param upstream  outlives the adaptor
  /// \param name      for reports; static storage
  explicit std_adaptor(Upstream& upstream, const char* name = nullptr) noexcept : upstream_{upstream}, name_{name} {}

  /// The resource that the memory comes from; never null.
  [[nodiscard]] Upstream* upstream_resource() const noexcept { return &upstream_; }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

private:
  friend resource_interface<std_adaptor>;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if constexpr (tries<Upstream>) {
      return aligned(upstream_.try_allocate(bytes, alignment), bytes, alignment);
    } else {
#if ALLOT_EXCEPTIONS
      try {
        return aligned(ask(bytes, alignment), bytes, alignment);
      } catch (const std::bad_alloc&) {
        return nullptr;
      }
#else
      static_assert(tries<Upstream>, "without exceptions a resource of Boost cannot fail and return: pass one that has "
                                     "a try_allocate");
      return nullptr;
#endif
    }
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    void* const p = aligned(ask(bytes, alignment), bytes, alignment);
    if (p == nullptr) [[unlikely]]
      this->fail(bytes, alignment);
    return p;
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    upstream_.deallocate(p, bytes, alignment);
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return owned_by(upstream_, p); }

  /// What the upstream returns; null where it throws Boost's own kind of `bad_alloc`.
  void* ask(std::size_t bytes, std::size_t alignment) {
    if constexpr (tries<Upstream>) {
      return upstream_.allocate(bytes, alignment); // one of allot's: neither null nor Boost's exception
    } else {
#if ALLOT_EXCEPTIONS && !defined(BOOST_CONTAINER_USE_STD_EXCEPTIONS)
      try {
        return detail_boost::boost_do_allocate::of(upstream_, bytes, alignment);
      } catch (const boost::container::bad_alloc&) {
        return nullptr;
      }
#else
      return detail_boost::boost_do_allocate::of(upstream_, bytes, alignment);
#endif
    }
  }

  /// `p`, or null where it is not aligned as asked for; then it went back.
  void* aligned(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (is_aligned(p, alignment)) [[likely]]
      return p; // null is aligned to everything
    upstream_.deallocate(p, bytes, alignment);
    return nullptr;
  }

  Upstream& upstream_;
  const char* name_;
};

namespace detail_boost {

template <class Resource, class Interface>
concept can_serve_as = std::derived_from<Resource, Interface> && !std::is_const_v<Resource>;

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

/// `r` as a resource of Boost.Container: `auto b = as_boost(arena); boost::json::storage_ptr sp{&b};`. The adaptor is the
/// caller's to hold: it outlives what is allocated through it, and `r` outlives the adaptor.
template <detail_boost::can_serve_as<std::pmr::memory_resource> Resource>
[[nodiscard]] boost_adaptor<Resource> as_boost(Resource& r) noexcept {
  return boost_adaptor<Resource>{r};
}

/// `b`, a resource of Boost.Container, as one of allot and so of the standard. The adaptor is the caller's to hold: it
/// outlives what is allocated through it, and `b` outlives the adaptor.
/// \param name  for reports; static storage
template <detail_boost::can_serve_as<boost::container::pmr::memory_resource> Resource>
[[nodiscard]] std_adaptor<Resource> as_std(Resource& b, const char* name = nullptr) noexcept {
  return std_adaptor<Resource>{b, name};
}

/// An adaptor of a temporary would outlive it.
template <detail_boost::can_serve_as<std::pmr::memory_resource> Resource>
void as_boost(const Resource&&) = delete;
template <detail_boost::can_serve_as<boost::container::pmr::memory_resource> Resource>
void as_std(const Resource&&, const char* = nullptr) = delete;

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

template <class T, std::size_t N, class Resource = std::pmr::memory_resource>
using small_vector = boost::container::small_vector<T, N, container_allocator<T, Resource>>;

template <class T, std::size_t N>
using static_vector = boost::container::static_vector<T, N>;

template <class T, class Resource = std::pmr::memory_resource>
using stable_vector = boost::container::stable_vector<T, container_allocator<T, Resource>>;

template <class T, class Resource = std::pmr::memory_resource>
using devector = boost::container::devector<T, container_allocator<T, Resource>>;

template <class Key, class Resource = std::pmr::memory_resource, class Compare = std::less<Key>>
using flat_set = boost::container::flat_set<Key, Compare, container_allocator<Key, Resource>>;

template <class Key, class Resource = std::pmr::memory_resource, class Compare = std::less<Key>>
using flat_multiset = boost::container::flat_multiset<Key, Compare, container_allocator<Key, Resource>>;

template <class Key, class T, class Resource = std::pmr::memory_resource, class Compare = std::less<Key>>
using flat_map = boost::container::flat_map<Key, T, Compare, container_allocator<std::pair<Key, T>, Resource>>;

template <class Key, class T, class Resource = std::pmr::memory_resource, class Compare = std::less<Key>>
using flat_multimap =
    boost::container::flat_multimap<Key, T, Compare, container_allocator<std::pair<Key, T>, Resource>>;

} // namespace boost_pmr

} // namespace ALLOT_DETAIL_BOOST_EQUALITY

} // namespace allot::inline ALLOT_ABI
