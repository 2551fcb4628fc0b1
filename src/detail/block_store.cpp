#include <allot/detail/block_store.hpp>

#include <allot/core/expects.hpp>
#include <allot/core/layout.hpp>

#include <utility>

namespace allot::inline ALLOT_ABI::detail {
namespace {

/// Neighbours get priorities that have nothing to do with each other: what a treap needs to stay flat.
std::uint32_t scattered(const void* p) noexcept {
  std::uint64_t x = reinterpret_cast<std::uintptr_t>(p) * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9u;
  return static_cast<std::uint32_t>(x >> 32);
}

} // namespace

block_store::chunk_plan block_store::plan_chunk(std::size_t most_blocks) const noexcept {
  const std::size_t fit = (next_bytes_ - sizeof(store_chunk)) / block_bytes_;
  const std::size_t wanted = std::max<std::size_t>(std::min(fit, most_blocks), 1);
  return {wanted * block_bytes_ + sizeof(store_chunk), block_bytes_ + sizeof(store_chunk)};
}

void block_store::add_chunk(void* memory, std::size_t bytes, const chunk_plan& plan) noexcept {
  ALLOT_EXPECTS(is_aligned(memory, alignof(store_chunk)) && (bytes == plan.wanted || bytes == plan.least));
  carve(blocks_); // none is lost where the run was not at its end
  auto* const begin = static_cast<std::byte*>(memory);
  const std::size_t room = bytes - sizeof(store_chunk);
  auto* const chunk = ::new (begin + room) store_chunk{newest_, nullptr, nullptr, begin, scattered(begin + room), 0};
  newest_ = chunk;
  chunks_by_end_.insert(chunk);
  set_run(begin, chunk->end());
  blocks_ += room / block_bytes_;
  ++chunks_;
  next_bytes_ = static_cast<std::uint32_t>(bytes_after(bytes, plan));
}

/// What the next chunk may have, after one of `given` bytes. No more than twice the one before: so that where upstream
/// refused one, it is asked for small ones first.
std::size_t block_store::bytes_after(std::size_t given, const chunk_plan& plan) const noexcept {
  if (given < plan.wanted) return std::max(plan.wanted / 2, sizeof(store_chunk));
  const std::size_t all = reserved();
  const std::size_t share = std::max<std::size_t>(all < doubled_bytes ? all : all / 2, first_bytes(block_bytes_));
  return std::min({share, 2 * std::size_t{next_bytes_}, largest_chunk_bytes});
}

store_chunk* block_store::remove_chunks() noexcept {
  clear();
  blocks_ = chunks_ = 0;
  chunks_by_end_ = {};
  next_bytes_ = first_bytes(block_bytes_);
  return std::exchange(newest_, nullptr);
}

store_chunk* block_store::remove_free_chunks() noexcept {
  if (used_ == 0) return remove_chunks();
  count_free_blocks();
  drop_blocks_of_free_chunks();
  store_chunk* removed = nullptr;
  store_chunk** end_of_removed = &removed;
  for (store_chunk** link = &newest_; *link != nullptr;) {
    store_chunk* const chunk = *link;
    if (!is_free(chunk)) {
      link = &chunk->older;
      continue;
    }
    *link = chunk->older;
    remove(chunk);
    *end_of_removed = chunk;
    end_of_removed = &chunk->older;
  }
  *end_of_removed = nullptr;
  return removed;
}

void block_store::count_free_blocks() noexcept {
  for (store_chunk* chunk = newest_; chunk != nullptr; chunk = chunk->older)
    chunk->free_blocks = 0;
  for (free_block* block = free_; block != nullptr; block = block->next)
    ++chunk_of(block)->free_blocks;
}

void block_store::drop_blocks_of_free_chunks() noexcept {
  for (free_block** link = &free_; *link != nullptr;) {
    if (is_free(chunk_of(*link))) {
      *link = (*link)->next;
    } else {
      link = &(*link)->next;
    }
  }
}

void block_store::remove(store_chunk* chunk) noexcept {
  chunks_by_end_.erase(chunk);
  if (chunk->end() == end_) cursor_ = end_ = nullptr;
  blocks_ -= static_cast<std::size_t>(chunk->end() - chunk->begin) / block_bytes_;
  --chunks_;
}

ownership block_store::holds(const void* p) const noexcept {
  store_chunk* const chunk = chunks_by_end_.at_or_after(p);
  return chunk == nullptr ? ownership::no : within(p, chunk->begin, chunk->bytes() - sizeof(store_chunk));
}

} // namespace allot::inline ALLOT_ABI::detail
