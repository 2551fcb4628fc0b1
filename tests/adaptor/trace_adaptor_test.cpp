#include <allot/adaptor/trace_adaptor.hpp> // first: proves that the header stands alone

#include <allot/adaptor/trace_callback.hpp>
#include <allot/adaptor/trace_ring.hpp>
#include <allot/adaptor/trace_writer.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/chain.hpp>
#include <allot/source/malloc_resource.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/failing_adaptor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <limits>
#include <memory_resource>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/conformance.hpp"
#include "support/race.hpp"

namespace {

struct ring_fixture {
  allot::probe_upstream up;
  allot::trace_ring<16> ring;
  allot::trace_adaptor<allot::probe_upstream, allot::trace_ring<16>> r{up, ring};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct callback_fixture {
  allot::probe_upstream up;
  allot::trace_callback nobody{[](const allot::trace_event&, void*) noexcept {}};
  allot::trace_adaptor<allot::probe_upstream, allot::trace_callback> r{up, nobody};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct writer_fixture {
  allot::probe_upstream up;
  allot::trace_writer closed{-1};
  allot::trace_adaptor<allot::probe_upstream, allot::trace_writer> r{up, closed};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// A sink that keeps all.
struct list {
  static constexpr bool never_allocates = true; // not from the traced resource
  std::vector<allot::trace_event> events;
  void record(const allot::trace_event& event) noexcept { events.push_back(event); }
};

constinit std::size_t ticks = 0;
const allot::trace_stamps counted{.time = []() noexcept { return ++ticks; },
                                  .thread = []() noexcept { return std::size_t{5}; }};

/// An upstream that looks at how many events there are while it is called.
struct watching final : allot::resource_interface<watching> {
  static constexpr const char* class_name = "watching";
  explicit watching(const list& l) : told{l} {}
  const list& told;
  std::byte block[8];
  std::size_t events_at_call = 99;
  void* place(std::size_t, std::size_t) noexcept {
    events_at_call = told.events.size();
    return block;
  }
  void give_back(void*, std::size_t, std::size_t) noexcept { events_at_call = told.events.size(); }
};

} // namespace

TEST_SUITE("trace_adaptor") {
  TEST_CASE_TEMPLATE("keeps the contract of a memory resource with every sink", Fixture, ring_fixture, callback_fixture,
                     writer_fixture) {
    check_contract<Fixture>();
  }

  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena;
    allot::trace_ring<64> ring;
    allot::trace_adaptor traced{arena, ring, "words"};

    { const std::pmr::vector<int> v(100, &traced); }

    ring.for_each([&](const allot::trace_event& event) { CHECK(event.bytes == 400); });
    CHECK(ring.came() == 2); // an allocation and its deallocation
    // [example]
  }

  TEST_CASE("tells what was asked, what came of it, when, and by whom") {
    allot::checking_resource up;
    list told;
    ticks = 0;
    allot::trace_adaptor traced{up, told, counted, "named"};
    void* const p = traced.allocate(5, 64);
    CHECK(traced.try_allocate(std::numeric_limits<std::size_t>::max(), 8) == nullptr);
    traced.deallocate(p, 5, 64);
    traced.deallocate(nullptr, 1, 1);

    using enum allot::trace_operation;
    using enum allot::trace_outcome;
    REQUIRE(told.events.size() == 3);
    CHECK(told.events[0] == allot::trace_event{1, 5, p, 5, 64, allocate, ok});
    CHECK(told.events[1] ==
          allot::trace_event{2, 5, nullptr, std::numeric_limits<std::size_t>::max(), 8, allocate, failed});
    CHECK(told.events[2] == allot::trace_event{3, 5, p, 5, 64, deallocate, ok});
    CHECK(std::string_view{traced.name()} == "named");
    CHECK(&traced.sink() == &told);
  }

  TEST_CASE("tells after upstream gave, and before upstream takes back") {
    list told;
    watching up{told};
    allot::trace_adaptor traced{up, told};
    void* const p = traced.allocate(8, 1);
    CHECK(up.events_at_call == 0);
    traced.deallocate(p, 8, 1);
    CHECK(up.events_at_call == 2);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a failure by any exception is one event, and the exception goes on") {
    struct odd final : std::pmr::memory_resource {
      void* do_allocate(std::size_t, std::size_t) override { throw 42; }
      void do_deallocate(void*, std::size_t, std::size_t) override {}
      [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
    };
    odd up;
    list told;
    allot::trace_adaptor traced{up, told};
    CHECK_THROWS_AS((void)traced.allocate(8, 8), int);
    REQUIRE(told.events.size() == 1);
    CHECK(told.events[0].outcome == allot::trace_outcome::failed);
    CHECK(told.events[0].pointer == nullptr);
  }
#endif

  TEST_CASE("a callback that allocates from what it traces is served, not told of it, and counted") {
    struct state {
      std::pmr::memory_resource* traced = nullptr;
      std::size_t events = 0;
    } s;
    allot::trace_callback greedy{[](const allot::trace_event&, void* user) noexcept {
                                   auto& seen = *static_cast<state*>(user);
                                   ++seen.events;
                                   seen.traced->deallocate(seen.traced->allocate(16, 8), 16, 8);
                                 },
                                 &s};
    allot::checking_resource up;
    allot::trace_adaptor traced{up, greedy};
    s.traced = &traced;
    traced.deallocate(traced.allocate(8, 8), 8, 8);
    CHECK(s.events == 2);
    CHECK(traced.skipped() == 4);
    CHECK(up.live_blocks() == 0);
    traced.deallocate(traced.allocate(8, 8), 8, 8);
    CHECK(s.events == 4); // the mark was taken away
  }

  TEST_CASE("two adaptors whose callbacks allocate from each other come to an end") {
    struct state {
      std::pmr::memory_resource* other = nullptr;
      std::size_t events = 0;
    } a, b;
    const allot::trace_callback::function use_other = [](const allot::trace_event&, void* user) noexcept {
      auto& s = *static_cast<state*>(user);
      ++s.events;
      s.other->deallocate(s.other->allocate(16, 8), 16, 8);
    };
    allot::trace_callback to_a{use_other, &a};
    allot::trace_callback to_b{use_other, &b};
    allot::checking_resource up;
    allot::trace_adaptor first{up, to_a};
    allot::trace_adaptor second{up, to_b};
    a.other = &second;
    b.other = &first;
    void* const p = first.allocate(8, 8);
    CHECK(a.events == 1);
    CHECK(b.events == 2);
    CHECK(first.skipped() == 4);
    up.deallocate(p, 8, 8);
  }

  TEST_CASE("over a trace_adaptor it traces that one, and is no copy") {
    allot::bump_resource<64> arena;
    list inner;
    list outer;
    allot::trace_adaptor traced{arena, inner};
    allot::trace_adaptor again{traced, outer, "outer"};
    CHECK(std::is_same_v<decltype(again), allot::trace_adaptor<decltype(traced), list>>);
    (void)again.allocate(8, 1);
    CHECK(inner.events.size() == 1);
    CHECK(outer.events.size() == 1);
    CHECK(again.owns(&arena) == arena.owns(&arena));
  }

  TEST_CASE("stands in a chain, where its class alone finds it") {
    allot::trace_ring<4> ring;
    allot::chain stack{allot::layer<allot::trace_adaptor>(std::ref(ring), "inside"),
                       allot::source<allot::bump_resource<64>>()};
    void* const p = stack.allocate(24, 8);
    CHECK(stack.layer<allot::trace_adaptor>().sink().came() == 1);
    CHECK(std::string_view{stack.layer<allot::trace_adaptor>().name()} == "inside");
    ring.for_each([&](const allot::trace_event& event) { CHECK(event.pointer == p); });
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("whichever allocation fails, the trace says what is live, and nothing is lost") {
    allot::probe_upstream up;
    list told;
    allot::trace_adaptor traced{up, told};
    std::size_t failed = 0;
    const auto result = allot::allocation_failure_loop(up, [&] {
      const std::pmr::vector<int> a(10, &traced);
      std::pmr::vector<std::pmr::vector<int>> nested(&traced);
      // libc++ 16 loses a block when vector(n, value, allocator) throws
      nested.resize(3, std::pmr::vector<int>(5, &traced));
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    std::size_t live = 0;
    for (const allot::trace_event& event : told.events) {
      if (event.outcome == allot::trace_outcome::failed) {
        ++failed;
      } else {
        live += event.operation == allot::trace_operation::allocate ? event.bytes : 0 - event.bytes;
      }
    }
    CHECK(failed == result.failures_injected);
    CHECK(live == 0);
  }
#endif

  TEST_CASE("threads have small numbers of their own, and each call of each is in the trace") {
    allot::malloc_resource heap;
    allot::trace_ring<1024> ring;
    allot::trace_adaptor traced{heap, ring};
    support::race(4, 50, [&](unsigned thread, unsigned) {
      traced.deallocate(traced.allocate(100 + thread, 8), 100 + thread, 8);
    });
    std::size_t thread_of[4] = {};
    ring.for_each([&](const allot::trace_event& e) {
      std::size_t& known = thread_of[e.bytes - 100];
      if (known == 0) known = e.thread;
      CHECK(known == e.thread);
    });
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < i; ++j)
        CHECK(thread_of[i] != thread_of[j]);
    CHECK(ring.came() == 400);
    CHECK(ring.dropped() == 0);
  }
}
