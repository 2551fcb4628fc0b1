#pragma once

#include <allot/core/config.hpp>
#include <allot/core/threads.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail {

/// A small number that no other thread of the process has while this one lives: what lies at that place of a table has one
/// writer. It is taken at the first call that needs it, the lowest that is free, and goes back when the thread ends.
///
/// - Whoever takes a number that another thread gave back sees all that this one did before it ended.
/// - The destructors of the thread's `thread_local` objects still have it. What runs after them (destructors of
///   `pthread_setspecific`) may find that the thread has none any more; it gets no other one.
/// - A thread may have none: more than `count` live, or the system has no POSIX threads or too many keys in use.
/// - In the child of a fork the numbers of the parent's other threads stay taken.
///
/// Costs: to ask is one load. Allocates nothing.
class thread_stripe {
public:
  /// Numbers are below that.
  static constexpr std::size_t count = 256;

  /// This thread's number. \return not below `count` where it has none, or none yet
  [[nodiscard]] static std::size_t current() noexcept { return next_to_current_ - 1; }

  /// Takes one where the thread has none yet, and was not refused one. \return as `current`
  static std::size_t take() noexcept;

private:
  static constexpr std::size_t not_asked = 0;
  static constexpr std::size_t refused = count + 1;

  static void give_back() noexcept;

  // The number and one more, so that "not asked" is zero and wraps to what is no number.
  ALLOT_DETAIL_STATIC_TLS static constinit thread_local std::size_t next_to_current_;
};

} // namespace allot::inline ALLOT_ABI::detail
