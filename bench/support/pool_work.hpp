#pragma once

#include "blocks.hpp"
#include "subject.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <utility>
#include <vector>

namespace bench {

enum class sizes { same, mixed };

constexpr std::size_t pool_block = 32;

/// The sizes of a workload: 32 B as a constant, or 16 to 512 B.
template <sizes which>
class size_list;

template <>
class size_list<sizes::same> {
public:
  explicit size_list(std::size_t) noexcept {}
  std::uint32_t operator[](std::size_t) const noexcept { return pool_block; }
};

template <>
class size_list<sizes::mixed> {
public:
  explicit size_list(std::size_t count) : sizes_{sizes_between(16, 512, 1, count)} {}
  std::uint32_t operator[](std::size_t i) const noexcept { return sizes_[i]; }

private:
  std::vector<std::uint32_t> sizes_;
};

/// A block into which its owner writes a word, as every owner does: a pool that keeps its lists elsewhere would otherwise win by
/// a cache line that no program saves.
template <class Resource>
[[gnu::always_inline]] inline void* written_block(Resource& r, std::size_t bytes) {
  void* const p = r.allocate(bytes, 8);
  *static_cast<std::size_t*>(p) = bytes;
  return p;
}

/// Blocks go out, and come back the last one first, the first one first, or in a random order. An item is an allocation and
/// its deallocation.
template <sizes which>
class out_and_back {
public:
  enum class order { lifo, fifo, random };

  out_and_back(std::size_t count, order how) : sizes_{count}, blocks_(count), order_(count) {
    for (std::size_t i = 0; i < count; ++i)
      order_[i] = static_cast<std::uint32_t>(how == order::lifo ? count - 1 - i : i);
    if (how == order::random) order_ = shuffled(count);
  }

  [[nodiscard]] std::size_t items() const noexcept { return blocks_.size(); }

  template <class Resource>
  void begin(Resource& r) {
    round(r);
  }

  template <class Resource>
  [[gnu::always_inline]] void round(Resource& r) {
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      blocks_[i] = written_block(r, sizes_[i]);
    benchmark::ClobberMemory();
    for (const std::uint32_t i : order_)
      r.deallocate(blocks_[i], sizes_[i], 8);
  }

  template <class Resource>
  void end(Resource&) noexcept {}

private:
  size_list<which> sizes_;
  std::vector<void*> blocks_;
  std::vector<std::uint32_t> order_;
};

/// A set of live blocks, of which a few at a time, picked at random, are freed and as many taken, of other sizes where they are
/// mixed. (One at a time would get the block back that it just freed, and the floor would not even look at it.) An item is a
/// deallocation and an allocation.
template <sizes which>
class churn {
public:
  explicit churn(std::size_t count)
      : blocks_(count), held_(count), sizes_{replacements}, picks_(replacements), fresh_(count) {
    numbers next{777};
    for (std::size_t k = 0; k < replacements; ++k) {
      const auto first = picks_.begin() + static_cast<std::ptrdiff_t>(k / few * few);
      const auto here = picks_.begin() + static_cast<std::ptrdiff_t>(k);
      do
        *here = next(static_cast<std::uint32_t>(count));
      while (std::find(first, here, *here) != here);
    }
  }

  [[nodiscard]] static std::size_t items() noexcept { return replacements; }

  template <class Resource>
  void begin(Resource& r) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      held_[i] = fresh_[i];
      blocks_[i] = written_block(r, held_[i]);
    }
    round(r);
  }

  template <class Resource>
  [[gnu::always_inline]] void round(Resource& r) {
    for (std::size_t first = 0; first < replacements; first += few) {
      for (std::size_t k = first; k < first + few; ++k) {
        const std::uint32_t i = picks_[k];
        r.deallocate(blocks_[i], which == sizes::same ? pool_block : held_[i], 8);
      }
      for (std::size_t k = first; k < first + few; ++k) {
        const std::uint32_t i = picks_[k];
        if constexpr (which == sizes::mixed) held_[i] = sizes_[k];
        blocks_[i] = written_block(r, sizes_[k]);
      }
    }
  }

  template <class Resource>
  void end(Resource& r) noexcept {
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      r.deallocate(blocks_[i], held_[i], 8);
  }

private:
  static constexpr std::size_t replacements = 16384;
  static constexpr std::size_t few = 8; // of which no two are the same block

  std::vector<void*> blocks_;
  std::vector<std::uint32_t> held_; // the sizes of the live blocks
  size_list<which> sizes_;
  std::vector<std::uint32_t> picks_;
  size_list<which> fresh_;
};

/// Whether the resource serves the sizes of a workload, and takes them back.
template <sizes which, class Resource>
[[nodiscard]] bool serves(Resource& r) {
  const size_list<which> list{256};
  std::vector<std::uint32_t> asked(256);
  for (std::size_t i = 0; i < asked.size(); ++i)
    asked[i] = list[i];
  std::vector<void*> blocks;
  if (!gives_good_blocks(r, asked, blocks)) return false; // what is broken is left alone
  for (std::size_t i = 0; i < blocks.size(); ++i)
    r.deallocate(blocks[i], asked[i], 8);
  return true;
}

/// One warm round, then the timed ones.
template <sizes which, class Work, class Resource>
[[gnu::always_inline]] inline void time_pool(benchmark::State& state, Work& work, Resource& r) {
  if (!serves<which>(r)) return state.SkipWithError("a block is not aligned or not the caller's own");
  work.begin(r);
  for (auto _ : state)
    work.round(r);
  work.end(r);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(work.items()));
}

/// The pool by its own type: 64 blocks of 32 B, the last one back first.
template <auto construct>
void concrete_pool(benchmark::State& state) {
  auto pool = construct(setting{.block_bytes = pool_block});
  benchmark::DoNotOptimize(&pool); // its state is not known, but its type is
  out_and_back<sizes::same> work{64, out_and_back<sizes::same>::order::lifo};
  time_pool<sizes::same>(state, work, pool);
}

} // namespace bench
