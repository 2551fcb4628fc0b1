// The pools' fast paths through `memory_resource*`: an allocation and its deallocation, and the same among many live blocks,
// where the cost must not grow. Beside them std's pool, and lists that are inlined.

#include "gate/gate.hpp"

#include <allot/pool/block_pool_resource.hpp>
#include <allot/pool/pool_resource.hpp>

#include <cstddef>
#include <memory_resource>
#include <new>
#include <span>
#include <vector>

namespace {

constexpr std::size_t few = 1024;
constexpr std::size_t many = 131'072;

alignas(64) std::byte memory[few * 32 + 32];
alignas(64) std::byte list_memory[sizeof memory];
alignas(64) std::byte pair_memory[sizeof memory];

/// The loop of a pair takes 13 instructions.
template <std::size_t Bytes, class Resource>
[[gnu::noinline]] void pair(Resource& r, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i)
    r.deallocate(r.allocate(Bytes, 8), Bytes, 8);
}

/// Steps through the live blocks, 2^n of them, by a stride, and has each replaced.
template <class Resource>
[[gnu::noinline]] void replace(Resource& r, std::span<void*> live, std::size_t turns) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < turns; ++i) {
    at = (at + 617) & (live.size() - 1);
    r.deallocate(live[at], 32, 8);
    live[at] = r.allocate(32, 8);
  }
}

template <class Pool, std::size_t Bytes = 32>
void pair_of(std::size_t turns) {
  Pool pool;
  pair<Bytes, std::pmr::memory_resource>(pool, turns);
}

/// A pool with live blocks, which is there from the first run to the last: filling it is no part of any.
template <class Pool, std::size_t Live>
struct stocked {
  template <class... Args>
  explicit stocked(Args&&... args) : pool{args...}, live(Live) {
    for (void*& p : live)
      p = pool.allocate(32, 8);
  }

  Pool pool;
  std::vector<void*> live;
};

template <class Pool, std::size_t Live>
void among(std::size_t turns) {
  static stocked<Pool, Live> s;
  replace<std::pmr::memory_resource>(s.pool, s.live, turns);
}

void among_blocks(std::size_t turns) {
  static stocked<allot::block_pool_resource<32>, few> s{memory};
  replace<std::pmr::memory_resource>(s.pool, s.live, turns);
}

void pair_of_blocks(std::size_t turns) {
  allot::block_pool_resource<32> pool{pair_memory};
  pair<32, std::pmr::memory_resource>(pool, turns);
}

/// What a pool for one size at least does.
class free_list {
public:
  explicit free_list(std::span<std::byte> bytes) noexcept {
    for (std::size_t i = 0; i + 32 <= bytes.size(); i += 32)
      deallocate(&bytes[i], 32, 8);
  }

  void* allocate(std::size_t, std::size_t) noexcept {
    node* const block = head_;
    head_ = block->next;
    return block;
  }

  void deallocate(void* p, std::size_t, std::size_t) noexcept { head_ = ::new (p) node{head_}; }

private:
  struct node {
    node* next;
  };
  node* head_ = nullptr;
};

void among_list(std::size_t turns) {
  static stocked<free_list, few> s{list_memory};
  replace(s.pool, s.live, turns);
}

using pool = allot::pool_resource<>;
using std_pool = std::pmr::unsynchronized_pool_resource;

const gate::row rows[]{
    {"pool_resource/pair", gate::turn, pair_of<pool>},
    {"pool_resource/pair, 1 KiB", gate::turn, pair_of<pool, 1024>},
    {"pool_resource/interface", gate::do_allocate, pair_of<pool>},
    {"pool_resource/among 1,024", gate::turn, among<pool, few>},
    {"pool_resource/among 131,072", gate::turn, among<pool, many>},
    {"block_pool_resource/pair", gate::turn, pair_of_blocks},
    {"block_pool_resource/interface", gate::do_allocate, pair_of_blocks},
    {"block_pool_resource/among 1,024", gate::turn, among_blocks},
    {"inlined free list/among 1,024", gate::turn, among_list},
    {"std unsynchronized_pool_resource/pair", gate::turn, pair_of<std_pool>},
};

} // namespace
