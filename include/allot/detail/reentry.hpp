#pragma once

#include <allot/core/config.hpp>
#include <allot/core/threads.hpp>

#include <atomic>

namespace allot::inline ALLOT_ABI::detail {

/// Marks, to the end of a block, that this thread is inside of a call that `who` makes.
///
/// Marks end in the thread in which they began, the last one first. A signal handler sees those of the thread that it
/// interrupts. Where the standard library has no threads there is one list: an interrupt handler sees all of it, and tasks
/// that preempt one another must not mark. Allocates nothing.
class [[nodiscard]] reentry_mark {
public:
  explicit reentry_mark(const void* who) noexcept : who_{who}, outer_{innermost_.load(std::memory_order_relaxed)} {
    set(this);
  }
  reentry_mark(const reentry_mark&) = delete;
  reentry_mark& operator=(const reentry_mark&) = delete;
  ~reentry_mark() { set(outer_); }

  /// Whether this thread has a mark of `who`.
  [[nodiscard]] static bool is_inside(const void* who) noexcept {
    const reentry_mark* mark = innermost_.load(std::memory_order_relaxed);
    while (mark != nullptr && mark->who_ != who)
      mark = mark->outer_;
    return mark != nullptr;
  }

private:
  /// The fences bind the compiler: a handler sees neither half of a mark nor one whose place on the stack is used again.
  static void set(const reentry_mark* mark) noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    innermost_.store(mark, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

#if ALLOT_THREADS
  ALLOT_DETAIL_STATIC_TLS static constinit thread_local std::atomic<const reentry_mark*> innermost_;
#else
  static constinit std::atomic<const reentry_mark*> innermost_;
#endif

  const void* who_;
  const reentry_mark* outer_;
};

} // namespace allot::inline ALLOT_ABI::detail
