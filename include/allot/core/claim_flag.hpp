#pragma once

#include <allot/core/atomic.hpp>
#include <allot/core/config.hpp>

#include <atomic>
#include <cstddef>

#ifdef ALLOT_TEST_AND_SET
/// Defined by whoever names it, for a core that has no atomic exchange and is no Cortex-M0, or for two cores that share
/// memory: sets `flag` to 1 in one step that neither a thread nor an interrupt can divide, with acquire and release
/// ordering.
/// \return whether it was 1 before
bool ALLOT_TEST_AND_SET(std::atomic<unsigned char>& flag) noexcept;
#endif

namespace allot::inline ALLOT_ABI {

/// One byte that is claimed once: of all callers, of all threads and interrupt handlers, one gets `true`.
///
/// Guarantees
/// - Free is 0: a static that holds one lies in `.bss`, and is usable before any constructor has run.
/// - Trivially destructible: nothing is registered for exit.
///
/// Costs: one byte. A claim is a load and an atomic exchange, a lost claim is a load (test, then test-and-set).
/// A Cortex-M0 has no atomic exchange: there the claim masks interrupts for four instructions. On another such core, and
/// where two of them share memory, define `ALLOT_TEST_AND_SET` as the name of a function that does the exchange's work.
/// Threads: any thread and interrupt handlers, lock-free.
class claim_flag {
public:
  constexpr claim_flag() noexcept = default;
  claim_flag(const claim_flag&) = delete;
  claim_flag& operator=(const claim_flag&) = delete;

  /// True for the one caller that has it from now on.
  [[nodiscard]] bool claim() noexcept { return !is_claimed() && !test_and_set(); }

  /// Whether someone has claimed it. What the claimer does with it is not ordered by this.
  [[nodiscard]] bool is_claimed() const noexcept { return claimed_.load(std::memory_order_relaxed) != 0; }

  /// Frees it for another claimer, who sees all that this one did before.
  /// \pre the caller has claimed it
  void give_up() noexcept { claimed_.store(0, std::memory_order_release); }

private:
  bool test_and_set() noexcept {
#ifdef ALLOT_TEST_AND_SET
    return ::ALLOT_TEST_AND_SET(claimed_);
#else
    return claimed_.exchange(1, std::memory_order_acq_rel) != 0;
#endif
  }

#ifdef ALLOT_TEST_AND_SET
  std::atomic<unsigned char> claimed_{0};
#else
  detail::atomic<unsigned char> claimed_{0};
#endif
};

/// Fails as a second claim does. For the authors of one-shot memory.
/// \param resource  the class; static storage
/// \param name      what the claimer calls itself, or null; static storage
/// \param capacity  bytes that cannot be had a second time
[[noreturn]] void raise_already_claimed(const char* resource, const char* name, std::size_t capacity);

} // namespace allot::inline ALLOT_ABI
