#pragma once

#include "arena_work.hpp"
#include "peers.hpp"
#include "pool_work.hpp"

#include <memory>

namespace bench {

/// The class that `construct`, a function of a setting, returns by value, in a part. \param name null stands for the library's
template <part plays, auto construct>
[[nodiscard]] peer peer_of(const char* name = nullptr) {
  peer p{plays, name,
         [](const setting& s) -> std::unique_ptr<subject> { return std::make_unique<subject_of<construct>>(s); },
         nullptr};
  if constexpr (plays == part::arena) p.concrete = concrete_arena<construct>;
  if constexpr (plays == part::growing) p.concrete = concrete_growth<construct>;
  if constexpr (plays == part::block_pool || plays == part::pool) p.concrete = concrete_pool<construct>;
  return p;
}

/// The same for a class that takes its memory behind our back.
template <part plays, auto construct>
[[nodiscard]] peer peer_without_upstream(const char* name = nullptr) {
  peer p = peer_of<plays, construct>(name);
  p.asks_upstream = false;
  return p;
}

} // namespace bench
