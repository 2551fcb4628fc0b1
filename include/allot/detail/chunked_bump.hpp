#pragma once

#include <allot/core/expects.hpp>
#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>
#include <allot/detail/bump_step.hpp>
#include <allot/detail/mark_order.hpp>
#include <allot/detail/poison.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace allot::inline ALLOT_ABI::detail {

/// What a chunk keeps about itself, at its upper end: a request of any alignment then starts where the chunk does, and
/// costs no padding.
struct alignas(std::max_align_t) chunk_footer {
  chunk_footer* next;    // in the order of use; those behind the current chunk are kept for reuse
  chunk_footer* older;   // in the order in which upstream gave them
  std::byte* begin;      // of the whole chunk
  std::size_t alignment; // as upstream was asked for it

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas" // clang has no such warning to ignore
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wuse-after-free" // g++ 12 moves the subtraction behind an inlined free
  [[nodiscard]] std::size_t room() const noexcept {
    return reinterpret_cast<std::uintptr_t>(this) - reinterpret_cast<std::uintptr_t>(begin);
  }
#pragma GCC diagnostic pop
  [[nodiscard]] std::size_t bytes() const noexcept { return room() + sizeof(chunk_footer); }
  [[nodiscard]] std::byte* end() const noexcept { return begin + room(); }
};

/// A downward bump through an optional buffer of the user's and then through chunks: all of `monotonic_resource` that
/// does not need to know its upstream.
///
///     buffer            first chunk          current chunk            kept for reuse
///     | ... oldest | -> | ....... | foot | -> | free | newest | foot | -> | free | foot |
class chunked_bump {
public:
  /// A state to come back to: what was allocated when `mark` made it stays, what came later goes.
  class mark_type {
    friend chunked_bump;
    mark_type(std::byte* cursor, chunk_footer* chunk, std::uintptr_t unused_at, mark_order::number number) noexcept
        : cursor_{cursor}, chunk_{chunk}, unused_at_{unused_at}, number_{number} {}

    std::byte* cursor_;
    chunk_footer* chunk_; // null: in the buffer
    std::uintptr_t unused_at_;
    mark_order::number number_;
  };

  chunked_bump(const chunked_bump&) = delete;
  chunked_bump& operator=(const chunked_bump&) = delete;

  /// Bytes that are taken: blocks and the padding between them. The end of a chunk that was left too early is not counted.
  [[nodiscard]] std::size_t used() const noexcept { return used_at(cursor_, unused_at_); }

  /// The most bytes that one request aligned to `alignment` can have without a call to the upstream.
  /// \pre `alignment` is a power of two
  [[nodiscard]] std::size_t remaining(std::size_t alignment = alignof(std::max_align_t)) const noexcept;

  /// Bytes taken from the upstream and not given back, the chunks' own footers included.
  [[nodiscard]] std::size_t reserved() const noexcept { return reserved_; }

  /// The most bytes that were ever `used` at once.
  [[nodiscard]] std::size_t high_water() const noexcept;

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

  /// Frees everything at once and keeps the chunks: the same requests again need no upstream. Every mark is void.
  void reset() noexcept;

  /// Remembers the present state.
  [[nodiscard]] mark_type mark() noexcept;

  /// Frees all that was allocated since `to` was made, and keeps the chunks. It and the marks made after it are void then.
  /// \pre `to` is a mark of this arena and not void
  void rewind(const mark_type& to) noexcept;

  /// True where `m` is the last mark that is not void.
  [[nodiscard]] bool is_latest(const mark_type& m) const noexcept { return marks_.is_latest(m.number_); }

protected:
  /// Two sizes for a new chunk: the one wanted, and the one that just fits the request.
  struct chunk_plan {
    std::size_t wanted;
    std::size_t least; // 0: no size can fit it
    std::size_t alignment;
  };

  /// \param min_alignment  of every block; at most `alignof(std::max_align_t)`
  /// \param first_bytes    that the first chunk from upstream has room for
  chunked_bump(std::span<std::byte> buffer, std::size_t first_bytes, std::size_t min_alignment,
               const char* name) noexcept;
  ~chunked_bump() { unpoison(buffer_.data(), buffer_.size()); }

  /// Places a block in the current chunk or in one that is kept for reuse: sets the cursor to it. False changes nothing.
  /// \pre `bytes` is not 0, here and in `plan_chunk`
  [[nodiscard]] bool place_in_kept(std::size_t bytes, std::size_t alignment) noexcept;

  [[nodiscard]] chunk_plan plan_chunk(std::size_t bytes, std::size_t alignment) const noexcept;

  /// Makes memory from upstream the chunk after the current one; `place_in_kept` enters it.
  /// \param memory  aligned as the plan says
  /// \param bytes   one of the two sizes of the plan: where upstream refused the wanted one, less is wanted next time
  void add_chunk(void* memory, std::size_t bytes, const chunk_plan& plan) noexcept;

  /// Takes all chunks out, linked by `older`, and starts anew in the buffer.
  /// \return the one that upstream gave last, or null
  [[nodiscard]] chunk_footer* remove_chunks() noexcept;

  std::byte* cursor_; // start of the newest block; begin_ <= cursor_, a multiple of the minimum alignment
  std::byte* begin_;  // of the current chunk or of the buffer

private:
  [[nodiscard]] static std::size_t used_at(const std::byte* cursor, std::uintptr_t unused_at) noexcept {
    return unused_at - reinterpret_cast<std::uintptr_t>(cursor);
  }
  [[nodiscard]] chunk_footer*& behind(chunk_footer* chunk) noexcept { return chunk == nullptr ? first_ : chunk->next; }
  void enter(chunk_footer* chunk) noexcept;
  void go_back_to(chunk_footer* chunk, std::byte* cursor, std::uintptr_t unused_at) noexcept;
  void start_in_buffer() noexcept;
  [[nodiscard]] std::byte* buffer_end() const noexcept { return buffer_.data() + buffer_.size(); }

  chunk_footer* chunk_ = nullptr;  // the current one; null: in the buffer
  chunk_footer* first_ = nullptr;  // of those linked by `next`
  chunk_footer* newest_ = nullptr; // of those linked by `older`
  std::span<std::byte> buffer_;
  std::uintptr_t unused_at_; // where the cursor would be with nothing in use, were all chunks one
  mark_order marks_;
  std::size_t first_chunk_bytes_;
  std::size_t next_chunk_bytes_; // what the next chunk is to have; a multiple of the footer's alignment
  std::size_t reserved_ = 0;
  std::size_t min_alignment_;
  std::size_t high_water_ = 0; // of all states that were left by going back; the present one may be higher
  const char* name_;

protected:
  [[nodiscard]] ownership holds(const void* p) const noexcept;
};

} // namespace allot::inline ALLOT_ABI::detail
