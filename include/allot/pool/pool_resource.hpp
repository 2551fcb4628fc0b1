#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/detail/pooled_blocks.hpp>
#include <allot/detail/upstream_chunks.hpp>
#include <allot/detail/upstream_memory.hpp>
#include <allot/pool/pool_class_figures.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>

namespace allot::inline ALLOT_ABI {

/// Keeps a list of free blocks for each of 92 sizes and recycles them, in chunks that it takes from one upstream and that
/// grow. In place of `std::pmr::unsynchronized_pool_resource`: where no upstream is named it is std's default resource,
/// read once, as there.
///
///     8, 16, 24, ... 512, 640, 768, 896, 1024, 1280, ... 64 KiB          larger ones: upstream's own
///     each: free -> free -> null    | 512 bytes | as much as all before ... | half as much ...
///
/// Guarantees
/// - Every alignment is honoured: a size is rounded up to its alignment, and sizes beyond the largest class are upstream's.
/// - `release` gives back all that was taken, as it was taken; `trim` gives back the chunks of which no block is used.
/// - Where upstream refuses the larger chunk, one for a single block is asked for, and a failure of that is upstream's own
///   exception or record. A failure changes nothing. Memory that is not aligned as asked goes back unused.
/// - Blocks lose 5.2 % on average to the next class, over requests of 16 to 1,024 bytes.
/// - Free blocks are poisoned for AddressSanitizer and Memcheck but for their first word, and go back clean.
/// - Not as in std: `do_allocate` cannot be overridden. Without exceptions the upstream is one of allot's and has to be
///   named: `pool_resource<>` does not compile.
///
/// Costs: 15 instructions a call through `memory_resource*` on x86-64, 32 for more than 512 bytes, however many blocks are
/// live; 8 KiB of its own, a footer of five words a chunk and of four a large block.
/// Threads: one thread at a time. `upstream` must outlive it.
///
/// \snippet tests/pool/pool_resource_test.cpp example
template <std::derived_from<std::pmr::memory_resource> Upstream = std::pmr::memory_resource>
class pool_resource : public resource_interface<pool_resource<Upstream>>, private detail::pooled_blocks {
public:
  static constexpr const char* class_name = "pool_resource";
  static constexpr bool owns_is_exact = true;

  /// True where the upstream may be left out.
  static constexpr bool has_default = std::same_as<Upstream, std::pmr::memory_resource>;

  using upstream_type = Upstream;

  /// Over std's default resource of this moment.
  pool_resource() noexcept requires has_default : pool_resource{std::pmr::pool_options{}, default_upstream()} {}

  /// \param options  0 stands for the greatest that there is: chunks of 64 KiB, blocks of 64 KiB; what is more is taken
  ///                 for 0, and a block size that is none for the next larger one
  explicit pool_resource(const std::pmr::pool_options& options) noexcept requires has_default :
      pool_resource{options, default_upstream()} {}

  /// \param upstream  not null
  explicit pool_resource(Upstream* upstream) noexcept : pool_resource{std::pmr::pool_options{}, upstream} {}

  /// \param upstream  not null
  pool_resource(const std::pmr::pool_options& options, Upstream* upstream) noexcept
      : pool_resource{options, upstream, nullptr} {}

  /// \param name  for records and reports; static storage
  explicit pool_resource(Upstream& upstream, const char* name = nullptr) noexcept
      : pool_resource{std::pmr::pool_options{}, std::addressof(upstream), name} {}

  /// \param name  for records and reports; static storage
  pool_resource(const std::pmr::pool_options& options, Upstream& upstream, const char* name = nullptr) noexcept
      : pool_resource{options, std::addressof(upstream), name} {}

  ~pool_resource() override { release(); }

  /// The resource that memory comes from; never null.
  [[nodiscard]] Upstream* upstream_resource() const noexcept { return upstream_; }

  /// Gives all memory back to the upstream; every block is void. The next chunks have the size of the first ones.
  void release() noexcept {
    for (std::size_t i = 0; i < this->classes(); ++i)
      (void)detail::give_chunks_back(*upstream_, this->remove_chunks(i), this->chunk_alignment(i));
    for (auto taken = this->large_.remove_newest(); taken.memory != nullptr; taken = this->large_.remove_newest())
      upstream_->deallocate(taken.memory, taken.shape.bytes, taken.shape.alignment);
  }

  /// Gives back the chunks of which no block is used. Takes time for each free block and each chunk.
  /// \return the bytes given back
  std::size_t trim() noexcept {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < this->classes(); ++i)
      bytes += detail::give_chunks_back(*upstream_, this->remove_free_chunks(i), this->chunk_alignment(i));
    return bytes;
  }

  /// The sizes of blocks that it keeps lists for.
  [[nodiscard]] std::size_t class_count() const noexcept { return this->classes(); }

  /// The figures of one size, the smallest first. \pre `index < class_count()`
  [[nodiscard]] pool_class_figures class_figures(std::size_t index) const noexcept {
    ALLOT_EXPECTS(index < class_count());
    const detail::block_store& store = this->store(index);
    const std::size_t used = this->blocks_used(index);
    return {.block_bytes = store.block_bytes(),
            .blocks_used = used,
            .blocks_free = store.blocks() - used,
            .chunks = store.chunks(),
            .reserved_bytes = store.reserved()};
  }

  /// The figures of the blocks beyond the largest size, each of them a chunk of its own.
  [[nodiscard]] pool_class_figures large_figures() const noexcept {
    const std::size_t blocks = this->large_.blocks();
    return {.blocks_used = blocks, .chunks = blocks, .reserved_bytes = this->large_.reserved()};
  }

  using pooled_blocks::name;
  using pooled_blocks::options;
  using pooled_blocks::reserved;
  using pooled_blocks::used;

private:
  friend resource_interface<pool_resource>;

  pool_resource(const std::pmr::pool_options& options, Upstream* upstream, const char* name) noexcept
      : pooled_blocks{options, name}, upstream_{upstream} {
    ALLOT_EXPECTS(upstream != nullptr);
  }

  static Upstream* default_upstream() noexcept {
    // The test is for clang 14, which compiles the constructors above where their constraint does not hold, too.
    if constexpr (has_default) return std::pmr::get_default_resource();
    return nullptr;
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    void* const p = this->pop(bytes, alignment);
    if (p == nullptr) [[unlikely]]
      return place_any(bytes, alignment);
    return p;
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    void* const p = this->pop(bytes, alignment);
    if (p == nullptr) [[unlikely]]
      return place_any_or_fail(bytes, alignment);
    return p;
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (!this->push(p, bytes, alignment)) [[unlikely]]
      give_back_any(p, bytes, alignment);
  }

  // Between the fast path and the slow one, and without the frame of the latter: sizes whose class is computed.

  [[gnu::noinline]] void* place_any(std::size_t bytes, std::size_t alignment) noexcept {
    void* const p = this->pop_any(bytes, alignment);
    return p != nullptr ? p : place_slow(bytes, alignment);
  }

  [[gnu::noinline]] void* place_any_or_fail(std::size_t bytes, std::size_t alignment) {
    void* const p = this->pop_any(bytes, alignment);
    return p != nullptr ? p : place_or_fail_slow(bytes, alignment);
  }

  [[gnu::noinline]] void give_back_any(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (!this->push_any(p, bytes, alignment)) give_back_slow(p, bytes, alignment);
  }

  [[gnu::noinline]] void* place_slow(std::size_t bytes, std::size_t alignment) noexcept {
    const auto attempt = [this](const layout& shape) noexcept { return detail::try_aligned_from(*upstream_, shape); };
    return place_kept_or_new(bytes, alignment, attempt, attempt);
  }

  [[gnu::noinline]] void* place_or_fail_slow(std::size_t bytes, std::size_t alignment) {
    const auto attempt = [this](const layout& shape) { return detail::attempt_aligned_from(*upstream_, shape); };
    const auto take = [this, bytes, alignment](const layout& shape) {
      void* const memory = detail::aligned_from(*upstream_, shape);
      if (memory == nullptr) fail_misaligned(bytes, alignment);
      return memory;
    };
    void* const p = place_kept_or_new(bytes, alignment, attempt, take);
    if (p == nullptr) this->fail(bytes, alignment);
    return p;
  }

  /// Null where nothing can be as large as the request, or where `last` gives null.
  template <class First, class Last>
  void* place_kept_or_new(std::size_t bytes, std::size_t alignment, First first, Last last) {
    if (this->is_large(bytes, alignment)) return place_large(bytes, alignment, last);
    if (void* const p = this->place_in_kept(bytes, alignment)) return p;
    detail::block_store& store = this->store_of(bytes, alignment);
    if (!detail::grow(store, this->most_blocks(), detail::class_alignment(store.block_bytes()), first, last))
      return nullptr;
    return this->place_in_kept(bytes, alignment);
  }

  template <class Last>
  void* place_large(std::size_t bytes, std::size_t alignment, Last last) {
    const layout shape = detail::large_blocks::to_take(bytes, alignment);
    void* const memory = shape.bytes == 0 ? nullptr : last(shape);
    if (memory != nullptr) this->large_.add(memory, bytes, alignment);
    return memory;
  }

  [[gnu::noinline]] void give_back_slow(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    if (!this->is_large(bytes, alignment)) return this->push_slow(p, bytes, alignment);
    const auto taken = this->large_.remove(p, bytes, alignment);
    upstream_->deallocate(taken.memory, taken.shape.bytes, taken.shape.alignment);
  }

  [[noreturn]] void fail_misaligned(std::size_t bytes, std::size_t alignment) const {
    raise({.resource = class_name,
           .name = name(),
           .detail = "upstream gave memory that is not aligned as it was asked for",
           .bytes = bytes,
           .alignment = alignment,
           .used = used()});
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return pooled_blocks::holds(p); }

  Upstream* upstream_;
};

/// One over another is no copy.
template <std::derived_from<std::pmr::memory_resource> Upstream>
pool_resource(pool_resource<Upstream>&) -> pool_resource<pool_resource<Upstream>>;
template <std::derived_from<std::pmr::memory_resource> Upstream>
pool_resource(pool_resource<Upstream>&, const char*) -> pool_resource<pool_resource<Upstream>>;

} // namespace allot::inline ALLOT_ABI
