// LLVM's arena, with a first slab that holds a whole request (its own default are slabs of 4 KiB, of which `Reset` keeps one), and
// its recycler of one size over it. Only headers are used: none of the flags that LLVM is built with matter.

#include "support/peer_of.hpp"

#define LLVM_DISABLE_ABI_BREAKING_CHECKS_ENFORCING 1
#include <llvm/Config/llvm-config.h>
#include <llvm/Support/Allocator.h>
#include <llvm/Support/Recycler.h>

#include <cstddef>
#include <memory_resource>

namespace {

class from_upstream {
public:
  explicit from_upstream(std::pmr::memory_resource* r) noexcept : r_{r} {}

  void* Allocate(std::size_t bytes, std::size_t alignment) { return r_->allocate(bytes, alignment); }
  void Deallocate(const void* p, std::size_t bytes, std::size_t alignment) {
    r_->deallocate(const_cast<void*>(p), bytes, alignment);
  }

private:
  std::pmr::memory_resource* r_;
};

template <std::size_t Slab>
class bump {
public:
  explicit bump(std::pmr::memory_resource* upstream) : bump_{from_upstream{upstream}} {}

  void* allocate(std::size_t bytes, std::size_t alignment) { return bump_.Allocate(bytes, alignment); }
  static void deallocate(void*, std::size_t, std::size_t) noexcept {}
  void reset() { bump_.Reset(); }

private:
  llvm::BumpPtrAllocatorImpl<from_upstream, Slab> bump_;
};

class recycler {
public:
  explicit recycler(std::pmr::memory_resource* upstream) : bump_{from_upstream{upstream}} {}
  recycler(const recycler&) = delete;
  recycler& operator=(const recycler&) = delete;
  ~recycler() { list_.clear(nowhere_); }

  void* allocate(std::size_t, std::size_t) { return list_.Allocate(bump_); }
  void deallocate(void* p, std::size_t, std::size_t) noexcept { list_.Deallocate(bump_, static_cast<block*>(p)); }

private:
  struct block {
    alignas(8) std::byte bytes[bench::pool_block];
  };
  /// The memory goes with the arena.
  struct keep {
    void Deallocate(block*) noexcept {}
  };

  llvm::BumpPtrAllocatorImpl<from_upstream, 4096> bump_;
  llvm::Recycler<block> list_;
  keep nowhere_;
};

auto one_slab(const bench::setting& s) { return bump<bench::arena_bytes>{s.upstream}; }
auto slabs(const bench::setting& s) { return bump<4096>{s.upstream}; }
auto recycled(const bench::setting& s) { return recycler{s.upstream}; }

using enum bench::part;
const bench::library here{
    "llvm",
    LLVM_VERSION_STRING,
    {bench::peer_of<arena, one_slab>(), bench::peer_of<growing, slabs>(), bench::peer_of<block_pool, recycled>()}};

} // namespace
