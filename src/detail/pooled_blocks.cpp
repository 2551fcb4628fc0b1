#include <allot/detail/pooled_blocks.hpp>

#include <algorithm>

namespace allot::inline ALLOT_ABI::detail {
namespace {

/// Fresh blocks come this many at a time, so that the slow path is taken once for all of them.
constexpr std::size_t batch = 16;

} // namespace

template <std::size_t... I>
pooled_blocks::pooled_blocks(const std::pmr::pool_options& options, const char* name,
                             std::index_sequence<I...>) noexcept
    : largest_key_{std::min(options.largest_required_pool_block, direct_keys) - 1},
      most_blocks_{options.max_blocks_per_chunk},
      largest_{options.largest_required_pool_block},
      name_{name},
      stores_{block_store{class_bytes(I)}...} {}

pooled_blocks::pooled_blocks(const std::pmr::pool_options& options, const char* name) noexcept
    : pooled_blocks{obeyed(options), name, std::make_index_sequence<class_count>{}} {}

void* pooled_blocks::place_in_kept(std::size_t bytes, std::size_t alignment) noexcept {
  const std::size_t index = class_of(key_of(bytes, alignment));
  if (free_[index] == nullptr) free_[index] = stores_[index].take(batch).first;
  free_block* const block = free_[index];
  if (block == nullptr) return nullptr;
  free_[index] = block->next;
  ++used_[index];
  return make_used(block, bytes);
}

void pooled_blocks::push_slow(void* p, std::size_t bytes, std::size_t alignment) noexcept {
  push_to(class_of(key_of(bytes, alignment)), p);
}

store_chunk* pooled_blocks::remove_chunks(std::size_t index) noexcept {
  free_[index] = nullptr;
  used_[index] = 0;
  return stores_[index].remove_chunks();
}

store_chunk* pooled_blocks::remove_free_chunks(std::size_t index) noexcept {
  block_chain back{free_[index], free_[index], 0};
  for (free_block* block = back.first; block != nullptr; block = block->next) {
    back.last = block;
    ++back.count;
  }
  free_[index] = nullptr;
  stores_[index].put(back);
  return stores_[index].remove_free_chunks();
}

ownership pooled_blocks::holds(const void* p) const noexcept {
  for (const block_store& store : stores_) {
    if (store.holds(p) == ownership::yes) return ownership::yes;
  }
  return large_.holds(p);
}

std::size_t pooled_blocks::used() const noexcept {
  std::size_t sum = large_.used();
  for (std::size_t i = 0; i < class_count; ++i)
    sum += used_[i] * class_bytes(i);
  return sum;
}

std::size_t pooled_blocks::reserved() const noexcept {
  std::size_t sum = large_.reserved();
  for (const block_store& store : stores_)
    sum += store.reserved();
  return sum;
}

} // namespace allot::inline ALLOT_ABI::detail
