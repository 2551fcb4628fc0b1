// foonathan/memory by its own calls: a `memory_stack` that is unwound to its start (its blocks double, and a request must fit
// into the next one, so that the first is 64 KiB), a `memory_pool` of nodes of one size, and a
// `memory_pool_collection` with powers of two for sizes of up to 1 KiB (its lists for every size need too much memory to
// begin with), larger blocks going to upstream. For threads the library's own mutex stands before that.

#include "support/peer_of.hpp"

#include <foonathan/memory/allocator_storage.hpp>
#include <foonathan/memory/memory_pool.hpp>
#include <foonathan/memory/memory_pool_collection.hpp>
#include <foonathan/memory/memory_stack.hpp>
#include <foonathan/memory/threading.hpp>

#include <cstddef>
#include <memory_resource>
#include <mutex>
#include <string>
#include <type_traits>

namespace {

namespace fm = foonathan::memory;

class from_upstream {
public:
  using is_stateful = std::true_type;

  explicit from_upstream(std::pmr::memory_resource* r) noexcept : r_{r} {}

  void* allocate_node(std::size_t bytes, std::size_t alignment) { return r_->allocate(bytes, alignment); }
  void deallocate_node(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    r_->deallocate(p, bytes, alignment);
  }

private:
  std::pmr::memory_resource* r_;
};

class stack {
public:
  stack(std::size_t first_block, std::pmr::memory_resource* upstream)
      : stack_{first_block, from_upstream{upstream}}, start_{stack_.top()} {}

  void* allocate(std::size_t bytes, std::size_t alignment) { return stack_.allocate(bytes, alignment); }
  static void deallocate(void*, std::size_t, std::size_t) noexcept {}
  void reset() noexcept { stack_.unwind(start_); }

private:
  using stack_type = fm::memory_stack<from_upstream>;
  stack_type stack_;
  stack_type::marker start_;
};

class nodes {
public:
  explicit nodes(const bench::setting& s)
      : pool_{s.block_bytes, pool_type::min_block_size(s.block_bytes, 256), from_upstream{s.upstream}} {}

  void* allocate(std::size_t, std::size_t) { return pool_.allocate_node(); }
  void deallocate(void* p, std::size_t, std::size_t) noexcept { pool_.deallocate_node(p); }

private:
  using pool_type = fm::memory_pool<fm::node_pool, from_upstream>;
  pool_type pool_;
};

constexpr std::size_t largest = 1024;
constexpr std::size_t first_block = std::size_t{64} * 1024;
using collection = fm::memory_pool_collection<fm::node_pool, fm::log2_buckets, from_upstream>;

class sized_nodes {
public:
  explicit sized_nodes(const bench::setting& s)
      : upstream_{s.upstream}, pool_{largest, first_block, from_upstream{s.upstream}} {}

  void* allocate(std::size_t bytes, std::size_t alignment) {
    if (bytes > largest) [[unlikely]]
      return upstream_->allocate(bytes, alignment);
    return pool_.allocate_node(bytes);
  }
  void deallocate(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (bytes > largest) [[unlikely]]
      return upstream_->deallocate(p, bytes, alignment);
    pool_.deallocate_node(p, bytes);
  }

private:
  std::pmr::memory_resource* upstream_;
  collection pool_;
};

class locked_nodes {
public:
  explicit locked_nodes(const bench::setting& s)
      : upstream_{s.upstream}, pool_{collection{largest, first_block, from_upstream{s.upstream}}} {}

  void* allocate(std::size_t bytes, std::size_t alignment) {
    if (bytes > largest) [[unlikely]]
      return upstream_->allocate(bytes, alignment);
    return pool_.allocate_node(bytes, alignment);
  }
  void deallocate(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (bytes > largest) [[unlikely]]
      return upstream_->deallocate(p, bytes, alignment);
    pool_.deallocate_node(p, bytes, alignment);
  }

private:
  std::pmr::memory_resource* upstream_;
  fm::allocator_storage<fm::direct_storage<collection>, std::mutex> pool_;
};

auto one_block(const bench::setting& s) { return stack{bench::arena_bytes, s.upstream}; }
auto growing_stack(const bench::setting& s) { return stack{first_block, s.upstream}; }
auto one_size(const bench::setting& s) { return nodes{s}; }
auto all_sizes(const bench::setting& s) { return sized_nodes{s}; }
auto locked(const bench::setting& s) { return locked_nodes{s}; }

const std::string version = std::to_string(FOONATHAN_MEMORY_VERSION_MAJOR) + "." +
                            std::to_string(FOONATHAN_MEMORY_VERSION_MINOR) + "." +
                            std::to_string(FOONATHAN_MEMORY_VERSION_PATCH);

using enum bench::part;
const bench::library here{"foonathan",
                          version,
                          {bench::peer_of<arena, one_block>(), bench::peer_of<growing, growing_stack>(),
                           bench::peer_of<block_pool, one_size>(), bench::peer_of<pool, all_sizes>(),
                           bench::peer_of<shared_pool, locked>()}};

} // namespace
