#pragma once

#include <allot/core/config.hpp>
#include <allot/core/threads.hpp>

#include <array>
#include <cstddef>
#include <limits>

namespace allot::inline ALLOT_ABI::detail {

class magazines;
class magazine_owner;
class magazine_registry;

/// A pool's number in this process, as long as nothing of it has gone back. None is given out twice: a thread's table may
/// still name one whose magazines are gone, and nobody asks for that one any more.
///
/// Where `std::size_t` has 32 bits, they are used up after 2^32 - 2 pools and calls of `release`. All later ones have the
/// last number, which is never in a table: they find their magazines by the slow way.
using pool_number = std::size_t;

/// The number of a new pool. Threads: any thread.
[[nodiscard]] pool_number take_pool_number() noexcept;

/// What one thread knows of the pools that it used: a small direct-mapped table of pool numbers and the thread's magazines.
/// What lies behind a pointer in it may be gone, unless the number beside it is that of a living pool.
class magazine_table {
public:
  static constexpr pool_number untabled = std::numeric_limits<pool_number>::max();

  struct slot {
    pool_number pool = 0; // 0 and `untabled` are no pool's
    magazines* found = nullptr;
  };

  /// Where a pool stands in every thread's table: bytes from its start.
  [[nodiscard]] static constexpr std::size_t offset_of(pool_number pool) noexcept {
    return pool % slots * sizeof(slot);
  }

  /// What this thread's table has at the place of a pool; perhaps another pool.
  [[nodiscard]] static const slot& at(std::size_t offset) noexcept {
    return *reinterpret_cast<const slot*>(reinterpret_cast<const std::byte*>(&current_.slots_) + offset);
  }

private:
  friend magazine_owner;
  friend magazine_registry;

  static constexpr std::size_t slots = 8;

  enum class state : unsigned char {
    fresh,     // asked for nothing yet
    announced, // its end will be told
    refused,   // it has ended, or its end would not be told: it has no magazines
  };

  magazines* note(pool_number pool, magazines* found) noexcept {
    if (pool != untabled) slots_[pool % slots] = {pool, found};
    return found;
  }

  std::array<slot, slots> slots_{};
  state state_ = state::fresh;

  ALLOT_DETAIL_STATIC_TLS static constinit thread_local magazine_table current_;
};

} // namespace allot::inline ALLOT_ABI::detail
