#include <allot/detail/block_list.hpp>

namespace allot::inline ALLOT_ABI::detail {

block_chain block_list::take(std::size_t most, std::size_t block_bytes) noexcept {
  block_chain chain;
  free_block** link = &chain.first;
  for (; chain.count < most && free_ != nullptr; ++chain.count) {
    *link = chain.last = free_;
    free_ = free_->next;
    link = &chain.last->next;
  }
  for (; chain.count < most && cursor_ != end_; ++chain.count) {
    *link = chain.last = make_free(cursor_, block_bytes, nullptr);
    cursor_ += block_bytes;
    link = &chain.last->next;
  }
  *link = nullptr;
  used_ += chain.count;
  return chain;
}

bool block_list::carve(std::size_t most, std::size_t block_bytes) noexcept {
  if (cursor_ == end_) return false;
  free_block* const behind = free_;
  free_block** link = &free_;
  for (; most > 0 && cursor_ != end_; --most) {
    free_block* const block = make_free(cursor_, block_bytes, behind);
    cursor_ += block_bytes;
    *link = block;
    link = &block->next;
  }
  return true;
}

} // namespace allot::inline ALLOT_ABI::detail
