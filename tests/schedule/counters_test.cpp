#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/shared_counters.hpp>
#include <allot/adaptor/striped_counters.hpp>
#include <allot/adaptor/tag_adaptor.hpp>
#include <allot/detail/tag_index.hpp>

#include "scheduler/heap.hpp"
#include "scheduler/holds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

namespace {

using schedule::ensure;
using schedule::holds;
using schedule::join;
using schedule::start;

using shared_ledger = allot::shared_counters_t::ledger;
template <std::size_t Stripes>
using striped_ledger = typename allot::striped_counters_t<Stripes>::ledger;

/// What a thread that looks on may rely on at any time.
template <class Ledger>
void look_at(const Ledger& ledger, std::size_t most) {
  const allot::counting_snapshot now = ledger.read();
  ensure(now.live_bytes <= most && now.live_blocks <= 2, "what is live was live, and is never below zero");
  ensure(now.peak_bytes >= now.live_bytes && now.peak_blocks >= now.live_blocks, "no peak is below what is live");
}

template <class Ledger>
void take_and_give_back(Ledger& ledger, std::size_t bytes) {
  ledger.allocated(bytes);
  ledger.deallocating(bytes);
}

template <class Ledger>
void check_at_rest(const Ledger& ledger) {
  const allot::counting_snapshot end = ledger.read();
  ensure(end.live_bytes == 0 && end.live_blocks == 0, "nothing is live");
  ensure(end.allocations == 2 && end.deallocations == 2 && end.total_bytes == 30, "nothing is lost");
  ensure(end.largest_bytes == 20, "the largest is known");
}

} // namespace

TEST_SUITE("schedule") {
  TEST_CASE("shared_counters: nothing is lost, and the peak is a sum that was live") {
    holds("two threads take and give back in one shared ledger", [] {
      shared_ledger ledger;
      start([&] { take_and_give_back(ledger, 10); });
      start([&] { take_and_give_back(ledger, 20); });
      join();
      check_at_rest(ledger);
      const std::size_t peak = ledger.peaks().bytes;
      ensure(peak == 20 || peak == 30, "it is one of the two sums");
    });
    holds("what two threads have at once is the peak", {.preemptions = 3}, [] {
      shared_ledger ledger;
      start([&] { ledger.allocated(10); });
      start([&] { ledger.allocated(20); });
      join();
      ensure(ledger.peaks().bytes == 30 && ledger.peaks().blocks == 2, "no moment is missed");
    });
    holds("a third thread reads a shared ledger", {.preemptions = 1}, [] {
      shared_ledger ledger;
      start([&] { take_and_give_back(ledger, 10); });
      start([&] { take_and_give_back(ledger, 20); });
      start([&] { look_at(ledger, 30); });
      join();
      check_at_rest(ledger);
    });
  }

  TEST_CASE("shared_counters: a peak that is started anew misses nothing that is live") {
    holds("the peaks of a shared ledger start anew", {.preemptions = 3}, [] {
      shared_ledger ledger;
      allot::counting_peaks before{};
      start([&] { ledger.allocated(10); });
      start([&] { before = ledger.restart_peaks(); });
      join();
      ensure(ledger.peaks().bytes == 10 && ledger.peaks().blocks == 1, "what is live is in the peak");
      ensure(before.bytes == 0 || before.bytes == 10, "and before it is what was");
    });
    holds("a peak that hides what is live until it is started anew", [] {
      shared_ledger ledger;
      ledger.allocated(50);
      ledger.deallocating(50);
      start([&] { ledger.allocated(10); });
      start([&] { (void)ledger.restart_peaks(); });
      join();
      ensure(ledger.peaks().bytes >= 10 && ledger.peaks().blocks >= 1, "what is live is in the peak");
    });
    holds("a reader of a shared ledger misses no peak", [] {
      shared_ledger ledger;
      ledger.allocated(10);
      ledger.deallocating(10);
      start([&] { (void)ledger.restart_peaks(); });
      start([&] {
        const std::size_t now = ledger.read().peak_bytes;
        ensure(std::max(now, ledger.earlier_peaks().bytes) == 10, "it is in one of the two");
      });
      join();
    });
  }

  TEST_CASE("striped_counters: totals at rest are exact, with a line for each thread and without") {
    holds("two threads, two lines, and a reader", {.preemptions = 1}, [] {
      striped_ledger<2> ledger;
      start([&] { take_and_give_back(ledger, 10); });
      start([&] { take_and_give_back(ledger, 20); });
      start([&] { look_at(ledger, 30); });
      join();
      check_at_rest(ledger);
    });
    holds("two threads and one line", {.preemptions = 1}, [] {
      striped_ledger<1> ledger;
      start([&] { take_and_give_back(ledger, 10); });
      start([&] { take_and_give_back(ledger, 20); });
      join();
      check_at_rest(ledger);
    });
  }

  TEST_CASE("striped_counters: one thread's blocks that another one frees are never below zero") {
    holds("a block is freed in another line than its own", {.preemptions = 1}, [] {
      striped_ledger<4> ledger;
      std::atomic<bool> is_there{false};
      start([&] {
        ledger.allocated(10);
        is_there.store(true, std::memory_order_release);
      });
      start([&] {
        ledger.allocated(20);
        if (is_there.load(std::memory_order_acquire)) ledger.deallocating(10);
      });
      start([&] { ensure(ledger.live_bytes() <= 30, "it is not below zero"); });
      join();
    });
  }

  TEST_CASE("striped_counters: a line that a thread leaves goes to the next one with all that it counted") {
    holds("two threads, one after the other or side by side", {.old_loads = 2}, [] {
      striped_ledger<4> ledger;
      std::atomic<bool> may_end{false};
      start([&] {
        ledger.allocated(10);
        may_end.store(true, std::memory_order_relaxed);
      });
      start([&] {
        if (may_end.load(std::memory_order_relaxed)) ledger.allocated(20); // perhaps by the line of one that ends
      });
      join();
      const std::size_t total = ledger.read().total_bytes;
      ensure(total == 10 || total == 30, "nothing is written over");
      ensure(total == 10 * ledger.read().allocations * (ledger.read().allocations + 1) / 2, "each is counted");
    });
  }

  TEST_CASE("striped_counters: peaks that are started anew are those of one epoch") {
    holds("the peaks of a striped ledger start anew", [] {
      striped_ledger<2> ledger;
      start([&] {
        ledger.allocated(10);
        ledger.allocated(20);
      });
      start([&] { (void)ledger.restart_peaks(); });
      join();
      ensure(ledger.read().peak_bytes == 30, "what is live is in the peak");
    });
  }

  TEST_CASE("tag_index: one number for one text, and two for two") {
    holds("three threads bring two texts", [] {
      static constexpr char one[] = "parse";
      static constexpr char same[] = "parse"; // another array
      static constexpr char two[] = "index";
      allot::detail::tag_index<4> tags;
      std::array<std::size_t, 3> numbers{};
      start([&] { numbers[0] = tags.number_of(one); });
      start([&] { numbers[1] = tags.number_of(same); });
      start([&] { numbers[2] = tags.number_of(two); });
      join();
      ensure(numbers[0] == numbers[1] && numbers[0] != numbers[2], "the text decides");
    });
    holds("two threads bring two texts for one place", [] {
      allot::detail::tag_index<1> tags;
      std::array<std::size_t, 2> numbers{};
      start([&] { numbers[0] = tags.number_of("parse"); });
      start([&] { numbers[1] = tags.number_of("index"); });
      join();
      ensure(numbers[0] != numbers[1] && numbers[0] + numbers[1] == tags.first + tags.other, "one has no place");
    });
  }

  TEST_CASE("tag_index: who finds a text that another thread made finds all of it") {
    holds("a configured text is found by a thread that nothing orders", [] {
      allot::detail::tag_index<1> tags;
      std::array<char, 4> text{};
      start([&] {
        text = {'t', 'e', 'n', '\0'};
        (void)tags.number_of(allot::tag_name::of_static(text.data()));
      });
      start([&] {
        if (const char* const found = tags.text_of(tags.first)) ensure(found[0] == 't', "it is there");
      });
      join();
    });
  }

  TEST_CASE("tag_adaptor: what one thread takes and another gives back is nobody's") {
    holds("a tagged block goes from thread to thread", {.preemptions = 1}, [] {
      schedule::heap up{schedule::heap::threads::any};
      allot::tag_adaptor tagged{up, allot::max_tags<2>};
      std::atomic<void*> block{nullptr};
      start([&] {
        const allot::tag_scope here{"parse"};
        block.store(tagged.allocate(8, 8), std::memory_order_release);
      });
      start([&] {
        const allot::tag_scope here{"index"};
        void* const own = tagged.allocate(16, 8);
        if (void* const p = block.load(std::memory_order_acquire)) {
          tagged.deallocate(p, 8, 8);
          block.store(nullptr, std::memory_order_relaxed);
        }
        tagged.deallocate(own, 16, 8);
      });
      join();
      if (void* const p = block.load()) tagged.deallocate(p, 8, 8);
      ensure(tagged.reserved() == 0, "nothing is reserved");
    });
  }
}
