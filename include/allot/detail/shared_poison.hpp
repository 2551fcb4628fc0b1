#pragma once

#include <allot/core/layout.hpp>
#include <allot/detail/bump_step.hpp>
#include <allot/detail/poison.hpp>

#include <cstddef>
#include <span>

namespace allot::inline ALLOT_ABI::detail {

/// Poison for memory whose blocks belong to several threads.
///
/// AddressSanitizer has one mark for each granule of 8 bytes, and changes it by a plain read and a plain write. Two threads
/// that mark two blocks in one granule at once could leave the mark of neither, and a block in use would be reported. So
/// marks are of whole granules here: who has all of a granule may poison it; who has a byte of it makes it accessible, as
/// its neighbours do. Up to 7 free bytes beside a block stay accessible, and so does a granule that the memory has only a
/// part of. Memcheck has a mark for each byte, and runs one thread at a time.
class shared_poison {
public:
  /// \param memory  all that is ever poisoned; nothing of it is yet
  explicit shared_poison(std::span<std::byte> memory) noexcept : whole_{inside(memory)} {}

  /// Poisons what the caller alone has: the granules inside of `block`.
  void poison(std::span<std::byte> block) const noexcept { apply(detail::poison, inside(block)); }

  /// Poisons, in addition, what `block` shares with others. \pre nobody has any of it
  void poison_all(std::span<std::byte> block) const noexcept { apply(detail::poison, around(block)); }

  /// Makes the block accessible, and what it shares its granules with.
  void unpoison(std::span<std::byte> block) const noexcept { apply(detail::unpoison, around(block)); }

private:
  static constexpr std::size_t granule = ALLOT_ASAN ? 8 : 1;

  static void apply(void (*mark)(const volatile void*, std::size_t) noexcept, std::span<std::byte> part) noexcept {
    mark(part.data(), part.size());
  }

  [[nodiscard]] static std::span<std::byte> inside(std::span<std::byte> block) noexcept {
    return aligned_part(block, granule);
  }

  /// The granules that `block` has a byte of, within `whole_`. Outside of that it can only have a part of one granule.
  [[nodiscard]] std::span<std::byte> around(std::span<std::byte> block) const noexcept {
    if (whole_.empty()) return {};
    std::byte* const end = block.data() + block.size();
    std::byte* first = whole_.data();
    std::byte* last = first + whole_.size();
    if (first < block.data()) first = block.data() - misalignment(block.data());
    if (end < last) last = end + padding_to(end, granule);
    return {first, last};
  }

  [[nodiscard]] static std::size_t misalignment(const std::byte* p) noexcept {
    return static_cast<std::size_t>(address_of(p)) & (granule - 1);
  }

  std::span<std::byte> whole_; // whole granules
};

} // namespace allot::inline ALLOT_ABI::detail
