#pragma once

#include <allot/core/config.hpp>

#include <atomic>
#include <type_traits>

/// \file
/// Atomics for allot's own use, on cores that lack them too: no promises to users.

/// 1 where no instruction can read and change memory in one step, and interrupts are masked for that: Armv6-M, that is
/// Cortex-M0, M0+ and M1. It holds for one core: two that share memory (RP2040) need a lock of their hardware, which
/// `ALLOT_TEST_AND_SET` brings for claims, and a mutex around the rest. And it holds for privileged code: on an M0+ with a
/// memory protection unit the core ignores what an unprivileged task says of interrupts.
#if defined(__ARM_ARCH_6M__)
#define ALLOT_MASKS_INTERRUPTS 1
#else
#define ALLOT_MASKS_INTERRUPTS 0
#endif

namespace allot::inline ALLOT_ABI::detail {

#if ALLOT_MASKS_INTERRUPTS

/// While it lives no interrupt comes, except a fault and the NMI. They nest.
class masked_interrupts {
public:
  masked_interrupts() noexcept : before_{mask()} {}
  masked_interrupts(const masked_interrupts&) = delete;
  masked_interrupts& operator=(const masked_interrupts&) = delete;
  ~masked_interrupts() { __asm__ volatile("msr primask, %0" : : "r"(before_) : "memory"); }

private:
  /// A result, since g++ keeps a member that is an operand on the stack.
  static unsigned mask() noexcept {
    unsigned before;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(before) : : "memory");
    return before;
  }

  unsigned before_;
};

/// What `std::atomic` is elsewhere, as far as allot uses it. Loads and stores are single instructions here too.
/// Costs: three instructions beside the operation. Threads: any privileged task and interrupt handlers of one core.
template <class T>
class atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(void*), "one load gets it");

public:
  static constexpr bool is_always_lock_free = true; // nobody waits for anybody

  constexpr atomic() noexcept = default;
  constexpr atomic(T value) noexcept : value_{value} {}
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  [[nodiscard]] T load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
    return value_.load(order);
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) noexcept { value_.store(value, order); }

  T exchange(T to, std::memory_order = std::memory_order_seq_cst) noexcept {
    return change([to](T) { return to; });
  }
  T fetch_add(T n, std::memory_order = std::memory_order_seq_cst) noexcept {
    return change([n](T before) { return static_cast<T>(before + n); });
  }
  T fetch_sub(T n, std::memory_order = std::memory_order_seq_cst) noexcept {
    return change([n](T before) { return static_cast<T>(before - n); });
  }

  bool compare_exchange_strong(T& expected, T to, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) noexcept {
    const T wanted = expected;
    expected = change([wanted, to](T before) { return before == wanted ? to : before; });
    return expected == wanted;
  }
  bool compare_exchange_weak(T& expected, T to, std::memory_order success = std::memory_order_seq_cst,
                             std::memory_order failure = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, to, success, failure);
  }

private:
  template <class F>
  T change(F f) noexcept {
    const masked_interrupts masked;
    const T before = value_.load(std::memory_order_relaxed);
    value_.store(f(before), std::memory_order_relaxed);
    return before;
  }

  std::atomic<T> value_{};
};

#else

template <class T>
using atomic = std::atomic<T>;

#endif

} // namespace allot::inline ALLOT_ABI::detail
