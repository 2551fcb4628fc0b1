// What a chain costs: a budget over counters over a minimum alignment over an arena, as one class written by hand, as a
// chain whose types are known, and as the same layers each of which knows only `std::pmr::memory_resource*` below it. Times
// are for an allocation and its deallocation. The goals (docs/performance.md): the chain at most x1.30 of the hand-written
// class, called in the same way; the stack through `memory_resource*` at least x1.5 of the chain.

#include "support/hand_written.hpp"
#include "support/ratio_table.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <memory_resource>
#include <span>

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

BENCHMARK(known<by_hand, one_at_a_time>)->Name("known type, one block at a time/one class by hand");
BENCHMARK(known<bench::static_stack, one_at_a_time>)->Name("known type, one block at a time/chain");
BENCHMARK(known<bench::dynamic_stack, one_at_a_time>)->Name("known type, one block at a time/over memory_resource*");

BENCHMARK(known<by_hand, sixteen>)->Name("known type, 16 blocks out and back/one class by hand");
BENCHMARK(known<bench::static_stack, sixteen>)->Name("known type, 16 blocks out and back/chain");
BENCHMARK(known<bench::dynamic_stack, sixteen>)->Name("known type, 16 blocks out and back/over memory_resource*");

BENCHMARK(interface<by_hand, one_at_a_time>)->Name("interface, one block at a time/one class by hand");
BENCHMARK(interface<bench::static_stack, one_at_a_time>)->Name("interface, one block at a time/chain");
BENCHMARK(interface<bench::dynamic_stack, one_at_a_time>)->Name("interface, one block at a time/over memory_resource*");

BENCHMARK(interface<by_hand, sixteen>)->Name("interface, 16 blocks out and back/one class by hand");
BENCHMARK(interface<bench::static_stack, sixteen>)->Name("interface, 16 blocks out and back/chain");
BENCHMARK(interface<bench::dynamic_stack, sixteen>)->Name("interface, 16 blocks out and back/over memory_resource*");

} // namespace

int main(int argc, char** argv) { return bench::compare(argc, argv); }
