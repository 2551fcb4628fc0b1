#pragma once

#include <allot/core/config.hpp>

#include <memory_resource>

namespace allot::inline ALLOT_ABI {

/// Makes a resource the default of `std::pmr` from here to the end of the block, then restores the one before.
///
/// For code that takes no resource. Whatever it makes must be gone before the resource is.
///
/// Threads: the default resource is one for the whole program. A guard changes it for every thread, and guards of
/// several threads do not nest.
///
/// \snippet tests/construct/default_resource_guard_test.cpp example
class [[nodiscard]] default_resource_guard {
public:
  /// Makes `resource` the default until the guard ends. \param resource  outlives whatever takes the default meanwhile
  explicit default_resource_guard(std::pmr::memory_resource& resource) noexcept
      : previous_{std::pmr::set_default_resource(&resource)} {}

  default_resource_guard(const default_resource_guard&) = delete;
  default_resource_guard& operator=(const default_resource_guard&) = delete;
  ~default_resource_guard() { std::pmr::set_default_resource(previous_); }

  /// The default before, which comes back at the end; never null.
  [[nodiscard]] std::pmr::memory_resource* previous() const noexcept { return previous_; }

private:
  std::pmr::memory_resource* previous_;
};

} // namespace allot::inline ALLOT_ABI
