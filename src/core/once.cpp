#include <allot/core/failure.hpp>
#include <allot/core/once.hpp>
#include <allot/core/threads.hpp>

#if ALLOT_THREADS
#include <thread>
#endif

namespace allot::inline ALLOT_ABI {
namespace {

/// Turns that may pass before another thread is let in: about a microsecond, the price of a yield.
[[maybe_unused]] constexpr unsigned turns_of_pause = 64;

void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__ARM_ARCH_6M__) || (defined(__ARM_ARCH) && __ARM_ARCH >= 7)
  __asm__ __volatile__("yield");
#endif
}

} // namespace

void pause_then_yield::relax([[maybe_unused]] unsigned turn) noexcept {
#if ALLOT_THREADS
  if (turn >= turns_of_pause) return std::this_thread::yield();
#endif
  pause();
}

const void* pause_then_yield::current() noexcept {
#if ALLOT_THREADS
  static thread_local char here;
#else
  static char here;
#endif
  return &here;
}

namespace detail {

void once_state::halt_waiting_on_itself() noexcept {
  halt({.reason = failure_reason::precondition,
        .resource = "once",
        .detail = "its initialiser waits for its own value"});
}

void once_state::raise_not_ready() const {
  raise({.reason = is_poisoned() ? failure_reason::poisoned : failure_reason::uninitialised, .resource = "once"});
}

} // namespace detail

} // namespace allot::inline ALLOT_ABI
