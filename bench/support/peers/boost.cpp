// Boost.Container's resources. They derive from an interface of Boost's own, and are called by their `do_` functions without
// going through it.

#include "support/peer_of.hpp"

#include <boost/container/pmr/monotonic_buffer_resource.hpp>
#include <boost/container/pmr/synchronized_pool_resource.hpp>
#include <boost/container/pmr/unsynchronized_pool_resource.hpp>
#include <boost/version.hpp>

#include <cstddef>
#include <memory_resource>
#include <span>

namespace {

/// Upstream for them: one virtual call more for a chunk.
class to_std final : public boost::container::pmr::memory_resource {
public:
  explicit to_std(std::pmr::memory_resource* r) noexcept : r_{r} {}

private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override { return r_->allocate(bytes, alignment); }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    r_->deallocate(p, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const BOOST_NOEXCEPT override { return this == &other; }

  std::pmr::memory_resource* r_;
};

/// A base, so that it is there before the resource.
struct boost_upstream {
  to_std upstream;
};

template <class Resource>
class direct final : private boost_upstream, private Resource {
public:
  explicit direct(std::pmr::memory_resource* up) : boost_upstream{to_std{up}}, Resource{&upstream} {}
  direct(std::span<std::byte> buffer, std::pmr::memory_resource* up)
      : boost_upstream{to_std{up}}, Resource{buffer.data(), buffer.size(), &upstream} {}

  void* allocate(std::size_t bytes, std::size_t alignment) { return Resource::do_allocate(bytes, alignment); }
  void deallocate(void* p, std::size_t bytes, std::size_t alignment) { Resource::do_deallocate(p, bytes, alignment); }
  using Resource::release;
};

namespace pmr = boost::container::pmr;

auto buffered(const bench::setting& s) { return direct<pmr::monotonic_buffer_resource>{s.buffer, s.upstream}; }
auto monotonic(const bench::setting& s) { return direct<pmr::monotonic_buffer_resource>{s.upstream}; }
auto unsynchronized(const bench::setting& s) { return direct<pmr::unsynchronized_pool_resource>{s.upstream}; }
auto synchronized(const bench::setting& s) { return direct<pmr::synchronized_pool_resource>{s.upstream}; }

using enum bench::part;
const bench::library here{"boost",
                          BOOST_LIB_VERSION,
                          {bench::peer_of<arena, buffered>(), bench::peer_of<growing, monotonic>(),
                           bench::peer_of<block_pool, unsynchronized>(), bench::peer_of<pool, unsynchronized>(),
                           bench::peer_of<shared_pool, synchronized>()}};

} // namespace
