#pragma once

#include <allot/core/config.hpp>
#include <allot/core/ownership.hpp>

#include <cstddef>
#include <memory_resource>

namespace allot::inline ALLOT_ABI {

/// A `std::pmr::memory_resource` that can also fail without an exception and tell whether an address is its own.
///
/// Every resource, adaptor and router of allot derives from it. Take `allot::resource&` where the concrete type is not
/// known and `try_allocate` is wanted.
///
/// Guarantees
/// - Two resources are equal only if they are the same object.
/// - Neither copyable nor movable: blocks remember their resource by address.
///
/// Threads: as the concrete class says.
class resource : public std::pmr::memory_resource {
public:
  resource(const resource&) = delete;
  resource& operator=(const resource&) = delete;

  /// A block as from `allocate`, or null where `allocate` would fail.
  /// \pre `alignment` is a power of two
  [[nodiscard]] void* try_allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) noexcept {
    return do_try_allocate(bytes, alignment);
  }

  /// Whether `p` points into this resource's memory: a range test, not a test of liveness.
  [[nodiscard]] ownership owns(const void* p) const noexcept { return do_owns(p); }

protected:
  resource() = default;
  [[gnu::always_inline]] ~resource() override = default;

private:
  virtual void* do_try_allocate(std::size_t bytes, std::size_t alignment) noexcept = 0;
  [[nodiscard]] virtual ownership do_owns(const void* p) const noexcept = 0;

  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept final { return this == &other; }
};

} // namespace allot::inline ALLOT_ABI
