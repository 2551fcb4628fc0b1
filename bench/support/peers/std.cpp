#include "support/peer_of.hpp"

#include <memory_resource>
#include <string>

namespace {

auto buffered(const bench::setting& s) {
  return std::pmr::monotonic_buffer_resource{s.buffer.data(), s.buffer.size(), s.upstream};
}
auto monotonic(const bench::setting& s) { return std::pmr::monotonic_buffer_resource{s.upstream}; }
auto unsynchronized(const bench::setting& s) { return std::pmr::unsynchronized_pool_resource{s.upstream}; }
auto synchronized(const bench::setting& s) { return std::pmr::synchronized_pool_resource{s.upstream}; }

#ifdef _GLIBCXX_RELEASE
const std::string version = "libstdc++ " + std::to_string(_GLIBCXX_RELEASE);
#else
const std::string version = "unknown";
#endif

using enum bench::part;
const bench::library here{"std",
                          version,
                          {bench::peer_of<arena, buffered>(), bench::peer_of<growing, monotonic>(),
                           bench::peer_of<block_pool, unsynchronized>(), bench::peer_of<pool, unsynchronized>(),
                           bench::peer_of<shared_pool, synchronized>()}};

} // namespace
