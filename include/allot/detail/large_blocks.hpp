#pragma once

#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>

#include <cstddef>
#include <limits>

namespace allot::inline ALLOT_ABI::detail {

/// The blocks of a pool that are too large for its classes: each is upstream's own, with a footer behind it that links it
/// to the others, so that `release` finds them.
///
///     | block | padding to a word | footer |
///
/// It knows no upstream, as `block_store` does not: `to_take` says what to ask for, `add` makes a block of it, `remove`
/// says what to give back.
///
/// Costs: constant time, but for `holds`, which looks at every block; a footer of four words a block.
/// Threads: one thread at a time.
class large_blocks {
public:
  /// Memory that was taken from upstream, to be given back as it is.
  struct taken {
    void* memory = nullptr; // null: there is none
    layout shape;
  };

  constexpr large_blocks() noexcept = default;
  large_blocks(const large_blocks&) = delete;
  large_blocks& operator=(const large_blocks&) = delete;

  /// What to take from upstream for a block; `bytes` is 0 where nothing can be as large.
  [[nodiscard]] static layout to_take(std::size_t bytes, std::size_t alignment) noexcept;

  /// Makes memory of the shape that `to_take` said for them the block of a request; the block starts where the memory does.
  void add(void* memory, std::size_t bytes, std::size_t alignment) noexcept;

  /// Takes a block out; what it says is to be given back.
  /// \pre `p` was added for the same `bytes` and `alignment`
  [[nodiscard]] taken remove(void* p, std::size_t bytes, std::size_t alignment) noexcept;

  /// Takes the newest block out, if there is one.
  [[nodiscard]] taken remove_newest() noexcept;

  /// Bytes of the blocks, as they were asked for.
  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  /// Bytes taken from upstream for them.
  [[nodiscard]] std::size_t reserved() const noexcept { return reserved_; }
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_; }

  /// `yes` for an address in a block.
  [[nodiscard]] ownership holds(const void* p) const noexcept;

private:
  struct footer {
    footer* older;
    footer** link; // what points here: first_, or `older` of the next newer one
    std::size_t bytes;
    std::size_t alignment;
  };

  static constexpr std::size_t most_bytes =
      std::size_t{std::numeric_limits<std::ptrdiff_t>::max()} - sizeof(footer) - alignof(footer);

  [[nodiscard]] static constexpr std::size_t footer_at(std::size_t bytes) noexcept {
    return align_down(bytes + alignof(footer) - 1, alignof(footer));
  }
  [[nodiscard]] static std::byte* block_of(footer* f) noexcept {
    return reinterpret_cast<std::byte*>(f) - footer_at(f->bytes);
  }
  [[nodiscard]] taken take_out(footer* f) noexcept;

  footer* newest_ = nullptr;
  std::size_t blocks_ = 0;
  std::size_t used_ = 0;
  std::size_t reserved_ = 0;
};

} // namespace allot::inline ALLOT_ABI::detail
