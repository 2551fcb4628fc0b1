#pragma once

#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/core/upstream.hpp>

#include <cstddef>

namespace service {

/// Asks its upstream for whole blocks, so that the budgets below it charge what the pools really give out.
///
///     arena -> whole_blocks -> limit "request" -> ... -> pools of blocks
///
/// Threads: as the upstream says.
template <class Upstream, std::size_t BlockBytes>
class whole_blocks final : public allot::resource_interface<whole_blocks<Upstream, BlockBytes>> {
public:
  static constexpr const char* class_name = "whole_blocks";
  static constexpr bool owns_is_exact = allot::knows_its_own<Upstream>;

  explicit whole_blocks(Upstream& upstream) noexcept : upstream_{upstream} {}

  [[nodiscard]] Upstream* upstream_resource() const noexcept { return &upstream_; }

  /// The size that the upstream is asked for; what no whole number of blocks can hold is asked for as it is, and fails.
  [[nodiscard]] static constexpr std::size_t rounded(std::size_t bytes) noexcept {
    const std::size_t over = bytes % BlockBytes;
    const std::size_t more = over == 0 ? 0 : BlockBytes - over;
    return more > SIZE_MAX - bytes ? bytes : bytes + more;
  }

private:
  friend allot::resource_interface<whole_blocks>;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    return allot::try_allocate_from(upstream_, rounded(bytes), alignment);
  }
  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    return upstream_.allocate(rounded(bytes), alignment);
  }
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    upstream_.deallocate(p, rounded(bytes), alignment);
  }
  [[nodiscard]] allot::ownership holds(const void* p) const noexcept { return allot::owned_by(upstream_, p); }

  Upstream& upstream_;
};

} // namespace service
