#pragma once

#include "timer.hpp"

#include <doctest/doctest.h>

#include <cstdint>

namespace interrupts {

/// How the rounds of a contest ended.
struct contest_result {
  unsigned by_main = 0;
  unsigned by_interrupt = 0;
  unsigned twice = 0;   ///< rounds in which more than one claim succeeded
  unsigned never = 0;   ///< rounds in which none did
  unsigned in_time = 0; ///< interrupts that claimed while the main loop was about to
};

/// Lets the main loop and the interrupt claim the same one-shot memory, round after round.
/// \tparam OneShot  has `renew()`, which makes it free, and `claim()`: whether the caller has it now
template <class OneShot>
class contest {
public:
  /// \param watch  told of every interrupt's place, first
  static contest_result run(unsigned rounds, handler watch = nullptr) noexcept {
    watch_ = watch;
    contest_result result;
    const unsigned before = ticks_in_windows();
    const timer running{tick};
    for (unsigned round = 0; round < rounds; ++round)
      count(result, play());
    result.in_time = ticks_in_windows() - before;
    return result;
  }

private:
  struct wins {
    unsigned of_main;
    unsigned of_interrupt;
  };

  static wins play() noexcept {
    OneShot::renew();
    interrupt_wins_ = 0;
    unsigned main_wins = 0;
    {
      const window open;
      if (OneShot::claim()) main_wins = 1;
    }
    return {.of_main = main_wins, .of_interrupt = interrupt_wins_};
  }

  static void count(contest_result& result, wins round) noexcept {
    result.by_main += round.of_main;
    result.by_interrupt += round.of_interrupt;
    if (round.of_main + round.of_interrupt > 1) ++result.twice;
    if (round.of_main + round.of_interrupt == 0) ++result.never;
  }

  static void tick(std::uintptr_t at) noexcept {
    if (watch_ != nullptr) watch_(at);
    if (OneShot::claim()) interrupt_wins_ = interrupt_wins_ + 1;
  }

  static inline handler watch_ = nullptr;
  static inline volatile unsigned interrupt_wins_ = 0;
};

inline void print(const char* what, const contest_result& result) {
  MESSAGE(what << ": the main loop won " << result.by_main << " times, the interrupt " << result.by_interrupt
               << ", both at once " << result.twice << ", nobody " << result.never << "; " << result.in_time
               << " interrupts came in time");
}

} // namespace interrupts
