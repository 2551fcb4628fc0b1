#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/detail/block_shape.hpp>
#include <allot/detail/upstream_chunks.hpp>
#include <allot/detail/upstream_memory.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <limits>
#include <memory>
#include <memory_resource>
#include <span>

namespace allot::inline ALLOT_ABI {

/// Recycles blocks of one size in a buffer that it is given, and never grows: when all of them are in use, the next request
/// fails, and nothing else happens. With an `Upstream` as its third argument it takes chunks from there instead.
///
///     constinit allot::static_slot<allot::block_pool_resource<48>, 4_KiB> slot;   // .bss: firmware has no heap
///     auto& nodes = slot.claim("nodes");                                          // 85 blocks of 48 bytes
///
/// Guarantees
/// - A request of up to `BlockSize` bytes and alignment `Align`, zero bytes too, gets a block; every other one fails, and its
///   record says why. `BlockSize` is rounded up to a multiple of the alignment and of a pointer's: `block_bytes`.
/// - As many blocks as fit between the buffer's first multiple of the alignment and its end; no block has a header.
/// - Fresh blocks ascend; a block that came back is the next one out.
/// - Free blocks are poisoned for AddressSanitizer and Memcheck but for their first word; the buffer goes back clean.
///
/// Costs: 11 instructions an allocation through `memory_resource*` on x86-64, 8 a deallocation, however many blocks are live;
/// 72 bytes. No threads, no exceptions, nothing before `main` or at exit.
/// Threads: one thread at a time.
///
/// \snippet tests/pool/block_pool_resource_test.cpp example
template <std::size_t BlockSize, std::size_t Align = detail::natural_alignment(BlockSize), class Upstream = void>
class block_pool_resource;

/// The pool over a buffer, which never grows.
template <std::size_t BlockSize, std::size_t Align>
class block_pool_resource<BlockSize, Align, void> final :
    public resource_interface<block_pool_resource<BlockSize, Align>> {
  using shape = detail::block_shape<BlockSize, Align, alignof(detail::free_block)>;

public:
  static constexpr const char* class_name = "block_pool_resource";
  static constexpr bool owns_is_exact = true;

  /// Bytes from one block to the next.
  static constexpr std::size_t block_bytes = shape::bytes;

  /// \param memory  outlives the pool, which is its only user
  /// \param name    for records and reports; static storage
  explicit block_pool_resource(std::span<std::byte> memory, const char* name = nullptr) noexcept : name_{name} {
    const std::size_t padding = padding_to(memory.data(), shape::alignment);
    if (padding >= memory.size()) return;
    begin_ = memory.data() + padding;
    end_ = begin_ + (memory.size() - padding) / block_bytes * block_bytes;
    list_.set_run(begin_, end_);
  }

  ~block_pool_resource() override { detail::unpoison(begin_, capacity()); }

  /// Frees all blocks at once.
  void reset() noexcept {
    high_water_ = high_water();
    list_.clear();
    list_.set_run(begin_, end_);
  }

  /// Bytes of the blocks that are in use.
  [[nodiscard]] std::size_t used() const noexcept { return list_.used() * block_bytes; }

  /// Bytes of all blocks.
  [[nodiscard]] std::size_t capacity() const noexcept { return distance(begin_, end_); }

  /// The most bytes that were ever `used` at once.
  [[nodiscard]] std::size_t high_water() const noexcept {
    return std::max(high_water_, distance(begin_, list_.run_begin()));
  }

  /// The most bytes that one request aligned to `alignment` can have now: those of a block, or none.
  /// \pre `alignment` is a power of two
  [[nodiscard]] std::size_t remaining(std::size_t alignment = Align) const noexcept {
    ALLOT_EXPECTS(is_alignment(alignment));
    return alignment <= Align && used() < capacity() ? BlockSize : 0;
  }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

private:
  friend resource_interface<block_pool_resource>;

  static std::size_t distance(const std::byte* from, const std::byte* to) noexcept {
    return static_cast<std::size_t>(to - from);
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if (!shape::serves(bytes, alignment) || list_.is_empty()) [[unlikely]]
      return place_fresh(bytes, alignment);
    return detail::make_used(list_.pop(), bytes);
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    if (!shape::serves(bytes, alignment) || list_.is_empty()) [[unlikely]]
      return place_fresh_or_fail(bytes, alignment);
    return detail::make_used(list_.pop(), bytes);
  }

  /// A block that was never used, one at a time: so the run's begin is the high water.
  [[gnu::noinline]] void* place_fresh(std::size_t bytes, std::size_t alignment) noexcept {
    if (!shape::serves(bytes, alignment) || !list_.carve(1, block_bytes)) return nullptr;
    return detail::make_used(list_.pop(), bytes);
  }

  [[gnu::noinline]] void* place_fresh_or_fail(std::size_t bytes, std::size_t alignment) {
    void* const p = place_fresh(bytes, alignment);
    if (p == nullptr) this->fail(bytes, alignment);
    return p;
  }

  void give_back(void* p, [[maybe_unused]] std::size_t bytes, [[maybe_unused]] std::size_t alignment) noexcept {
    ALLOT_EXPECTS(shape::serves(bytes, alignment) && is_block(p) && list_.used() != 0 && !list_.is_next(p));
    list_.push(p, block_bytes);
  }

  [[nodiscard]] failure refusal(std::size_t bytes, std::size_t alignment) const noexcept {
    return {.resource = class_name,
            .name = name_,
            .detail = shape::why_refused(bytes, alignment),
            .bytes = bytes,
            .alignment = alignment,
            .used = used(),
            .capacity = capacity()};
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return within(p, begin_, capacity()); }

  /// Whether `p` is the start of a block that was in use at some time.
  [[nodiscard]] bool is_block(const void* p) const noexcept {
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(p) - reinterpret_cast<std::uintptr_t>(begin_);
    return offset < distance(begin_, list_.run_begin()) && offset % block_bytes == 0;
  }

  detail::block_list list_;
  std::byte* begin_ = nullptr; // of the first block
  std::byte* end_ = nullptr;   // of the last block
  std::size_t high_water_ = 0; // before the last `reset`
  const char* name_;
};

/// Recycles blocks of one size in chunks that it takes from one upstream and that grow.
///
///     allot::block_pool_resource<48, 16, allot::resource> nodes{upstream};
///
/// What is said above of blocks and requests holds here, too. Where upstream refuses the larger chunk, one for a single
/// block is asked for, and a failure of that is upstream's own exception or record.
///
/// Costs: as above; 104 bytes, and a footer of five words a chunk.
/// Threads: one thread at a time. `upstream` must outlive it.
template <std::size_t BlockSize, std::size_t Align, class Upstream>
class block_pool_resource final : public resource_interface<block_pool_resource<BlockSize, Align, Upstream>> {
  static_assert(std::derived_from<Upstream, std::pmr::memory_resource>, "chunks come from a memory resource");
  using shape = detail::block_shape<BlockSize, Align, alignof(detail::store_chunk)>;

public:
  static constexpr const char* class_name = "block_pool_resource";
  static constexpr bool owns_is_exact = true;

  using upstream_type = Upstream;

  /// Bytes from one block to the next.
  static constexpr std::size_t block_bytes = shape::bytes;

  /// \param name  for records and reports; static storage
  explicit block_pool_resource(Upstream& upstream, const char* name = nullptr) noexcept
      : upstream_{std::addressof(upstream)}, name_{name} {}

  ~block_pool_resource() override { release(); }

  /// The resource that chunks come from; never null.
  [[nodiscard]] Upstream* upstream_resource() const noexcept { return upstream_; }

  /// Gives all chunks back to the upstream; every block is void. The next chunk has the size of the first one.
  void release() noexcept {
    high_water_ = high_water();
    (void)detail::give_chunks_back(*upstream_, store_.remove_chunks(), shape::alignment);
  }

  /// Gives back the chunks of which no block is used. Takes time for each free block and each chunk.
  /// \return the bytes given back
  std::size_t trim() noexcept {
    high_water_ = high_water();
    return detail::give_chunks_back(*upstream_, store_.remove_free_chunks(), shape::alignment);
  }

  /// Bytes of the blocks that are in use.
  [[nodiscard]] std::size_t used() const noexcept { return store_.used() * block_bytes; }

  /// Bytes taken from the upstream and not given back, footers included.
  [[nodiscard]] std::size_t reserved() const noexcept { return store_.reserved(); }

  /// The most bytes that were ever `used` at once.
  [[nodiscard]] std::size_t high_water() const noexcept {
    const auto fresh = static_cast<std::size_t>(store_.run_end() - store_.run_begin());
    return std::max(high_water_, store_.blocks() * block_bytes - fresh);
  }

  /// The most bytes that one request aligned to `alignment` can have without a call to the upstream: those of a block, or
  /// none.
  /// \pre `alignment` is a power of two
  [[nodiscard]] std::size_t remaining(std::size_t alignment = Align) const noexcept {
    ALLOT_EXPECTS(is_alignment(alignment));
    return alignment <= Align && store_.used() < store_.blocks() ? BlockSize : 0;
  }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

private:
  friend resource_interface<block_pool_resource>;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if (!shape::serves(bytes, alignment) || store_.is_empty()) [[unlikely]]
      return place_slow(bytes, alignment);
    return detail::make_used(store_.pop(), bytes);
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    if (!shape::serves(bytes, alignment) || store_.is_empty()) [[unlikely]]
      return place_or_fail_slow(bytes, alignment);
    return detail::make_used(store_.pop(), bytes);
  }

  [[gnu::noinline]] void* place_slow(std::size_t bytes, std::size_t alignment) noexcept {
    const auto attempt = [this](const layout& chunk) noexcept { return detail::try_aligned_from(*upstream_, chunk); };
    return place_fresh(bytes, alignment, attempt, attempt);
  }

  [[gnu::noinline]] void* place_or_fail_slow(std::size_t bytes, std::size_t alignment) {
    const auto attempt = [this](const layout& chunk) { return detail::attempt_aligned_from(*upstream_, chunk); };
    const auto take = [this](const layout& chunk) { return detail::aligned_from(*upstream_, chunk); };
    void* const p = place_fresh(bytes, alignment, attempt, take);
    if (p == nullptr) this->fail(bytes, alignment);
    return p;
  }

  /// One fresh block at a time: so the high water is what was carved.
  template <class First, class Last>
  void* place_fresh(std::size_t bytes, std::size_t alignment, First first, Last last) {
    constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
    if (!shape::serves(bytes, alignment)) return nullptr;
    if (!store_.carve(1)) {
      if (!detail::grow(store_, any, shape::alignment, first, last)) return nullptr;
      store_.carve(1);
    }
    return detail::make_used(store_.pop(), bytes);
  }

  void give_back(void* p, [[maybe_unused]] std::size_t bytes, [[maybe_unused]] std::size_t alignment) noexcept {
    ALLOT_EXPECTS(shape::serves(bytes, alignment) && is_aligned(p, shape::alignment) && store_.used() != 0 &&
                  !store_.is_next(p));
    store_.push(p);
  }

  [[nodiscard]] failure refusal(std::size_t bytes, std::size_t alignment) const noexcept {
    return {.resource = class_name,
            .name = name_,
            .detail = shape::serves(bytes, alignment) ? "upstream gave a chunk that is not aligned as it was asked for"
                                                      : shape::why_refused(bytes, alignment),
            .bytes = bytes,
            .alignment = alignment,
            .used = used()};
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return store_.holds(p); }

  detail::block_store store_{block_bytes};
  Upstream* upstream_;
  std::size_t high_water_ = 0; // before the last `trim` or `release`
  const char* name_;
};

} // namespace allot::inline ALLOT_ABI
