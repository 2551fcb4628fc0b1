#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// What a pool says of the blocks of one size.
struct pool_class_figures {
  std::size_t block_bytes = 0;    ///< of each block; 0 where they differ: beyond the largest class
  std::size_t blocks_used = 0;    ///< handed out and not yet back
  std::size_t blocks_free = 0;    ///< that could be handed out without a call to the upstream
  std::size_t chunks = 0;         ///< that the blocks lie in
  std::size_t reserved_bytes = 0; ///< taken from upstream for them, the chunks' own footers included

  friend constexpr bool operator==(const pool_class_figures&, const pool_class_figures&) noexcept = default;
};

} // namespace allot::inline ALLOT_ABI
