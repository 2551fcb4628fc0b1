#include <allot/detail/large_blocks.hpp>

#include <allot/core/expects.hpp>

#include <algorithm>
#include <new>

namespace allot::inline ALLOT_ABI::detail {

layout large_blocks::to_take(std::size_t bytes, std::size_t alignment) noexcept {
  if (bytes > most_bytes) return {0, alignment};
  return {footer_at(bytes) + sizeof(footer), std::max(alignment, alignof(footer))};
}

void large_blocks::add(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
  void* const place = static_cast<std::byte*>(memory) + footer_at(bytes);
  auto* const f = ::new (place) footer{newest_, &newest_, bytes, alignment};
  if (newest_ != nullptr) newest_->link = &f->older;
  newest_ = f;
  ++blocks_;
  used_ += bytes;
  reserved_ += to_take(bytes, alignment).bytes;
}

large_blocks::taken large_blocks::remove(void* p, std::size_t bytes, std::size_t alignment) noexcept {
  auto* const f = std::launder(reinterpret_cast<footer*>(static_cast<std::byte*>(p) + footer_at(bytes)));
  ALLOT_EXPECTS(f->bytes == bytes && f->alignment == alignment && *f->link == f);
  return take_out(f);
}

large_blocks::taken large_blocks::remove_newest() noexcept { return newest_ == nullptr ? taken{} : take_out(newest_); }

large_blocks::taken large_blocks::take_out(footer* f) noexcept {
  *f->link = f->older;
  if (f->older != nullptr) f->older->link = f->link;
  const taken out{block_of(f), to_take(f->bytes, f->alignment)};
  --blocks_;
  used_ -= f->bytes;
  reserved_ -= out.shape.bytes;
  return out;
}

ownership large_blocks::holds(const void* p) const noexcept {
  for (footer* f = newest_; f != nullptr; f = f->older) {
    if (within(p, block_of(f), std::max<std::size_t>(f->bytes, 1)) == ownership::yes) return ownership::yes;
  }
  return ownership::no;
}

} // namespace allot::inline ALLOT_ABI::detail
