#include "scheduler/explore.hpp"
#include "scheduler/heap.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>

// Each of these is a bug of the textbooks, beside the same code without it: what finds none in the first finds none in allot.

namespace {

using schedule::bounds;
using schedule::ensure;
using schedule::explore;
using schedule::join;
using schedule::outcome;
using schedule::start;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto sequential = std::memory_order_seq_cst;

bool found(const outcome& o, std::string_view what) {
  CHECK_MESSAGE(o.strayed == 0, o);
  return o.failed && o.failure.find(what) != std::string::npos;
}

bool is_clean(const outcome& o) { return !o.failed && o.is_exhaustive && o.strayed == 0; }

outcome pass_a_message(std::memory_order write, std::memory_order read) {
  return explore([=] {
    std::atomic<bool> is_there{false};
    int message = 0;
    start([&] {
      message = 42;
      is_there.store(true, write);
    });
    start([&] {
      if (is_there.load(read)) ensure(message == 42, "the message is whole");
    });
    join();
  });
}

outcome store_then_load(std::memory_order store, std::memory_order load) {
  return explore([=] {
    std::atomic<int> x{0};
    std::atomic<int> y{0};
    int of_x = 1;
    int of_y = 1;
    start([&] {
      x.store(1, store);
      of_y = y.load(load);
    });
    start([&] {
      y.store(1, store);
      of_x = x.load(load);
    });
    join();
    ensure(of_x == 1 || of_y == 1, "one of them comes first");
  });
}

outcome read_in_two_orders(std::memory_order order) {
  return explore({.preemptions = 3, .old_loads = 2}, [=] {
    std::atomic<int> x{0};
    std::atomic<int> y{0};
    std::array<int, 4> seen{};
    start([&] { x.store(1, order == sequential ? sequential : release); });
    start([&] { y.store(1, order == sequential ? sequential : release); });
    start([&] {
      seen[0] = x.load(order);
      seen[1] = y.load(order);
    });
    start([&] {
      seen[2] = y.load(order);
      seen[3] = x.load(order);
    });
    join();
    ensure(seen != std::array{1, 0, 1, 0}, "both saw the stores in one order");
  });
}

/// Free places of an array, the first one's number in one word, with or without a count of the changes above it.
template <bool HasTag>
class free_places {
public:
  static constexpr unsigned none = 9;

  unsigned pop() {
    unsigned seen = first_.load(acquire);
    unsigned next = 0;
    do {
      if (seen % 16 == none) return none;
      next = next_[seen % 16].load(relaxed) + (HasTag ? seen / 16 * 16 + 16 : 0);
    } while (!first_.compare_exchange_strong(seen, next, std::memory_order_acq_rel, acquire));
    return seen % 16;
  }

  void push(unsigned place) {
    unsigned seen = first_.load(acquire);
    do
      next_[place].store(seen % 16, relaxed);
    while (!first_.compare_exchange_strong(seen, place + (HasTag ? seen / 16 * 16 + 16 : 0), std::memory_order_acq_rel,
                                           acquire));
  }

private:
  std::array<std::atomic<unsigned>, 3> next_{1U, 2U, none};
  std::atomic<unsigned> first_{0};
};

template <bool HasTag>
outcome take_and_put_back() {
  return explore([] {
    free_places<HasTag> places;
    unsigned of_first = free_places<HasTag>::none;
    unsigned of_second = free_places<HasTag>::none;
    start([&] { of_first = places.pop(); });
    start([&] {
      const unsigned a = places.pop();
      of_second = places.pop();
      places.push(a);
    });
    join();
    const unsigned left = places.pop();
    ensure(left == free_places<HasTag>::none || (left != of_second && left != of_first), "a place is given out once");
  });
}

} // namespace

TEST_SUITE("schedule") {
  TEST_CASE("finds a message that is passed without an order, at either end") {
    CHECK(is_clean(pass_a_message(release, acquire)));
    CHECK(found(pass_a_message(relaxed, acquire), "data race"));
    CHECK(found(pass_a_message(release, relaxed), "data race"));
    CHECK(found(pass_a_message(relaxed, relaxed), "data race"));
  }

  TEST_CASE("finds an old value behind a new flag, where both are atomic") {
    const auto pass = [](std::memory_order write) {
      return explore([=] {
        std::atomic<bool> is_there{false};
        std::atomic<int> message{0};
        start([&] {
          message.store(42, relaxed);
          is_there.store(true, write);
        });
        start([&] {
          if (is_there.load(acquire)) ensure(message.load(relaxed) == 42, "the message is there");
        });
        join();
      });
    };
    CHECK(is_clean(pass(release)));
    CHECK(found(pass(relaxed), "the message is there"));
  }

  TEST_CASE("finds stores that both threads overlook, unless all is sequentially consistent") {
    CHECK(is_clean(store_then_load(sequential, sequential)));
    CHECK(found(store_then_load(release, acquire), "one of them comes first"));
    CHECK(found(store_then_load(sequential, acquire), "one of them comes first"));
    CHECK(found(store_then_load(relaxed, relaxed), "one of them comes first"));
  }

  TEST_CASE("finds two readers that see two stores in two orders, unless all is sequentially consistent") {
    CHECK(is_clean(read_in_two_orders(sequential)));
    CHECK(found(read_in_two_orders(acquire), "both saw the stores in one order"));
  }

  TEST_CASE("lets no thread see one object go back") {
    const outcome o = explore({.preemptions = 3, .old_loads = 3}, [] {
      std::atomic<int> n{0};
      start([&] {
        n.store(1, relaxed);
        n.store(2, relaxed);
      });
      start([&] {
        const int first = n.load(relaxed);
        ensure(n.load(relaxed) >= first, "it does not go back");
      });
      join();
    });
    CHECK_MESSAGE(is_clean(o), o);
  }

  TEST_CASE("hands a release on through the read-modify-writes of others, and not through a store") {
    const auto pass = [](bool changes) {
      return explore([=] {
        std::atomic<int> n{0};
        int message = 0;
        start([&] {
          message = 42;
          n.store(1, release);
        });
        start([&] {
          if (changes) {
            n.fetch_add(2, relaxed);
          } else if (n.load(relaxed) == 1) {
            n.store(3, relaxed);
          }
        });
        start([&] {
          if (n.load(acquire) == 3) ensure(message == 42, "the message is whole");
        });
        join();
      });
    };
    CHECK(is_clean(pass(true)));
    CHECK(found(pass(false), "data race"));
  }

  TEST_CASE("finds an update that is lost between a load and a store, and none in a read-modify-write") {
    const auto count = [](bool at_once) {
      return explore([=] {
        std::atomic<int> n{0};
        const auto add = [&] {
          if (at_once) {
            n.fetch_add(1, relaxed);
          } else {
            n.store(n.load() + 1);
          }
        };
        start(add);
        start(add);
        join();
        ensure(n.load() == 2, "both are counted");
      });
    };
    CHECK(is_clean(count(true)));
    CHECK(found(count(false), "both are counted"));
  }

  TEST_CASE("finds a place that is given out twice when its list changed to and fro") {
    CHECK(found(take_and_put_back<false>(), "a place is given out once"));
    CHECK(is_clean(take_and_put_back<true>()));
  }

  TEST_CASE("finds an exchange that may fail for no reason where nobody tries again") {
    const auto set = [](bool is_weak) {
      return explore([=] {
        std::atomic<int> n{0};
        start([&] {
          int expected = 0;
          ensure(is_weak ? n.compare_exchange_weak(expected, 1) : n.compare_exchange_strong(expected, 1), "it is set");
        });
        join();
      });
    };
    CHECK(is_clean(set(false)));
    CHECK(found(set(true), "it is set"));
  }

  TEST_CASE("finds two locks that are taken in two orders") {
    const auto take_both = [](bool in_one_order) {
      return explore([=] {
        std::mutex a;
        std::mutex b;
        int n = 0;
        start([&] {
          const std::lock_guard first{a};
          const std::lock_guard second{b};
          ++n;
        });
        start([&] {
          const std::lock_guard first{in_one_order ? a : b};
          const std::lock_guard second{in_one_order ? b : a};
          ++n;
        });
        join();
        ensure(n == 2, "both went through");
      });
    };
    CHECK(is_clean(take_both(true)));
    CHECK(found(take_both(false), "deadlock"));
  }

  TEST_CASE("finds a lock that a thread takes twice, and one that another gives up") {
    const auto unlock = [](bool own) {
      return explore([=] {
        std::mutex lock;
        start([&] {
          lock.lock();
          if (own) lock.unlock();
        });
        start([&] {
          if (own) lock.lock();
          lock.unlock();
        });
        join();
      });
    };
    CHECK(is_clean(unlock(true)));
    CHECK(found(unlock(false), "a lock that it has not"));
    const outcome twice = explore([] {
      std::mutex lock;
      start([&] {
        lock.lock();
        lock.lock();
      });
      join();
    });
    CHECK(found(twice, "waits for a lock that it has"));
  }

  TEST_CASE("finds a thread that waits for what nobody does, and lets one wait for what another does") {
    const auto wait = [](bool comes) {
      return explore([=] {
        std::atomic<bool> is_there{false};
        start([&] {
          while (!is_there.load(acquire))
            std::this_thread::yield();
        });
        start([&] {
          if (comes) is_there.store(true, release);
        });
        join();
      });
    };
    CHECK(is_clean(wait(true)));
    CHECK(found(wait(false), "livelock"));
  }

  TEST_CASE("finds memory that is used after it went back, and memory that does not go back") {
    const auto use = [](bool waits, bool gives_back) {
      return explore([=] {
        schedule::heap up;
        std::atomic<bool> is_done{false};
        auto* const n = static_cast<int*>(up.allocate(sizeof(int), alignof(int)));
        start([&] {
          *n = 1;
          is_done.store(true, release);
        });
        start([&] {
          while (waits && !is_done.load(acquire))
            std::this_thread::yield();
          if (gives_back) up.deallocate(n, sizeof(int), alignof(int));
        });
        join();
      });
    };
    CHECK(is_clean(use(true, true)));
    CHECK(use(false, true).failed); // a race or a use after: whichever comes first
    CHECK(found(use(true, false), "not given back"));
  }

  TEST_CASE("finds a block that comes back as another size, and a second heap") {
    const auto give_back = [](std::size_t bytes) {
      return explore([=] {
        schedule::heap up;
        up.deallocate(up.allocate(8, 8), bytes, 8);
      });
    };
    CHECK(is_clean(give_back(8)));
    CHECK(found(give_back(7), "another size"));
    const outcome two = explore([] {
      schedule::heap one;
      void* const p = one.allocate(8, 8);
      const schedule::heap other;
      one.deallocate(p, 8, 8);
    });
    CHECK(found(two, "two heaps"));
  }

  TEST_CASE("finds two calls of a heap for one thread at a time that nothing orders") {
    const auto share = [](schedule::heap::threads who) {
      return explore([=] {
        schedule::heap up{who};
        for (int i = 0; i < 2; ++i)
          start([&] { up.deallocate(up.allocate(8, 8), 8, 8); });
        join();
      });
    };
    CHECK(is_clean(share(schedule::heap::threads::any)));
    CHECK(found(share(schedule::heap::threads::one_at_a_time), "data race"));
  }

  TEST_CASE("finds what takes as many switches as the bound allows, and not one more") {
    const auto go_to_and_fro = [](std::size_t preemptions) {
      return explore({.preemptions = preemptions}, [] {
        std::atomic<int> n{0};
        const auto raise = [&](int from) {
          if (n.load() == from) n.store(from + 1);
        };
        start([&] {
          raise(0);
          raise(2);
        });
        start([&] {
          raise(1);
          raise(3);
        });
        join();
        ensure(n.load() != 4, "they did not take turns four times");
      });
    };
    CHECK(is_clean(go_to_and_fro(1)));
    CHECK(found(go_to_and_fro(2), "turns"));
  }

  TEST_CASE("plays a failure again from what it has written down") {
    const auto lose = [] {
      std::atomic<int> n{0};
      const auto add = [&] { n.store(n.load() + 1); };
      start(add);
      start(add);
      start(add);
      join();
      ensure(n.load() == 3, "all are counted");
    };
    for (const bounds& b : {bounds{}, bounds{.preemptions = 0, .old_loads = 0, .random_schedules = 200}}) {
      const outcome first = explore(b, lose);
      REQUIRE(found(first, "all are counted"));
      const outcome again = schedule::replay(b, first.choices, lose);
      CHECK(again.failure == first.failure);
      CHECK(again.steps == first.steps);
    }
  }

  TEST_CASE("tries each order of the steps once") {
    const auto orders = [](int steps) { // of two threads that make as many, and then end
      const outcome o = explore({.preemptions = 100, .old_loads = 0}, [=] {
        std::atomic<int> n{0};
        const auto add = [&] {
          for (int i = 0; i < steps; ++i)
            n.fetch_add(1, relaxed);
        };
        start(add);
        start(add);
        join();
      });
      CHECK(is_clean(o));
      return o.in_order;
    };
    CHECK(orders(1) == 6);  // 2 of 4
    CHECK(orders(2) == 20); // 3 of 6
    CHECK(orders(3) == 70); // 4 of 8
  }

  TEST_CASE("refuses a thread that is started after others were joined") {
    const outcome o = explore([] {
      std::atomic<int> n{0};
      start([&] { n.store(1); });
      join();
      start([&] { n.store(2); });
      join();
    });
    CHECK(found(o, "joined"));
  }

  TEST_CASE("tells the end of the program as a failure of the schedule that led there") {
    const outcome o = explore([] {
      std::atomic<bool> is_there{false};
      start([&] { is_there.store(true); });
      start([&] {
        if (is_there.load()) std::abort();
      });
      join();
    });
    CHECK(found(o, "Aborted"));
    CHECK(o.steps.find("load") != std::string::npos);
  }
}
