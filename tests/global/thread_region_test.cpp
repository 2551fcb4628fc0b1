#include <allot/global/thread_region.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <memory>
#include <thread>

#include <sys/time.h>

#include "global/forms.hpp"
#include "support/death.hpp"

namespace {

namespace global = allot::global;

struct sentence {
  std::unique_ptr<char[]> text;
};

sentence parse() { return {std::make_unique<char[]>(60)}; }

std::atomic<std::size_t> lowest_peak{0};
std::atomic<int> looks{0};

void look_at_peak(int) {
  lowest_peak = std::min(lowest_peak.load(), global::thread_snapshot().peak_bytes);
  ++looks;
}

} // namespace

TEST_SUITE("thread_region") {
  TEST_CASE("example") {
    // [example]
    const auto [words, cost] = allot::global::measure(parse); // parse() makes one block of 60 bytes, and returns it

    CHECK(cost.allocations == 1);
    CHECK(cost.live_bytes == 60); // `words` holds them
    // [example]
    CHECK(words.text != nullptr);
  }

  TEST_CASE("measures to the byte, from nothing") {
    allocate_and_free(10'000);
    const auto cost = global::measure([] {
      void* const p = ::operator new(100);
      allocate_and_free(50);
      ::operator delete(p);
      allocate_and_free(120);
    });
    CHECK(cost == allot::counting_difference{.peak_bytes = 150,
                                             .total_bytes = 270,
                                             .peak_blocks = 2,
                                             .allocations = 3,
                                             .deallocations = 3,
                                             .largest_bytes = 120});
    CHECK(global::measure([] {}) == allot::counting_difference{});
  }

  TEST_CASE("a block from before that is freed inside makes live negative, and no peak") {
    void* const p = ::operator new(500);
    const auto cost = global::measure([&] {
      ::operator delete(p);
      allocate_and_free(400);
    });
    CHECK(cost.live_bytes == -500);
    CHECK(cost.live_blocks == -1);
    CHECK(cost.peak_bytes == 0);
    CHECK(cost.largest_bytes == 400);
  }

  TEST_CASE("a thread that freed more than it made has a peak above what it had left, not above nothing") {
    void* const p = ::operator new(500);
    allot::counting_difference cost;
    std::thread{[&] {
      ::operator delete(p);
      cost = global::measure([] { allocate_and_free(100); });
    }}.join();
    CHECK(cost.peak_bytes == 100);
    CHECK(cost.peak_blocks == 1);
  }

  TEST_CASE("nested regions each have their own peak, and the outer one that of the inner") {
    const global::thread_region outer;
    allocate_and_free(300);
    allot::counting_difference inside;
    {
      const global::thread_region inner;
      allocate_and_free(200);
      inside = inner.so_far();
      CHECK(outer.so_far().peak_bytes >= 300); // while the inner one is open
    }
    CHECK(inside.peak_bytes == 200);
    CHECK(inside.largest_bytes == 200);
    CHECK(outer.so_far().largest_bytes >= 300);

    const global::thread_region after;
    CHECK(after.so_far().largest_bytes == 0);
  }

  TEST_CASE("the thread's own figures are as if there had been no region") {
    allot::counting_difference figures;
    std::thread{[&] {
      allocate_and_free(900);
      const global::thread_region open;
      {
        const global::thread_region inner;
        allocate_and_free(1000);
      }
      allocate_and_free(30);
      figures = global::thread_snapshot();
    }}.join();
    CHECK(figures.peak_bytes == 1000);
    CHECK(figures.largest_bytes == 1000);
    CHECK(figures.total_bytes == 1930);
  }

  TEST_CASE("a signal handler never sees the thread's peak fall, whenever a region starts or ends") {
    allocate_and_free(1'000'000);
    lowest_peak = global::thread_snapshot().peak_bytes;
    const std::size_t peak = lowest_peak;
    looks = 0;
    const auto old = std::signal(SIGALRM, look_at_peak);
    const itimerval often{.it_interval = {.tv_sec = 0, .tv_usec = 50}, .it_value = {.tv_sec = 0, .tv_usec = 50}};
    setitimer(ITIMER_REAL, &often, nullptr);
    while (looks < 500)
      const global::thread_region region;
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    std::signal(SIGALRM, old);
    CHECK(lowest_peak.load() == peak);
  }

  TEST_CASE("what other threads do meanwhile is not in it") {
    std::atomic<bool> stop{false};
    std::atomic<int> turns{0};
    std::thread other{[&] {
      while (!stop) {
        allocate_and_free(1000);
        ++turns;
      }
    }};
    while (turns < 10)
      std::this_thread::yield();
    const auto cost = global::measure([&] {
      const int start = turns;
      while (turns < start + 10)
        std::this_thread::yield();
      allocate_and_free(2);
    });
    stop = true;
    other.join();
    CHECK(cost.allocations == 1);
    CHECK(cost.total_bytes == 2);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("an exception passes through, and closes the region") {
    const global::thread_region around;
    CHECK_THROWS_AS(global::measure([] { throw 1; }), int);
    CHECK(global::measure([] { allocate_and_free(3); }).largest_bytes == 3);
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops when regions are closed out of order") {
    CHECK(dies(
        [] {
          auto first = std::make_unique<global::thread_region>();
          const global::thread_region second;
          first.reset();
        },
        "innermost_region == this"));
  }
#endif
}
