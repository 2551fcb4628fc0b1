#include <allot/adaptor/trace_ring.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <limits>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <unistd.h>

#include "support/channel.hpp"
#include "support/death.hpp"
#include "support/race.hpp"
#include "support/signal_flood.hpp"

namespace {

/// An event whose every field says the same number.
allot::trace_event event_of(std::size_t n) {
  return {.time = n,
          .thread = n + 1,
          .pointer = reinterpret_cast<const void*>(n + 2),
          .bytes = n + 3,
          .alignment = n + 4,
          .operation = n % 2 == 0 ? allot::trace_operation::allocate : allot::trace_operation::deallocate,
          .outcome = n % 3 == 0 ? allot::trace_outcome::ok : allot::trace_outcome::failed};
}

bool is_whole(const allot::trace_event& e) { return e == event_of(e.time); }

template <std::size_t N>
std::vector<std::size_t> times(const allot::trace_ring<N>& ring) {
  std::vector<std::size_t> all;
  ring.for_each([&](const allot::trace_event& e) {
    CHECK(is_whole(e));
    all.push_back(e.time);
  });
  return all;
}

constinit allot::trace_ring<4> static_ring;
static_assert(std::is_trivially_destructible_v<allot::trace_ring<4>>);

// For the handler of a signal.
constinit allot::trace_ring<2> interrupted_ring;

extern "C" void record_in_handler(int) {
  for (std::size_t i = 0; i < 5; ++i)
    interrupted_ring.record(event_of(i));
}

} // namespace

TEST_SUITE("trace_ring") {
  TEST_CASE("example") {
    // [example]
    allot::trace_ring<2> ring;
    for (std::size_t time = 1; time <= 3; ++time)
      ring.record({.time = time, .bytes = 64, .alignment = 8});

    std::size_t sum = 0;
    ring.for_each([&](const allot::trace_event& event) { sum = 10 * sum + event.time; });
    CHECK(sum == 23); // the oldest first
    CHECK(ring.overwritten() == 1);
    // [example]
  }

  TEST_CASE("nothing is read from one that nothing was written to") {
    CHECK(times(static_ring).empty());
    CHECK(static_ring.came() == 0);
    CHECK(static_ring.overwritten() == 0);
    CHECK(static_ring.dropped() == 0);
  }

  TEST_CASE("keeps exactly the last N, the oldest first, around the end of the array any number of times") {
    allot::trace_ring<4> ring;
    for (std::size_t n = 0; n < 50; ++n) {
      ring.record(event_of(n));
      std::vector<std::size_t> expected;
      for (std::size_t i = n < 3 ? 0 : n - 3; i <= n; ++i)
        expected.push_back(i);
      REQUIRE(times(ring) == expected);
      REQUIRE(ring.came() == n + 1);
      REQUIRE(ring.overwritten() == n + 1 - expected.size());
    }
    CHECK(ring.dropped() == 0);
  }

  TEST_CASE("a ring of one keeps the newest") {
    allot::trace_ring<1> ring;
    for (std::size_t n = 0; n < 5; ++n)
      ring.record(event_of(n));
    CHECK(times(ring) == std::vector<std::size_t>{4});
  }

  TEST_CASE("a slot refuses an event that is older than its own, and gives no other than the one asked for") {
    allot::detail::trace_slot slot;
    allot::trace_event read;
    CHECK_FALSE(slot.get(std::size_t(-1), read)); // untouched: its state is that of no event
    CHECK(slot.put(9, event_of(9)));
    CHECK_FALSE(slot.put(5, event_of(5)));
    CHECK_FALSE(slot.get(5, read));
    CHECK_FALSE(slot.get(13, read));
    CHECK(slot.get(9, read));
    CHECK(read == event_of(9));
  }

  TEST_CASE("an event is kept whatever its number is, and across the last one") {
    constexpr std::size_t last = std::numeric_limits<std::size_t>::max();
    allot::trace_event read;
    for (const std::size_t number : {std::size_t{0}, last / 4, last / 4 + 1, last / 2, last / 2 + 1, last - 1, last}) {
      allot::detail::trace_slot slot;
      CAPTURE(number);
      CHECK_FALSE(slot.get(number, read));
      CHECK(slot.put(number, event_of(1)));
      CHECK(slot.get(number, read));
      CHECK(slot.put(number + 4, event_of(2)));
      CHECK_FALSE(slot.put(number, event_of(3)));
      CHECK_FALSE(slot.get(number, read));
      CHECK(slot.get(number + 4, read));
    }
  }

  TEST_CASE("many writers and a reader: no torn event, and none unaccounted for") {
    allot::trace_ring<8> ring;
    std::atomic<bool> torn{false};
    support::race(4, 200, [&](unsigned thread, unsigned round) {
      for (std::size_t i = 0; i < 50; ++i) {
        if (thread == 0) {
          std::size_t seen = 0;
          ring.for_each([&](const allot::trace_event& e) {
            ++seen;
            if (!is_whole(e)) torn = true;
          });
          if (seen > 8 || ring.overwritten() > ring.came()) torn = true;
        } else {
          ring.record(event_of(thread * 1'000'000 + round * 50 + i));
        }
      }
    });
    CHECK_FALSE(torn.load());
    CHECK(ring.came() == 3 * 200 * 50);
    const std::size_t kept = times(ring).size();
    CHECK(kept + ring.dropped() >= 8); // of the last eight, none is missing that was not dropped
    CHECK(kept + ring.overwritten() + ring.dropped() == ring.came());
  }

  TEST_CASE("a signal handler writes in the middle of a write of the same thread, and nothing is torn") {
    std::size_t torn = 0;
    // Memcheck brings signals between two of its blocks only, which may never be in the middle of a write.
    constexpr std::chrono::seconds patience{ALLOT_VALGRIND ? 0 : 20};
    {
      const support::signal_flood flood{SIGUSR1, record_in_handler};
      const auto enough = std::chrono::steady_clock::now() + patience;
      for (std::size_t n = 0;
           n < 20'000 || (interrupted_ring.dropped() < 3 && std::chrono::steady_clock::now() < enough); ++n) {
        interrupted_ring.record(event_of(n));
        interrupted_ring.for_each([&](const allot::trace_event& e) { torn += is_whole(e) ? 0U : 1U; });
      }
    }
    CHECK(torn == 0);
    if (!ALLOT_VALGRIND) CHECK(interrupted_ring.dropped() > 0); // a write was in fact interrupted and overtaken
    CHECK(times(interrupted_ring).size() + interrupted_ring.overwritten() + interrupted_ring.dropped() ==
          interrupted_ring.came());
  }

  TEST_CASE("dump writes what it holds, a line for each, the newest last, and leaves errno") {
    const support::ending end = support::ending_of([] {
      allot::trace_ring<2> ring;
      for (std::size_t n = 1; n <= 3; ++n)
        ring.record({.time = n, .thread = 7, .pointer = reinterpret_cast<void*>(0xabc), .bytes = n, .alignment = 8});
      errno = 77;
      const bool all = ring.dump(2) == 2 && ring.dump(-1) == 0;
      _exit(all && errno == 77 ? 0 : 1);
    });
    CHECK(end.exited(0));
    CHECK(end.output == "allot: the last 2 of 3 events, 0 dropped\n"
                        "2 thread 7 allocate 2 bytes aligned to 8 at 0xabc\n"
                        "3 thread 7 allocate 3 bytes aligned to 8 at 0xabc\n");
  }

  TEST_CASE("a dump waits for a slow reader, and once for one that takes nothing") {
    const support::channel out;
    allot::trace_ring<64> ring;
    for (std::size_t n = 0; n < 64; ++n)
      ring.record(event_of(n));
    out.fill();
    const auto start = std::chrono::steady_clock::now();
    CHECK(ring.dump(out.in()) == 0);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{30}); // not a second for each line

    std::thread reader{[&] {
      std::this_thread::sleep_for(std::chrono::milliseconds{30});
      (void)out.read_all();
    }};
    CHECK(ring.dump(out.in()) == 64);
    reader.join();
  }

  TEST_CASE("a dump into a pipe without a reader writes nothing, and sends no SIGPIPE") {
    const support::ending end = support::ending_of([] {
      int ends[2];
      if (pipe(ends) != 0) _exit(8);
      close(ends[0]);
      static_ring.record(event_of(1));
      _exit(static_ring.dump(ends[1]) == 0 ? 0 : 1);
    });
    CHECK(end.exited(0));
  }
}
