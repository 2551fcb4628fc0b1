#pragma once

#include <allot/core/config.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace allot::inline ALLOT_ABI::detail {

/// The buffer of an arena that owns one; empty for one that sees a span.
template <std::size_t N, std::size_t MinAlign>
struct bump_storage {
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return buffer; }

  alignas(std::max(MinAlign, alignof(std::max_align_t))) std::byte buffer[N];
};

template <std::size_t MinAlign>
struct bump_storage<std::dynamic_extent, MinAlign> {
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return {}; }
};

} // namespace allot::inline ALLOT_ABI::detail
