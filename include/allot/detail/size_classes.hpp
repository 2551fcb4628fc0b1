#pragma once

#include <allot/core/config.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace allot::inline ALLOT_ABI::detail {

/// The size classes of the pools: 8, 16, ... 64, then four for each doubling (80, 96, 112, 128, 160, ...), up to 64 KiB.
///
/// A request is known by its key, `(bytes - 1) | (alignment - 1)`: one less than its bytes rounded up to its alignment, which
/// cannot overflow. Zero bytes have the key SIZE_MAX, so that the one compare with the largest key sends them, too, to
/// the slow path.
///
/// Guarantees
/// - The block size of a key's class is above the key and a multiple of the request's alignment: in a chunk that starts at
///   a multiple of `class_alignment`, every block is aligned as asked, and no block needs a header.
/// - At most 20 % of a block of 64 bytes or more are wasted; 8 % on average over requests of 16 to 1,024 bytes.
inline constexpr std::size_t class_count = 48;
inline constexpr std::size_t largest_class_bytes = std::size_t{1} << 16;

/// One less than `bytes` rounded up to a multiple of `alignment`; SIZE_MAX for zero bytes.
[[nodiscard]] constexpr std::size_t class_key(std::size_t bytes, std::size_t alignment) noexcept {
  return (bytes - 1) | (alignment - 1);
}

/// The class of a key, without a table.
/// \pre `key < largest_class_bytes`
[[nodiscard]] constexpr std::size_t class_of(std::size_t key) noexcept {
  if (key < 64) return key / 8;
  const auto width = static_cast<std::size_t>(std::bit_width(key)); // 7 and more
  return 4 * (width - 7) + 8 + ((key >> (width - 3)) & 3);
}

/// The size of the blocks of a class.
/// \pre `index < class_count`
[[nodiscard]] constexpr std::size_t class_bytes(std::size_t index) noexcept {
  if (index < 8) return 8 * (index + 1);
  return (5 + index % 4) << (index / 4 + 2);
}

/// What the chunks of a class are to be aligned to: the greatest power of two that divides its blocks' size.
[[nodiscard]] constexpr std::size_t class_alignment(std::size_t block_bytes) noexcept {
  return block_bytes & (~block_bytes + 1);
}

/// Keys below this one have their class in the table, at `key / 8`: computed classes mispredict on mixed sizes.
inline constexpr std::size_t tabled_keys = 4096;

using class_table_type = std::array<std::uint8_t, tabled_keys / 8>;

inline constexpr class_table_type class_table = [] {
  class_table_type table{};
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<std::uint8_t>(class_of(8 * i + 7));
  return table;
}();

} // namespace allot::inline ALLOT_ABI::detail
