#include <allot/detail/reentry.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "support/signal_flood.hpp"

using allot::detail::reentry_mark;

namespace {

int first;
int second;
int nobody;

constinit std::atomic<std::size_t> handler_calls{0};
constinit std::atomic<std::size_t> marks_seen{0};

// Walks all marks of the thread that it interrupts, and makes one of its own.
extern "C" void walk_in_handler(int) {
  if (reentry_mark::is_inside(&first)) marks_seen.fetch_add(1);
  const reentry_mark own{&second};
  if (reentry_mark::is_inside(&second)) handler_calls.fetch_add(1);
}

/// Uses again what a mark had on the stack.
[[gnu::noinline]] void overwrite_stack() {
  void* volatile junk[8];
  for (auto& p : junk)
    p = reinterpret_cast<void*>(std::size_t{8});
}

[[gnu::noinline]] void mark_first() {
  const reentry_mark here{&first};
  (void)reentry_mark::is_inside(&first);
}

} // namespace

TEST_SUITE("reentry") {
  TEST_CASE("a mark is there to the end of its block, under others too, and for no one else") {
    CHECK_FALSE(reentry_mark::is_inside(&first));
    {
      const reentry_mark outer{&first};
      {
        const reentry_mark inner{&second};
        CHECK(reentry_mark::is_inside(&first));
        CHECK(reentry_mark::is_inside(&second));
        CHECK_FALSE(reentry_mark::is_inside(&nobody));
      }
      CHECK(reentry_mark::is_inside(&first));
      CHECK_FALSE(reentry_mark::is_inside(&second));
    }
    CHECK_FALSE(reentry_mark::is_inside(&first));
  }

  TEST_CASE("the inner one of two marks of the same one leaves the outer one there") {
    const reentry_mark outer{&first};
    std::optional<reentry_mark> inner{std::in_place, &first};
    inner.reset();
    CHECK(reentry_mark::is_inside(&first));
  }

  TEST_CASE("another thread does not see it") {
    const reentry_mark here{&first};
    bool seen = true;
    std::thread{[&] { seen = reentry_mark::is_inside(&first); }}.join();
    CHECK_FALSE(seen);
  }

  TEST_CASE("a signal handler walks the marks of the thread that it interrupts, whatever it was doing to them") {
    {
      const support::signal_flood flood{SIGUSR1, walk_in_handler};
      const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds{10};
      while ((handler_calls.load() < 200 || marks_seen.load() == 0) && std::chrono::steady_clock::now() < enough) {
        mark_first();
        overwrite_stack();
      }
    }
    CHECK(handler_calls.load() > 0);
    CHECK_FALSE(reentry_mark::is_inside(&first));
    CHECK_FALSE(reentry_mark::is_inside(&second));
  }
}
