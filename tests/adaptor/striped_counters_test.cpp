#include <allot/adaptor/striped_counters.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/source/malloc_resource.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/intrude.hpp"
#include "support/race.hpp"

namespace {

template <class Counters>
struct striped_fixture {
  allot::probe_upstream up;
  allot::counting_adaptor<allot::probe_upstream, Counters> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

using one_line = allot::striped_counters_t<1>; // a second thread has none

constexpr unsigned threads = 4;

/// Runs `f` in a thread of its own, to its end.
template <class F>
void in_a_thread(F f) {
  std::thread{f}.join();
}

/// Counts one more block for as long as a thread has `thread_local` objects, and then some.
struct counts_at_end {
  allot::striped_counters_t<>::ledger* ledger = nullptr;
  ~counts_at_end() {
    if (ledger != nullptr) ledger->allocated(1);
  }
};

thread_local counts_at_end first_local;

std::size_t number_after_end = 0; // what the last thread still had behind its thread_local destructors

void count_late(void* ledger) {
  static_cast<allot::striped_counters_t<>::ledger*>(ledger)->allocated(1);
  number_after_end = allot::detail::thread_stripe::current();
}

} // namespace

TEST_SUITE("striped_counters") {
  TEST_CASE("is a policy of counting_adaptor, with as many lines as wanted and with a histogram") {
    CHECK(allot::counting_policy<allot::striped_counters_t<>>);
    CHECK(allot::counting_policy<one_line>);
    CHECK(allot::counting_policy<allot::with_histogram<allot::striped_counters_t<>>>);
    CHECK(alignof(allot::striped_counters_t<>::ledger) == 64);
    CHECK(sizeof(allot::striped_counters_t<32>::ledger) == sizeof(allot::striped_counters_t<31>::ledger) + 64);
  }

  TEST_CASE("keeps the contract of a memory resource") {
    check_contract<striped_fixture<allot::striped_counters_t<>>>();
  }

  TEST_CASE("example") {
    // [example]
    allot::malloc_resource heap;
    allot::counting_adaptor counted{heap, allot::striped_counters, "all threads"};
    {
      const std::pmr::vector<int> here(100, &counted);
      std::thread{[&] { const std::pmr::vector<int> there(10, &counted); }}.join();
    }
    CHECK(counted.snapshot().allocations == 2);
    CHECK(counted.used() == 0);
    CHECK(counted.high_water() >= 400 + 40); // an upper bound: here the two lines' peaks, 400 and 40
    // [example]
    CHECK(counted.high_water() == 440);
  }

  TEST_CASE_TEMPLATE("in one thread it counts as plain_counters do, regions and restarts included", Counters,
                     allot::striped_counters_t<>, one_line) {
    // Of one_line's a second thread has no line: all of this runs on the common one.
    const auto run = [] {
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        allot::split_mix random{seed};
        allot::malloc_resource up;
        allot::counting_adaptor<allot::malloc_resource> plain{up};
        allot::counting_adaptor<allot::malloc_resource, Counters> striped{up};
        using plain_region = allot::counting_region<decltype(plain)>;
        using striped_region = allot::counting_region<decltype(striped)>;
        std::vector<std::pair<std::unique_ptr<plain_region>, std::unique_ptr<striped_region>>> open;
        std::vector<std::array<void*, 2>> live;
        std::vector<std::size_t> sizes;
        for (int i = 0; i < 400; ++i) {
          const std::size_t what = random.below(16);
          if (what == 0) {
            if (open.size() < 5)
              open.emplace_back(std::make_unique<plain_region>(plain), std::make_unique<striped_region>(striped));
          } else if (what == 1) {
            if (!open.empty()) open.pop_back();
          } else if (what == 2) {
            if (open.empty()) {
              plain.reset_peaks();
              striped.reset_peaks();
            }
          } else if (what < 9) {
            if (!live.empty()) {
              plain.deallocate(live.back()[0], sizes.back(), 8);
              striped.deallocate(live.back()[1], sizes.back(), 8);
              live.pop_back();
              sizes.pop_back();
            }
          } else {
            sizes.push_back(random.below(300));
            live.push_back({plain.allocate(sizes.back(), 8), striped.allocate(sizes.back(), 8)});
          }
          if (plain.snapshot() != striped.snapshot() || plain.used() != striped.used()) return false;
          for (const auto& [a, b] : open) {
            if (a->snapshot() != b->snapshot() || a->so_far() != b->so_far()) return false;
          }
        }
        while (!open.empty())
          open.pop_back();
        for (std::size_t i = 0; i < live.size(); ++i) {
          plain.deallocate(live[i][0], sizes[i], 8);
          striped.deallocate(live[i][1], sizes[i], 8);
        }
        if (plain.snapshot() != striped.snapshot()) return false;
      }
      return true;
    };
    typename Counters::ledger taken_here;
    taken_here.allocated(1); // this thread has the lowest number now
    bool same = false;
    in_a_thread([&] { same = run(); });
    CHECK(same);
    CHECK(run());
  }

  TEST_CASE_TEMPLATE("loses nothing when several threads allocate, more of them than there are lines", Counters,
                     allot::striped_counters_t<>, allot::striped_counters_t<2>, one_line) {
    allot::malloc_resource up;
    allot::counting_adaptor counted{up, allot::with_histogram{Counters{}}};
    constexpr unsigned rounds = 300;
    race(threads, rounds, [&](unsigned t, unsigned) {
      for (int i = 0; i < 10; ++i)
        counted.deallocate(counted.allocate(t + 1, 1), t + 1, 1);
    });
    const allot::counting_snapshot end = counted.snapshot();
    CHECK(end.live_bytes == 0);
    CHECK(end.live_blocks == 0);
    CHECK(end.allocations == 10 * threads * rounds);
    CHECK(end.deallocations == 10 * threads * rounds);
    CHECK(end.total_bytes == 10 * rounds * (1 + 2 + 3 + 4));
    CHECK(end.largest_bytes == 4);
    CHECK(end.peak_bytes >= 4);
    CHECK(end.peak_bytes <= 1 + 2 + 3 + 4);
    CHECK(end.peak_blocks <= threads);
    CHECK(counted.histogram().counts[2] == 2 * 10 * rounds); // 3 and 4
  }

  TEST_CASE_TEMPLATE("a peak is not below the most that was live, whoever gives the blocks back", Counters,
                     allot::striped_counters_t<>, allot::striped_counters_t<2>, one_line) {
    for (int repetition = 0; repetition < 30; ++repetition) {
      typename Counters::ledger ledger;
      std::atomic<long> live{0};
      std::atomic<long> most{0};
      race(threads, 20, [&](unsigned t, unsigned) {
        for (int i = 0; i < 20; ++i) {
          if (t % 2 == 0) {
            ledger.allocated(16);
            const long now = live.fetch_add(16) + 16; // behind the ledger: never above what it has
            for (long seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
            }
          } else {
            long now = live.load();
            while (now > 0 && !live.compare_exchange_weak(now, now - 16)) {
            }
            if (now > 0) ledger.deallocating(16);
          }
        }
      });
      REQUIRE(ledger.live_bytes() == static_cast<std::size_t>(live.load()));
      REQUIRE(ledger.peaks().bytes >= static_cast<std::size_t>(most.load()));
      REQUIRE(ledger.peaks().bytes <= ledger.read().total_bytes);
    }
  }

  TEST_CASE("a line sinks below zero for blocks of others, and the sums are right all the same") {
    allot::striped_counters_t<>::ledger ledger;
    in_a_thread([&] {
      for (int i = 0; i < 100; ++i)
        ledger.allocated(10);
      std::thread{[&] {
        for (int i = 0; i < 90; ++i)
          ledger.deallocating(10);
      }}.join();
    });
    CHECK(ledger.live_bytes() == 100);
    CHECK(ledger.live_blocks() == 10);
    CHECK(ledger.peaks().bytes == 1000);
  }

  TEST_CASE("what is below zero raises no peak, and lowers none") {
    allot::striped_counters_t<>::ledger ledger;
    in_a_thread([&] { ledger.allocated(1000); });
    ledger.allocated(10);
    ledger.deallocating(500); // of the other thread's: this line is at -490
    ledger.allocated(20);
    CHECK(ledger.live_bytes() == 530);
    CHECK(ledger.peaks().bytes == 1010);
  }

  TEST_CASE("what is below zero on the common line raises no peak either") {
    allot::detail::common_stripe common;
    common.deallocating(500); // of a thread that has a line
    common.deallocating(500);
    common.allocated(10);
    CHECK(common.peaks<allot::counting_peaks>() == allot::counting_peaks{0, 0, 10});
  }

  TEST_CASE("restarting makes the peak of a producer and a consumer tight again") {
    allot::striped_counters_t<>::ledger ledger;
    const auto one_over = [&] {
      for (int i = 0; i < 100; ++i)
        ledger.allocated(10);
      in_a_thread([&] {
        for (int i = 0; i < 100; ++i)
          ledger.deallocating(10);
      });
    };
    one_over();
    one_over();
    CHECK(ledger.peaks().bytes == 2000); // 1000 were live at the most
    CHECK(ledger.restart_peaks().bytes == 2000);
    CHECK(ledger.peaks() == allot::counting_peaks{});
    one_over();
    CHECK(ledger.peaks() == allot::counting_peaks{1000, 100, 10});
    CHECK(ledger.earlier_peaks().bytes == 2000);
    ledger.reset_peaks();
    CHECK(ledger.earlier_peaks() == allot::counting_peaks{});
  }

  TEST_CASE("a restart by one thread reaches the lines of others, which go on from what is live") {
    allot::striped_counters_t<>::ledger ledger;
    std::atomic<int> step{0};
    const auto wait_for = [&](int wanted) {
      while (step.load() != wanted)
        std::this_thread::yield();
    };
    std::thread other{[&] {
      ledger.allocated(100);
      ledger.allocated(500);
      ledger.deallocating(500);
      step.store(1);
      wait_for(2);
      ledger.deallocating(100); // its first change since the restart is down
      step.store(3);
    }};
    wait_for(1);
    CHECK(ledger.restart_peaks() == allot::counting_peaks{600, 2, 500});
    CHECK(ledger.peaks() == allot::counting_peaks{100, 1, 0});
    step.store(2);
    wait_for(3);
    CHECK(ledger.peaks() == allot::counting_peaks{100, 1, 0});
    CHECK(ledger.live_bytes() == 0);
    other.join();
  }

  TEST_CASE("raising the peaks lowers none, and is undone by a restart") {
    allot::striped_counters_t<>::ledger ledger;
    ledger.allocated(10);
    ledger.raise_peaks({.bytes = 5, .blocks = 7, .largest_bytes = 3});
    CHECK(ledger.peaks() == allot::counting_peaks{.bytes = 10, .blocks = 7, .largest_bytes = 10});
    ledger.restart_peaks();
    CHECK(ledger.peaks() == allot::counting_peaks{.bytes = 10, .blocks = 1, .largest_bytes = 0});
  }

  TEST_CASE_TEMPLATE("snapshots in flight show nothing below zero, and no peak below what is live", Counters,
                     allot::striped_counters_t<>, one_line) {
    typename Counters::ledger ledger;
    std::atomic<unsigned> running{2};
    std::atomic<unsigned> out{0}; // blocks on their way from one thread to the other
    unsigned wrong = 0;
    race(3, 1, [&](unsigned t, unsigned) {
      constexpr int blocks = 20'000;
      if (t == 0) {
        for (int i = 0; i < blocks; ++i) {
          ledger.allocated(8);
          out.fetch_add(1);
        }
        running.fetch_sub(1);
      } else if (t == 1) {
        for (int i = 0; i < blocks; ++i) {
          while (out.load() == 0)
            std::this_thread::yield();
          out.fetch_sub(1);
          ledger.deallocating(8);
        }
        running.fetch_sub(1);
      } else {
        do {
          const allot::counting_snapshot now = ledger.read();
          wrong += now.live_bytes > 8 * blocks || now.live_blocks > blocks || now.deallocations > now.allocations;
          wrong += now.peak_bytes < now.live_bytes || now.peak_blocks < now.live_blocks;
        } while (running.load() > 0);
      }
    });
    CHECK(wrong == 0);
    CHECK(ledger.live_bytes() == 0);
  }

#if ALLOT_TEST_INTRUDES
  TEST_CASE(
      "wherever a reader comes in a call, or a call in a reader, nothing is below zero or from before a restart") {
    constexpr std::size_t next = support::next_intrusion == 1 ? 1 : 97; // without optimisation a reader is long
    for (const bool reader_comes : {true, false}) {
      for (std::size_t at = 1;; at += next) {
        allot::striped_counters_t<2>::ledger ledger;
        ledger.allocated(1000);
        ledger.allocated(1000);
        ledger.deallocating(2000);
        ledger.deallocating(0);
        ledger.restart_peaks();
        allot::counting_snapshot seen;
        const auto read = [&] { seen = ledger.read(); };
        const auto count = [&] {
          ledger.allocated(8);
          ledger.deallocating(8);
        };
        if (!(reader_comes ? support::intrude(at, count, read) : support::intrude(at, read, count))) break;
        REQUIRE(seen.live_bytes <= 8);
        REQUIRE(seen.live_blocks <= 1);
        REQUIRE(seen.deallocations <= seen.allocations);
        REQUIRE(seen.peak_bytes >= seen.live_bytes);
        REQUIRE(seen.peak_blocks >= seen.live_blocks);
        REQUIRE(seen.peak_bytes <= 8);
        REQUIRE(seen.peak_blocks <= 1);
        REQUIRE(ledger.live_bytes() == 0);
      }
    }
  }
#endif

  TEST_CASE("peaks that are restarted while threads allocate are not below what is live afterwards") {
    for (int repetition = 0; repetition < 100; ++repetition) {
      allot::striped_counters_t<2>::ledger ledger; // two lines, and the common one
      std::atomic<int> running{threads - 1};
      race(threads, 1, [&](unsigned t, unsigned) {
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
      REQUIRE(ledger.live_bytes() == (threads - 1) * 20 * 16);
    }
  }

  TEST_CASE("a region that one thread opens and closes hides no peak from the snapshots of another") {
    allot::malloc_resource up;
    allot::counting_adaptor counted{up, allot::striped_counters};
    counted.deallocate(counted.allocate(1000, 1), 1000, 1);
    std::atomic<bool> done{false};
    std::size_t low = 0;
    race(2, 1, [&](unsigned t, unsigned) {
      if (t == 0) {
        for (int i = 0; i < 2000; ++i) {
          const allot::counting_region outer{counted};
          const allot::counting_region inner{counted};
          counted.deallocate(counted.allocate(8, 8), 8, 8);
        }
        done.store(true);
      } else {
        do
          low += counted.high_water() < 1000 || counted.snapshot().largest_bytes < 1000;
        while (!done.load());
      }
    });
    CHECK(low == 0);
  }

  TEST_CASE("a thread that ends leaves its line to the next one: a hundred in a row need no second one") {
    one_line::ledger ledger;
    std::array<std::size_t, 2> numbers{};
    in_a_thread([&] { numbers[0] = allot::detail::thread_stripe::take(); });
    for (int i = 0; i < 100; ++i) {
      in_a_thread([&] {
        ledger.allocated(8);
        numbers[1] = allot::detail::thread_stripe::current();
      });
      REQUIRE(numbers[1] == numbers[0]);
    }
    CHECK(ledger.live_bytes() == 800);
    CHECK(ledger.live_blocks() == 100);
  }

  TEST_CASE("no two threads that live have the same number, while others come and go") {
    std::array<std::atomic<int>, allot::detail::thread_stripe::count> holders{};
    std::atomic<int> shared{0};
    race(threads, 40, [&](unsigned, unsigned) {
      in_a_thread([&] {
        const std::size_t mine = allot::detail::thread_stripe::take();
        if (mine >= holders.size() || holders[mine].fetch_add(1) != 0) shared.fetch_add(1);
        std::this_thread::yield();
        if (mine < holders.size()) holders[mine].fetch_sub(1);
      });
    });
    CHECK(shared.load() == 0);
  }

  TEST_CASE("threads that come and go, and blocks that outlive them, leave every figure exact") {
    allot::striped_counters_t<3>::ledger ledger;
    race(threads, 50, [&](unsigned, unsigned round) {
      in_a_thread([&] {
        for (int i = 0; i < 20; ++i) {
          ledger.allocated(8);
          if (round % 2 == 1) ledger.deallocating(8);
        }
      });
    });
    CHECK(ledger.read().allocations == 50 * threads * 20);
    CHECK(ledger.live_blocks() == 25 * threads * 20);
    CHECK(ledger.peaks().blocks >= ledger.live_blocks());
    CHECK(ledger.peaks().blocks <= ledger.read().allocations);
  }

  TEST_CASE("what thread_local destructors count is counted, and so is what runs after them") {
    allot::striped_counters_t<>::ledger ledger;
    (void)allot::detail::thread_stripe::take(); // makes its key before this one: destructors run in that order
    pthread_key_t late{};
    REQUIRE(pthread_key_create(&late, count_late) == 0);
    for (int i = 0; i < 20; ++i) {
      in_a_thread([&] {
        first_local.ledger = &ledger;
        pthread_setspecific(late, &ledger);
        if (i % 2 == 0) ledger.allocated(1); // else the first count is that of a destructor
      });
      REQUIRE(number_after_end >= allot::detail::thread_stripe::count); // it is another thread's by now
    }
    pthread_key_delete(late);
    CHECK(ledger.live_blocks() == 20 + 20 + 10);
    CHECK(allot::detail::thread_stripe::take() < 4); // the numbers came back
  }

  TEST_CASE("more threads at once than there are numbers count on the common line") {
    constexpr std::size_t many = allot::detail::thread_stripe::count + 8;
    allot::striped_counters_t<>::ledger ledger;
    std::atomic<std::size_t> arrived{0};
    std::atomic<std::size_t> without{0};
    std::vector<std::thread> all;
    for (std::size_t i = 0; i < many; ++i) {
      all.emplace_back([&] {
        ledger.allocated(8);
        if (allot::detail::thread_stripe::current() >= allot::detail::thread_stripe::count) without.fetch_add(1);
        arrived.fetch_add(1);
        while (arrived.load() < many)
          std::this_thread::yield();
        ledger.deallocating(8);
      });
    }
    for (std::thread& one : all)
      one.join();
    CHECK(without.load() >= 8);
    CHECK(ledger.read().allocations == many);
    CHECK(ledger.live_bytes() == 0);
  }

  TEST_CASE("the child of a fork goes on from the figures of its parent") {
    allot::striped_counters_t<>::ledger ledger;
    ledger.allocated(100);
    in_a_thread([&] { ledger.allocated(10); });
    const auto child = support::ending_of([&] {
      ledger.allocated(1);
      ledger.deallocating(100);
      if (ledger.live_bytes() != 11 || ledger.read().allocations != 3) std::abort();
    });
    CHECK(child.exited(0));
    CHECK(ledger.live_bytes() == 110);
  }

  TEST_CASE("many ledgers at once, each with figures of its own") {
    std::vector<one_line::ledger> ledgers(64);
    race(2, 10, [&](unsigned, unsigned) {
      for (std::size_t i = 0; i < ledgers.size(); ++i)
        ledgers[i].allocated(i);
    });
    for (std::size_t i = 0; i < ledgers.size(); ++i)
      REQUIRE(ledgers[i].live_bytes() == 20 * i);
  }
}
