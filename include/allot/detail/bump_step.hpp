#pragma once

#include <allot/core/layout.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace allot::inline ALLOT_ABI::detail {

[[nodiscard]] inline std::intptr_t address_of(const std::byte* p) noexcept { return std::bit_cast<std::intptr_t>(p); }

/// The one step of every arena here: moves `cursor` down by `bytes`, then down to a multiple of `alignment` and of
/// `MinAlign`, unless that passes `begin`. Zero bytes and more than `PTRDIFF_MAX` are refused too: both are rare, and one
/// test finds both; a caller that wants a block for zero bytes asks again for one.
///
/// Addresses are compared as signed numbers: what wraps below zero is then less than every address, so that one compare
/// sees both the end of the memory and the wrap, for any alignment. That is right where no object spans the middle of
/// the address space, which is a hole on 64-bit machines; where it is not one, the wrap is tested apart.
///
/// \pre `begin <= cursor`, `cursor` is a multiple of `MinAlign`, `alignment` is a power of two
template <std::size_t MinAlign>
[[nodiscard, gnu::always_inline]] inline bool step_down(std::byte*& cursor, const std::byte* begin, std::size_t bytes,
                                                        std::size_t alignment) noexcept {
  if (static_cast<std::ptrdiff_t>(bytes) <= 0) [[unlikely]]
    return false;
  const auto from = static_cast<std::size_t>(address_of(std::assume_aligned<MinAlign>(cursor)));
  const auto to = static_cast<std::intptr_t>((from - bytes) & ((~alignment + 1) & (~MinAlign + 1)));
  if constexpr (sizeof(void*) >= 8) {
    if (to < address_of(begin)) [[unlikely]]
      return false;
  } else {
    if (from < bytes || static_cast<std::size_t>(to) < static_cast<std::size_t>(address_of(begin))) [[unlikely]] {
      return false;
    }
  }
  cursor = std::bit_cast<std::byte*>(to);
  return true;
}

/// The most bytes for which `step_down` with this alignment, or a smaller one of the arena's own, succeeds.
[[nodiscard]] inline std::size_t room_between(const std::byte* begin, const std::byte* cursor,
                                              std::size_t alignment) noexcept {
  const auto room = static_cast<std::size_t>(cursor - begin);
  const std::size_t padding = padding_to(begin, alignment);
  return padding < room ? room - padding : 0;
}

/// What is left of `memory` when both its ends are cut to multiples of `alignment`.
[[nodiscard]] inline std::span<std::byte> aligned_part(std::span<std::byte> memory, std::size_t alignment) noexcept {
  const std::size_t padding = padding_to(memory.data(), alignment);
  if (padding >= memory.size()) return memory.first(0);
  return memory.subspan(padding, align_down(memory.size() - padding, alignment));
}

} // namespace allot::inline ALLOT_ABI::detail
