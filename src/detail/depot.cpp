#include <allot/detail/depot.hpp>

#include <algorithm>
#include <utility>

#if ALLOT_THREADS

namespace allot::inline ALLOT_ABI::detail {
namespace {

/// \pre `first` is not null
block_chain measured(free_block* first) noexcept {
  block_chain chain{first, first, 1};
  for (; chain.last->next != nullptr; ++chain.count)
    chain.last = chain.last->next;
  return chain;
}

} // namespace

block_chain depot::take_batch() noexcept {
  const std::lock_guard held{lock_};
  return take();
}

block_chain depot::take() noexcept {
  if (free_block* const first = pop_batch()) return {first, nullptr, batch_blocks_};
  return store_.take(std::max<std::size_t>(batch_blocks_, 1));
}

void* depot::take_one() noexcept {
  const std::lock_guard held{lock_};
  if (store_.is_empty() && !store_.carve(1)) {
    free_block* const first = pop_batch();
    if (first == nullptr) return nullptr;
    store_.put(measured(first));
  }
  return store_.pop();
}

void depot::put_batch(free_block* first) noexcept {
  free_block* const next = first->next;
  unpoison(first, sizeof(batch));
  const std::lock_guard held{lock_};
  newest_ = ::new (first) batch{{next}, newest_};
  ++batches_;
}

depot::batch* depot::pop_batch() noexcept {
  batch* const first = newest_;
  if (first == nullptr) return nullptr;
  newest_ = first->older;
  poison(&first->older, sizeof first->older); // NOLINT(bugprone-sizeof-expression): it is the pointer that is poisoned
  --batches_;
  return first;
}

void depot::put_chain(free_block* first) noexcept {
  if (first == nullptr) return;
  const block_chain chain = measured(first);
  const std::lock_guard held{lock_};
  store_.put(chain);
}

void depot::put_one(void* p) noexcept {
  const std::lock_guard held{lock_};
  store_.push(p);
}

block_store::chunk_plan depot::plan_chunk(std::size_t most_blocks) const noexcept {
  const std::lock_guard held{lock_};
  return store_.plan_chunk(most_blocks);
}

block_chain depot::add_chunk(void* memory, std::size_t bytes, const block_store::chunk_plan& plan) noexcept {
  const std::lock_guard held{lock_};
  store_.add_chunk(memory, bytes, plan);
  return take();
}

void depot::break_up_batches() noexcept {
  while (free_block* const first = pop_batch())
    store_.put(measured(first));
}

store_chunk* depot::remove_free_chunks() noexcept {
  const std::lock_guard held{lock_};
  break_up_batches();
  return store_.remove_free_chunks();
}

store_chunk* depot::remove_chunks() noexcept {
  const std::lock_guard held{lock_};
  newest_ = nullptr;
  batches_ = 0;
  return store_.remove_chunks();
}

depot::figures depot::count() const noexcept {
  const std::lock_guard held{lock_};
  return {store_.used() - batches_ * batch_blocks_, store_.blocks(), store_.chunks(), store_.reserved()};
}

ownership depot::holds(const void* p) const noexcept {
  const std::lock_guard held{lock_};
  return store_.holds(p);
}

} // namespace allot::inline ALLOT_ABI::detail

#endif
