#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

#include "support/sanitizers.hpp"

/// 1 where `intrude` works: the processor must have a single-step mode that a program can set for itself. Memcheck has none,
/// and under ThreadSanitizer an atomic is a call that holds locks.
#if defined(__x86_64__) && defined(__linux__) && !ALLOT_VALGRIND && !ALLOT_TEST_TSAN
#define ALLOT_TEST_INTRUDES 1
#else
#define ALLOT_TEST_INTRUDES 0
#endif

#if ALLOT_TEST_INTRUDES

#include <csignal>

#include <ucontext.h>

namespace support {

/// Two instructions of optimised code may be a race's whole window; those of other code are many, and each is slow to try.
#ifdef __OPTIMIZE__
inline constexpr std::size_t next_intrusion = 1;
#else
inline constexpr std::size_t next_intrusion = 7;
#endif

namespace intrusion {

constexpr unsigned trap_flag = 0x100; // of rflags: a SIGTRAP behind each instruction

inline std::size_t left = 0;
inline void (*call)(void*) = nullptr;
inline void* user = nullptr;

inline void step(int, siginfo_t*, void* context) {
  if (--left != 0) return;
  call(user);
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~static_cast<greg_t>(trap_flag);
}

} // namespace intrusion

/// Runs `f`, and behind the first `at` of its machine instructions `intruder`, in a signal handler. In a loop it tries the
/// places where an interrupt, or another thread, could come in between:
///
///     for (std::size_t at = 1; intrude(at, [&] { ... }, [&] { ... }); at += next_intrusion)
///
/// \return whether `f` was as long as that; if not, `intruder` did not run. \pre `at > 0`, one call at a time
template <class F, class Intruder>
bool intrude(std::size_t at, F f, Intruder intruder) {
  intrusion::left = at;
  intrusion::call = [](void* user) { (*static_cast<Intruder*>(user))(); };
  intrusion::user = &intruder;
  struct sigaction stepping {};
  struct sigaction before {};
  stepping.sa_sigaction = intrusion::step;
  stepping.sa_flags = SA_SIGINFO;
  sigaction(SIGTRAP, &stepping, &before);
  // Below the 128 bytes that a function may use without moving the stack pointer.
  __asm__ volatile("lea -128(%%rsp), %%rsp\n pushfq\n orq %0, (%%rsp)\n popfq\n lea 128(%%rsp), %%rsp"
                   :
                   : "i"(intrusion::trap_flag)
                   : "memory", "cc");
  f();
  __asm__ volatile("lea -128(%%rsp), %%rsp\n pushfq\n andq %0, (%%rsp)\n popfq\n lea 128(%%rsp), %%rsp"
                   :
                   : "i"(~static_cast<long>(intrusion::trap_flag))
                   : "memory", "cc");
  sigaction(SIGTRAP, &before, nullptr);
  return intrusion::left == 0;
}

} // namespace support

using support::intrude;

#endif
