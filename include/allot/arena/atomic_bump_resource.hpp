#pragma once

#include <allot/core/atomic.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/detail/bump_step.hpp>
#include <allot/detail/bump_storage.hpp>
#include <allot/detail/shared_poison.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

namespace allot::inline ALLOT_ABI {

/// A `bump_resource` for any thread and interrupt handlers: one buffer, which never grows, and one atomic cursor.
/// `atomic_bump_resource<N>` owns N bytes; `atomic_bump_resource<>` sees a span, which must outlive it.
///
///     begin                    cursor                       end
///       | free ................. | newest | ... | oldest |   |
///
/// Guarantees
/// - No two blocks share a byte; with `MinAlign` 1, N bytes serve N blocks of one byte, whoever asks.
/// - A request fails only where what was free at one moment of the call did not serve it, and changes nothing then.
/// - `deallocate` of the last block takes its bytes back, but no padding above it. Of two that give back blocks at once,
///   one may be too early: its bytes come back with `reset`.
/// - The queries are right at a moment of their call, and may be called at any time.
/// - Free memory is poisoned for AddressSanitizer (in granules of 8 bytes) and Memcheck; the destructor gives it back clean.
///
/// Costs: an allocation is one compare-exchange and what `bump_resource` takes, `deallocate` of the last block one
/// compare-exchange, or two where the high water moves, of any other one a load. 48 bytes beside the buffer.
/// It has no marks. For static storage: `static_slot<atomic_bump_resource<>, N>`.
/// Threads: any thread and interrupt handlers, lock-free; `reset`, `reset_zeroed` and the destructor by one thread while no
/// other call is in flight. Needs a compare-exchange of a pointer: not on Cortex-M0.
///
/// \snippet tests/arena/atomic_bump_resource_test.cpp example
template <std::size_t N = std::dynamic_extent, std::size_t MinAlign = 1>
class atomic_bump_resource final : public resource_interface<atomic_bump_resource<N, MinAlign>> {
  static_assert(is_alignment(MinAlign), "the minimum alignment is a power of two");
  static_assert(N > 0, "an arena of no bytes is null_resource, or atomic_bump_resource<> over an empty span");
  static_assert(N == 0 || detail::atomic<std::byte*>::is_always_lock_free, // N: only where the class is used
                "atomic_bump_resource needs a lock-free compare-exchange of a pointer, which this core does not have");

public:
  static constexpr const char* class_name = "atomic_bump_resource";
  static constexpr bool owns_is_exact = true;

  atomic_bump_resource() noexcept requires(N != std::dynamic_extent) : atomic_bump_resource{nullptr} {}

  /// \param name  for records and reports; static storage
  explicit atomic_bump_resource(const char* name) noexcept requires(N != std::dynamic_extent) : name_{name} {
    adopt(storage_.bytes());
  }

  /// \param span  outlives the arena, which is its only user
  /// \param name  for records and reports; static storage
  explicit atomic_bump_resource(std::span<std::byte> span, const char* name = nullptr) noexcept
      requires(N == std::dynamic_extent)
      : name_{name} {
    adopt(span);
  }

  ~atomic_bump_resource() override { poison().unpoison({begin_, end_}); }

  /// As `try_allocate`, as the bytes that were asked for: an empty span for zero bytes.
  /// \pre `alignment` is a power of two
  [[nodiscard]] std::optional<std::span<std::byte>> alloc_bytes(std::size_t size, std::size_t alignment = 1) noexcept {
    void* const p = this->try_allocate(size, alignment);
    if (p == nullptr) return std::nullopt;
    return std::span{static_cast<std::byte*>(p), size};
  }

  /// Bytes that are taken: blocks, the padding between them, and blocks given back too early to be taken back.
  [[nodiscard]] std::size_t used() const noexcept { return distance(cursor(), end_); }

  /// The most bytes that one request aligned to `alignment` can have: another thread may be faster.
  /// \pre `alignment` is a power of two
  [[nodiscard]] std::size_t remaining(std::size_t alignment = alignof(std::max_align_t)) const noexcept {
    ALLOT_EXPECTS(is_alignment(alignment));
    return detail::room_between(begin_, cursor(), std::max(alignment, MinAlign));
  }

  /// Bytes of the buffer, without what `MinAlign` cuts from its ends.
  [[nodiscard]] std::size_t capacity() const noexcept { return distance(begin_, end_); }

  /// The most bytes that were ever `used` at once. It never falls.
  [[nodiscard]] std::size_t high_water() const noexcept {
    std::byte* const now =
        cursor_.load(std::memory_order_acquire); // before `lowest_`, which was lowered before it rose
    return distance(std::min(lowest_.load(relaxed), now), end_);
  }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

  /// Frees everything at once.
  /// \pre no other call is in flight but queries, in no thread and in no handler that this one interrupts; and what they
  /// did is ordered before it, as what they do next is after it
  void reset() noexcept {
    lower_lowest(cursor());
    // From the lowest: what came back before may have left a part of a granule accessible.
    poison().poison_all({lowest_.load(relaxed), end_});
    cursor_.store(end_, std::memory_order_release);
  }

  /// `reset`, and writes zeros over all that was ever in use: over memory that was zero at first, all of it is
  /// again. (Memcheck takes a fresh block for uninitialised all the same.)
  /// \pre as `reset`
  void reset_zeroed() noexcept {
    reset();
    const std::span<std::byte> touched{lowest_.load(relaxed), end_};
    poison().unpoison(touched);
    if (!touched.empty()) std::memset(touched.data(), 0, touched.size());
    poison().poison_all(touched);
  }

private:
  friend resource_interface<atomic_bump_resource>;

  static constexpr auto relaxed = std::memory_order_relaxed;

  void adopt(std::span<std::byte> memory) noexcept {
    const auto usable = detail::aligned_part(memory, MinAlign);
    begin_ = usable.data();
    end_ = begin_ + usable.size();
    cursor_.store(end_, relaxed);
    lowest_.store(end_, relaxed);
    poison().poison_all(usable);
  }

  static std::size_t distance(const std::byte* from, const std::byte* to) noexcept {
    return static_cast<std::size_t>(to - from);
  }

  [[nodiscard]] std::byte* cursor() const noexcept { return cursor_.load(relaxed); }
  [[nodiscard]] detail::shared_poison poison() const noexcept { return detail::shared_poison{{begin_, end_}}; }

  // The cursor is all that the arena's state is: what lies below it is free, whatever happened in between. So it does no
  // harm where a compare-exchange finds the cursor that it expects after others have moved it down and up again, as it would
  // to a list, whose next link may have changed meanwhile. For the same reason `give_back` may raise the cursor: the block
  // at the cursor is the caller's, so that nobody else can have raised it past there, and what lies below is free.
  //
  // What the owner of a block did to it comes before what the next one does: `give_back` releases, `place` acquires, and
  // between the two every change of the cursor is a read-modify-write, which hands the release on.

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t mask = detail::negated(alignment);
    if (!detail::is_step(bytes)) [[unlikely]]
      return place_slow(bytes, mask);
    std::byte* block = cursor();
    if (!move_down(block, bytes, mask)) [[unlikely]]
      return nullptr;
    poison().unpoison({block, bytes});
    return block;
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    const std::size_t mask = detail::negated(alignment);
    if (!detail::is_step(bytes)) [[unlikely]]
      return place_or_fail_slow(bytes, mask);
    std::byte* block = cursor();
    if (!move_down(block, bytes, mask)) [[unlikely]]
      refuse(bytes, mask);
    poison().unpoison({block, bytes});
    return block;
  }

  [[gnu::noinline, gnu::cold]] void* place_slow(std::size_t bytes, std::size_t mask) noexcept {
    std::byte* from = cursor();
    std::byte* to = nullptr;
    do {
      to = from;
      if (!detail::step_down_slow(to, begin_, bytes, mask & detail::negated(MinAlign))) return nullptr;
    } while (!exchanged(from, to));
    poison().unpoison({to, bytes});
    return to;
  }

  [[gnu::noinline, gnu::cold]] void* place_or_fail_slow(std::size_t bytes, std::size_t mask) {
    void* const p = place_slow(bytes, mask);
    if (p == nullptr) this->fail(bytes, detail::negated(mask));
    return p;
  }

  [[noreturn, gnu::noinline, gnu::cold]] void refuse(std::size_t bytes, std::size_t mask) const {
    this->fail(bytes, detail::negated(mask));
  }

  /// Takes the step from where the cursor is, again as often as someone else was faster.
  /// \param block  the cursor as it was seen last; becomes the block
  /// \return whether there was room
  [[gnu::always_inline]] bool move_down(std::byte*& block, std::size_t bytes, std::size_t mask) noexcept {
    std::byte* from = block;
    do {
      block = from;
      if (!detail::step_down<MinAlign>(block, begin_, bytes, mask)) [[unlikely]]
        return false;
    } while (!exchanged(from, block));
    return true;
  }

  [[gnu::always_inline]] bool exchanged(std::byte*& from, std::byte* to) noexcept {
    return cursor_.compare_exchange_weak(from, to, std::memory_order_acquire, relaxed);
  }

  void give_back(void* p, std::size_t bytes, std::size_t) noexcept {
    auto* block = static_cast<std::byte*>(p);
    const std::size_t taken = ((bytes == 0 ? 0 : bytes - 1) | (MinAlign - 1)) + 1;
    ALLOT_EXPECTS(is_in_use(block) && taken - 1 < distance(block, end_)); // taken is 0 where bytes is almost SIZE_MAX
    poison().poison({block, bytes});
    if (block != cursor()) return;
    lower_lowest(block);
    cursor_.compare_exchange_strong(block, block + taken, std::memory_order_release, relaxed);
  }

  /// Before the cursor rises from `to`: so a minimum is in `lowest_` before it is no longer in the cursor.
  void lower_lowest(std::byte* to) noexcept {
    std::byte* seen = lowest_.load(relaxed);
    while (to < seen && !lowest_.compare_exchange_weak(seen, to, relaxed)) {
    }
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return within(p, begin_, capacity()); }

  [[nodiscard]] bool is_in_use(const void* p) const noexcept {
    const std::byte* const from = cursor();
    return within(p, from, distance(from, end_)) == ownership::yes;
  }

  detail::atomic<std::byte*> cursor_; // start of the newest block; begin_ <= cursor_ <= end_, a multiple of MinAlign
  std::byte* begin_;
  std::byte* end_;
  detail::atomic<std::byte*> lowest_; // least cursor ever left behind: the cursor itself may be lower still
  const char* name_;
  [[no_unique_address]] detail::bump_storage<N, MinAlign> storage_;
};

} // namespace allot::inline ALLOT_ABI
