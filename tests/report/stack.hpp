#pragma once

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/tag_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/chain.hpp>
#include <allot/core/tag.hpp>
#include <allot/router/fallback_router.hpp>
#include <allot/router/size_router.hpp>

#include <cstddef>

namespace support {

/// Every kind of layer that a report knows, with figures that are always the same.
///
///     process -> all -> tags -> by size -> up to 64: primary and secondary
///                                       -> otherwise: over a resource of unknown type
struct stack {
  explicit stack(const char* name = "process") noexcept : process{all, allot::budget{1 << 20, 100}, name} {
    (void)process.allocate(40, 1);
    const allot::tag_scope here{"parse"};
    process.deallocate(process.allocate(1000, 1), 1000, 1);
    (void)process.allocate(2000, 1);
    (void)process.try_allocate(2 << 20, 1);
    (void)process.try_allocate(1 << 19, 1);
  }

  allot::bump_resource<256> first{"first"};
  allot::bump_resource<512> second{"second"};
  allot::bump_resource<8192> large{"large"};
  allot::fallback_router<allot::bump_resource<256>, allot::bump_resource<512>> small{first, second};
  allot::counting_adaptor<allot::resource> big{large, "big"};
  allot::size_router<decltype(small), decltype(big)> by_size{"by size", allot::up_to(64, small), allot::otherwise(big)};
  allot::tag_adaptor<decltype(by_size), allot::max_tags_t<4>> tags{by_size, "tags"};
  allot::counting_adaptor<decltype(tags)> all{tags, "all"};
  allot::limit_adaptor<decltype(all)> process;
};

} // namespace support
