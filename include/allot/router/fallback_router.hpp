#pragma once

#include <allot/core/expects.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/core/upstream.hpp>

#include <cstddef>
#include <memory_resource>

namespace allot::inline ALLOT_ABI {

/// Asks the primary, and where that has no room, the secondary; a block goes back to the one whose memory it lies in.
///
///     container -> fallback_router -> primary      (an arena, a pool: what can tell its own memory)
///                                  -> secondary    (anything, another fallback_router too)
///
/// Guarantees
/// - A request that the primary refuses costs a branch and no exception: the primary is only ever asked by `try_allocate`.
/// - Where both refuse, the failure is the secondary's own exception and record.
/// - The primary's `owns` is never `unknown` (`owns_is_exact`), or it does not compile: by it a block finds its way back,
///   also a block of zero bytes, and one that starts where the primary's memory ends.
/// - No memory may be both's: an adaptor over a resource takes all of that resource's blocks for its own, so that the two
///   cannot be primary and secondary of one router. (Caught at check level 1 when the secondary gives such a block.)
///
/// Costs: a null test for an allocation, `owns` of the primary for a deallocation; no memory.
/// Threads: as far as both allow it.
///
/// \snippet tests/router/fallback_router_test.cpp example
template <class Primary, class Secondary = std::pmr::memory_resource>
class fallback_router final : public resource_interface<fallback_router<Primary, Secondary>> {
  static_assert(knows_its_own<Primary>,
                "the primary of a fallback_router says of every address whether it is its own: it has "
                "`ownership owns(const void*) const noexcept` and `static constexpr bool owns_is_exact = true`");

public:
  static constexpr const char* class_name = "fallback_router";

  /// True where `owns` never answers `unknown`, so that this can be another router's primary.
  static constexpr bool owns_is_exact = knows_its_own<Secondary>;

  static constexpr std::size_t branch_count = 2;

  /// \param primary, secondary  outlive the router
  /// \param name                for reports; static storage
  explicit fallback_router(Primary& primary, Secondary& secondary, const char* name = nullptr) noexcept
      : primary_{primary}, secondary_{secondary}, name_{name} {}

  /// What is asked first, and what is asked where that fails.
  [[nodiscard]] Primary& primary() const noexcept { return primary_; }
  [[nodiscard]] Secondary& secondary() const noexcept { return secondary_; }

  /// The primary at 0, the secondary at 1: for reports, as every router has it.
  template <std::size_t I>
  [[nodiscard]] auto& branch() const noexcept {
    static_assert(I < branch_count, "the router has two branches");
    if constexpr (I == 0) {
      return primary_;
    } else {
      return secondary_;
    }
  }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

private:
  friend resource_interface<fallback_router>;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if (void* const p = try_allocate_from(primary_, bytes, alignment)) return p;
    return not_the_primarys(try_allocate_from(secondary_, bytes, alignment));
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    if (void* const p = try_allocate_from(primary_, bytes, alignment)) return p;
    return not_the_primarys(secondary_.allocate(bytes, alignment));
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (primary_.owns(p) == ownership::yes) {
      primary_.deallocate(p, bytes, alignment);
    } else {
      secondary_.deallocate(p, bytes, alignment);
    }
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept {
    return primary_.owns(p) == ownership::yes ? ownership::yes : owned_by(secondary_, p);
  }

  /// A block of the secondary's that would go back to the primary: both have the same memory below them.
  void* not_the_primarys(void* p) const noexcept {
    ALLOT_EXPECTS(p == nullptr || primary_.owns(p) == ownership::no);
    return p;
  }

  Primary& primary_;
  Secondary& secondary_;
  const char* name_;
};

} // namespace allot::inline ALLOT_ABI
