#pragma once

#include <allot/core/layout.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace allot::inline ALLOT_ABI::detail {

[[nodiscard]] inline std::intptr_t address_of(const std::byte* p) noexcept { return std::bit_cast<std::intptr_t>(p); }

/// The alignment as the step takes it, or the other way round: a power of two negated is the mask of its multiples. The
/// slow paths take it too, so that g++ negates in place where it would otherwise keep both.
[[nodiscard]] inline std::size_t negated(std::size_t alignment) noexcept { return ~alignment + 1; }

/// True for the requests that `step_down` takes: 1 byte to 64 KiB. None where the compiler is to make small code (-Os): the
/// slow path takes all, and a few instructions more for each. (Files of one program may differ in this: a linker that
/// keeps one body of an inline function keeps a right one.)
[[nodiscard]] inline bool is_step([[maybe_unused]] std::size_t bytes) noexcept {
#ifdef __OPTIMIZE_SIZE__
  return false;
#else
  return (bytes - 1) >> 16 == 0;
#endif
}

/// The one step of every arena here: moves `cursor` down by `bytes`, then down to a multiple of an alignment and of
/// `MinAlign`, unless that passes `begin`.
///
/// Addresses are compared as signed numbers: what wraps below zero is then less than every address, so that one compare
/// sees both the end of the memory and the wrap, for any alignment. That is right where no object lies within 64 KiB of
/// the middle of the address space, which on 64-bit machines is a hole; elsewhere the wrap is tested apart.
///
/// \param mask  the alignment, negated
/// \pre `is_step(bytes)`, `begin <= cursor`, `cursor` is a multiple of `MinAlign`
template <std::size_t MinAlign>
[[nodiscard, gnu::always_inline]] inline bool step_down(std::byte*& cursor, std::byte* const& begin, std::size_t bytes,
                                                        std::size_t mask) noexcept {
  const auto from = static_cast<std::size_t>(address_of(std::assume_aligned<MinAlign>(cursor)));
  const auto to = static_cast<std::intptr_t>((from - bytes) & (mask & negated(MinAlign)));
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

/// The most bytes that fit between the two.
/// \param alignment  not less than the arena's own
[[nodiscard]] inline std::size_t room_between(const std::byte* begin, const std::byte* cursor,
                                              std::size_t alignment) noexcept {
  const auto room = static_cast<std::size_t>(cursor - begin);
  const std::size_t padding = padding_to(begin, alignment);
  return padding < room ? room - padding : 0;
}

/// The same step for every size; zero bytes take one, so that their block is distinct.
/// \param mask  the alignment, negated; not less than the arena's own
[[nodiscard]] inline bool step_down_slow(std::byte*& cursor, const std::byte* begin, std::size_t bytes,
                                         std::size_t mask) noexcept {
  const std::size_t taken = bytes == 0 ? 1 : bytes;
  const auto from = static_cast<std::size_t>(address_of(cursor));
  const std::size_t to = (from - taken) & mask;
  if (from < taken || to < static_cast<std::size_t>(address_of(begin))) return false;
  cursor -= from - to;
  return true;
}

/// What is left of `memory` when both its ends are cut to multiples of `alignment`. A span that holds no multiple of it leaves
/// the span at null, which is one.
[[nodiscard]] inline std::span<std::byte> aligned_part(std::span<std::byte> memory, std::size_t alignment) noexcept {
  const std::size_t padding = padding_to(memory.data(), alignment);
  if (padding >= memory.size()) return {};
  return memory.subspan(padding, align_down(memory.size() - padding, alignment));
}

} // namespace allot::inline ALLOT_ABI::detail
