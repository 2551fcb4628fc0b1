#pragma once

#include <allot/core/layout.hpp>
#include <allot/detail/block_store.hpp>
#include <allot/detail/poison.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail {

/// Has `store` grow by the chunk that it wants or, where `first` gives null for that, by one for a single block from `last`.
/// Both are called with the layout of a chunk, and give memory that is aligned so.
/// \param most_blocks  that the chunk may have
/// \param alignment    of chunks: at least `alignof(store_chunk)`
/// \return false where `last` gives null: nothing has changed then, nor where one of the two throws
template <class First, class Last>
[[nodiscard]] bool grow(block_store& store, std::size_t most_blocks, std::size_t alignment, First first, Last last) {
  const block_store::chunk_plan plan = store.plan_chunk(most_blocks);
  std::size_t size = plan.wanted;
  void* memory = size == plan.least ? nullptr : first(layout{size, alignment});
  if (memory == nullptr) memory = last(layout{size = plan.least, alignment});
  if (memory == nullptr) return false;
  store.add_chunk(memory, size, plan);
  return true;
}

/// Gives `chunk` and those that are `older` back to `upstream`.
/// \return the bytes given back
template <class Upstream>
std::size_t give_chunks_back(Upstream& upstream, store_chunk* chunk, std::size_t alignment) noexcept {
  std::size_t sum = 0;
  while (chunk != nullptr) {
    std::byte* const memory = chunk->begin;
    const std::size_t bytes = chunk->bytes();
    chunk = chunk->older;
    unpoison(memory, bytes);
    upstream.deallocate(memory, bytes, alignment);
    sum += bytes;
  }
  return sum;
}

} // namespace allot::inline ALLOT_ABI::detail
