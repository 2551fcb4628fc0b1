#include <allot/adaptor/limit_ledger.hpp> // first: proves that the header stands alone

#include <allot/core/threads.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "support/death.hpp"
#include "support/intrude.hpp"
#include "support/race.hpp"

namespace {

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
constexpr unsigned threads = 4;
constexpr std::size_t attempts = ALLOT_VALGRIND ? 2000 : 200000; // enough for two threads to meet in a few instructions

using allot::budget;
using allot::limit_ledger;

/// Remembers the calls of a soft mark.
struct listener {
  support::shared<std::size_t> calls{0};
  support::shared<std::size_t> last{0};

  static void hear(std::size_t used, void* user) noexcept {
    auto& self = *static_cast<listener*>(user);
    self.calls.fetch_add(1);
    self.last.store(used);
  }

  allot::soft_mark mark(std::size_t upper, std::size_t lower) {
    return {.upper = upper, .lower = lower, .callback = hear, .user = this};
  }
};

/// A limit_ledger in the simplest way, for one thread.
struct model {
  budget limits;
  std::size_t upper;
  std::size_t lower;
  std::size_t used = 0;
  std::size_t blocks = 0;
  std::size_t refusals = 0;
  std::size_t calls = 0;
  bool armed = true;

  bool admit(std::size_t bytes) {
    const bool fits = (bytes == 0 || used + bytes <= limits.bytes) && blocks + 1 <= limits.blocks;
    if (!fits) {
      ++refusals;
      return false;
    }
    used += bytes;
    ++blocks;
    if (armed && used >= upper) {
      armed = false;
      ++calls;
    }
    return true;
  }

  void give_back(std::size_t bytes) {
    used -= bytes;
    --blocks;
    if (used < lower) armed = true;
  }
};

#if ALLOT_THREADS
/// One thread asks for `bytes` again and again, and gives back at once what it got. Another one does the same with
/// `first`, then `second`. \return how often the other was refused although the one got nothing meanwhile
std::size_t refusals_for_nothing(const budget& limits, std::size_t bytes, std::size_t first, std::size_t second) {
  limit_ledger ledger{limits};
  const auto got = std::make_unique<std::array<std::atomic<char>, attempts + 2>>(); // by number of attempt, from 1
  std::atomic<std::size_t> begun{0};
  std::atomic<std::size_t> ended{0};
  std::size_t wrong = 0;

  const auto ask = [&](std::size_t n) {
    const std::size_t oldest = ended.load() + 1;
    const bool fits = ledger.admit(n);
    const std::size_t newest = begun.load();
    if (fits) return true;
    while (ended.load() < newest)
      std::this_thread::yield();
    const auto is_reason = [&](std::size_t i) { return (*got)[i].load() != 0; };
    bool has_reason = false;
    for (std::size_t i = oldest; i <= newest; ++i)
      has_reason = has_reason || is_reason(i);
    wrong += has_reason ? 0 : 1;
    return false;
  };

  race(2, 1, [&](unsigned thread, unsigned) {
    if (thread == 0) {
      for (std::size_t i = 1; i <= attempts; ++i) {
        begun.store(i);
        const bool fits = ledger.admit(bytes);
        (*got)[i].store(fits ? 1 : 0);
        if (fits) ledger.give_back(bytes);
        ended.store(i);
      }
    } else {
      while (ended.load() < attempts) {
        if (ask(first)) ledger.give_back(first);
        if (ask(second)) ledger.give_back(second);
      }
    }
  });
  CHECK(ledger.used() == 0);
  CHECK(ledger.used_blocks() == 0);
  return wrong;
}
#endif

#if ALLOT_TEST_INTRUDES
/// Another thread, which calls a function whenever it is asked to.
class other_thread {
public:
  template <class F>
  explicit other_thread(F f)
      : thread_{[this, f] {
          for (unsigned n = 1; await(asked_, n), !ends_.load(); ++n) {
            f();
            done_.store(n);
          }
        }} {}
  other_thread(const other_thread&) = delete;
  other_thread& operator=(const other_thread&) = delete;
  ~other_thread() {
    ends_.store(true);
    asked_.fetch_add(1);
    thread_.join();
  }

  /// Waits for it a while only: it may have to wait in turn, for what this thread is about to do.
  void call() {
    const unsigned n = asked_.fetch_add(1) + 1;
    const auto latest = std::chrono::steady_clock::now() + std::chrono::milliseconds{1};
    while (done_.load() != n && std::chrono::steady_clock::now() < latest)
      std::this_thread::yield();
  }

  void await_end_of_call() { await(done_, asked_.load()); }

private:
  static void await(const std::atomic<unsigned>& n, unsigned value) {
    while (n.load() != value)
      std::this_thread::yield();
  }

  std::atomic<unsigned> asked_{0};
  std::atomic<unsigned> done_{0};
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

/// One thread asks for `first` bytes. Between two of its instructions, at each place in turn, another thread gives back a
/// block of `live` bytes, if that is not 0, and asks for `second`.
/// \return how often not just one of them was let in
std::size_t not_one_of_two(const budget& limits, std::size_t live, std::size_t first, std::size_t second) {
  std::optional<limit_ledger> ledger;
  bool second_fits = false;
  std::size_t wrong = 0;
  other_thread other{[&] {
    if (live != 0) ledger->give_back(live);
    second_fits = ledger->admit(second);
  }};
  for (std::size_t at = 1;; at += support::next_intrusion) {
    ledger.emplace(limits);
    if (live != 0 && !ledger->admit(live)) return most;
    bool first_fits = false;
    if (!intrude(
            at, [&] { first_fits = ledger->admit(first); }, [&] { other.call(); }))
      return at > 20 ? wrong : most;
    other.await_end_of_call();
    const std::size_t blocks = limits.blocks == allot::unlimited ? 0 : 1;
    const bool right =
        first_fits != second_fits && ledger->used() == (first_fits ? first : second) && ledger->used_blocks() == blocks;
    wrong += right ? 0 : 1;
  }
}
#endif

} // namespace

TEST_SUITE("limit_ledger") {
  TEST_CASE("a limit may be reached and not passed") {
    limit_ledger ledger{budget{.bytes = 100}};
    CHECK(ledger.admit(60));
    CHECK_FALSE(ledger.admit(41));
    CHECK(ledger.headroom() == 40);
    CHECK(ledger.admit(40));
    CHECK(ledger.headroom() == 0);
    CHECK_FALSE(ledger.admit(1));
    ledger.give_back(40);
    CHECK(ledger.headroom() == 40);
    CHECK(ledger.read().refusals == 2);
  }

  TEST_CASE("zero bytes fit in any limit of bytes, and in no full limit of blocks") {
    limit_ledger bytes{budget{.bytes = 0}};
    CHECK(bytes.admit(0));
    CHECK_FALSE(bytes.admit(1));

    limit_ledger lowered{budget{.bytes = 100}};
    CHECK(lowered.admit(100));
    CHECK(lowered.admit(0));
    CHECK_FALSE(lowered.set_limit(50));
    CHECK(lowered.admit(0));

    limit_ledger blocks{budget{.blocks = 2}};
    CHECK(blocks.admit(0));
    CHECK(blocks.admit(0));
    CHECK_FALSE(blocks.admit(0));
    CHECK(blocks.used_blocks() == 2);
    limit_ledger none{budget{.blocks = 0}};
    CHECK_FALSE(none.admit(0));
  }

  TEST_CASE("sizes that would wrap are refused") {
    for (const std::size_t limit : {std::size_t{10}, most / 2 - 1, most / 2, most - 1, most}) {
      CAPTURE(limit);
      limit_ledger ledger{budget{.bytes = limit}};
      CHECK(ledger.admit(7));
      for (const std::size_t bytes : {most, most - 1, most - 6, most / 2 + 1, most / 2, most / 2 - 6})
        CHECK_FALSE(ledger.admit(bytes));
      CHECK(ledger.used() == 7);
      ledger.give_back(7);
      CHECK(ledger.admit(std::min(limit, most / 2))); // all there is
      CHECK(ledger.used() == std::min(limit, most / 2));
      CHECK_FALSE(ledger.admit(1));
      ledger.give_back(std::min(limit, most / 2));
      CHECK(ledger.used() == 0);
    }
  }

  TEST_CASE("a limit that no program can reach is none") {
    limit_ledger ledger{budget{}};
    CHECK(ledger.limit() == allot::unlimited);
    CHECK(ledger.headroom() == allot::unlimited);
    CHECK(ledger.block_limit() == allot::unlimited);
    CHECK(ledger.admit(1000));
    CHECK(ledger.headroom() == allot::unlimited);
    CHECK(ledger.used_blocks() == 0); // not counted
    CHECK(ledger.set_limit(most / 2 - 1));
    CHECK(ledger.limit() == most / 2 - 1);
    CHECK(ledger.headroom() == most / 2 - 1 - 1000);
  }

  TEST_CASE("a limit below what is charged is told, and holds until enough was given back") {
    limit_ledger ledger{budget{.bytes = 100, .blocks = 10}};
    REQUIRE(ledger.admit(50));
    REQUIRE(ledger.admit(30));
    CHECK_FALSE(ledger.set_limit(40));
    CHECK(ledger.used() == 80);
    CHECK(ledger.headroom() == 0);
    CHECK(ledger.block_limit() == 10);
    CHECK_FALSE(ledger.admit(1));
    ledger.give_back(50);
    CHECK(ledger.headroom() == 10);
    CHECK(ledger.admit(10));
    CHECK(ledger.set_limit(40));

    CHECK_FALSE(ledger.set_limit(budget{.bytes = 200, .blocks = 1}));
    CHECK(ledger.limit() == 200);
    CHECK(ledger.block_limit() == 1);
    CHECK_FALSE(ledger.admit(1));
    ledger.give_back(30);
    CHECK_FALSE(ledger.admit(1));
    CHECK(ledger.set_limit(budget{.bytes = 200, .blocks = 2}));
    CHECK(ledger.admit(1));
  }

  TEST_CASE("a peak is what was charged at a delivery") {
    limit_ledger ledger{budget{.bytes = 100, .blocks = 5}};
    REQUIRE(ledger.admit(70));
    CHECK(ledger.peak() == 0);
    ledger.give_back(70); // upstream failed
    CHECK(ledger.read() == allot::limit_snapshot{.limit_bytes = 100, .limit_blocks = 5});
    REQUIRE(ledger.admit(60));
    ledger.delivered();
    ledger.give_back(60);
    CHECK(ledger.read() ==
          allot::limit_snapshot{.limit_bytes = 100, .peak_bytes = 60, .limit_blocks = 5, .peak_blocks = 1});
  }

  TEST_CASE("the soft mark calls once when it is reached, and again only after a fall below its lower end") {
    limit_ledger ledger{budget{.bytes = 1000}};
    listener heard;
    ledger.set_soft_mark(heard.mark(100, 50));
    REQUIRE(ledger.admit(99));
    CHECK(heard.calls == 0);
    REQUIRE(ledger.admit(1)); // reached is enough
    CHECK(heard.calls == 1);
    CHECK(heard.last == 100);
    REQUIRE(ledger.admit(200));
    CHECK(heard.calls == 1);

    ledger.give_back(250); // 50: not below
    REQUIRE(ledger.admit(60));
    CHECK(heard.calls == 1);

    ledger.give_back(61); // 49
    REQUIRE(ledger.admit(50));
    CHECK(heard.calls == 1); // 99
    REQUIRE(ledger.admit(7));
    CHECK(heard.calls == 2);
    CHECK(heard.last == 106);

    ledger.give_back(100); // 6, and at once above
    REQUIRE(ledger.admit(500));
    CHECK(heard.calls == 3);
  }

  TEST_CASE("a refused request reaches no mark") {
    limit_ledger ledger{budget{.bytes = 100, .blocks = 1}};
    listener heard;
    ledger.set_soft_mark(heard.mark(50, 50));
    CHECK_FALSE(ledger.admit(101));
    REQUIRE(ledger.admit(10));
    CHECK_FALSE(ledger.admit(60)); // for its block
    CHECK(heard.calls == 0);
  }

  TEST_CASE("a mark that is moved counts from where it is") {
    limit_ledger ledger{budget{}};
    listener heard;
    ledger.set_soft_mark(heard.mark(100, 100));
    REQUIRE(ledger.admit(150));
    CHECK(heard.calls == 1);
    ledger.move_soft_mark(200, 160); // 150 is below its lower end
    REQUIRE(ledger.admit(10));
    CHECK(heard.calls == 1);
    REQUIRE(ledger.admit(50));
    CHECK(heard.calls == 2);
    ledger.move_soft_mark(allot::unlimited, 0);
    REQUIRE(ledger.admit(most / 4));
    CHECK(heard.calls == 2);
  }

  TEST_CASE("agrees with a model through random calls, limits and marks") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      model simple{.limits = {.bytes = 1000, .blocks = 20}, .upper = 600, .lower = 300};
      limit_ledger ledger{simple.limits};
      listener heard;
      ledger.set_soft_mark(heard.mark(simple.upper, simple.lower));
      std::vector<std::size_t> live;
      for (int i = 0; i < 2000; ++i) {
        const std::size_t what = random.below(100);
        if (what == 0) {
          simple.limits = {.bytes = random.below(1500), .blocks = random.below(30)};
          CHECK(ledger.set_limit(simple.limits) ==
                (simple.used <= simple.limits.bytes && simple.blocks <= simple.limits.blocks));
        } else if (what < 40 && !live.empty()) {
          ledger.give_back(live.back());
          simple.give_back(live.back());
          live.pop_back();
        } else {
          const std::size_t bytes = random.below(200);
          const bool fits = ledger.admit(bytes);
          REQUIRE(fits == simple.admit(bytes));
          if (fits) live.push_back(bytes);
        }
        REQUIRE(ledger.used() == simple.used);
        REQUIRE(ledger.used_blocks() == simple.blocks);
        REQUIRE(ledger.read().refusals == simple.refusals);
        REQUIRE(heard.calls == simple.calls);
      }
    }
  }

#if ALLOT_TEST_INTRUDES
  TEST_CASE("wherever in a request another one comes, one that fits is let in, and one that does not is refused") {
    // The first never fits, and must not be in the second one's way.
    CHECK(not_one_of_two({.bytes = 100}, 0, 101, 100) == 0);
    CHECK(not_one_of_two({.bytes = 100, .blocks = 1}, 0, 101, 100) == 0);
    // Each fits alone, at once or when a block has been given back.
    CHECK(not_one_of_two({.bytes = 100}, 0, 50, 90) == 0);
    CHECK(not_one_of_two({.blocks = 1}, 0, 50, 90) == 0);
    CHECK(not_one_of_two({.bytes = 100}, 60, 50, 90) == 0);
    CHECK(not_one_of_two({.bytes = 100, .blocks = 1}, 60, 50, 90) == 0);
  }

  TEST_CASE("an interrupt handler may ask wherever it comes, and hears of the mark if it is the one that reaches it") {
    bool fits = false;
    for (std::size_t at = 1;; at += support::next_intrusion) {
      limit_ledger ledger{budget{.bytes = 100}};
      listener heard;
      ledger.set_soft_mark(heard.mark(50, 40));
      bool first_fits = false;
      if (!intrude(
              at, [&] { first_fits = ledger.admit(50); }, [&] { fits = ledger.admit(50); }))
        break;
      REQUIRE(first_fits);
      REQUIRE(fits);
      REQUIRE(heard.calls == 1);
      REQUIRE(heard.last == 50);
      REQUIRE(ledger.used() == 100);
    }
    CHECK(fits);
  }
#endif

#if ALLOT_THREADS
  TEST_CASE("a request that fits is not refused because another is") {
    // Too large for good: the one gets nothing, so that the other must never be refused.
    CHECK(refusals_for_nothing({.bytes = 100}, 101, 60, 100) == 0);
    CHECK(refusals_for_nothing({.bytes = 100, .blocks = 1}, 101, 60, 100) == 0);
    // Each is in the other's way, by its bytes or by its block.
    CHECK(refusals_for_nothing({.bytes = 100}, 60, 30, 60) == 0);
    CHECK(refusals_for_nothing({.bytes = 150, .blocks = 1}, 60, 40, 100) == 0);
    CHECK(refusals_for_nothing({.bytes = 100, .blocks = 2}, 60, 30, 60) == 0);
  }
#endif

  TEST_CASE("of all that want the last block, or the last bytes, one has it at a time") {
    for (const budget& limits : {budget{.bytes = 10, .blocks = 1}, budget{.blocks = 1}, budget{.bytes = 10}}) {
      CAPTURE(limits.bytes);
      CAPTURE(limits.blocks);
      limit_ledger ledger{limits};
      support::shared<unsigned> inside{0};
      support::shared<unsigned> too_many{0};
      race(2, 1, [&](unsigned, unsigned) {
        for (std::size_t i = 0; i < 2 * attempts; ++i) {
          if (!ledger.admit(10)) continue;
          const unsigned others = inside.fetch_add(1);
          if (others != 0 || ledger.used() > 10 || ledger.used_blocks() > 1) too_many.fetch_add(1);
          inside.fetch_sub(1);
          ledger.give_back(10);
        }
      });
      CHECK(too_many == 0);
      CHECK(ledger.used() + ledger.used_blocks() == 0);
    }
  }

  TEST_CASE("one crossing is one call, however many threads make it") {
    for (const std::size_t blocks : {allot::unlimited, std::size_t{1000}}) {
      CAPTURE(blocks);
      limit_ledger ledger{budget{.blocks = blocks}};
      listener heard;
      ledger.set_soft_mark(heard.mark(2 * threads, threads));
      constexpr unsigned rounds = 2000;
      race(threads, rounds, [&](unsigned, unsigned round) { // up to 3 by each, then down to 0
        for (int i = 0; i < 3; ++i) {
          if (round % 2 == 1) {
            ledger.give_back(1);
          } else if (!ledger.admit(1)) {
            heard.calls = most / 2;
          }
        }
      });
      CHECK(heard.calls == rounds / 2);
      CHECK(ledger.used() == 0);
    }
  }

  TEST_CASE("between the ends of a mark there is no second call, however many threads go up and down") {
    limit_ledger ledger{budget{}};
    listener heard;
    ledger.set_soft_mark(heard.mark(110, 100));
    REQUIRE(ledger.admit(100));
    race(threads, 1, [&](unsigned, unsigned) {
      for (int i = 0; i < 5000; ++i)
        if (ledger.admit(10)) ledger.give_back(10);
    });
    CHECK(heard.calls == 1);
  }

  TEST_CASE("misses no peak when nothing is given back") {
    limit_ledger ledger{budget{.blocks = 100000}};
    race(threads, 1, [&](unsigned thread, unsigned) {
      for (int i = 0; i < 2000; ++i)
        if (ledger.admit(thread + 1)) ledger.delivered();
    });
    CHECK(ledger.peak() == 2000 * (1 + 2 + 3 + 4));
    CHECK(ledger.read().peak_blocks == 2000 * threads);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops at a charge given back that was not there") {
    limit_ledger ledger{budget{.bytes = 100, .blocks = 2}};
    CHECK(dies([&] { ledger.give_back(1); }, "bytes <= before"));
    CHECK(dies([&] { ledger.give_back(0); }, "before > 0"));
  }

  TEST_CASE("stops at a limit of blocks that come uncounted, and at a mark with no callback or upside down") {
    limit_ledger ledger{budget{.bytes = 100}};
    listener heard;
    CHECK(dies([&] { ledger.set_limit(budget{.blocks = 5}); }, "counts_blocks_"));
    CHECK(dies([&] { ledger.set_soft_mark({.upper = 5}); }, "callback != nullptr"));
    CHECK(dies([&] { ledger.set_soft_mark(heard.mark(5, 6)); }, "lower <= upper"));
    limit_ledger unmarked{budget{}};
    CHECK(dies([&] { unmarked.move_soft_mark(5, 5); }, "callback_ != nullptr"));
  }
#endif
}
