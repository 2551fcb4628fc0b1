#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/detail/bump_step.hpp>
#include <allot/detail/bump_storage.hpp>
#include <allot/detail/mark_order.hpp>
#include <allot/detail/poison.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

namespace allot::inline ALLOT_ABI {

/// Bumps through one buffer and never grows. `bump_resource<N>` owns N bytes; `bump_resource<>` sees a span, which must
/// outlive it. Memory comes back all at once, by `reset` or `rewind`; a single block only while it is the last.
///
///     begin                    cursor                       end
///       | free ................. | newest | ... | oldest |   |
///
/// Guarantees
/// - With `MinAlign` 1, N bytes serve N blocks of one byte, wherever the buffer lies; a failure changes nothing.
/// - `remaining(a)` is exact: that much fits, one byte more does not.
/// - `deallocate` of the last block takes its bytes back, but no padding above it, and nothing from before the last `mark`.
/// - Free memory is poisoned for AddressSanitizer and Memcheck; the destructor gives the buffer back clean.
/// - With a greater `MinAlign` every block starts, and the buffer is cut, at multiples of it: less code, more padding.
///
/// Costs: 11 instructions through `memory_resource*` on x86-64, 3 where it is inlined; 80 bytes beside the buffer.
/// It has no constexpr constructor, since a full cursor is not zero: for static storage see `static_arena`.
/// Threads: one thread at a time.
///
/// \snippet tests/arena/bump_resource_test.cpp example
template <std::size_t N = std::dynamic_extent, std::size_t MinAlign = 1>
class bump_resource final : public resource_interface<bump_resource<N, MinAlign>> {
  static_assert(is_alignment(MinAlign), "the minimum alignment is a power of two");
  static_assert(N > 0, "an arena of no bytes is null_resource, or bump_resource<> over an empty span");

public:
  static constexpr const char* class_name = "bump_resource";
  static constexpr bool owns_is_exact = true;

  /// A state to come back to: what was allocated when `mark` made it stays, what came later goes.
  class mark_type {
    friend bump_resource;
    mark_type(std::byte* cursor, std::byte* floor, detail::mark_order::number number) noexcept
        : cursor_{cursor}, floor_{floor}, number_{number} {}

    std::byte* cursor_;
    std::byte* floor_; // the floor before this mark
    detail::mark_order::number number_;
  };

  bump_resource() noexcept requires(N != std::dynamic_extent) : name_{nullptr} { adopt(storage_.bytes()); }

  /// \param name  for records and reports; static storage
  explicit bump_resource(const char* name) noexcept requires(N != std::dynamic_extent) : name_{name} {
    adopt(storage_.bytes());
  }

  /// \param span  outlives the arena, which is its only user
  /// \param name  for records and reports; static storage
  explicit bump_resource(std::span<std::byte> span, const char* name = nullptr) noexcept
      requires(N == std::dynamic_extent)
      : name_{name} {
    adopt(span);
  }

  ~bump_resource() override { detail::unpoison(begin_, capacity()); }

  /// As `try_allocate`, as the bytes that were asked for: an empty span for zero bytes.
  /// \pre `alignment` is a power of two
  [[nodiscard]] std::optional<std::span<std::byte>> alloc_bytes(std::size_t size, std::size_t alignment = 1) noexcept {
    void* const p = this->try_allocate(size, alignment);
    if (p == nullptr) return std::nullopt;
    return std::span{static_cast<std::byte*>(p), size};
  }

  /// Bytes that are taken: blocks, the padding between them, and blocks given back too early to be taken back.
  [[nodiscard]] std::size_t used() const noexcept { return distance(cursor_, end_); }

  /// The most bytes that one request aligned to `alignment` can have now.
  /// \pre `alignment` is a power of two
  [[nodiscard]] std::size_t remaining(std::size_t alignment = alignof(std::max_align_t)) const noexcept {
    ALLOT_EXPECTS(is_alignment(alignment));
    return detail::room_between(begin_, cursor_, std::max(alignment, MinAlign));
  }

  /// Bytes of the buffer, without what `MinAlign` cuts from its ends.
  [[nodiscard]] std::size_t capacity() const noexcept { return distance(begin_, end_); }

  /// The most bytes that were ever `used` at once.
  [[nodiscard]] std::size_t high_water() const noexcept { return distance(std::min(lowest_, cursor_), end_); }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

  /// Frees everything at once; every mark is void.
  void reset() noexcept {
    raise_cursor(end_);
    floor_ = end_;
    marks_.clear();
  }

  /// `reset`, and writes zeros over all that was ever in use: over memory that was zero at first, all of it is
  /// again. (Memcheck takes a fresh block for uninitialised all the same.)
  void reset_zeroed() noexcept {
    reset();
    detail::unpoison(lowest_, high_water());
    if (lowest_ != end_) std::memset(lowest_, 0, high_water());
    detail::poison(lowest_, high_water());
  }

  /// Remembers the present state. Until `rewind`, no block from before is taken back by `deallocate`.
  [[nodiscard]] mark_type mark() noexcept {
    const mark_type here{cursor_, floor_, marks_.add()};
    floor_ = cursor_;
    return here;
  }

  /// Frees all that was allocated since `to` was made. It and the marks made after it are void then.
  /// \pre `to` is a mark of this arena and not void
  void rewind(const mark_type& to) noexcept {
    ALLOT_EXPECTS(marks_.admits(to.number_) && (to.cursor_ == end_ || is_in_use(to.cursor_)));
    raise_cursor(to.cursor_);
    floor_ = to.floor_;
    marks_.remove(to.number_);
  }

  /// True where `m` is the last mark that is not void.
  [[nodiscard]] bool is_latest(const mark_type& m) const noexcept { return marks_.is_latest(m.number_); }

private:
  friend resource_interface<bump_resource>;

  void adopt(std::span<std::byte> memory) noexcept {
    const auto usable = detail::aligned_part(memory, MinAlign);
    begin_ = usable.data();
    cursor_ = end_ = floor_ = lowest_ = begin_ + usable.size();
    detail::poison(begin_, usable.size());
  }

  static std::size_t distance(const std::byte* from, const std::byte* to) noexcept {
    return static_cast<std::size_t>(to - from);
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t mask = detail::negated(alignment);
    if (!detail::is_step(bytes)) [[unlikely]]
      return place_slow(bytes, mask);
    if (!detail::step_down<MinAlign>(cursor_, begin_, bytes, mask)) [[unlikely]]
      return nullptr;
    detail::unpoison(cursor_, bytes);
    return cursor_;
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    const std::size_t mask = detail::negated(alignment);
    if (!detail::is_step(bytes)) [[unlikely]]
      return place_or_fail_slow(bytes, mask);
    if (!detail::step_down<MinAlign>(cursor_, begin_, bytes, mask)) [[unlikely]]
      refuse(bytes, mask);
    detail::unpoison(cursor_, bytes);
    return cursor_;
  }

  [[gnu::noinline, gnu::cold]] void* place_slow(std::size_t bytes, std::size_t mask) noexcept {
    if (!detail::step_down_slow(cursor_, begin_, bytes, mask & detail::negated(MinAlign))) return nullptr;
    detail::unpoison(cursor_, bytes);
    return cursor_;
  }

  [[gnu::noinline, gnu::cold]] void* place_or_fail_slow(std::size_t bytes, std::size_t mask) {
    void* const p = place_slow(bytes, mask);
    if (p == nullptr) this->fail(bytes, detail::negated(mask));
    return p;
  }

  /// Does not return: a loop that allocates can then keep the cursor in a register.
  [[noreturn, gnu::noinline, gnu::cold]] void refuse(std::size_t bytes, std::size_t mask) const {
    this->fail(bytes, detail::negated(mask));
  }

  void give_back(void* p, std::size_t bytes, std::size_t) noexcept {
    auto* const block = static_cast<std::byte*>(p);
    const std::size_t taken = ((bytes == 0 ? 0 : bytes - 1) | (MinAlign - 1)) + 1;
    ALLOT_EXPECTS(is_in_use(block) && taken - 1 < distance(block, end_)); // taken is 0 where bytes is almost SIZE_MAX
    detail::poison(block, bytes);
    if (block == cursor_ && block < floor_) raise_cursor(block + taken);
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return within(p, begin_, capacity()); }

  [[nodiscard]] bool is_in_use(const void* p) const noexcept { return within(p, cursor_, used()) == ownership::yes; }

  void raise_cursor(std::byte* to) noexcept {
    lowest_ = std::min(lowest_, cursor_);
    detail::poison(cursor_, distance(cursor_, to));
    cursor_ = to;
  }

  std::byte* cursor_; // start of the newest block; begin_ <= cursor_ <= floor_ <= end_, a multiple of MinAlign
  std::byte* begin_;
  std::byte* end_;
  std::byte* floor_;  // deallocate takes nothing back from here upwards: the cursor of the last mark, or end_
  std::byte* lowest_; // least cursor ever left behind: the cursor itself may be lower still
  detail::mark_order marks_;
  const char* name_;
  [[no_unique_address]] detail::bump_storage<N, MinAlign> storage_;
};

} // namespace allot::inline ALLOT_ABI
