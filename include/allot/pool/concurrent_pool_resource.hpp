#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/core/threads.hpp>
#include <allot/core/upstream.hpp>
#include <allot/detail/concurrent_blocks.hpp>
#include <allot/detail/upstream_chunks.hpp>
#include <allot/detail/upstream_memory.hpp>
#include <allot/pool/pool_class_figures.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <utility>

#if !ALLOT_THREADS
#error "allot: concurrent_pool_resource needs threads: this standard library has none"
#else

namespace allot::inline ALLOT_ABI {

/// Recycles blocks for all threads: each thread has magazines of its own for each size, and takes a lock for whole batches
/// of blocks only. In place of `std::pmr::synchronized_pool_resource`: where no upstream is named it is std's default
/// resource, read once, as there.
///
///     thread --> its magazines --+
///     thread --> its magazines --+--> a depot for each size --> chunks of the upstream's
///     thread without any --------+
///
/// Guarantees
/// - Any thread may give a block back; it goes to that thread's magazines. A thread that ends leaves its blocks to the
///   others; destructors of `thread_local` objects and of thread-specific data may give back as late as they like.
/// - Upstream is called by one thread at a time, so that it need not be for any thread, and not back into the pool. Its
///   `allocate` is never called by `deallocate`. Where it refuses a chunk, one for a single block is asked for, and a failure
///   of that is upstream's own exception or record; a thread for which it refuses magazines takes a lock instead.
/// - Free blocks are poisoned for AddressSanitizer and Memcheck but for their first word, and go back clean.
/// - Without exceptions the upstream is one of allot's and has to be named.
/// - In the child of a fork of which no other thread was in a call of the pool, the pool goes on; blocks in magazines of the
///   threads that are gone stay `cached` until `release`. Had one been in a call, the child must not touch the pool.
///
/// Costs: 53 instructions for a pair of calls through `memory_resource*` on x86-64, 98 above 512 bytes, none of them atomic;
/// a lock for every 64 blocks or 8 KiB; 18 KiB of its own. For each thread 2.3 KiB, and free blocks that no other thread can
/// have, at most `most_cached_per_thread()` bytes: 1.2 MiB, less where the largest block is smaller than 16 KiB. A thread
/// that uses more than 8 pools by turns, and one that only ever deallocated, may take a lock for each call.
/// Threads: any thread; no signal or interrupt handlers. `release` and the destructor: while no other thread uses the
/// pool. `upstream` must outlive it.
///
/// \snippet tests/pool/concurrent_pool_resource_test.cpp example
template <std::derived_from<std::pmr::memory_resource> Upstream = std::pmr::memory_resource>
class concurrent_pool_resource :
    public resource_interface<concurrent_pool_resource<Upstream>>,
    private detail::concurrent_blocks {
public:
  static constexpr const char* class_name = "concurrent_pool_resource";
  static constexpr bool owns_is_exact = true;

  /// True where the upstream may be left out.
  static constexpr bool has_default = std::same_as<Upstream, std::pmr::memory_resource>;

  using upstream_type = Upstream;

  /// Over std's default resource of this moment.
  concurrent_pool_resource() noexcept requires has_default : concurrent_pool_resource{default_upstream()} {}

  /// \param options  0 stands for the greatest that there is: chunks of 64 KiB, blocks of 64 KiB; what is more is taken
  ///                 for 0, and a block size that is none for the next larger one
  explicit concurrent_pool_resource(const std::pmr::pool_options& options) noexcept requires has_default :
      concurrent_pool_resource{options, default_upstream()} {}

  /// \param upstream  not null
  explicit concurrent_pool_resource(Upstream* upstream) noexcept : concurrent_pool_resource{{}, upstream} {}

  /// \param upstream  not null
  concurrent_pool_resource(const std::pmr::pool_options& options, Upstream* upstream) noexcept
      : concurrent_pool_resource{options, upstream, nullptr} {}

  /// \param name  for records and reports; static storage
  explicit concurrent_pool_resource(Upstream& upstream, const char* name = nullptr) noexcept
      : concurrent_pool_resource{{}, upstream, name} {}

  /// \param name  for records and reports; static storage
  concurrent_pool_resource(const std::pmr::pool_options& options, Upstream& upstream,
                           const char* name = nullptr) noexcept
      : concurrent_pool_resource{options, std::addressof(upstream), name} {}

  ~concurrent_pool_resource() override { release(); }

  /// The resource that memory comes from; never null.
  [[nodiscard]] Upstream* upstream_resource() const noexcept { return upstream_; }

  /// Gives everything back to the upstream, as it was taken; every block is void.
  /// \pre no other thread uses the pool; threads that once did may end meanwhile
  void release() noexcept {
    give_back_magazines(this->remove_magazines());
    for (std::size_t i = 0; i < this->classes_; ++i)
      (void)give_back_chunks(i, this->depots_[i].remove_chunks());
    for (auto taken = this->remove_newest_large(); taken.memory != nullptr; taken = this->remove_newest_large())
      give_back_to_upstream(taken.memory, taken.shape);
  }

  /// Gives the chunks back to the upstream none of whose blocks is allocated, or lies in a magazine of another thread; and
  /// the magazines of threads that have ended. Takes time, and each size's lock, for its free blocks.
  /// \return the bytes given back. Threads: any thread
  std::size_t trim() noexcept {
    this->empty_own();
    std::size_t sum = give_back_magazines(this->remove_idle());
    for (std::size_t i = 0; i < this->classes_; ++i)
      sum += give_back_chunks(i, this->depots_[i].remove_free_chunks());
    return sum;
  }

  /// The sizes of blocks that it keeps lists for.
  [[nodiscard]] std::size_t class_count() const noexcept { return this->classes_; }

  /// The figures of one size, the smallest first; a free block may be in a magazine.
  /// \pre `index < class_count()`
  [[nodiscard]] pool_class_figures class_figures(std::size_t index) const noexcept {
    ALLOT_EXPECTS(index < class_count());
    const detail::depot::figures all = this->depots_[index].count();
    const std::size_t used = this->blocks_used(index, all);
    return {.block_bytes = this->block_bytes(index),
            .blocks_used = used,
            .blocks_free = all.blocks - used,
            .chunks = all.chunks,
            .reserved_bytes = all.reserved};
  }

  /// The figures of the blocks beyond the largest size, each of them a chunk of its own.
  [[nodiscard]] pool_class_figures large_figures() const noexcept {
    const auto large = this->count_large();
    return {.blocks_used = large.blocks, .chunks = large.blocks, .reserved_bytes = large.reserved};
  }

  using concurrent_blocks::cached;
  using concurrent_blocks::most_cached_per_thread;
  using concurrent_blocks::name;
  using concurrent_blocks::options;
  using concurrent_blocks::reserved;
  using concurrent_blocks::used;

private:
  friend resource_interface<concurrent_pool_resource>;

  concurrent_pool_resource(const std::pmr::pool_options& options, Upstream* upstream, const char* name) noexcept
      : concurrent_blocks{options, name}, upstream_{upstream} {
    ALLOT_EXPECTS(upstream != nullptr);
  }

  static Upstream* default_upstream() noexcept {
    // The test is for clang 14, which compiles the constructors above where their constraint does not hold, too.
    if constexpr (has_default) return std::pmr::get_default_resource();
    return nullptr;
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    void* const p = this->take(detail::class_key(bytes, alignment));
    if (p != nullptr) [[likely]]
      return detail::make_used(p, bytes);
    return place_larger(bytes, alignment);
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    void* const p = this->take(detail::class_key(bytes, alignment));
    if (p != nullptr) [[likely]]
      return detail::make_used(p, bytes);
    return place_larger_or_fail(bytes, alignment);
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (!this->put(p, detail::class_key(bytes, alignment))) [[unlikely]]
      give_back_larger(p, bytes, alignment);
  }

  // Between the fast path and the slow one, and without the frame of the latter: what is too large for the first.

  [[gnu::noinline]] void* place_larger(std::size_t bytes, std::size_t alignment) noexcept {
    void* const p = this->take_larger(detail::class_key(bytes, alignment));
    return p != nullptr ? detail::make_used(p, bytes) : place_slow(bytes, alignment);
  }

  [[gnu::noinline]] void* place_larger_or_fail(std::size_t bytes, std::size_t alignment) {
    void* const p = this->take_larger(detail::class_key(bytes, alignment));
    return p != nullptr ? detail::make_used(p, bytes) : place_or_fail_slow(bytes, alignment);
  }

  [[gnu::noinline]] void give_back_larger(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (!this->put_larger(p, detail::class_key(bytes, alignment))) give_back_slow(p, bytes, alignment);
  }

  [[gnu::noinline]] void* place_slow(std::size_t bytes, std::size_t alignment) noexcept {
    const auto attempt = [this](const layout& shape) noexcept { return detail::try_aligned_from(*upstream_, shape); };
    return serve(bytes, alignment, attempt, attempt);
  }

  [[gnu::noinline]] void* place_or_fail_slow(std::size_t bytes, std::size_t alignment) {
    const auto attempt = [this](const layout& shape) { return detail::attempt_aligned_from(*upstream_, shape); };
    const auto take = [&](const layout& shape) {
      void* const memory = detail::aligned_from(*upstream_, shape);
      if (memory == nullptr) fail_misaligned(bytes, alignment);
      return memory;
    };
    void* const p = serve(bytes, alignment, attempt, take);
    if (p == nullptr) this->fail(bytes, alignment);
    return p;
  }

  /// Null where no upstream could have it, or where `last` gives null.
  template <class Attempt, class Last>
  void* serve(std::size_t bytes, std::size_t alignment, Attempt attempt, Last last) {
    const std::size_t key = detail::class_key(bytes == 0 ? 1 : bytes, alignment);
    if (key >= this->largest_) return serve_large(bytes, alignment, last);
    const std::size_t index = detail::class_of(key);
    detail::magazines* const mine = own_magazines(attempt);
    void* p = this->take_slow(mine, index);
    if (p == nullptr) p = grow(mine, index, attempt, last);
    return p == nullptr ? nullptr : detail::make_used(p, bytes);
  }

  template <class Attempt>
  detail::magazines* own_magazines(Attempt attempt) {
    detail::magazines* const mine = this->find_or_adopt();
    if (mine == nullptr ? !this->may_ask_for_magazines() : !this->take_wish()) return mine;
    make_magazines(attempt);
    return mine == nullptr ? this->find_or_adopt() : mine;
  }

  template <class Attempt>
  void make_magazines(Attempt attempt) {
    void* const memory = [&] {
      const std::lock_guard held{this->upstream_lock_};
      return attempt(this->magazines_layout());
    }();
    if (memory == nullptr) return this->note_refused_magazines();
    this->add_magazines(memory);
  }

  [[noreturn]] void fail_misaligned(std::size_t bytes, std::size_t alignment) const {
    raise({.resource = class_name,
           .name = name(),
           .detail = "upstream gave memory that is not aligned as it was asked for",
           .bytes = bytes,
           .alignment = alignment,
           .used = used()});
  }

  template <class Attempt, class Last>
  void* grow(detail::magazines* mine, std::size_t index, Attempt attempt, Last last) {
    const std::lock_guard held{this->upstream_lock_};
    if (void* const p = this->take_slow(mine, index)) return p; // another thread was here before
    const detail::block_store::chunk_plan plan = this->depots_[index].plan_chunk(this->most_blocks_);
    layout shape{plan.wanted, chunk_alignment(index)};
    void* memory = plan.wanted == plan.least ? nullptr : attempt(shape);
    if (memory == nullptr) memory = last(shape = {plan.least, shape.alignment});
    return memory == nullptr ? nullptr : this->take_from_new(mine, index, memory, shape.bytes, plan);
  }

  template <class Last>
  void* serve_large(std::size_t bytes, std::size_t alignment, Last last) {
    const layout shape = detail::large_blocks::to_take(bytes, alignment);
    if (shape.bytes == 0) return nullptr;
    void* const memory = [&] {
      const std::lock_guard held{this->upstream_lock_};
      return last(shape);
    }();
    if (memory != nullptr) this->add_large(memory, bytes, alignment);
    return memory;
  }

  [[gnu::noinline]] void give_back_slow(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t key = detail::class_key(bytes == 0 ? 1 : bytes, alignment);
    if (key < this->largest_) return this->put_slow(p, detail::class_of(key));
    const auto taken = this->remove_large(p, bytes, alignment);
    give_back_to_upstream(taken.memory, taken.shape);
  }

  static constexpr std::size_t chunk_alignment(std::size_t index) noexcept {
    return detail::block_store::chunk_alignment(detail::class_alignment(block_bytes(index)));
  }

  std::size_t give_back_magazines(detail::magazines* all) noexcept {
    const layout shape = this->magazines_layout();
    std::size_t count = 0;
    for (; all != nullptr; ++count)
      give_back_to_upstream(std::exchange(all, all->next), shape);
    this->note_given_back(count);
    return count * shape.bytes;
  }

  std::size_t give_back_chunks(std::size_t index, detail::store_chunk* chunk) noexcept {
    serial_upstream upstream{*this};
    return detail::give_chunks_back(upstream, chunk, chunk_alignment(index));
  }

  void give_back_to_upstream(void* memory, const layout& shape) noexcept {
    const std::lock_guard held{this->upstream_lock_};
    upstream_->deallocate(memory, shape.bytes, shape.alignment);
  }

  /// The upstream as one thread at a time has it.
  struct serial_upstream {
    concurrent_pool_resource& pool;
    void deallocate(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
      pool.give_back_to_upstream(memory, {bytes, alignment});
    }
  };

  [[nodiscard]] ownership holds(const void* p) const noexcept { return concurrent_blocks::holds(p); }

  Upstream* upstream_;
};

/// One over another is no copy.
template <std::derived_from<std::pmr::memory_resource> Upstream>
concurrent_pool_resource(concurrent_pool_resource<Upstream>&)
    -> concurrent_pool_resource<concurrent_pool_resource<Upstream>>;
template <std::derived_from<std::pmr::memory_resource> Upstream>
concurrent_pool_resource(concurrent_pool_resource<Upstream>&, const char*)
    -> concurrent_pool_resource<concurrent_pool_resource<Upstream>>;
template <std::derived_from<std::pmr::memory_resource> Upstream>
concurrent_pool_resource(const std::pmr::pool_options&, concurrent_pool_resource<Upstream>&)
    -> concurrent_pool_resource<concurrent_pool_resource<Upstream>>;

} // namespace allot::inline ALLOT_ABI

#endif
