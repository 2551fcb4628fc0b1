#pragma once

#include <allot/arena/static_arena.hpp>
#include <allot/core/claim_flag.hpp>
#include <allot/source/static_buffer.hpp>

#include <cstddef>
#include <memory>

/// \file
/// What is claimed in a contest. In a program nothing makes one-shot memory free again; here a new object takes its place,
/// which needs no destructor of the old one.

namespace interrupts {

/// A claim of a flag, all of it in one place, where it can be watched: see watched_code.hpp.
[[nodiscard, gnu::flatten, gnu::noinline, gnu::section("watched_code")]] inline bool
claim_watched(allot::claim_flag& flag) noexcept {
  return flag.claim();
}

struct flag_contest {
  static void renew() noexcept { flag_.give_up(); }
  static bool claim() noexcept { return claim_watched(flag_); }

private:
  static inline constinit allot::claim_flag flag_;
};

struct buffer_contest {
  static void renew() noexcept { std::construct_at(&buffer_); }
  static bool claim() noexcept { return buffer_.try_claim().has_value(); }

private:
  static inline constinit allot::static_buffer<8> buffer_;
};

struct slot_contest {
  static constexpr std::size_t capacity = 64;

  static void renew() noexcept { std::construct_at(&slot_); }
  static bool claim() noexcept { return slot_.try_claim() != nullptr; }

  /// The arena, or null.
  static const allot::bump_resource<>* get() noexcept { return slot_.get(); }
  static bool is_claimed() noexcept { return slot_.is_claimed(); }

private:
  static inline constinit allot::static_arena<capacity> slot_;
};

} // namespace interrupts
