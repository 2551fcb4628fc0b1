#pragma once

#include <allot/core/config.hpp>
#include <allot/core/threads.hpp>
#include <allot/detail/block_store.hpp>
#include <allot/detail/short_lock.hpp>

#include <cstddef>
#include <mutex>

#if ALLOT_THREADS

namespace allot::inline ALLOT_ABI::detail {

/// What all threads share of one class of a pool: full magazines as whole chains, each handed on by two stores, and the
/// blocks that are in none.
///
///     batches -> | block | -> | block | ...      a chain that hangs on its first block, from there to the next batch
///                   |            |
///                 block        block             store: chunks, single blocks
///
/// Threads: any thread, under a lock of its own; nothing is called while that is held.
class alignas(64) depot {
public:
  explicit depot(std::size_t block_bytes, std::size_t batch_blocks) noexcept
      : batch_blocks_{batch_blocks}, store_{block_bytes} {}

  /// Up to a batch of blocks. \return none: there are none
  [[nodiscard]] block_chain take_batch() noexcept;

  /// One block. \return null: there is none
  [[nodiscard]] void* take_one() noexcept;

  /// Takes a chain back that is as long as a batch.
  void put_batch(free_block* first) noexcept;

  /// Takes a chain back that is shorter.
  void put_chain(free_block* first) noexcept;

  void put_one(void* p) noexcept;

  /// What to take from upstream when there are no blocks left.
  [[nodiscard]] block_store::chunk_plan plan_chunk(std::size_t most_blocks) const noexcept;

  /// Makes memory from upstream a chunk. \return at least one block of it, and up to a batch
  [[nodiscard]] block_chain add_chunk(void* memory, std::size_t bytes, const block_store::chunk_plan& plan) noexcept;

  /// Takes out the chunks all of whose blocks are here. \return linked by `older`
  [[nodiscard]] store_chunk* remove_free_chunks() noexcept;

  /// Takes out all chunks, wherever their blocks are. \return linked by `older`
  [[nodiscard]] store_chunk* remove_chunks() noexcept;

  struct figures {
    std::size_t taken = 0; // blocks that are elsewhere: in use, or in magazines
    std::size_t blocks = 0;
    std::size_t chunks = 0;
    std::size_t reserved = 0;
  };
  [[nodiscard]] figures count() const noexcept;

  [[nodiscard]] ownership holds(const void* p) const noexcept;

private:
  /// The first block of a batch.
  struct batch : free_block {
    batch* older;
  };

  [[nodiscard]] batch* pop_batch() noexcept;
  [[nodiscard]] block_chain take() noexcept;
  void break_up_batches() noexcept;

  mutable short_lock lock_;
  batch* newest_ = nullptr;
  std::size_t batches_ = 0;
  std::size_t batch_blocks_;
  block_store store_; // counts the blocks of batches as used
};

} // namespace allot::inline ALLOT_ABI::detail

#endif
