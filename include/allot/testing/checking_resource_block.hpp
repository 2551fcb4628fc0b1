#pragma once

#include <allot/testing/checking_resource.hpp>
#include <allot/testing/split_mix.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

/// \file
/// How a block of `checking_resource` lies in memory: for its own sources, no promises to users.

namespace allot::inline ALLOT_ABI {

/// What is known of a block. A seal tells whether it was overwritten. No member leaves a gap: records are compared as
/// bytes.
struct checking_resource::record {
  std::byte* begin; // the block itself
  std::size_t bytes;
  std::size_t alignment;
  std::size_t serial;
  void* raw; // what the upstream gave
  std::size_t raw_bytes;
  std::size_t live = 1;
  std::size_t seal = 0;

  [[nodiscard]] std::size_t right_seal() const noexcept {
    std::uint64_t hash = 0;
    for (const std::uintptr_t part :
         {reinterpret_cast<std::uintptr_t>(begin), std::uintptr_t{bytes}, std::uintptr_t{alignment},
          std::uintptr_t{serial}, reinterpret_cast<std::uintptr_t>(raw), std::uintptr_t{raw_bytes},
          std::uintptr_t{live}}) {
      hash = (hash ^ part) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 32;
    }
    return static_cast<std::size_t>(hash) | 1; // never 0, which is what stray writes are made of
  }
  [[nodiscard]] bool is_sealed() const noexcept { return seal == right_seal(); }
};

/// The header of a block. It lies in front of the block's first guard and is all the bookkeeping there is. A write that
/// runs down from the block meets `own` first, then `spare`, and the links last.
struct checking_resource::block {
  block* left = nullptr; // tree by address, in heap order of `priority` (a treap)
  block* right = nullptr;
  block* previous = nullptr; // list by age
  block* next = nullptr;
  std::uint64_t priority;
  record spare; // the same as `own`
  record own;

  explicit block(const record& r) noexcept : priority{split_mix{r.serial}()}, spare{r}, own{r} { reseal(); }

  void reseal() noexcept {
    own.seal = own.right_seal();
    spare = own;
  }
  /// The copy that was not overwritten.
  [[nodiscard]] const record& known() const noexcept { return own.is_sealed() ? own : spare; }

  [[nodiscard]] std::byte* begin() const noexcept { return own.begin; }
  [[nodiscard]] std::byte* end() const noexcept { return own.begin + own.bytes; }
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {own.begin, own.bytes}; }
  [[nodiscard]] std::byte* front_guard() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
};

/// The stacks of a block, where there is a source of them. They lie where the upstream's memory begins, farthest from what
/// a stray write meets, and have no seal.
struct checking_resource::block_stacks {
  alignas(block) call_stack asked; // it stands before a block
  call_stack freed{};

  // Of the group of leaks that the block is the first of, as it was when they were last listed. (Blocks are listed by
  // age: one that has been first stays so while it lives.)
  block* next_group = nullptr;
  std::size_t group_blocks = 0; // 0: it is not the first of any
  std::size_t group_bytes = 0;
};

inline checking_resource::block_stacks* checking_resource::stacks_of(const block& b) const noexcept {
  return options_.stacks == nullptr ? nullptr : static_cast<block_stacks*>(b.known().raw);
}

namespace detail {

using byte_range = std::span<std::byte>;

inline void fill(byte_range range, unsigned char value) noexcept { std::memset(range.data(), value, range.size()); }

/// The parts of a block that are filled: all of it, or its two ends.
template <class F>
void for_each_filled(byte_range block, F f) noexcept {
  constexpr std::size_t most = checking_resource::fill_bytes;
  if (block.size() <= 2 * most) return f(block);
  f(block.first(most));
  f(block.last(most));
}

} // namespace detail

} // namespace allot::inline ALLOT_ABI
