#pragma once

#include <allot/core/config.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory_resource>

namespace allot::inline ALLOT_ABI::detail {

/// The size classes of the pools: every multiple of 8 up to 512, then four for each doubling (640, 768, 896, 1024, 1280, ...),
/// up to 64 KiB.
///
/// A request is known by its key, `(bytes - 1) | (alignment - 1)`: one less than its bytes rounded up to its alignment, which
/// cannot overflow. Zero bytes have the key SIZE_MAX, so that the one compare with the largest key sends them, too, to
/// the slow path.
///
/// Guarantees
/// - The block size of a key's class is above the key and a multiple of the request's alignment: in a chunk that starts at
///   a multiple of `class_alignment`, every block is aligned as asked, and no block needs a header.
/// - At most 7 bytes of a block of up to 512 bytes are wasted, at most 20 % of a larger one; 5.2 % on average over requests of
///   16 to 1,024 bytes.
inline constexpr std::size_t class_count = 92;
inline constexpr std::size_t largest_class_bytes = std::size_t{1} << 16;

/// One less than `bytes` rounded up to a multiple of `alignment`; SIZE_MAX for zero bytes.
[[nodiscard]] constexpr std::size_t class_key(std::size_t bytes, std::size_t alignment) noexcept {
  return (bytes - 1) | (alignment - 1);
}

/// Keys below this one have their class at `key / 8`, with no table: what it would say is a load late, and while a store
/// waits for its address the loads behind it wait, too. (On mixed sizes a table made a pair 1.2 to 1.3 times slower, and a
/// computed class mispredicts.)
inline constexpr std::size_t direct_keys = 512;

/// The class of a key.
/// \pre `key < largest_class_bytes`
[[nodiscard]] constexpr std::size_t class_of(std::size_t key) noexcept {
  if (key < direct_keys) return key / 8;
  const auto width = static_cast<std::size_t>(std::bit_width(key)); // 10 and more
  return 4 * (width - 10) + direct_keys / 8 + ((key >> (width - 3)) & 3);
}

/// The size of the blocks of a class.
/// \pre `index < class_count`
[[nodiscard]] constexpr std::size_t class_bytes(std::size_t index) noexcept {
  if (index < direct_keys / 8) return 8 * (index + 1);
  return (5 + index % 4) << (index / 4 - 9); // 64 is the class of 640 bytes: 5 << 7
}

/// What the chunks of a class are to be aligned to: the greatest power of two that divides its blocks' size.
[[nodiscard]] constexpr std::size_t class_alignment(std::size_t block_bytes) noexcept {
  return block_bytes & (~block_bytes + 1);
}

/// A pool's options as it obeys them: 0 stands for the greatest that there is, and so does what is more; the largest block is
/// that of a class. No chunk has more than 8,192 blocks.
[[nodiscard]] constexpr std::pmr::pool_options obeyed(const std::pmr::pool_options& wanted) noexcept {
  constexpr std::size_t most_blocks = 8192;                   // of 8 bytes, in 64 KiB
  const std::size_t blocks = wanted.max_blocks_per_chunk - 1; // 0 wraps
  const std::size_t largest = wanted.largest_required_pool_block - 1;
  return {std::min(blocks, most_blocks - 1) + 1, class_bytes(class_of(std::min(largest, largest_class_bytes - 1)))};
}

} // namespace allot::inline ALLOT_ABI::detail
