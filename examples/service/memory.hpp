#pragma once

#include "block_pool.hpp"
#include "options.hpp"
#include "run_pool.hpp"
#include "whole_blocks.hpp"

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/core/chain.hpp>
#include <allot/core/failure.hpp>
#include <allot/router/fallback_router.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>

namespace service {

/// The memory of all requests, as layers of allot:
///
///     request_arena    a request's containers bump through chunks of it, which are whole blocks
///       request_level    limit "request": what one request may have
///         tenant_level     limit "tenant NAME", one for each tenant and one for all others
///           process_level    limit "process" -> counting "process" -> fallback: an arena of 64 KiB, else a run of them
///
/// Each level charges the blocks that the arena takes. Nothing below takes memory from the system: the pools lie in static
/// memory.

inline constexpr std::size_t arena_bytes = 64_KiB;

using arena_pool = block_pool<arena_bytes, 64_MiB / arena_bytes>;
using large_pool = run_pool<arena_bytes, 192_MiB / arena_bytes>;
static_assert(arena_pool::bytes + large_pool::bytes == static_capacity);

using static_pools = allot::fallback_router<arena_pool, large_pool>;

/// Builds the process level over the pools.
[[nodiscard]] inline auto process_chain(arena_pool& arenas, large_pool& large, std::size_t budget) noexcept {
  return allot::chain{allot::layer<allot::limit_adaptor>(budget, "process"),
                      allot::layer<allot::counting_adaptor>(allot::shared_counters, "process"),
                      allot::source<static_pools>(std::ref(arenas), std::ref(large), "static arenas")};
}

/// What the record of a refusal calls the level of a request.
inline constexpr const char* request_level_name = "request";

using process_level = decltype(process_chain(std::declval<arena_pool&>(), std::declval<large_pool&>(), std::size_t{}));
using tenant_level = allot::limit_adaptor<process_level>;
using request_level = allot::limit_adaptor<tenant_level>;
using request_blocks = whole_blocks<request_level, arena_bytes>;
using request_arena = allot::monotonic_resource<request_blocks>;

/// The pages for people and scrapers have memory of their own, so that they answer while the budgets are used up.
inline constexpr std::size_t page_bytes = 128_KiB;
using page_pool = block_pool<page_bytes, 64>;

/// A tenant: what the header calls it, and its budget. For all that are not in the list there is one, `other`.
struct tenant {
  std::string_view id;
  tenant_level* level;
};

/// All levels but those of single requests, which each has for itself.
class memory {
public:
  /// Claims the static memory: there is one of these in a program.
  /// \throws allot::already_claimed for a second one
  explicit memory(const options& chosen);

  [[nodiscard]] process_level& process() noexcept { return process_; }
  [[nodiscard]] const process_level& process() const noexcept { return process_; }
  [[nodiscard]] const arena_pool& arenas() const noexcept { return arenas_; }
  [[nodiscard]] const large_pool& large() const noexcept { return large_; }
  [[nodiscard]] page_pool& pages() noexcept { return pages_; }
  [[nodiscard]] const page_pool& pages() const noexcept { return pages_; }

  /// Those of the list, and `other` behind them.
  [[nodiscard]] std::span<const tenant> tenants() const noexcept { return {tenants_.data(), tenant_count_}; }

  /// The tenant of that name, or `other`.
  [[nodiscard]] const tenant& find(std::string_view id) const noexcept;

  /// What one request may have, in bytes.
  [[nodiscard]] std::size_t request_budget() const noexcept { return request_budget_; }

  /// Bytes that requests have now; zero where there is none.
  [[nodiscard]] std::size_t live_bytes() const noexcept;

private:
  void add_tenant(std::string_view id, std::size_t budget);

  arena_pool& arenas_;
  large_pool& large_;
  page_pool& pages_;
  process_level process_;
  std::size_t request_budget_;
  std::array<std::optional<tenant_level>, most_tenants + 1> levels_;
  std::array<tenant, most_tenants + 1> tenants_{};
  std::size_t tenant_count_ = 0;
};

} // namespace service
