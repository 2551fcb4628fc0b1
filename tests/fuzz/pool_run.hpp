#pragma once

#include <allot/core/config.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource.hpp>
#include <allot/detail/size_classes.hpp>
#include <allot/pool/pool_class_figures.hpp>

#include "input.hpp"
#include "require.hpp"
#include "shadow.hpp"
#include "upstream.hpp"

#include <cstddef>
#include <memory_resource>
#include <type_traits>

namespace fuzz {

/// Options as a user may write them: none, small ones, and such that are to be corrected.
inline std::pmr::pool_options pool_options(input& in) {
  switch (in.below(4)) {
  case 0: return {.max_blocks_per_chunk = in.below(40), .largest_required_pool_block = in.below(256)};
  case 1: return {.max_blocks_per_chunk = in.size(), .largest_required_pool_block = in.size()};
  default: return {};
  }
}

/// Calls `use(up, below)`: `below` is `up` by its own type, as `allot::resource`, or as a foreign resource.
template <class Use>
void over_any_upstream(input& in, Use use) {
  upstream up;
  foreign_upstream foreign{up};
  const auto go = [&]<class Below>(Below& below) {
    if constexpr (std::is_same_v<Below, upstream>) up.let_misalign();
    up.plan(in);
    use(up, below);
  };
  switch (in.below(3)) {
#if ALLOT_EXCEPTIONS
  case 0: return go.template operator()<std::pmr::memory_resource>(foreign);
#endif
  case 1: return go.template operator()<allot::resource>(up);
  default: return go(up);
  }
}

/// Requires that the figures of a pool at rest are those of the blocks that are live and of what upstream has given.
/// \param others  bytes that it has from upstream beside the memory of blocks
template <class Pool>
void check_pool(const Pool& pool, const shadow& blocks, const upstream& up, std::size_t others = 0) {
  const std::size_t largest = pool.options().largest_required_pool_block;
  std::size_t used = 0;
  std::size_t small = 0;
  std::size_t large = 0;
  for (const shadow::block& b : blocks.live()) {
    const std::size_t key = allot::detail::class_key(b.shape.bytes == 0 ? 1 : b.shape.bytes, b.shape.alignment);
    const bool is_large = key >= largest;
    used += is_large ? b.shape.bytes : pool.class_figures(allot::detail::class_of(key)).block_bytes;
    ++(is_large ? large : small);
  }
  FUZZ_REQUIRE(pool.used() == used);
  FUZZ_REQUIRE(pool.reserved() == up.bytes());

  allot::pool_class_figures sum = pool.large_figures();
  FUZZ_REQUIRE(sum.blocks_used == large && sum.chunks == large);
  for (std::size_t i = 0; i < pool.class_count(); ++i) {
    const allot::pool_class_figures one = pool.class_figures(i);
    FUZZ_REQUIRE(one.block_bytes >= allot::detail::class_bytes(i));
    sum.blocks_used += one.blocks_used;
    sum.chunks += one.chunks;
    sum.reserved_bytes += one.reserved_bytes;
  }
  FUZZ_REQUIRE(sum.blocks_used == small + large);
  FUZZ_REQUIRE(sum.reserved_bytes + others == up.bytes());
  FUZZ_REQUIRE(pool.owns(&pool) == allot::ownership::no);
}

} // namespace fuzz
