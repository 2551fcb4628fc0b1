#include <allot/arena/atomic_bump_resource.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/pool/block_pool_resource.hpp>
#include <allot/pool/concurrent_pool_resource.hpp>
#include <allot/pool/pool_resource.hpp>

#include "support/peer_of.hpp"

#include <cstddef>
#include <memory_resource>
#include <span>
#include <string>

namespace {

using any = std::pmr::memory_resource;

auto bump(const bench::setting& s) { return allot::bump_resource<>{s.buffer}; }
auto bump8(const bench::setting& s) { return allot::bump_resource<std::dynamic_extent, 8>{s.buffer}; }
auto atomic_bump(const bench::setting& s) { return allot::atomic_bump_resource<>{s.buffer}; }
auto buffered(const bench::setting& s) {
  return allot::monotonic_resource<>{s.buffer.data(), s.buffer.size(), s.upstream};
}
auto buffered8(const bench::setting& s) {
  return allot::monotonic_resource<any, 8>{s.buffer.data(), s.buffer.size(), s.upstream};
}
auto monotonic(const bench::setting& s) { return allot::monotonic_resource<>{s.upstream}; }
auto monotonic8(const bench::setting& s) { return allot::monotonic_resource<any, 8>{s.upstream}; }

auto blocks_of_one_size(const bench::setting& s) {
  return allot::block_pool_resource<bench::pool_block, 8, any>{*s.upstream};
}
auto pool_of(const bench::setting& s) { return allot::pool_resource<>{s.upstream}; }
auto concurrent(const bench::setting& s) { return allot::concurrent_pool_resource<>{s.upstream}; }

const std::string version = std::to_string(ALLOT_VERSION_MAJOR) + '.' + std::to_string(ALLOT_VERSION_MINOR) + '.' +
                            std::to_string(ALLOT_VERSION_PATCH);

using enum bench::part;
const bench::library here{
    "allot",
    version,
    {bench::peer_of<arena, bump>("bump_resource"), bench::peer_of<arena, bump8>("bump_resource, MinAlign 8"),
     bench::peer_of<arena, atomic_bump>("atomic_bump_resource"), bench::peer_of<arena, buffered>("monotonic_resource"),
     bench::peer_of<arena, buffered8>("monotonic_resource, MinAlign 8"),
     bench::peer_of<growing, monotonic>("monotonic_resource"),
     bench::peer_of<growing, monotonic8>("monotonic_resource, MinAlign 8"),
     bench::peer_of<block_pool, blocks_of_one_size>("block_pool_resource"),
     bench::peer_of<block_pool, pool_of>("pool_resource"),
     bench::peer_of<block_pool, concurrent>("concurrent_pool_resource"), bench::peer_of<pool, pool_of>("pool_resource"),
     bench::peer_of<pool, concurrent>("concurrent_pool_resource"),
     bench::peer_of<shared_pool, concurrent>("concurrent_pool_resource")}};

} // namespace
