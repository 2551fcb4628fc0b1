#pragma once

#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource_interface.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace service {

/// Hands out whole blocks of one size over a span: the arenas that requests start with, and the connections. A resource
/// as any program may write one on allot's `resource_interface`.
///
///     span: | block | block | ...      a stack of indices says which are free; the last one back goes out first
///
/// Guarantees
/// - A request of at most `BlockBytes` bytes gets a block, a larger one is refused.
/// - Blocks start at multiples of the span's alignment as far as `BlockBytes` is a multiple of it.
/// - Nothing is written into free blocks: pages that no request ever needed are never touched.
///
/// Costs: one compare-exchange for a block out and one for it back.
/// Threads: any thread, lock-free.
template <std::size_t BlockBytes, std::size_t Count>
class block_pool final : public allot::resource_interface<block_pool<BlockBytes, Count>> {
  static_assert(Count < UINT32_MAX);

public:
  static constexpr const char* class_name = "block_pool";
  static constexpr bool owns_is_exact = true;
  static constexpr std::size_t bytes = BlockBytes * Count; ///< of the span that it is made over

  /// \pre `memory` has `bytes` bytes
  /// \param name  for records and reports; static storage
  explicit block_pool(std::span<std::byte> memory, const char* name = nullptr) noexcept
      : begin_{memory.data()}, name_{name} {
    ALLOT_EXPECTS(memory.size() == bytes);
  }

  [[nodiscard]] const char* name() const noexcept { return name_; }

  /// Bytes of the blocks that are out.
  [[nodiscard]] std::size_t used() const noexcept { return out_.load(std::memory_order_relaxed) * BlockBytes; }
  [[nodiscard]] static constexpr std::size_t capacity() noexcept { return bytes; }

  /// The most bytes of blocks that were out at once: a block that never was out goes out only where no other is free.
  [[nodiscard]] std::size_t high_water() const noexcept { return fresh_.load(std::memory_order_relaxed) * BlockBytes; }

private:
  friend allot::resource_interface<block_pool>;

  // A word of the stack: the index of its top plus one (0: empty), and above it a number that every change raises, so that
  // a thread that was asleep while the same block went out and came back sees that it did.
  static constexpr std::uint64_t index_mask = UINT32_MAX;
  static constexpr std::uint64_t one_change = std::uint64_t{1} << 32;
  static constexpr std::uint32_t is_out = UINT32_MAX; // in `below_`

  void* place(std::size_t asked, std::size_t alignment) noexcept {
    if (asked > BlockBytes || !allot::is_aligned(begin_, alignment) || BlockBytes % alignment != 0) return nullptr;
    const std::uint32_t taken = take();
    if (taken == 0) return nullptr;
    below_[taken - 1].store(is_out, std::memory_order_relaxed);
    out_.fetch_add(1, std::memory_order_relaxed);
    return begin_ + (taken - 1) * BlockBytes;
  }

  void give_back(void* p, std::size_t, std::size_t) noexcept {
    const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(p) - begin_);
    ALLOT_EXPECTS(offset < bytes && offset % BlockBytes == 0);
    const auto index = static_cast<std::uint32_t>(offset / BlockBytes + 1);
    ALLOT_EXPECTS(below_[index - 1].load(std::memory_order_relaxed) == is_out);
    out_.fetch_sub(1, std::memory_order_relaxed);
    std::uint64_t top = top_.load(std::memory_order_relaxed);
    do
      below_[index - 1].store(static_cast<std::uint32_t>(top & index_mask), std::memory_order_relaxed);
    while (!top_.compare_exchange_weak(top, ((top & ~index_mask) + one_change) | index, std::memory_order_release,
                                       std::memory_order_relaxed));
  }

  [[nodiscard]] allot::ownership holds(const void* p) const noexcept { return allot::within(p, begin_, bytes); }

  /// The index plus one of a block that came back, else of one that never was out, else 0.
  std::uint32_t take() noexcept {
    std::uint64_t top = top_.load(std::memory_order_acquire);
    while ((top & index_mask) != 0) {
      const std::uint32_t below = below_[(top & index_mask) - 1].load(std::memory_order_relaxed);
      if (top_.compare_exchange_weak(top, ((top & ~index_mask) + one_change) | below, std::memory_order_acquire,
                                     std::memory_order_acquire))
        return static_cast<std::uint32_t>(top & index_mask);
    }
    std::uint32_t fresh = fresh_.load(std::memory_order_relaxed);
    while (fresh < Count) {
      if (fresh_.compare_exchange_weak(fresh, fresh + 1, std::memory_order_relaxed)) return fresh + 1;
    }
    return 0;
  }

  std::byte* begin_;
  const char* name_;
  std::atomic<std::uint64_t> top_{0};
  std::atomic<std::uint32_t> fresh_{0}; // blocks from here on were never out
  std::atomic<std::size_t> out_{0};
  std::array<std::atomic<std::uint32_t>, Count> below_{}; // of a free block: the index plus one of the next, or 0;
                                                          // of one that is out: `is_out`
};

} // namespace service
