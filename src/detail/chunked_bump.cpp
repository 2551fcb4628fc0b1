#include <allot/detail/chunked_bump.hpp>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace allot::inline ALLOT_ABI::detail {
namespace {

constexpr std::size_t granule = alignof(chunk_footer);
constexpr std::size_t largest_chunk = align_down(std::numeric_limits<std::ptrdiff_t>::max(), granule);

/// A chunk with room for `bytes`, or the largest there can be.
constexpr std::size_t chunk_for(std::size_t bytes) noexcept {
  constexpr std::size_t most = largest_chunk - sizeof(chunk_footer);
  return align_down(std::min(bytes, most) + granule - 1, granule) + sizeof(chunk_footer);
}

std::size_t room_in(const chunk_footer& chunk, std::size_t alignment) noexcept {
  return room_between(chunk.begin, chunk.end(), alignment);
}

void poison_all(const chunk_footer& chunk) noexcept { poison(chunk.begin, chunk.room()); }

} // namespace

chunked_bump::chunked_bump(std::span<std::byte> buffer, std::size_t first_bytes, std::size_t min_alignment,
                           const char* name) noexcept
    : buffer_{aligned_part(buffer, min_alignment)},
      first_chunk_bytes_{chunk_for(first_bytes)},
      min_alignment_{min_alignment},
      name_{name} {
  start_in_buffer();
}

std::size_t chunked_bump::remaining(std::size_t alignment) const noexcept {
  ALLOT_EXPECTS(is_alignment(alignment));
  alignment = std::max(alignment, min_alignment_);
  std::size_t most = room_between(begin_, cursor_, alignment);
  for (const chunk_footer* chunk = chunk_ == nullptr ? first_ : chunk_->next; chunk != nullptr; chunk = chunk->next) {
    most = std::max(most, room_in(*chunk, alignment));
  }
  return most;
}

std::size_t chunked_bump::high_water() const noexcept { return std::max(high_water_, used()); }

void chunked_bump::reset() noexcept {
  go_back_to(nullptr, buffer_end(), reinterpret_cast<std::uintptr_t>(buffer_end()));
  marks_.clear();
}

chunked_bump::mark_type chunked_bump::mark() noexcept { return {cursor_, chunk_, unused_at_, marks_.add()}; }

void chunked_bump::rewind(const mark_type& to) noexcept {
  ALLOT_EXPECTS(marks_.admits(to.number_) && used_at(to.cursor_, to.unused_at_) <= used());
  go_back_to(to.chunk_, to.cursor_, to.unused_at_);
  marks_.remove(to.number_);
}

void chunked_bump::go_back_to(chunk_footer* chunk, std::byte* cursor, std::uintptr_t unused_at) noexcept {
  high_water_ = high_water();
  for (chunk_footer* left = chunk; left != chunk_;) {
    left = behind(left);
    poison_all(*left);
  }
  chunk_ = chunk;
  cursor_ = cursor;
  unused_at_ = unused_at;
  begin_ = chunk == nullptr ? buffer_.data() : chunk->begin;
  poison(begin_, room_between(begin_, cursor_, 1));
}

void chunked_bump::start_in_buffer() noexcept {
  begin_ = buffer_.data();
  cursor_ = buffer_end();
  unused_at_ = reinterpret_cast<std::uintptr_t>(cursor_);
  next_chunk_bytes_ = first_chunk_bytes_;
  poison(buffer_.data(), buffer_.size());
}

bool chunked_bump::place_in_kept(std::size_t bytes, std::size_t alignment) noexcept {
  alignment = std::max(alignment, min_alignment_);
  if (step_down_slow(cursor_, begin_, bytes, negated(alignment))) return true;

  chunk_footer** link = &behind(chunk_);
  while (*link != nullptr && room_in(**link, alignment) < bytes)
    link = &(*link)->next;
  chunk_footer* const found = *link;
  if (found == nullptr) return false;

  *link = found->next; // those that were too small stay behind it: the same requests again find every chunk in turn
  found->next = behind(chunk_);
  behind(chunk_) = found;
  enter(found);
  return step_down_slow(cursor_, begin_, bytes, negated(alignment));
}

void chunked_bump::enter(chunk_footer* chunk) noexcept {
  unused_at_ = reinterpret_cast<std::uintptr_t>(chunk) + used();
  chunk_ = chunk;
  cursor_ = chunk->end();
  begin_ = chunk->begin;
}

chunked_bump::chunk_plan chunked_bump::plan_chunk(std::size_t bytes, std::size_t alignment) const noexcept {
  const std::size_t least = bytes > largest_chunk - sizeof(chunk_footer) ? 0 : chunk_for(bytes);
  return {std::max(least, next_chunk_bytes_), least, std::max(alignment, granule)};
}

void chunked_bump::add_chunk(void* memory, std::size_t bytes, const chunk_plan& plan) noexcept {
  ALLOT_EXPECTS(is_aligned(memory, plan.alignment));
  auto* const begin = static_cast<std::byte*>(memory);
  std::byte* const end = begin + bytes - sizeof(chunk_footer);
  auto* const chunk = ::new (end) chunk_footer{behind(chunk_), newest_, begin, plan.alignment};
  behind(chunk_) = chunk;
  newest_ = chunk;
  poison_all(*chunk);
  reserved_ += bytes;
  next_chunk_bytes_ =
      bytes < plan.wanted ? align_down(plan.wanted / 2, granule) : bytes + std::min(bytes, largest_chunk - bytes);
}

chunk_footer* chunked_bump::remove_chunks() noexcept {
  high_water_ = high_water();
  chunk_ = first_ = nullptr;
  reserved_ = 0;
  marks_.clear();
  start_in_buffer();
  return std::exchange(newest_, nullptr);
}

ownership chunked_bump::holds(const void* p) const noexcept {
  if (within(p, buffer_.data(), buffer_.size()) == ownership::yes) return ownership::yes;
  for (const chunk_footer* chunk = first_; chunk != nullptr; chunk = chunk->next) {
    if (within(p, chunk->begin, chunk->room()) == ownership::yes) return ownership::yes;
  }
  return ownership::no;
}

} // namespace allot::inline ALLOT_ABI::detail
