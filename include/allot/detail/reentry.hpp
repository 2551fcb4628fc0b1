#pragma once

#include <allot/core/config.hpp>
#include <allot/core/threads.hpp>

#include <atomic>

namespace allot::inline ALLOT_ABI::detail {

/// Marks, to the end of a block, that this thread is inside of a call that `who` makes.
///
/// Marks end in the thread in which they began, the last one first. A signal handler sees those of the thread that it
/// interrupts; where there are no threads, an interrupt handler sees all. Allocates nothing.
class [[nodiscard]] reentry_mark {
public:
  explicit reentry_mark(const void* who) noexcept : who_{who}, outer_{innermost_} {
    std::atomic_signal_fence(std::memory_order_release); // a handler never sees half of a mark
    innermost_ = this;
    std::atomic_signal_fence(std::memory_order_release);
  }
  reentry_mark(const reentry_mark&) = delete;
  reentry_mark& operator=(const reentry_mark&) = delete;
  ~reentry_mark() {
    std::atomic_signal_fence(std::memory_order_release);
    innermost_ = outer_;
  }

  /// Whether this thread has a mark of `who`.
  [[nodiscard]] static bool is_inside(const void* who) noexcept {
    const reentry_mark* mark = innermost_;
    while (mark != nullptr && mark->who_ != who)
      mark = mark->outer_;
    return mark != nullptr;
  }

private:
#if ALLOT_THREADS
  static constinit thread_local const reentry_mark* innermost_;
#else
  static constinit const reentry_mark* innermost_;
#endif

  const void* who_;
  const reentry_mark* outer_;
};

} // namespace allot::inline ALLOT_ABI::detail
