#pragma once

#include "blocks.hpp"
#include "subject.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

namespace bench {

/// Blocks before an arena is reset, and the room that they need.
constexpr std::size_t arena_blocks = 1024;
constexpr std::size_t arena_bytes = std::size_t{256} * 1024;

/// Warm memory for whichever arena is measured.
[[nodiscard]] std::span<std::byte> arena_memory() noexcept;

[[nodiscard]] inline std::vector<std::uint32_t> small_sizes() { return sizes_between(8, 32, 8, arena_blocks); }

/// All blocks, then everything back at once. The blocks are not written to. An item is one allocation.
template <class Resource, class Reset>
[[gnu::always_inline]] inline void time_arena(benchmark::State& state, Resource& r, const Reset& reset_all,
                                              std::span<const std::uint32_t> sizes) {
  std::vector<void*> blocks;
  if (!gives_good_blocks(r, sizes, blocks))
    return state.SkipWithError("a block is not aligned or not the caller's own");
  reset_all();
  for (auto _ : state) {
    for (const std::uint32_t size : sizes)
      benchmark::DoNotOptimize(r.allocate(size, 8));
    reset_all();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(sizes.size()));
}

/// The arena by its own type, its calls inlined where it lets them.
template <auto construct>
void concrete_arena(benchmark::State& state) {
  auto arena = construct(setting{.buffer = arena_memory()});
  benchmark::DoNotOptimize(&arena); // its state is not known, but its type is
  time_arena(
      state, arena, [&arena] { reset(arena); }, small_sizes());
}

constexpr std::size_t grown_blocks = (std::size_t{1} << 20) / 32;

/// 1 MiB of 32 B from nothing, over new and delete. An item is one allocation.
template <class Resource>
void grow(Resource& r) {
  for (std::size_t i = 0; i < grown_blocks; ++i)
    benchmark::DoNotOptimize(r.allocate(32, 8));
}

/// Whether as many blocks, live at once, hold what is written to them: looked at after the timed turns, so that the heap is
/// for them as it always was.
template <class Resource>
[[nodiscard]] bool grows_well(Resource& r) {
  std::vector<void*> blocks;
  return gives_good_blocks(r, std::vector<std::uint32_t>(grown_blocks, 32), blocks);
}

template <auto construct>
void concrete_growth(benchmark::State& state) {
  for (auto _ : state) {
    auto arena = construct(setting{});
    grow(arena);
  }
  auto arena = construct(setting{});
  if (!grows_well(arena)) state.SkipWithError("a block is not aligned or not the caller's own");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(grown_blocks));
}

} // namespace bench
