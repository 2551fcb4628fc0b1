// What a chain costs: a budget over counters over a minimum alignment over an arena, as one class written by hand, as a
// chain whose types are known, and as the same layers each of which knows only `std::pmr::memory_resource*` below it. Times
// are for an allocation and its deallocation: of one block at a time (single), or of sixteen, the last one back first (nested);
// by the type of the whole (known) or through `std::pmr::memory_resource` (interface). The goals (docs/performance.md): the chain at most x1.30 of the hand-written
// class, called in the same way; the stack through `memory_resource*` at least x1.5 of the chain.

#include "support/hand_written.hpp"
#include "support/rows.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <memory_resource>
#include <span>
#include <string>
#include <vector>

namespace {

alignas(4096) std::array<std::byte, 64 * 1024> memory;

constexpr int batch = 64;

/// One block at a time: each call waits for what the one before it stored.
struct one_at_a_time {
  template <class Resource>
  void operator()(Resource& r) const {
    for (int i = 0; i < batch; ++i) {
      void* p = r.allocate(32, 8);
      benchmark::DoNotOptimize(p);
      r.deallocate(p, 32, 8);
    }
  }
};

/// Sixteen blocks out and back, the last one first.
struct sixteen {
  template <class Resource>
  void operator()(Resource& r) const {
    std::array<void*, 16> blocks;
    for (int i = 0; i < batch / 16; ++i) {
      for (void*& p : blocks)
        p = r.allocate(32, 8);
      benchmark::DoNotOptimize(blocks);
      for (std::size_t k = blocks.size(); k > 0; --k)
        r.deallocate(blocks[k - 1], 32, 8);
    }
  }
};

bench::hand_written by_hand(std::span<std::byte> bytes) { return bench::hand_written{bytes}; }

/// The loop knows the stack by its own type.
template <auto make, class Pairs>
void known(benchmark::State& state) {
  auto stack = make(std::span{memory});
  auto* r = &stack;
  benchmark::DoNotOptimize(r);
  for (auto _ : state)
    Pairs{}(*r);
  state.SetItemsProcessed(state.iterations() * batch);
}

/// The loop knows it by `std::pmr::memory_resource`.
template <auto make, class Pairs>
void interface(benchmark::State& state) {
  auto stack = make(std::span{memory});
  std::pmr::memory_resource* r = &stack;
  benchmark::DoNotOptimize(r);
  for (auto _ : state)
    Pairs{}(*r);
  state.SetItemsProcessed(state.iterations() * batch);
}

template <class Pairs>
void add(std::vector<bench::row>& rows, const std::string& pairs) {
  const std::string called = "chain/interface_" + pairs + '/';
  const std::string inlined = "chain/known_" + pairs + '/';
  rows.push_back({inlined + "hand_written", known<by_hand, Pairs>, {}});
  rows.push_back({inlined + "chain", known<bench::static_stack, Pairs>, {}});
  rows.push_back({inlined + "over_memory_resource", known<bench::dynamic_stack, Pairs>, {}});
  rows.push_back({called + "hand_written", interface<by_hand, Pairs>, {}});
  rows.push_back({called + "chain", interface<bench::static_stack, Pairs>, {}});
  rows.push_back({called + "over_memory_resource", interface<bench::dynamic_stack, Pairs>, {}});
}

void add_all(std::vector<bench::row>& rows) {
  add<one_at_a_time>(rows, "single");
  add<sixteen>(rows, "nested");
}

const bench::group here{"chain", add_all};

} // namespace
