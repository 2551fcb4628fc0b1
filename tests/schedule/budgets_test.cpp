#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/limit_ledger.hpp>

#include "scheduler/heap.hpp"
#include "scheduler/holds.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>

namespace {

using allot::budget;
using allot::limit_ledger;
using schedule::ensure;
using schedule::holds;
using schedule::join;
using schedule::start;

/// Threads each take what is there for one, use it, and give it back.
void share(limit_ledger& ledger, std::size_t bytes, int threads) {
  int room = 0; // that the budget guards
  int admitted = 0;
  for (int i = 0; i < threads; ++i)
    start([&] {
      if (!ledger.admit(bytes)) return;
      ensure(++room == 1, "one is in the room");
      ++admitted;
      ledger.delivered();
      --room;
      ledger.give_back(bytes);
    });
  join();
  ensure(admitted >= 1, "not all were refused");
  const allot::limit_snapshot now = ledger.read();
  ensure(now.used_bytes == 0 && now.used_blocks == 0, "all was given back");
  ensure(now.peak_bytes == bytes, "one block was the most");
  ensure(now.refusals == static_cast<std::size_t>(threads - admitted), "each refusal is counted");
}

void count_marks(std::size_t, void* marks) noexcept {
  static_cast<std::atomic<int>*>(marks)->fetch_add(1, std::memory_order_relaxed);
}

} // namespace

TEST_SUITE("schedule") {
  TEST_CASE("limit_ledger: what is given back is another one's, and nobody's before") {
    holds("room for one of three, by bytes", {.old_loads = 0}, [] {
      limit_ledger ledger{budget{.bytes = 100}};
      share(ledger, 60, 3);
    });
    holds("room for one of two, by blocks", {.old_loads = 2}, [] {
      limit_ledger ledger{budget{.blocks = 1}};
      share(ledger, 10, 2);
    });
    holds("room for one of two, by both", [] {
      limit_ledger ledger{budget{.bytes = 15, .blocks = 1}};
      share(ledger, 10, 2);
    });
  }

  TEST_CASE("limit_ledger: no refusal causes another one") {
    holds("a request that fits, beside one that does not", {.old_loads = 0}, [] {
      limit_ledger ledger{budget{.bytes = 100, .blocks = 5}};
      start([&] { ensure(!ledger.admit(150), "it does not fit"); });
      start([&] { ensure(ledger.admit(100), "it fits"); });
      start([&] { ensure(ledger.admit(0), "nothing always fits"); });
      join();
      ensure(ledger.used() == 100 && ledger.used_blocks() == 2, "what was refused is not charged");
    });
  }

  TEST_CASE("limit_ledger: the peak misses nothing that was delivered") {
    holds("two blocks are delivered at once", [] {
      limit_ledger ledger{budget{.bytes = 100}};
      for (const std::size_t bytes : {30U, 20U})
        start([&, bytes] {
          ensure(ledger.admit(bytes), "it fits");
          ledger.delivered();
        });
      join();
      ensure(ledger.peak() == 50, "both were there");
    });
  }

  TEST_CASE("limit_ledger: one admission is told that the mark is reached") {
    holds("two admissions reach the mark together", [] {
      std::atomic<int> marks{0};
      limit_ledger ledger{budget{.bytes = 100}};
      ledger.set_soft_mark({.upper = 50, .lower = 30, .callback = count_marks, .user = &marks});
      for (int i = 0; i < 3; ++i)
        start([&] { (void)ledger.admit(30); });
      join();
      ensure(marks.load() == 1, "it is told once");
      ledger.give_back(60);
      ensure(ledger.admit(10) && marks.load() == 1, "not below it");
      ledger.give_back(20);
      ensure(ledger.admit(60) && marks.load() == 2, "and once when it is crossed again");
    });
    holds("the mark is crossed to and fro", {.old_loads = 2}, [] {
      std::atomic<int> marks{0};
      limit_ledger ledger{budget{.bytes = 100}};
      ledger.set_soft_mark({.upper = 50, .lower = 50, .callback = count_marks, .user = &marks});
      for (int i = 0; i < 2; ++i)
        start([&] {
          if (!ledger.admit(60)) return;
          ledger.give_back(60);
        });
      join();
      const auto admitted = 2 - static_cast<int>(ledger.read().refusals);
      ensure(marks.load() == admitted, "each crossing is told");
    });
  }

  TEST_CASE("limit_ledger: a limit that is lowered meanwhile binds whoever reads it") {
    holds("the limit is lowered below a request", [] {
      limit_ledger ledger{budget{.bytes = 100}};
      bool fitted = false;
      std::array<bool, 2> in{};
      start([&] {
        fitted = ledger.set_limit(50);
        ensure(!ledger.admit(51), "it binds the one who set it at once");
      });
      for (bool& is_in : in)
        start([&] { is_in = ledger.admit(60); });
      join();
      ensure(!(in[0] && in[1]), "never more than either limit");
      ensure(ledger.used() == (in[0] || in[1] ? 60 : 0), "what is charged is what was admitted");
      ensure(ledger.limit() == 50, "the new limit stays");
    });
  }

  TEST_CASE("limit_adaptor: a level that refuses leaves no other one charged") {
    holds("two requests, two levels and room for one", [] {
      schedule::heap up{schedule::heap::threads::any};
      allot::limit_adaptor process{up, 100, "process"};
      allot::limit_adaptor first{process, 80, "first"};
      allot::limit_adaptor second{process, 80, "second"};
      const auto ask = [](auto& tenant) {
        void* const p = tenant.try_allocate(60, 1);
        if (p == nullptr) return;
        schedule::use(p, 60);
        tenant.deallocate(p, 60, 1);
      };
      start([&] { ask(first); });
      start([&] { ask(second); });
      join();
      ensure(first.used() == 0 && second.used() == 0 && process.used() == 0, "nothing stays charged");
      ensure(process.peak() == 60, "never two at once");
    });
  }

  TEST_CASE("limit_adaptor: what upstream refuses is not charged") {
    holds("an upstream that has one block", [] {
      schedule::heap up{schedule::heap::threads::any};
      up.refuse_after(1);
      allot::limit_adaptor capped{up, budget{.bytes = 200, .blocks = 2}};
      std::array<void*, 2> got{};
      for (void*& p : got)
        start([&] { p = capped.try_allocate(60, 1); });
      join();
      ensure((got[0] == nullptr) != (got[1] == nullptr), "one has it");
      ensure(capped.used() == 60 && capped.used_blocks() == 1, "one is charged");
      capped.deallocate(got[0] == nullptr ? got[1] : got[0], 60, 1);
    });
  }
}
