#pragma once

namespace support {

/// Without threads the contenders of a round come one after the other. What an interrupt does to them, tests/firmware/interrupts
/// shows.
template <class F>
void race(unsigned threads, unsigned rounds, F f) {
  for (unsigned round = 0; round < rounds; ++round) {
    for (unsigned thread = 0; thread < threads; ++thread)
      f(thread, round);
  }
}

} // namespace support

using support::race;
