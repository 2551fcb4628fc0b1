#include <allot/adaptor/shared_counters.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/core/threads.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <thread>
#include <vector>

#if ALLOT_THREADS
#include <sys/time.h>
#endif

TEST_SUITE("shared_counters") {
  TEST_CASE("keeps the peaks that it starts anew, until they are reset") {
    allot::shared_counters_t::ledger ledger;
    ledger.allocated(10);
    ledger.deallocating(10);
    CHECK(ledger.restart_peaks() == allot::counting_peaks{10, 1, 10});
    CHECK(ledger.peaks() == allot::counting_peaks{});
    CHECK(ledger.restart_peaks() == allot::counting_peaks{});
    CHECK(ledger.earlier_peaks() == allot::counting_peaks{10, 1, 10});
    ledger.reset_peaks();
    CHECK(ledger.earlier_peaks() == allot::counting_peaks{});
  }

  TEST_CASE("raising the peaks lowers none") {
    allot::shared_counters_t::ledger ledger;
    ledger.allocated(10);
    ledger.raise_peaks({.bytes = 5, .blocks = 7, .largest_bytes = 3});
    CHECK(ledger.peaks() == allot::counting_peaks{.bytes = 10, .blocks = 7, .largest_bytes = 10});
  }
}

#if ALLOT_THREADS

namespace {

constexpr int threads = 4;
constexpr int rounds = 2000;

/// Runs f(0) ... f(threads - 1), each in a thread of its own, all let go at once.
template <class F>
void together(F f) {
  std::atomic<bool> go{false};
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      while (!go.load())
        std::this_thread::yield();
      f(t);
    });
  }
  go.store(true);
  for (auto& t : pool)
    t.join();
}

allot::shared_counters_t::ledger interrupted;
std::atomic<std::size_t> interrupts{0};
std::atomic<std::size_t> low_peaks{0};

void look_at_interrupted(int) {
  const allot::counting_snapshot now = interrupted.read();
  if (now.peak_bytes < now.live_bytes || now.peak_blocks < now.live_blocks) low_peaks.fetch_add(1);
  interrupts.fetch_add(1);
}

} // namespace

TEST_SUITE("shared_counters between threads") {
  TEST_CASE("loses nothing when several threads allocate, and is exact at rest") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up, allot::with_histogram{allot::shared_counters}};
    together([&](int t) {
      for (int i = 0; i < rounds; ++i) {
        const auto n = static_cast<std::size_t>(t + 1);
        counted.deallocate(counted.allocate(n, 1), n, 1);
      }
    });
    const allot::counting_snapshot end = counted.snapshot();
    CHECK(end.live_bytes == 0);
    CHECK(end.live_blocks == 0);
    CHECK(end.allocations == threads * rounds);
    CHECK(end.deallocations == threads * rounds);
    CHECK(end.total_bytes == rounds * (1 + 2 + 3 + 4));
    CHECK(end.largest_bytes == 4);
    CHECK(end.peak_bytes >= 4);
    CHECK(end.peak_bytes <= 1 + 2 + 3 + 4);
    CHECK(counted.histogram().counts[2] == 2 * rounds); // 3 and 4
  }

  TEST_CASE("a block may be given back by another thread than the one that took it") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up, allot::shared_counters};
    std::vector<std::atomic<void*>> mailbox(rounds);
    together([&](int t) {
      for (int i = 0; t == 0 && i < rounds; ++i)
        mailbox[static_cast<std::size_t>(i)] = counted.allocate(8, 8);
      for (int i = 0; t == 1 && i < rounds; ++i) {
        void* p = nullptr;
        while ((p = mailbox[static_cast<std::size_t>(i)].load()) == nullptr)
          std::this_thread::yield();
        counted.deallocate(p, 8, 8);
      }
    });
    CHECK(counted.used() == 0);
    CHECK(counted.snapshot().total_bytes == 8 * rounds);
  }

  TEST_CASE("misses no peak: it is never below one that any thread has raised it to") {
    alignas(128) allot::shared_counters_t::ledger ledger;
    std::atomic<int> low{0};
    together([&](int t) {
      std::atomic<int> barrier{0};
      for (int i = 1; i <= 100 * rounds; ++i) {
        const auto peak = static_cast<std::size_t>(i * threads + t);
        ledger.raise_peaks({.bytes = peak});
        barrier.exchange(i); // else the thread would read its own store before anyone else sees it
        if (ledger.peaks().bytes < peak) low.fetch_add(1);
      }
    });
    CHECK(low.load() == 0);
    CHECK(ledger.peaks().bytes == (100 * rounds + 1) * threads - 1);
  }

  TEST_CASE("the peak is the sum when nothing is given back") {
    allot::shared_counters_t::ledger ledger;
    together([&](int t) {
      for (int i = 0; i < rounds; ++i)
        ledger.allocated(static_cast<std::size_t>(t + 1));
    });
    CHECK(ledger.peaks() == allot::counting_peaks{rounds * (1 + 2 + 3 + 4), threads * rounds, threads});
  }

  TEST_CASE("peaks that are restarted while threads allocate are not below what is live afterwards") {
    for (int repetition = 0; repetition < 300; ++repetition) {
      allot::shared_counters_t::ledger ledger;
      std::atomic<int> running{threads - 1};
      together([&](int t) {
        if (t == 0) {
          while (running.load() > 0)
            ledger.restart_peaks();
        } else {
          for (int i = 0; i < 20; ++i)
            ledger.allocated(16);
          running.fetch_sub(1);
        }
      });
      REQUIRE(ledger.peaks().bytes == ledger.live_bytes());
      REQUIRE(ledger.peaks().blocks == ledger.live_blocks());
    }
  }

  TEST_CASE("shows an interrupt handler no peak below what is live") {
    std::signal(SIGALRM, look_at_interrupted);
    const itimerval often{{0, 50}, {0, 50}}; // in microseconds
    setitimer(ITIMER_REAL, &often, nullptr);
    for (int i = 0; i < 2'000'000 && interrupts.load() < 2000; ++i) {
      interrupted.reset_peaks();
      interrupted.allocated(16);
      interrupted.deallocating(16);
    }
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    std::signal(SIGALRM, SIG_IGN); // not the default: one more may be on its way
    CHECK(low_peaks.load() == 0);
  }

  TEST_CASE("a region that one thread opens and closes hides no peak from the snapshots of another") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up, allot::shared_counters};
    counted.deallocate(counted.allocate(1000, 1), 1000, 1);
    std::atomic<bool> done{false};
    std::size_t low = 0;
    together([&](int t) {
      if (t == 0) {
        for (int i = 0; i < rounds; ++i) {
          const allot::counting_region outer{counted};
          const allot::counting_region inner{counted};
          counted.deallocate(counted.allocate(8, 8), 8, 8);
        }
        done.store(true);
      } else if (t == 1) {
        do
          low += counted.high_water() != 1000 || counted.snapshot().largest_bytes != 1000;
        while (!done.load());
      }
    });
    CHECK(low == 0);
  }
}

#endif
