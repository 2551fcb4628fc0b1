// The fast path of the pool for any thread through `memory_resource*`: an allocation and its deallocation, and
// the same where blocks go to and from the depot.

#include "gate/gate.hpp"

#include <allot/pool/concurrent_pool_resource.hpp>

#include <cstddef>
#include <memory_resource>

namespace {

/// The loop of a pair takes 13 instructions.
template <std::size_t Bytes>
[[gnu::noinline]] void pair(std::pmr::memory_resource& r, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i)
    r.deallocate(r.allocate(Bytes, 8), Bytes, 8);
}

/// 256 blocks out and back, of which the thread's magazines have 128.
[[gnu::noinline]] void stretch(std::pmr::memory_resource& r, std::size_t turns) {
  constexpr std::size_t count = 256;
  void* blocks[count];
  for (std::size_t i = 0; i < turns; i += count) {
    for (void*& p : blocks)
      p = r.allocate(32, 8);
    for (void* const p : blocks)
      r.deallocate(p, 32, 8);
  }
}

/// The pool is there from the first run to the last: making it is no part of any.
template <void (*run)(std::pmr::memory_resource&, std::size_t)>
void with_pool(std::size_t turns) {
  static allot::concurrent_pool_resource<> pool;
  std::pmr::memory_resource* volatile seen = &pool; // else g++ has a copy of `run` that knows the type
  run(*seen, turns);
}

const gate::row rows[] = {
    {"concurrent_pool_resource/pair", gate::turn, with_pool<pair<32>>},
    {"concurrent_pool_resource/pair, 1 KiB", gate::turn, with_pool<pair<1024>>},
    {"concurrent_pool_resource/pair, with depot", gate::turn, with_pool<stretch>},
};

} // namespace
