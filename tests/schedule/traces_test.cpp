#include <allot/adaptor/trace_ring.hpp>
#include <allot/adaptor/trace_stamps.hpp>

#include "scheduler/holds.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>

namespace {

using schedule::ensure;
using schedule::holds;
using schedule::join;
using schedule::start;

allot::trace_event event_of(std::size_t n) {
  allot::trace_event event;
  event.time = event.thread = event.bytes = event.alignment = n;
  return event;
}

bool is_whole(const allot::trace_event& event) {
  return event.time == event.thread && event.thread == event.bytes && event.bytes == event.alignment && event.time != 0;
}

template <std::size_t N>
void check_at_rest(const allot::trace_ring<N>& ring, std::size_t came) {
  std::size_t read = 0;
  ring.for_each([&](const allot::trace_event& event) {
    ensure(is_whole(event), "what stays is whole");
    ++read;
  });
  ensure(ring.came() == came, "each has a number");
  ensure(read + ring.overwritten() + ring.dropped() == came, "each is read, overwritten or dropped");
}

} // namespace

TEST_SUITE("schedule") {
  TEST_CASE("trace_ring: a reader gets whole events or none") {
    const schedule::bounds b{.preemptions = 2, .old_loads = 2, .most_schedules = 12000, .random_schedules = 3000};
    holds("one place, a writer of two events and a reader", b, [] {
      allot::trace_ring<1> ring;
      start([&] {
        ring.record(event_of(1));
        ring.record(event_of(2));
      });
      start([&] { ring.for_each([](const allot::trace_event& event) { ensure(is_whole(event), "it is whole"); }); });
      join();
      check_at_rest(ring, 2);
      ensure(ring.dropped() == 0, "nobody was in the way");
    });
  }

  TEST_CASE("trace_ring: two writers of one place leave one event, or the later one") {
    const schedule::bounds b{.preemptions = 3, .old_loads = 1, .most_schedules = 12000, .random_schedules = 3000};
    holds("one place and two writers", b, [] {
      allot::trace_ring<1> ring;
      start([&] { ring.record(event_of(1)); });
      start([&] { ring.record(event_of(2)); });
      join();
      check_at_rest(ring, 2);
    });
    holds("one place, two writers and a reader", {.preemptions = 1, .old_loads = 1, .random_schedules = 3000}, [] {
      allot::trace_ring<1> ring;
      for (std::size_t n = 1; n <= 2; ++n)
        start([&, n] { ring.record(event_of(n)); });
      start([&] {
        ring.for_each([](const allot::trace_event& event) { ensure(is_whole(event), "it is whole"); });
        ensure(ring.overwritten() <= ring.came(), "no more than came");
      });
      join();
      check_at_rest(ring, 2);
    });
  }

  TEST_CASE("trace_thread: no two threads have one number") {
    holds("three threads take a number", {.preemptions = 3}, [] {
      std::array<std::size_t, 3> numbers{};
      for (std::size_t& n : numbers)
        start([&] {
          n = allot::trace_thread();
          ensure(n == allot::trace_thread(), "it stays");
        });
      join();
      ensure(numbers[0] != numbers[1] && numbers[1] != numbers[2] && numbers[0] != numbers[2], "each has its own");
    });
  }
}
