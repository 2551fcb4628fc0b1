#include <allot/detail/short_lock.hpp>

#include <doctest/doctest.h>

#if ALLOT_THREADS

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "support/race.hpp"

using allot::detail::short_lock;

TEST_SUITE("short_lock") {
  TEST_CASE("who looks for it in vain waits until it is given up") {
    short_lock lock;
    std::atomic<bool> looks{false};
    int value = 0;
    lock.lock();
    std::thread other{[&] {
      looks = true;
      const std::lock_guard mine{lock};
      ++value;
    }};
    while (!looks)
      std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds{50}); // it looks 64 times
    CHECK(value == 0);
    lock.unlock();
    other.join();
    CHECK(value == 1);
  }

  TEST_CASE("one thread at a time is behind it") {
    short_lock lock;
    int value = 0;
    constexpr int each = 2000;
    support::race(4, each, [&](unsigned, unsigned) {
      const std::lock_guard mine{lock};
      ++value;
    });
    CHECK(value == 4 * each);
  }
}

#endif
