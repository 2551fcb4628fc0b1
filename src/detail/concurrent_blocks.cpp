#include <allot/detail/concurrent_blocks.hpp>

#if ALLOT_THREADS

namespace allot::inline ALLOT_ABI::detail {

void* concurrent_blocks::take_slow(magazines* mine, std::size_t index) noexcept {
  if (mine == nullptr || batch_blocks(index) == 0) return depots_[index].take_one();
  magazine& used = mine->in_use(index);
  if (void* const p = used.pop()) return p; // the thread's table had forgotten it
  if (free_block* const spare = mine->spare(index)) {
    mine->set_spare(index, nullptr);
    used.fill(spare, used.capacity());
  } else {
    const block_chain chain = depots_[index].take_batch();
    if (chain.count == 0) return nullptr;
    used.fill(chain.first, chain.count);
  }
  return used.pop();
}

void concurrent_blocks::put_slow(void* p, std::size_t index) noexcept {
  if (batch_blocks(index) == 0) return depots_[index].put_one(p);
  magazines* const mine = this->find_or_adopt();
  if (mine == nullptr) {
    if (can_have()) is_wish_.store(true, std::memory_order_relaxed);
    return depots_[index].put_one(p);
  }
  magazine& used = mine->in_use(index);
  if (used.is_full()) {
    if (free_block* const spare = mine->spare(index)) depots_[index].put_batch(spare);
    mine->set_spare(index, used.take_all());
  }
  used.push(p, block_bytes(index));
}

void* concurrent_blocks::take_from_new(magazines* mine, std::size_t index, void* memory, std::size_t bytes,
                                       const block_store::chunk_plan& plan) noexcept {
  const block_chain chain = depots_[index].add_chunk(memory, bytes, plan);
  if (mine == nullptr || batch_blocks(index) == 0) {
    depots_[index].put_chain(chain.first->next);
    return chain.first;
  }
  mine->in_use(index).fill(chain.first, chain.count);
  return mine->in_use(index).pop();
}

void concurrent_blocks::empty(magazines& m) noexcept {
  for (std::size_t i = 0; i < classes_; ++i) {
    if (free_block* const spare = m.spare(i)) depots_[i].put_batch(spare);
    m.set_spare(i, nullptr);
    if (m.in_use(i).is_full() && batch_blocks(i) != 0) {
      depots_[i].put_batch(m.in_use(i).take_all());
    } else {
      depots_[i].put_chain(m.in_use(i).take_all());
    }
  }
}

void concurrent_blocks::empty_own() noexcept {
  if (magazines* const mine = this->find()) empty(*mine);
}

bool concurrent_blocks::may_ask_for_magazines() noexcept {
  if (!can_have()) return false;
  const std::uint32_t left = calls_to_wait_.load(std::memory_order_relaxed);
  if (left != 0) calls_to_wait_.store(left - 1, std::memory_order_relaxed); // a count lost between threads is no matter
  return left == 0;
}

bool concurrent_blocks::take_wish() noexcept {
  if (!is_wish_.load(std::memory_order_relaxed) || !may_ask_for_magazines()) return false;
  is_wish_.store(false, std::memory_order_relaxed);
  return true;
}

void concurrent_blocks::add_magazines(void* memory) noexcept {
  std::array<std::uint32_t, class_count> capacities;
  for (std::size_t i = 0; i < classes_; ++i)
    capacities[i] = static_cast<std::uint32_t>(batch_blocks(i));
  magazines_made_.fetch_add(1, std::memory_order_relaxed); // first: a trim may give them back the moment they are idle
  this->add_idle(magazines::make(memory, std::span{capacities}.first(classes_)));
}

void concurrent_blocks::note_given_back(std::size_t count) noexcept {
  magazines_made_.fetch_sub(count, std::memory_order_relaxed);
}

void concurrent_blocks::add_large(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
  const std::lock_guard held{large_lock_};
  large_.add(memory, bytes, alignment);
}

large_blocks::taken concurrent_blocks::remove_large(void* p, std::size_t bytes, std::size_t alignment) noexcept {
  const std::lock_guard held{large_lock_};
  return large_.remove(p, bytes, alignment);
}

large_blocks::taken concurrent_blocks::remove_newest_large() noexcept {
  const std::lock_guard held{large_lock_};
  return large_.remove_newest();
}

std::size_t concurrent_blocks::blocks_used(std::size_t index, const depot::figures& all) const noexcept {
  std::size_t free = 0;
  for_each([&](magazines& m) { free += m.size(index); });
  return all.taken - std::min(all.taken, free); // in between, blocks may have come back
}

concurrent_blocks::large_figures concurrent_blocks::count_large() const noexcept {
  const std::lock_guard held{large_lock_};
  return {large_.used(), large_.blocks(), large_.reserved()};
}

std::size_t concurrent_blocks::used() const noexcept {
  std::size_t sum = count_large().used;
  for (std::size_t i = 0; i < classes_; ++i)
    sum += blocks_used(i, depots_[i].count()) * block_bytes(i);
  return sum;
}

std::size_t concurrent_blocks::cached() const noexcept {
  std::size_t sum = 0;
  for_each([&](magazines& m) {
    for (std::size_t i = 0; i < classes_; ++i)
      sum += m.size(i) * block_bytes(i);
  });
  return sum;
}

std::size_t concurrent_blocks::most_cached_per_thread() const noexcept {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < classes_; ++i)
    sum += 2 * batch_blocks(i) * block_bytes(i);
  return sum;
}

std::size_t concurrent_blocks::reserved() const noexcept {
  std::size_t sum = magazines_made_.load(std::memory_order_relaxed) * magazines_layout().bytes;
  for (std::size_t i = 0; i < classes_; ++i)
    sum += depots_[i].count().reserved;
  return sum + count_large().reserved;
}

ownership concurrent_blocks::holds(const void* p) const noexcept {
  for (std::size_t i = 0; i < classes_; ++i)
    if (depots_[i].holds(p) == ownership::yes) return ownership::yes;
  const std::lock_guard held{large_lock_};
  return large_.holds(p);
}

} // namespace allot::inline ALLOT_ABI::detail

#endif
