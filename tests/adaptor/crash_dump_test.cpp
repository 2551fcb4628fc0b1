#include <allot/adaptor/crash_dump.hpp> // first: proves that the header stands alone

#include <allot/adaptor/trace_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/source/malloc_resource.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/death.hpp"

namespace {

using support::ending;
using support::ending_of;

constinit allot::trace_ring<4> ring;

/// Sizes are 1, 2, ... calls.
template <class R>
void trace_some(R& traced, std::size_t calls) {
  for (std::size_t n = 1; n <= calls; ++n)
    (void)traced.allocate(n, 1);
}

/// Where a program installs the dump, makes six calls, and then runs `crash`.
template <class F>
ending crash_after_six(F crash) {
  return ending_of([crash] {
    allot::bump_resource<64> arena;
    allot::trace_adaptor traced{arena, ring};
    if (!allot::dump_on_crash(ring)) _exit(9);
    trace_some(traced, 6);
    crash();
  });
}

bool shows_the_last_four(const ending& end) {
  std::size_t from = end.output.find("allot: the last 4 of 6 events, 0 dropped\n");
  for (const char* const text : {"allocate 3 bytes", "allocate 4 bytes", "allocate 5 bytes", "allocate 6 bytes"}) {
    if (from == std::string::npos) return false;
    from = end.output.find(text, from);
  }
  return from != std::string::npos && !end.says("allocate 2 bytes") && end.output.back() == '\n';
}

/// The compiler does not know that nothing is there, nor does UndefinedBehaviorSanitizer.
constinit volatile std::size_t nowhere = 16;
void write_to_nowhere() { *reinterpret_cast<volatile int*>(nowhere) = 1; }

/// Never ends by itself; the array keeps each turn's frame in use.
[[gnu::noinline]] int overflow_stack(int depth) {
  volatile char frame[1024];
  frame[depth % 1024] = 1;
  if (nowhere == 0) return depth;
  return overflow_stack(depth + 1) + frame[(depth + 1) % 1024];
}

struct crashing final : allot::resource_interface<crashing> {
  static constexpr const char* class_name = "crashing";
  std::byte block[64];
  void* place(std::size_t bytes, std::size_t) noexcept {
    if (bytes == 6) write_to_nowhere();
    return block;
  }
  void give_back(void*, std::size_t, std::size_t) noexcept {}
};

void say(const char* text, std::size_t length) { [[maybe_unused]] const auto n = write(2, text, length); }

} // namespace

TEST_SUITE("crash_dump") {
  TEST_CASE("a write to where nothing is leaves the last events on stderr, and ends the program by SIGSEGV") {
    const ending end = crash_after_six(write_to_nowhere);
    CHECK(end.was_killed_by(SIGSEGV));
    CHECK_MESSAGE(shows_the_last_four(end), end.output);
  }

  TEST_CASE("so does each of the other signals, raised or sent") {
    for (const int signal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) {
      CAPTURE(signal);
      const ending end = crash_after_six([signal] { std::raise(signal); });
      CHECK(end.was_killed_by(signal));
      CHECK_MESSAGE(shows_the_last_four(end), end.output);
    }
    CHECK(crash_after_six([] { std::abort(); }).was_killed_by(SIGABRT));
  }

  TEST_CASE("a stack overflow too, in the thread that installed it and in one with a stack of its own for it") {
    const ending first = crash_after_six([] { overflow_stack(0); });
    CHECK(first.was_killed_by(SIGSEGV));
    CHECK_MESSAGE(shows_the_last_four(first), first.output);

    const ending other = crash_after_six([] {
      std::thread{[] {
        const auto stack = std::make_unique<allot::crash_stack>();
        overflow_stack(0);
      }}.join();
    });
    CHECK(other.was_killed_by(SIGSEGV));
    CHECK_MESSAGE(shows_the_last_four(other), other.output);
  }

  TEST_CASE("a crash inside of the upstream shows the calls before it") {
    const ending end = ending_of([] {
      crashing up;
      allot::trace_adaptor traced{up, ring};
      (void)allot::dump_on_crash(ring);
      trace_some(traced, 6);
    });
    CHECK(end.was_killed_by(SIGSEGV));
    CHECK(end.says("the last 4 of 5 events"));
    CHECK(end.says("allocate 5 bytes"));
    CHECK_FALSE(end.says("allocate 6 bytes"));
  }

  TEST_CASE("a crash while other threads trace leaves whole lines, and only those") {
    const ending end = ending_of([] {
      (void)allot::dump_on_crash(ring);
      std::atomic<std::size_t> ready{0};
      const auto trace = [&] {
        allot::malloc_resource heap;
        allot::trace_adaptor traced{heap, ring};
        for (std::size_t i = 0;; ++i) {
          traced.deallocate(traced.allocate(77, 8), 77, 8);
          if (i == 100) ready.fetch_add(1);
        }
      };
      std::thread first{trace};
      std::thread second{trace};
      while (ready.load() < 2)
        std::this_thread::yield();
      write_to_nowhere();
    });
    CHECK(end.was_killed_by(SIGSEGV));
    CHECK(end.says("allot: the last 4 of "));
    CHECK(end.output.back() == '\n');
    std::size_t line = end.output.find('\n') + 1;
    for (std::size_t next; (next = end.output.find('\n', line)) != std::string::npos; line = next + 1)
      CHECK(end.output.substr(line, next - line).find("allocate 77 bytes aligned to 8 at 0x") != std::string::npos);
  }

  TEST_CASE("the handler that was there before is called after the dump, and may end the program in its way") {
    const ending end = ending_of([] {
      struct sigaction action {};
      action.sa_sigaction = [](int, siginfo_t* info, void*) {
        say("before\n", 7);
        _exit(info->si_addr == reinterpret_cast<void*>(nowhere) && info->si_code == SEGV_MAPERR ? 42 : 43);
      };
      action.sa_flags = SA_SIGINFO;
      sigaction(SIGSEGV, &action, nullptr);
      (void)allot::dump_on_crash(ring);
      ring.record({.bytes = 5});
      write_to_nowhere();
    });
    CHECK(end.exited(42));
    CHECK(end.output.find("5 bytes") < end.output.find("before"));
    CHECK(end.says("before"));
  }

  TEST_CASE("one ring is dumped: a second call changes nothing") {
    const ending end = ending_of([] {
      static constinit allot::trace_ring<2> other;
      if (!allot::dump_on_crash(ring) || allot::dump_on_crash(other)) _exit(9);
      ring.record({.bytes = 5});
      write_to_nowhere();
    });
    CHECK(end.was_killed_by(SIGSEGV));
    CHECK(end.says("the last 1 of 1 events"));
  }

  TEST_CASE("dumps from a handler that interrupts malloc, any number of times") {
    const ending end = ending_of([] {
      ring.record({.bytes = 5});
      static std::atomic<int> dumps{0};
      static int ends[2];
      if (pipe(ends) != 0) _exit(8);
      std::signal(SIGALRM, [](int) {
        char sink[4096];
        ring.dump(ends[1]);
        if (read(ends[0], sink, sizeof sink) > 0) dumps.fetch_add(1);
      });
      const itimerval every{{0, 200}, {0, 200}};
      setitimer(ITIMER_REAL, &every, nullptr);
      void* held[64] = {};
      for (std::size_t n = 0; dumps.load() < 300; ++n) {
        std::free(held[n % 64]);
        held[n % 64] = std::malloc(n * 37 % 5000 + 1);
      }
      _exit(7);
    });
    CHECK(end.exited(7));
  }
}
