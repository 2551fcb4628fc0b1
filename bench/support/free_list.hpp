#pragma once

#include "subject.hpp"

#include <array>
#include <cstddef>
#include <memory_resource>
#include <vector>

namespace bench {

/// The floor of pools: intrusive lists by size, inlined, over chunks from upstream that are carved as blocks are needed. It
/// knows sizes of up to 512 bytes, looks at no alignment beyond that of 8, and keeps no figures.
template <std::size_t Lists>
class free_list {
public:
  explicit free_list(std::pmr::memory_resource* upstream) noexcept : upstream_{upstream} {}
  free_list(const free_list&) = delete;
  free_list& operator=(const free_list&) = delete;
  ~free_list() { release(); }

  void* allocate(std::size_t bytes, std::size_t) {
    node*& head = heads_[list_of(bytes)];
    node* const block = head;
    if (block == nullptr) [[unlikely]]
      return carve(bytes);
    head = block->next;
    return block;
  }

  void deallocate(void* p, std::size_t bytes, std::size_t) noexcept {
    node*& head = heads_[list_of(bytes)];
    head = ::new (p) node{head};
  }

  void release() noexcept {
    for (void* const chunk : chunks_)
      upstream_->deallocate(chunk, chunk_bytes, chunk_alignment);
    chunks_.clear();
    heads_ = {};
    cursor_ = end_ = nullptr;
  }

private:
  struct node {
    node* next;
  };
  static constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;
  static constexpr std::size_t chunk_alignment = 16;

  static std::size_t list_of(std::size_t bytes) noexcept { return Lists == 1 ? 0 : (bytes - 1) / 8; }

  [[gnu::noinline]] void* carve(std::size_t bytes) {
    const std::size_t size = (bytes + 7) / 8 * 8;
    if (static_cast<std::size_t>(end_ - cursor_) < size) {
      chunks_.push_back(upstream_->allocate(chunk_bytes, chunk_alignment));
      cursor_ = static_cast<std::byte*>(chunks_.back());
      end_ = cursor_ + chunk_bytes;
    }
    cursor_ += size;
    return cursor_ - size;
  }

  std::array<node*, Lists> heads_{};
  std::byte* cursor_ = nullptr;
  std::byte* end_ = nullptr;
  std::pmr::memory_resource* upstream_;
  std::vector<void*> chunks_;
};

/// For one size, and for 8 to 512 bytes.
using one_free_list = free_list<1>;
using free_lists = free_list<64>;

} // namespace bench
