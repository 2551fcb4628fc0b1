#include <allot/core/once.hpp> // first: proves that the header stands alone

#include <allot/core/failure.hpp>
#include <allot/core/threads.hpp>

#include <support/death.hpp>
#include <support/race.hpp>
#include <support/room.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

struct config {
  int baud_rate = 0;
  int parity = 0;
};

/// A value that takes long to write and shows it when it is read too early.
struct wide {
  explicit wide(unsigned value) {
    for (unsigned& part : parts) {
      part = value;
      std::this_thread::yield();
    }
  }
  wide(const wide&) = delete;
  wide& operator=(const wide&) = delete;

  [[nodiscard]] bool whole() const {
    return std::ranges::all_of(parts, [&](unsigned part) { return part == parts[0] && part != 0; });
  }

  std::array<unsigned, 16> parts{};
};

struct counted {
  counted() { ++made; }
  ~counted() { ++destroyed; }
  static inline int made = 0;
  static inline int destroyed = 0;
};

#if ALLOT_THREADS
/// Lets the test hold an initialiser in its middle until another thread waits for it.
struct watched_relax {
  static inline std::atomic<unsigned> turns{0};
  static inline std::atomic<unsigned> highest{0};
  static void relax(unsigned turn) noexcept {
    ++turns;
    highest = std::max(highest.load(), turn);
    std::this_thread::yield();
  }
  static void wait_for_a_waiter() {
    for (const unsigned before = turns; turns == before;)
      std::this_thread::yield();
  }
};

template <class T>
using watched = allot::once<T, watched_relax>;

/// A thread whose initialiser is running when this returns, and says no once somebody waits for it.
std::thread one_that_says_no_to_a_waiter(watched<int>& value) {
  auto begun = std::make_shared<std::atomic<bool>>(false);
  std::thread runner{[&value, begun] {
    CHECK(value.try_call_once([&]() -> std::optional<int> {
      *begun = true;
      watched_relax::wait_for_a_waiter();
      return std::nullopt;
    }) == nullptr);
  }};
  while (!*begun)
    std::this_thread::yield();
  return runner;
}
#endif

constexpr auto race_rounds = static_cast<unsigned>(support::room<allot::once<wide>>(300));

} // namespace

// [example]
constinit allot::once<config> settings;

int baud_rate() {
  settings.call_once([] { return config{.baud_rate = 9600, .parity = 1}; }); // whoever comes first
  return settings->baud_rate;
}
// [example]

TEST_SUITE("once") {
  TEST_CASE("the example keeps its promise") {
    CHECK(settings.get() == nullptr);
    CHECK(baud_rate() == 9600);
    CHECK(baud_rate() == 9600);
  }

  TEST_CASE("the first initialiser makes the value, and no other runs after it") {
    allot::once<int> value;
    CHECK(!value.is_ready());
    CHECK(std::as_const(value).get() == nullptr);
    CHECK(value.call_once([] { return 1; }) == 1);
    CHECK(value.is_ready());
    CHECK(value.call_once([]() -> int { std::abort(); }) == 1);
    CHECK(value.try_call_once([]() -> std::optional<int> { std::abort(); }) == value.get());
    CHECK(*value == 1);
    *value = 2;
    CHECK(*std::as_const(value) == 2);
    CHECK(std::as_const(value).get() == value.get());
  }

  TEST_CASE("passes arguments on, and takes a callable that returns something a T is made from") {
    allot::once<std::string> text;
    CHECK(text.call_once([](std::size_t n, char c) { return std::string(n, c); }, std::size_t{3}, 'x') == "xxx");
    CHECK(text->size() == 3);
    std::destroy_at(text.get());
    allot::once<std::string> other;
    CHECK(other.call_once([] { return "literal"; }) == "literal");
    std::destroy_at(other.get());
  }

  TEST_CASE("builds in place what can neither be copied nor moved") {
    allot::once<wide> value;
    CHECK(value.call_once([] { return wide{7}; }).whole());
    allot::once<wide> tried;
    CHECK(tried.try_call_once([] { return std::optional<unsigned>{7}; })->whole());
  }

  TEST_CASE("never runs the destructor of its value, and needs none itself") {
    static_assert(std::is_trivially_destructible_v<allot::once<counted>>);
    static_assert(!std::is_copy_constructible_v<allot::once<int>>);
    {
      allot::once<counted> value;
      value.call_once([] { return counted{}; });
    }
    CHECK(counted::made == 1);
    CHECK(counted::destroyed == 0);
  }

  TEST_CASE("an initialiser that says no leaves it as it was, and the next one makes the value") {
    allot::once<int> value;
    CHECK(value.try_call_once([] { return std::optional<int>{}; }) == nullptr);
    CHECK(!value.is_ready());
    CHECK(value.get() == nullptr);
    static constexpr int source = 5;
    CHECK(value.try_call_once([]() -> const int* { return nullptr; }) == nullptr);
    int* const made = value.try_call_once([]() -> const int* { return &source; });
    REQUIRE(made != nullptr);
    CHECK(*made == 5);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("read before it is made, it says so") {
    allot::once<config> value;
    try {
      static_cast<void>(value->parity);
      FAIL("read what is not there");
    } catch (const allot::not_ready& e) {
      CHECK(e.record().reason == allot::failure_reason::uninitialised);
      CHECK(std::string{e.what()} == "allot: once: read before it was initialised");
    }
    CHECK_THROWS_AS(static_cast<void>(*std::as_const(value)), allot::not_ready);
  }

  TEST_CASE("an initialiser that throws poisons it: the exception goes on, and later callers are told") {
    for (const bool tries : {false, true}) {
      allot::once<int> value;
      const auto fails = []() -> int { throw std::runtime_error{"no sensor"}; };
      const auto tries_and_fails = []() -> std::optional<int> { throw std::runtime_error{"no sensor"}; };
      if (tries) {
        CHECK_THROWS_AS(value.try_call_once(tries_and_fails), std::runtime_error);
      } else {
        CHECK_THROWS_AS(value.call_once(fails), std::runtime_error);
      }
      CHECK(value.get() == nullptr);
      CHECK_THROWS_AS(value.call_once([] { return 1; }), allot::not_ready);
      CHECK_THROWS_AS(value.try_call_once([] { return std::optional{1}; }), allot::not_ready);
      try {
        static_cast<void>(*value);
        FAIL("read a poisoned value");
      } catch (const allot::not_ready& e) {
        CHECK(e.record().reason == allot::failure_reason::poisoned);
      }
    }
  }

  TEST_CASE("a constructor that throws poisons as well, an exception of whatever type") {
    struct thrower {
      explicit thrower(int) { throw 7; }
    };
    allot::once<thrower> value;
    CHECK_THROWS_AS(value.try_call_once([] { return std::optional{1}; }), int);
    CHECK_THROWS_AS(static_cast<void>(*value), allot::not_ready);
  }
#else
  TEST_CASE("without exceptions a read before it is made ends the program with its record") {
    static constinit allot::once<int> value;
    CHECK(dies([] { static_cast<void>(*value); }, "once: read before it was initialised"));
  }
#endif

  TEST_CASE("get() does not wait while the value is made, not even for itself") {
    allot::once<int> value;
    value.call_once([&] {
      CHECK(value.get() == nullptr);
      CHECK(!value.is_ready());
      return 3;
    });
    CHECK(*value.get() == 3);
  }

  TEST_CASE("of many threads one makes the value, and all see the whole of it") {
    constexpr unsigned threads = 4, rounds = race_rounds;
    const auto values = std::make_unique<allot::once<wide>[]>(rounds);
    const auto runs = std::make_unique<support::shared<int>[]>(rounds);
    support::shared<int> torn{0};
    race(threads, rounds, [&](unsigned thread, unsigned round) {
      if (const wide* const early = values[round].get(); early != nullptr && !early->whole()) ++torn;
      const wide& value = values[round].call_once([&] {
        ++runs[round];
        return wide{thread + 1};
      });
      if (!value.whole() || !values[round]->whole() || values[round].get() != &value) ++torn;
    });
    CHECK(torn == 0);
    CHECK(std::all_of(runs.get(), runs.get() + rounds, [](const auto& count) { return count == 1; }));
  }

  TEST_CASE("of many threads whose initialisers say no by turns, one makes the value") {
    constexpr unsigned threads = 4, rounds = race_rounds;
    const auto values = std::make_unique<allot::once<wide>[]>(rounds);
    const auto runs = std::make_unique<int[]>(rounds); // plain: one initialiser runs at a time
    support::shared<unsigned> said_no{0}, made{0};
    race(threads, rounds, [&](unsigned, unsigned round) {
      const wide* const value = values[round].try_call_once(
          [&] { return ++runs[round] < 3 ? std::optional<unsigned>{} : std::optional<unsigned>{round + 1}; });
      ++(value == nullptr ? said_no : made);
      if (value != nullptr) CHECK(value->whole());
    });
    CHECK(said_no == 2 * rounds);
    CHECK(made == 2 * rounds);
    CHECK(std::all_of(runs.get(), runs.get() + rounds, [](int count) { return count == 3; }));
  }

  TEST_CASE("readers that come too early are refused, and never given half a value") {
    constexpr unsigned rounds = race_rounds;
    const auto values = std::make_unique<allot::once<wide>[]>(rounds);
    support::shared<int> torn{0};
    race(3, rounds, [&](unsigned thread, unsigned round) {
      if (thread == 0) {
        values[round].call_once([] { return wide{9}; });
        return;
      }
#if ALLOT_EXCEPTIONS
      try {
        if (!values[round]->whole()) ++torn; // waits where the initialiser runs
      } catch (const allot::not_ready& e) {
        if (e.record().reason != allot::failure_reason::uninitialised) ++torn;
      }
#else
      if (const wide* const value = values[round].get(); value != nullptr && !value->whole()) ++torn;
#endif
    });
    CHECK(torn == 0);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("an initialiser that waits for its own value ends a checked program") {
    static constinit allot::once<int> reading, making;
    const auto text = "once: precondition violated: its initialiser waits for its own value";
    CHECK(dies([] { reading.call_once([] { return *reading; }); }, text));
    CHECK(dies([] { making.call_once([] { return making.call_once([] { return 1; }); }); }, text));
  }

  TEST_CASE("a thread that waits for another is not taken for itself") {
    constexpr unsigned rounds = race_rounds / 6;
    const auto values = std::make_unique<allot::once<wide>[]>(rounds);
    race(2, rounds, [&](unsigned, unsigned round) {
      values[round].call_once([] { return wide{1}; });
      static_cast<void>(*values[round]);
    });
    CHECK(values[rounds - 1].is_ready());
  }
#endif

#if ALLOT_THREADS // without them nobody waits, and tests/firmware/interrupts has what stands for a signal
#if ALLOT_EXCEPTIONS
  TEST_CASE("who waits for an initialiser that throws is told that the value is poisoned") {
    watched<int> value;
    std::thread first{[&] {
      const auto fails_late = []() -> int {
        watched_relax::wait_for_a_waiter();
        throw std::runtime_error{"late"};
      };
      CHECK_THROWS_AS(value.call_once(fails_late), std::runtime_error);
    }};
    CHECK(allot::failure_reason::poisoned == [&] {
      for (;;) {
        try {
          static_cast<void>(*value);
        } catch (const allot::not_ready& e) {
          if (e.record().reason == allot::failure_reason::poisoned) return e.record().reason;
        }
      }
    }());
    first.join();
  }

  TEST_CASE("who waits for an initialiser that says no is told that there is nothing, and does not hang") {
    watched<int> value;
    std::thread first = one_that_says_no_to_a_waiter(value);
    CHECK_THROWS_AS(static_cast<void>(*value), allot::not_ready);
    first.join();
  }
#endif

  TEST_CASE("when one initialiser says no, one that waits already runs its own") {
    watched<int> value;
    std::thread first = one_that_says_no_to_a_waiter(value);
    CHECK(value.call_once([] { return 2; }) == 2);
    first.join();
  }

  TEST_CASE("waiting goes through the relax policy, which is told how long it has been") {
    for (const bool reads : {false, true}) {
      watched<int> value;
      watched_relax::highest = 0;
      std::atomic<bool> begun{false};
      std::thread first{[&] {
        value.call_once([&] {
          begun = true;
          while (watched_relax::highest < 3)
            std::this_thread::yield();
          return 4;
        });
      }};
      while (!begun)
        std::this_thread::yield();
      CHECK((reads ? *value : value.call_once([] { return 5; })) == 4);
      first.join();
    }
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE(
      "a signal handler that waits for the initialiser under it ends a checked program, and get() there does not") {
    static constinit allot::once<int> value;
    const auto interrupted = [](void (*handler)(int)) {
      std::signal(SIGUSR1, handler);
      value.call_once([] {
        std::raise(SIGUSR1);
        return 1;
      });
    };
    CHECK(dies([&] { interrupted([](int) { static_cast<void>(*value); }); }, "waits for its own value"));
    CHECK(support::ending_of([&] {
            interrupted([](int) {
              if (value.get() != nullptr) std::abort();
            });
          }).exited(0));
  }
#endif
#endif
}
