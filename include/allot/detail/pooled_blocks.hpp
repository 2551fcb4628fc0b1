#pragma once

#include <allot/core/expects.hpp>
#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>
#include <allot/detail/block_store.hpp>
#include <allot/detail/large_blocks.hpp>
#include <allot/detail/size_classes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <utility>

namespace allot::inline ALLOT_ABI::detail {

/// The classes and the large blocks of a pool for one thread: all of `pool_resource` that does not need to know its
/// upstream.
///
/// The blocks that come back, and a few fresh ones, wait in `free_`, apart from their stores: a list's head is found from
/// its class by one address. The stores are for when a list is empty.
class pooled_blocks {
public:
  pooled_blocks(const pooled_blocks&) = delete;
  pooled_blocks& operator=(const pooled_blocks&) = delete;

  /// The options as they are obeyed: the largest block that is not upstream's own, and the most blocks that a chunk has.
  [[nodiscard]] std::pmr::pool_options options() const noexcept { return {most_blocks_, largest_}; }

  /// Bytes of the blocks that are handed out, each as large as the blocks of its class; a large one as it was asked for.
  [[nodiscard]] std::size_t used() const noexcept;

  /// Bytes taken from the upstream and not given back, footers included.
  [[nodiscard]] std::size_t reserved() const noexcept;

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

protected:
  pooled_blocks(const std::pmr::pool_options& options, const char* name) noexcept;
  ~pooled_blocks() = default;

  /// A block from a list, or null: where the request is for the slow path, or its list is empty.
  [[nodiscard, gnu::always_inline]] void* pop(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t key = class_key(bytes, alignment);
    if (!is_direct(key)) [[unlikely]]
      return nullptr;
    return pop_from(key / 8, bytes);
  }

  /// Takes a block back to its list; false where it is for the slow path.
  [[nodiscard, gnu::always_inline]] bool push(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t key = class_key(bytes, alignment);
    if (!is_direct(key)) [[unlikely]]
      return false;
    push_to(key / 8, p);
    return true;
  }

  /// The two for classes that are computed, too.
  [[nodiscard]] void* pop_any(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t key = class_key(bytes, alignment);
    return key < largest_ ? pop_from(class_of(key), bytes) : nullptr;
  }
  [[nodiscard]] bool push_any(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t key = class_key(bytes, alignment);
    if (key >= largest_) return false;
    push_to(class_of(key), p);
    return true;
  }

  /// Takes any block back that is not large. \pre not `is_large`
  void push_slow(void* p, std::size_t bytes, std::size_t alignment) noexcept;

  /// Whether upstream serves the request by itself.
  [[nodiscard]] bool is_large(std::size_t bytes, std::size_t alignment) const noexcept {
    return key_of(bytes, alignment) >= largest_;
  }

  /// A block from the chunks that there are, or null. \pre not `is_large`, here and below
  [[nodiscard]] void* place_in_kept(std::size_t bytes, std::size_t alignment) noexcept;

  [[nodiscard]] block_store& store_of(std::size_t bytes, std::size_t alignment) noexcept {
    return stores_[class_of(key_of(bytes, alignment))];
  }

  /// Takes all chunks of a class out. \return the newest, linked by `older`, or null
  [[nodiscard]] store_chunk* remove_chunks(std::size_t index) noexcept;

  /// Takes out the chunks of a class of which no block is used. \return the newest of them, linked by `older`, or null
  [[nodiscard]] store_chunk* remove_free_chunks(std::size_t index) noexcept;

  [[nodiscard]] ownership holds(const void* p) const noexcept;

  [[nodiscard]] std::size_t classes() const noexcept { return class_of(largest_ - 1) + 1; }
  [[nodiscard]] std::size_t blocks_used(std::size_t index) const noexcept { return used_[index]; }
  /// What the chunks of a class are aligned to.
  [[nodiscard]] std::size_t chunk_alignment(std::size_t index) const noexcept {
    return class_alignment(stores_[index].block_bytes());
  }
  [[nodiscard]] const block_store& store(std::size_t index) const noexcept { return stores_[index]; }
  [[nodiscard]] std::size_t most_blocks() const noexcept { return most_blocks_; }

private:
  /// \param options  `obeyed`
  template <std::size_t... I>
  pooled_blocks(const std::pmr::pool_options& options, const char* name, std::index_sequence<I...>) noexcept;

  /// The key of a request, where zero bytes are taken for one.
  [[nodiscard]] static constexpr std::size_t key_of(std::size_t bytes, std::size_t alignment) noexcept {
    return class_key(bytes == 0 ? 1 : bytes, alignment);
  }

  [[nodiscard]] bool is_direct(std::size_t key) const noexcept {
    if (largest_key_ >= direct_keys) __builtin_unreachable(); // else g++ warns of a large request whose size it knows
    return key <= largest_key_;
  }

  void* pop_from(std::size_t index, std::size_t bytes) noexcept {
    free_block* const block = free_[index];
    if (block == nullptr) [[unlikely]]
      return nullptr;
    free_[index] = block->next;
    ++used_[index];
    return make_used(block, bytes);
  }

  void push_to(std::size_t index, void* p) noexcept {
    ALLOT_EXPECTS(used_[index] != 0 && p != free_[index] && is_aligned(p, alignof(free_block)));
    free_[index] = make_free(p, class_bytes(index), free_[index]);
    --used_[index];
  }

  std::size_t largest_key_; // that `pop` and `push` serve
  free_block* free_[class_count]{};
  std::size_t used_[class_count]{};

  std::size_t most_blocks_; // in a chunk
  std::size_t largest_;     // block size of the last class
  const char* name_;
  block_store stores_[class_count]; // their lists are empty, but for what `remove_free_chunks` left

protected:
  large_blocks large_;
};

} // namespace allot::inline ALLOT_ABI::detail
