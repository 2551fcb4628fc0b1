#pragma once

#include <allot/core/config.hpp>
#include <allot/detail/poison.hpp>

#include <cstddef>
#include <new>

namespace allot::inline ALLOT_ABI::detail {

/// All that there is of a free block: a link in its first bytes.
struct free_block {
  free_block* next;
};

/// Free blocks on their way from one list to another. The last one's link is null.
struct block_chain {
  free_block* first = nullptr;
  free_block* last = nullptr;
  std::size_t count = 0;
};

/// Makes `p` a free block in front of `next`, whatever it was before. Only the link stays accessible.
inline free_block* make_free(void* p, [[maybe_unused]] std::size_t block_bytes, free_block* next) noexcept {
  unpoison(p, sizeof(free_block));
  poison(static_cast<std::byte*>(p) + sizeof(free_block), block_bytes - sizeof(free_block));
  return ::new (p) free_block{next};
}

/// Makes the first `bytes` bytes of a block that was free accessible, and no more.
inline void* make_used(void* p, [[maybe_unused]] std::size_t bytes) noexcept {
  poison(p, sizeof(free_block));
  unpoison(p, bytes);
  return p;
}

/// Blocks of one size: those that came back, linked through themselves, and a run of those that were never given out.
///
///     free_ -> block -> block -> null        | block | block | ... |
///                                          cursor_                end_
///
/// The run is carved a few blocks at a time, upwards: fresh blocks lie side by side, and none is touched before its time.
///
/// Costs: `pop` is two loads and a store, `push` a load and two stores, and one add each to keep count. No loops there.
class block_list {
public:
  constexpr block_list() noexcept = default;
  block_list(const block_list&) = delete;
  block_list& operator=(const block_list&) = delete;

  /// Whether `pop` would have nothing to give. The run may have blocks all the same.
  [[nodiscard]] bool is_empty() const noexcept { return free_ == nullptr; }

  /// Whether `pop` would give `p`: a block that is free for sure.
  [[nodiscard]] bool is_next(const void* p) const noexcept { return p == free_; }

  /// The block that came back last; it is for `make_used` to make it accessible. \pre `!is_empty()`
  [[nodiscard]] void* pop() noexcept {
    free_block* const block = free_;
    free_ = block->next;
    ++used_;
    return block;
  }

  /// Takes a block back. \pre `p` was taken out
  void push(void* p, std::size_t block_bytes) noexcept {
    free_ = make_free(p, block_bytes, free_);
    --used_;
  }

  /// Takes out up to `most` blocks, those that came back first; the chain has none where there are none.
  [[nodiscard]] block_chain take(std::size_t most, std::size_t block_bytes) noexcept;

  /// Takes a chain back. \pre its blocks were taken out, and are free by `make_free`
  void put(const block_chain& chain) noexcept {
    if (chain.count == 0) return;
    chain.last->next = free_;
    free_ = chain.first;
    used_ -= chain.count;
  }

  /// Makes up to `most` blocks of the run free ones. \return false where the run is at its end
  bool carve(std::size_t most, std::size_t block_bytes) noexcept;

  /// Blocks that are taken out now.
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

  /// Where the run goes on, and where it ends; both null where there never was one.
  [[nodiscard]] std::byte* run_begin() const noexcept { return cursor_; }
  [[nodiscard]] std::byte* run_end() const noexcept { return end_; }

  /// Makes the memory from `begin` to `end`, a whole number of blocks, the run, and poisons it.
  /// \pre the run before is at its end
  void set_run(std::byte* begin, std::byte* end) noexcept {
    cursor_ = begin;
    end_ = end;
    poison(begin, static_cast<std::size_t>(end - begin));
  }

  /// Forgets all blocks, used and free, and the run.
  void clear() noexcept {
    free_ = nullptr;
    used_ = 0;
    cursor_ = end_ = nullptr;
  }

protected:
  free_block* free_ = nullptr;
  std::size_t used_ = 0;
  std::byte* cursor_ = nullptr; // a whole number of blocks before end_
  std::byte* end_ = nullptr;
};

} // namespace allot::inline ALLOT_ABI::detail
