#pragma once

#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/core/upstream.hpp>
#include <allot/interop/boost_interface.hpp>

#include <concepts>
#include <cstddef>
#include <new>

#include <boost/container/throw_exception.hpp>

namespace allot::inline ALLOT_ABI {

namespace detail_boost {

/// Reaches the function behind `allocate` of a resource of Boost. `allocate` itself passes a null through an operator new
/// that is not noexcept, and so lets a compiler assume that there is none.
class boost_do_allocate : private boost::container::pmr::memory_resource {
public:
  static void* of(boost::container::pmr::memory_resource& r, std::size_t bytes, std::size_t alignment) {
    return (r.*(&boost_do_allocate::do_allocate))(bytes, alignment);
  }
};

} // namespace detail_boost

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

/// `b`, a resource of Boost.Container, as one of allot and so of the standard. The adaptor is the caller's to hold: it
/// outlives what is allocated through it, and `b` outlives the adaptor.
/// \param name  for reports; static storage
template <detail_boost::can_serve_as<boost::container::pmr::memory_resource> Resource>
[[nodiscard]] std_adaptor<Resource> as_std(Resource& b, const char* name = nullptr) noexcept {
  return std_adaptor<Resource>{b, name};
}

/// An adaptor of a temporary would outlive it.
template <detail_boost::can_serve_as<boost::container::pmr::memory_resource> Resource>
void as_std(const Resource&&, const char* = nullptr) = delete;

} // namespace allot::inline ALLOT_ABI
