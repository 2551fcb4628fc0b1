#pragma once

#include <allot/core/expects.hpp>
#include <allot/detail/block_list.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace allot::inline ALLOT_ABI::detail {

class magazine_owner;
class magazine_registry;
class magazine_table;

/// Free blocks of one class that one thread takes and puts back with no lock: a chain of at most `capacity`.
class magazine {
public:
  explicit magazine(std::uint32_t most) noexcept : room_{most}, capacity_{most} {}

  /// The block that came last; it is for `make_used` to make it accessible. \return null: empty
  [[nodiscard]] void* pop() noexcept {
    free_block* const block = first_;
    if (block == nullptr) [[unlikely]]
      return nullptr;
    first_ = block->next;
    set_room(room() + 1);
    return block;
  }

  [[nodiscard]] bool is_full() const noexcept { return room() == 0; }

  /// \return false: full, and nothing was done
  bool push(void* p, std::size_t block_bytes) noexcept {
    ALLOT_EXPECTS(p != first_ && "a block came back twice");
    const std::uint32_t left = room();
    if (left == 0) [[unlikely]]
      return false;
    first_ = make_free(p, block_bytes, first_);
    set_room(left - 1);
    return true;
  }

  /// \pre it is empty
  void fill(free_block* chain, std::size_t blocks) noexcept {
    first_ = chain;
    set_room(capacity_ - static_cast<std::uint32_t>(blocks));
  }

  /// Takes the whole chain out.
  [[nodiscard]] free_block* take_all() noexcept {
    set_room(capacity_);
    return std::exchange(first_, nullptr);
  }

  /// Blocks in it. Threads: any thread.
  [[nodiscard]] std::size_t size() const noexcept { return capacity_ - room(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
  [[nodiscard]] std::uint32_t room() const noexcept { return room_.load(std::memory_order_relaxed); }
  void set_room(std::uint32_t blocks) noexcept { room_.store(blocks, std::memory_order_relaxed); }

  free_block* first_ = nullptr;
  std::atomic<std::uint32_t> room_; // for how many more; it has one writer, and no read-modify-write
  std::uint32_t capacity_;
};

/// One thread's magazines for one pool, in memory of that pool's: for each class one that is in use, and a spare chain
/// that is either as long as a magazine or not there, so that a thread that goes to and fro across the end of a magazine
/// does not go to the depot each time (Bonwick and Adams, "Magazines and Vmem", USENIX 2001).
///
///     links | in use: class 0, 1, 2 ... | spare: class 0, 1, 2 ...
///
/// Threads: the one that has it; `size` any thread. The links belong to `magazine_owner`.
class alignas(64) magazines { // a line of the cache: no two threads share one
public:
  [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t classes) noexcept {
    return sizeof(magazines) + classes * (sizeof(magazine) + sizeof(spare_chain));
  }

  /// Makes one, empty, with a magazine for each of the capacities.
  /// \param memory  `bytes_for(capacities.size())` bytes, aligned as this class is
  static magazines* make(void* memory, std::span<const std::uint32_t> capacities) noexcept;

  [[nodiscard]] magazine& in_use(std::size_t size_class) noexcept { return in_use_begin()[size_class]; }

  [[nodiscard]] free_block* spare(std::size_t size_class) noexcept {
    return spare_begin()[size_class].load(std::memory_order_relaxed);
  }
  void set_spare(std::size_t size_class, free_block* chain) noexcept {
    spare_begin()[size_class].store(chain, std::memory_order_relaxed);
  }

  /// Blocks in both.
  [[nodiscard]] std::size_t size(std::size_t size_class) noexcept {
    const magazine& used = in_use(size_class);
    return used.size() + (spare(size_class) == nullptr ? 0 : used.capacity());
  }

  magazines* next = nullptr; // of the same pool

private:
  friend magazine_owner;
  friend magazine_registry;
  using spare_chain = std::atomic<free_block*>;

  explicit magazines(std::size_t classes) noexcept : classes_{classes} {}

  [[nodiscard]] magazine* in_use_begin() noexcept { return reinterpret_cast<magazine*>(this + 1); }
  [[nodiscard]] spare_chain* spare_begin() noexcept {
    return reinterpret_cast<spare_chain*>(in_use_begin() + classes_);
  }

  std::size_t classes_;
  const magazine_table* thread_ = nullptr; // only ever compared: it may have ended. null: no thread has it
};

} // namespace allot::inline ALLOT_ABI::detail
