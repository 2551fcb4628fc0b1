#pragma once

#include <allot/core/expects.hpp>
#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/upstream.hpp>
#include <allot/interop/boost_interface.hpp>

#include <concepts>
#include <cstddef>
#include <memory_resource>

/// Whether adaptors of one resource are equal needs RTTI: an inline body that depends on a setting, so it is in the name.
#if defined(__cpp_rtti)
#define ALLOT_DETAIL_BOOST_EQUALITY equal_by_upstream
#else
#define ALLOT_DETAIL_BOOST_EQUALITY equal_by_identity
#endif

namespace allot::inline ALLOT_ABI {

namespace detail_boost {
inline namespace ALLOT_DETAIL_BOOST_EQUALITY {

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

} // namespace ALLOT_DETAIL_BOOST_EQUALITY
} // namespace detail_boost

inline namespace ALLOT_DETAIL_BOOST_EQUALITY {

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

/// `r` as a resource of Boost.Container: `auto b = as_boost(arena); boost::json::storage_ptr sp{&b};`. The adaptor is the
/// caller's to hold: it outlives what is allocated through it, and `r` outlives the adaptor.
template <detail_boost::can_serve_as<std::pmr::memory_resource> Resource>
[[nodiscard]] boost_adaptor<Resource> as_boost(Resource& r) noexcept {
  return boost_adaptor<Resource>{r};
}

/// An adaptor of a temporary would outlive it.
template <detail_boost::can_serve_as<std::pmr::memory_resource> Resource>
void as_boost(const Resource&&) = delete;

} // namespace ALLOT_DETAIL_BOOST_EQUALITY
} // namespace allot::inline ALLOT_ABI
