#pragma once

#include <allot/core/expects.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/core/upstream.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <limits>
#include <tuple>
#include <type_traits>

namespace allot::inline ALLOT_ABI {

/// A resource and the greatest size that a `size_router` sends to it: made by `up_to` and `otherwise`.
template <class Resource, bool IsLast>
struct size_branch {
  using resource_type = Resource;         ///< of the branch
  static constexpr bool is_last = IsLast; ///< made by `otherwise`

  Resource& resource;     ///< serves the requests; outlives the router
  std::size_t most_bytes; ///< the greatest request that goes there
};

/// What `up_to` and `otherwise` make.
template <class T>
concept size_router_entry = requires {
  typename T::resource_type;
  requires std::same_as<T, size_branch<typename T::resource_type, T::is_last>>;
};

/// Requests of at most `most_bytes` bytes that no branch before has taken.
template <class Resource>
[[nodiscard]] constexpr size_branch<Resource, false> up_to(std::size_t most_bytes, Resource& resource) noexcept {
  return {resource, most_bytes};
}

/// Every request that no branch before has taken: the last branch of each `size_router`.
template <class Resource>
[[nodiscard]] constexpr size_branch<Resource, true> otherwise(Resource& resource) noexcept {
  return {resource, std::numeric_limits<std::size_t>::max()};
}

/// Sends each request to one of several resources by its size, and the block back to the same one.
///
///     size_router r{up_to(64, small), up_to(4_KiB, medium), otherwise(large)};
///
///     container -> size_router ->  0 .. 64 bytes  small
///                              ->  65 .. 4096     medium
///                              ->  4097 ..        large
///
/// Guarantees
/// - Only the size decides: the same size goes to the same branch at allocation and deallocation. A block that is aligned
///   far beyond its size still goes to the branch of that size, which has to serve the alignment.
/// - A branch that refuses is not stood in for by another: its failure is the router's (for that, see `fallback_router`).
/// - All types are known: the calls are inlined. The limits ascend, which is checked at level 1.
///
/// Costs: a compare for each branch that is passed by; a pointer and a size for each branch.
/// Threads: as far as the branches allow it.
///
/// \snippet tests/router/size_router_test.cpp example
template <class... Branches>
class size_router final : public resource_interface<size_router<Branches...>> {
public:
  static constexpr const char* class_name = "size_router";

  /// True where `owns` never answers `unknown`.
  static constexpr bool owns_is_exact = (knows_its_own<Branches> && ...);

  static constexpr std::size_t branch_count = sizeof...(Branches);

  /// \param entries  with ascending limits, `otherwise` as the last; their resources outlive the router
  template <size_router_entry... Entries>
  explicit size_router(Entries... entries) noexcept : size_router{nullptr, entries...} {}

  /// \param name  for reports; static storage
  template <size_router_entry... Entries>
  explicit size_router(const char* name, Entries... entries) noexcept
      : branches_{entries.resource...}, limits_{entries.most_bytes...}, name_{name} {
    static_assert((std::size_t{Entries::is_last} + ...) == 1 && std::array{Entries::is_last...}.back(),
                  "the last branch, and no other, is otherwise(resource)");
    ALLOT_EXPECTS(std::adjacent_find(limits_.begin(), limits_.end(), std::greater_equal<>{}) == limits_.end());
  }

  /// The resource of branch `I`, in the order of construction.
  template <std::size_t I>
  [[nodiscard]] auto& branch() const noexcept {
    static_assert(I < branch_count, "the router has fewer branches");
    return std::get<I>(branches_);
  }

  /// The greatest request of branch `I`, in bytes; of the last one SIZE_MAX.
  template <std::size_t I>
  [[nodiscard]] std::size_t limit() const noexcept {
    static_assert(I < branch_count, "the router has fewer branches");
    return limits_[I];
  }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

private:
  friend resource_interface<size_router>;

  /// Calls `use` with the branch for `bytes`: the one predicate, for all calls.
  template <std::size_t I = 0, class Use>
  decltype(auto) at_branch_for(std::size_t bytes, Use use) const {
    if constexpr (I + 1 == branch_count) {
      return use(branch<I>());
    } else {
      return bytes <= limits_[I] ? use(branch<I>()) : at_branch_for<I + 1>(bytes, use);
    }
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    return at_branch_for(bytes, [=](auto& branch) { return try_allocate_from(branch, bytes, alignment); });
  }
  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    return at_branch_for(bytes, [=](auto& branch) { return branch.allocate(bytes, alignment); });
  }
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    at_branch_for(bytes, [=](auto& branch) { branch.deallocate(p, bytes, alignment); });
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept {
    ownership answer = ownership::no;
    const auto ask = [&](const auto& branch) {
      const ownership said = owned_by(branch, p);
      if (said != ownership::no) answer = said;
      return said == ownership::yes;
    };
    std::apply([&](auto&... branches) { static_cast<void>((ask(branches) || ...)); }, branches_);
    return answer;
  }

  std::tuple<Branches&...> branches_;
  std::array<std::size_t, branch_count> limits_; // ascending; the last is SIZE_MAX, and never read to route
  const char* name_;
};

/// Constrained like the constructors, since the more constrained candidate wins before a guide does.
template <size_router_entry... Entries>
size_router(Entries...) -> size_router<typename Entries::resource_type...>;
template <size_router_entry... Entries>
size_router(const char*, Entries...) -> size_router<typename Entries::resource_type...>;

} // namespace allot::inline ALLOT_ABI
