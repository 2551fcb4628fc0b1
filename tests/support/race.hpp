#pragma once

#include <atomic>
#include <thread>
#include <vector>

namespace support {

/// What the contenders of a race write to together.
template <class T>
using shared = std::atomic<T>;

/// Runs `f(thread, round)` in each of `threads` threads for each of `rounds` rounds; in every round they start together.
template <class F>
void race(unsigned threads, unsigned rounds, F f) {
  std::atomic<unsigned> arrived{0};
  const auto run = [&](unsigned thread) {
    for (unsigned round = 0; round < rounds; ++round) {
      arrived.fetch_add(1);
      while (arrived.load() < threads * (round + 1))
        std::this_thread::yield();
      f(thread, round);
    }
  };
  std::vector<std::thread> running;
  for (unsigned thread = 0; thread < threads; ++thread)
    running.emplace_back(run, thread);
  for (std::thread& one : running)
    one.join();
}

} // namespace support

using support::race;
