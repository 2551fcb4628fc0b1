#pragma once

#include <allot/core/config.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/threads.hpp>
#include <allot/detail/depot.hpp>
#include <allot/detail/large_blocks.hpp>
#include <allot/detail/magazine_owner.hpp>
#include <allot/detail/short_lock.hpp>
#include <allot/detail/size_classes.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <mutex>
#include <utility>

#if ALLOT_THREADS

namespace allot::inline ALLOT_ABI::detail {

/// The classes, the magazines and the large blocks of a pool for any thread: all of `concurrent_pool_resource` that does
/// not need to know its upstream.
///
///     thread --> magazines --> depot of each class --> chunks
///
/// Locks, in the order in which they are taken: the pool's own around calls of upstream; the registry's and the one on the
/// magazines' lists (`magazine_owner`); a depot's; the one on the large blocks. The last two are held for a few dozen
/// instructions, or for as long as a walk over free blocks takes. None of them is held while upstream is called but the
/// first.
class concurrent_blocks : private magazine_owner {
public:
  /// The bytes of class `index`'s blocks: a free one has room for two links.
  [[nodiscard]] static constexpr std::size_t block_bytes(std::size_t index) noexcept {
    return std::max(class_bytes(index), 2 * sizeof(void*));
  }

  /// Blocks that one magazine of class `index` holds: 8 KiB, but no more than 64 and no less than one. None of more than
  /// 16 KiB: who uses so much memory does not notice a lock.
  [[nodiscard]] static constexpr std::size_t batch_blocks(std::size_t index) noexcept {
    if (block_bytes(index) > largest_cached_bytes) return 0;
    return std::clamp<std::size_t>(batch_bytes / block_bytes(index), 1, 64);
  }

  /// The options that the pool has, none of them 0.
  [[nodiscard]] std::pmr::pool_options options() const noexcept { return {most_blocks_, largest_}; }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

  /// Bytes of the blocks that are allocated, each counted at the size of its class; above the largest class as asked for.
  /// Exact while no other thread allocates, deallocates, trims or ends.
  [[nodiscard]] std::size_t used() const noexcept;

  /// Bytes taken from upstream and not given back.
  [[nodiscard]] std::size_t reserved() const noexcept;

  /// Bytes of the free blocks that lie in the magazines of threads, for those alone.
  [[nodiscard]] std::size_t cached() const noexcept;

  /// The most that `cached` can be for each thread that uses the pool.
  [[nodiscard]] std::size_t most_cached_per_thread() const noexcept;

protected:
  concurrent_blocks(const std::pmr::pool_options& wanted, const char* name) noexcept
      : concurrent_blocks{obeyed(wanted), name, std::make_index_sequence<class_count>{}} {}
  ~concurrent_blocks() override = default;

  /// A block for the key of a request from this thread's magazine. \return null: it is for the slow path
  [[nodiscard]] void* take(std::size_t key) noexcept {
    const magazine_table::slot& s = this->slot();
    if (key >= fast_keys_ || !this->is_own(s)) [[unlikely]]
      return nullptr;
    return s.found->in_use(key / 8).pop();
  }

  /// Puts a block into this thread's magazine. \return false: it is for the slow path
  [[nodiscard]] bool put(void* p, std::size_t key) noexcept {
    const magazine_table::slot& s = this->slot();
    if (key >= fast_keys_ || !this->is_own(s)) [[unlikely]]
      return false;
    return s.found->in_use(key / 8).push(p, block_bytes(class_of(key)));
  }

  /// The two for keys that are not below `fast_keys_`.
  [[nodiscard]] void* take_larger(std::size_t key) noexcept {
    const magazine_table::slot& s = this->slot();
    if (key >= largest_ || !this->is_own(s)) return nullptr;
    return s.found->in_use(class_of(key)).pop();
  }
  [[nodiscard]] bool put_larger(void* p, std::size_t key) noexcept {
    const magazine_table::slot& s = this->slot();
    if (key >= largest_ || !this->is_own(s)) return false;
    return s.found->in_use(class_of(key)).push(p, block_bytes(class_of(key)));
  }

  /// A block from the magazines, if there are any for this thread, or else from the depot. \return null: from upstream
  [[nodiscard]] void* take_slow(magazines* mine, std::size_t index) noexcept;
  void put_slow(void* p, std::size_t index) noexcept;

  /// What `take_slow` would have given, had the chunk been there.
  [[nodiscard]] void* take_from_new(magazines* mine, std::size_t index, void* memory, std::size_t bytes,
                                    const block_store::chunk_plan& plan) noexcept;

  /// Whether upstream is to be asked for magazines for this thread: it has none, could have some, and upstream has not
  /// just refused them.
  [[nodiscard]] bool may_ask_for_magazines() noexcept;
  void note_refused_magazines() noexcept { calls_to_wait_.store(calls_between_attempts, std::memory_order_relaxed); }

  /// Whether a thread that only deallocates waits for magazines, and upstream has not just refused some. It asks no
  /// upstream, another one does.
  [[nodiscard]] bool take_wish() noexcept;

  [[nodiscard]] layout magazines_layout() const noexcept {
    return {magazines::bytes_for(classes_), alignof(magazines)};
  }
  void add_magazines(void* memory) noexcept;

  /// Moves all blocks in this thread's magazines to the depots.
  void empty_own() noexcept;

  using magazine_owner::find_or_adopt;
  using magazine_owner::remove_idle;
  using magazine_owner::remove_magazines;

  void note_given_back(std::size_t count) noexcept;

  void add_large(void* memory, std::size_t bytes, std::size_t alignment) noexcept;
  [[nodiscard]] large_blocks::taken remove_large(void* p, std::size_t bytes, std::size_t alignment) noexcept;
  [[nodiscard]] large_blocks::taken remove_newest_large() noexcept;

  /// Blocks of a class that are in no magazine and no depot.
  [[nodiscard]] std::size_t blocks_used(std::size_t index, const depot::figures& all) const noexcept;

  struct large_figures {
    std::size_t used = 0;
    std::size_t blocks = 0;
    std::size_t reserved = 0;
  };
  [[nodiscard]] large_figures count_large() const noexcept;

  [[nodiscard]] ownership holds(const void* p) const noexcept;

  std::size_t fast_keys_; // that `take` and `put` serve are below
  std::size_t most_blocks_;
  std::size_t largest_; // keys below have a class
  std::size_t classes_;
  std::mutex upstream_lock_;
  std::array<depot, class_count> depots_;

private:
  static constexpr std::size_t batch_bytes = 8192;
  static constexpr std::size_t largest_cached_bytes = 16384;
  static constexpr std::uint32_t calls_between_attempts = 256;

  /// \param options  `obeyed`
  template <std::size_t... I>
  concurrent_blocks(const std::pmr::pool_options& options, const char* name, std::index_sequence<I...>) noexcept;

  void empty(magazines& m) noexcept override;

  mutable short_lock large_lock_;
  large_blocks large_;
  std::atomic<std::size_t> magazines_made_{0}; // and not given back
  std::atomic<std::uint32_t> calls_to_wait_{0};
  std::atomic<bool> is_wish_{false};
  const char* name_;
};

template <std::size_t... I>
concurrent_blocks::concurrent_blocks(const std::pmr::pool_options& options, const char* name,
                                     std::index_sequence<I...>) noexcept
    : fast_keys_{std::min(options.largest_required_pool_block, direct_keys)},
      most_blocks_{options.max_blocks_per_chunk},
      largest_{options.largest_required_pool_block},
      classes_{class_of(largest_ - 1) + 1},
      depots_{depot{block_bytes(I), batch_blocks(I)}...},
      name_{name} {}

} // namespace allot::inline ALLOT_ABI::detail

#endif
