#pragma once

#include <allot/core/ownership.hpp>
#include <allot/detail/address_tree.hpp>
#include <allot/detail/block_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace allot::inline ALLOT_ABI::detail {

/// What a chunk of blocks keeps about itself, behind its blocks: the first of them then starts where the chunk does, and
/// no alignment costs padding.
struct store_chunk {
  store_chunk* older;        // in the order in which upstream gave them
  store_chunk* left;         // address_tree
  store_chunk* right;        // address_tree
  std::byte* begin;          // of the chunk, and of its first block
  std::uint32_t priority;    // address_tree
  std::uint32_t free_blocks; // has a meaning only while `remove_free_chunks` runs

  [[nodiscard]] std::byte* end() noexcept { return reinterpret_cast<std::byte*>(this); }
  /// Bytes of the whole chunk, as upstream gave them.
  [[nodiscard]] std::size_t bytes() noexcept { return static_cast<std::size_t>(end() - begin) + sizeof(store_chunk); }
};

/// Blocks of one size in chunks that grow: all of a pool's size class that does not need to know the upstream.
///
///     | block | block | ... | foot |    | block | block | ...                     ... | foot |
///       an older chunk, all carved        the newest one        run_begin()        run_end()
///
/// The pool asks `plan_chunk` what to take from upstream, and hands it in by `add_chunk`; the two functions that remove
/// chunks hand them out again, to be given back.
///
/// Costs: nine words; a footer of five words a chunk. The first chunk has 512 bytes, or two blocks, or one where two are
/// more than 4 KiB. The next ones are as large as all before them together, and half as large from 4 KiB on: up to 64 KiB.
/// So a pool with a few blocks of each of many sizes reserves little. The memory that a run has not reached is not touched.
/// Threads: one thread at a time.
class block_store : public block_list {
public:
  /// Two sizes for a new chunk: the one wanted, and the one that holds a single block.
  struct chunk_plan {
    std::size_t wanted;
    std::size_t least;
  };

  /// \param block_bytes  of each block, a multiple of `alignof(store_chunk)` and less than 2 GiB
  explicit constexpr block_store(std::size_t block_bytes) noexcept
      : block_bytes_{static_cast<std::uint32_t>(block_bytes)}, next_bytes_{first_bytes(block_bytes)} {}

  /// What chunks are to be aligned to, where blocks are aligned to `block_alignment`.
  [[nodiscard]] static constexpr std::size_t chunk_alignment(std::size_t block_alignment) noexcept {
    return std::max(block_alignment, alignof(store_chunk));
  }

  void push(void* p) noexcept { block_list::push(p, block_bytes_); }
  [[nodiscard]] block_chain take(std::size_t most) noexcept { return block_list::take(most, block_bytes_); }
  bool carve(std::size_t most) noexcept { return block_list::carve(most, block_bytes_); }

  /// \param most_blocks  that the chunk may have; 0 is taken for 1
  [[nodiscard]] chunk_plan plan_chunk(std::size_t most_blocks) const noexcept;

  /// Makes memory from upstream the newest chunk, whose blocks are carved from now on.
  /// \param memory  aligned to `chunk_alignment`
  /// \param bytes   one of the two sizes of the plan: where upstream refused the wanted one, less is wanted next time
  void add_chunk(void* memory, std::size_t bytes, const chunk_plan& plan) noexcept;

  /// Takes all chunks out, and all blocks with them, used or not. The next chunk has the size of the first one.
  /// \return the newest, linked by `older`, or null
  [[nodiscard]] store_chunk* remove_chunks() noexcept;

  /// Takes out those chunks of which no block is used.
  /// \return the newest of them, linked by `older`, or null
  [[nodiscard]] store_chunk* remove_free_chunks() noexcept;

  [[nodiscard]] std::size_t block_bytes() const noexcept { return block_bytes_; }
  /// Blocks that the chunks have room for, carved or not.
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_; }
  [[nodiscard]] std::size_t chunks() const noexcept { return chunks_; }
  /// Bytes of all chunks, their footers included.
  [[nodiscard]] std::size_t reserved() const noexcept { return blocks_ * block_bytes_ + chunks_ * sizeof(store_chunk); }

  /// `yes` for an address in a block, used or not.
  [[nodiscard]] ownership holds(const void* p) const noexcept;

private:
  static constexpr std::size_t largest_chunk_bytes = std::size_t{1} << 16;
  static constexpr std::size_t doubled_bytes = 4096; // until so many are reserved, each chunk doubles them

  static constexpr std::uint32_t first_bytes(std::size_t block_bytes) noexcept {
    if (block_bytes >= 2048) return 4096;
    return static_cast<std::uint32_t>(std::max<std::size_t>(2 * block_bytes + sizeof(store_chunk), 512));
  }

  [[nodiscard]] std::size_t bytes_after(std::size_t given, const chunk_plan& plan) const noexcept;
  [[nodiscard]] store_chunk* chunk_of(const void* block) const noexcept { return chunks_by_end_.at_or_after(block); }
  [[nodiscard]] std::byte* carved_end(store_chunk* chunk) const noexcept {
    return chunk->end() == end_ ? cursor_ : chunk->end();
  }
  [[nodiscard]] bool is_free(store_chunk* chunk) const noexcept {
    return chunk->free_blocks * std::size_t{block_bytes_} == static_cast<std::size_t>(carved_end(chunk) - chunk->begin);
  }
  void count_free_blocks() noexcept;
  void drop_blocks_of_free_chunks() noexcept;
  void remove(store_chunk* chunk) noexcept;

  store_chunk* newest_ = nullptr;
  address_tree<store_chunk> chunks_by_end_;
  std::size_t blocks_ = 0;
  std::size_t chunks_ = 0;
  std::uint32_t block_bytes_;
  std::uint32_t next_bytes_; // of the next chunk, if its blocks fit so
};

} // namespace allot::inline ALLOT_ABI::detail
