#pragma once

#include <allot/core/layout.hpp>
#include <allot/detail/block_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace allot::inline ALLOT_ABI::detail {

/// The alignment that blocks of a size have by nature: the greatest that divides it, up to that of `std::max_align_t`.
[[nodiscard]] constexpr std::size_t natural_alignment(std::size_t bytes) noexcept {
  return std::min(bytes & (~bytes + 1), alignof(std::max_align_t));
}

/// The blocks of a pool for one size: how large they are, and what they can serve.
/// \param LeastAlign  that the pool itself needs of its blocks
template <std::size_t BlockSize, std::size_t Align, std::size_t LeastAlign>
struct block_shape {
  static_assert(BlockSize > 0, "a block of no bytes can serve nothing");
  static_assert(is_alignment(Align), "the alignment is a power of two");

  static constexpr std::size_t alignment = std::max(Align, LeastAlign);
  static_assert(BlockSize <= std::numeric_limits<std::int32_t>::max() - alignment, "a block is less than 2 GiB");

  static constexpr std::size_t bytes = align_down(BlockSize + alignment - 1, alignment);
  static_assert(bytes >= sizeof(free_block));

  [[nodiscard]] static constexpr bool serves(std::size_t size, std::size_t align) noexcept {
    return size <= BlockSize && align <= Align;
  }

  /// Why a request is refused; static storage.
  [[nodiscard]] static constexpr const char* why_refused(std::size_t size, std::size_t align) noexcept {
    if (size > BlockSize) return "more bytes than a block has";
    if (align > Align) return "a greater alignment than blocks have";
    return "every block is in use";
  }
};

} // namespace allot::inline ALLOT_ABI::detail
