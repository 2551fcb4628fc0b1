#include "support/peer_of.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/static_resource.hpp>
#include <boost/version.hpp>

#include <cstddef>
#include <memory_resource>
#include <optional>
#include <span>
#include <utility>

namespace {

namespace json = boost::json;

class fixed {
public:
  explicit fixed(std::span<std::byte> buffer) : arena_{buffer.data(), buffer.size()} {}

  void* allocate(std::size_t bytes, std::size_t alignment) { return arena_.allocate(bytes, alignment); }
  void deallocate(void* p, std::size_t bytes, std::size_t alignment) { arena_.deallocate(p, bytes, alignment); }
  void reset() noexcept { arena_.release(); }

private:
  json::static_resource arena_;
};

/// Over its own default upstream: it gives blocks back as smaller than it took them, and some mallocs look at that. Made anew
/// at each reset, since the chunks that it asks for go on doubling after `release`.
class growing_arena {
public:
  void* allocate(std::size_t bytes, std::size_t alignment) { return arena_->allocate(bytes, alignment); }
  void deallocate(void* p, std::size_t bytes, std::size_t alignment) { arena_->deallocate(p, bytes, alignment); }
  void reset() noexcept { arena_.emplace(); }

private:
  std::optional<json::monotonic_resource> arena_{std::in_place};
};

auto make_fixed(const bench::setting& s) { return fixed{s.buffer}; }
auto make_growing(const bench::setting&) { return growing_arena{}; }

using enum bench::part;
const bench::library here{"boost_json",
                          BOOST_LIB_VERSION,
                          {bench::peer_of<arena, make_fixed>(), bench::peer_without_upstream<growing, make_growing>()}};

} // namespace
