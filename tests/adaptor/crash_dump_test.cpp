#include <allot/adaptor/crash_dump.hpp> // first: proves that the header stands alone

#include <allot/adaptor/trace_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/source/malloc_resource.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/channel.hpp"
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

/// The number of times that `text` stands in the output.
std::size_t count(const ending& end, std::string_view text) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = end.output.find(text, at)) != std::string::npos; ++at)
    ++n;
  return n;
}

/// Where the signal handlers of this thread run; null where there is no such place.
void* alternate_stack() {
  stack_t now{};
  return sigaltstack(nullptr, &now) == 0 && (now.ss_flags & SS_DISABLE) == 0 ? now.ss_sp : nullptr;
}

/// Null: none, also where a sanitizer had set one.
void set_alternate_stack(void* bytes, std::size_t size) {
  stack_t wanted{};
  wanted.ss_sp = bytes;
  wanted.ss_size = size;
  wanted.ss_flags = bytes == nullptr ? SS_DISABLE : 0;
  sigaltstack(&wanted, nullptr);
}

alignas(16) constinit std::byte own_stack[std::size_t{64} * 1024]{};

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

  TEST_CASE("an alternate stack that the program has set stays where it is, and is the one that is used") {
    const ending kept = crash_after_six([] {
      set_alternate_stack(own_stack, sizeof own_stack);
      { const allot::crash_stack another; }
      if (alternate_stack() != own_stack) _exit(7);
      overflow_stack(0);
    });
    CHECK(kept.was_killed_by(SIGSEGV));
    CHECK_MESSAGE(shows_the_last_four(kept), kept.output);

    const ending installed = ending_of([] {
      set_alternate_stack(own_stack, sizeof own_stack);
      _exit(allot::dump_on_crash(ring) && alternate_stack() == own_stack ? 0 : 7);
    });
    CHECK(installed.exited(0));
  }

  TEST_CASE("a crash_stack is there to the end of the block, and takes away no other than its own") {
    const ending end = ending_of([] {
      set_alternate_stack(nullptr, 0);
      auto stack = std::make_unique<allot::crash_stack>();
      if (alternate_stack() == nullptr) _exit(6);
      stack.reset();
      if (alternate_stack() != nullptr) _exit(7);
      stack = std::make_unique<allot::crash_stack>();
      set_alternate_stack(own_stack, sizeof own_stack);
      stack.reset();
      _exit(alternate_stack() == own_stack ? 0 : 8);
    });
    CHECK(end.exited(0));
  }

  TEST_CASE("two threads that crash at once leave one dump, which is whole") {
    static constinit allot::trace_ring<2048> large;
    for (int i = 0; i < 5; ++i) {
      const ending end = ending_of([] {
        (void)allot::dump_on_crash(large);
        for (std::size_t n = 0; n < 2048; ++n)
          large.record({.bytes = 5});
        static constinit std::atomic<int> ready{0};
        const auto crash = [] {
          ready.fetch_add(1);
          while (ready.load() < 2) {
          }
          write_to_nowhere();
        };
        std::thread first{crash};
        std::thread second{crash};
        first.join();
      });
      CHECK(end.was_killed_by(SIGSEGV));
      CHECK(count(end, "allot: the last 2048 of 2048 events") == 1);
      CHECK(count(end, "allocate 5 bytes") == 2048);
    }
  }

  TEST_CASE("a crash inside of the dump ends the program") {
    const auto crash_in_dump = [](auto crash) {
      return ending_of([crash] {
        void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) _exit(8);
        (void)allot::dump_on_crash(*::new (page) allot::trace_ring<4>);
        mprotect(page, 4096, PROT_NONE);
        crash();
      });
    };
    CHECK(crash_in_dump(write_to_nowhere).was_killed_by(SIGSEGV));
    CHECK(crash_in_dump([] { std::abort(); }).was_killed_by(SIGSEGV));
    CHECK(crash_in_dump([] { std::raise(SIGBUS); }).was_killed_by(SIGSEGV));
  }

  TEST_CASE("a stderr that takes nothing, or has no reader, does not keep the program from its end") {
    const ending full = crash_after_six([] {
      const support::channel out;
      out.fill();
      dup2(out.in(), 2);
      write_to_nowhere();
    });
    CHECK(full.was_killed_by(SIGSEGV));
    const ending broken = crash_after_six([] {
      int ends[2];
      if (pipe(ends) != 0) _exit(8);
      close(ends[0]);
      dup2(ends[1], 2);
      write_to_nowhere();
    });
    CHECK(broken.was_killed_by(SIGSEGV)); // and not by SIGPIPE
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

  TEST_CASE("a handler of one argument is called too, with the signal") {
    const ending end = ending_of([] {
      std::signal(SIGFPE, [](int signal) { _exit(signal == SIGFPE ? 42 : 43); });
      (void)allot::dump_on_crash(ring);
      std::raise(SIGFPE);
    });
    CHECK(end.exited(42));
    CHECK(end.says("allot: the last"));
  }

  TEST_CASE(
      "a signal that was ignored is ignored again, and errno is as it was; a fault ends the program all the same") {
    const ending sent = ending_of([] {
      std::signal(SIGFPE, SIG_IGN);
      (void)allot::dump_on_crash(ring);
      errno = 77;
      std::raise(SIGFPE);
      _exit(errno == 77 ? 42 : 43);
    });
    CHECK(sent.exited(42));

    const ending ignored = ending_of([] {
      std::signal(SIGSEGV, SIG_IGN);
      (void)allot::dump_on_crash(ring);
      write_to_nowhere();
    });
    CHECK(ignored.was_killed_by(SIGSEGV));
    CHECK(ignored.says("allot: the last"));
  }

  TEST_CASE("a handler from before may go on with the program, which ends at its next crash without a dump") {
    const ending end = ending_of([] {
      static sigjmp_buf recover;
      static constinit volatile std::sig_atomic_t recovered = 0;
      std::signal(SIGSEGV, [](int) {
        if (recovered != 0) _exit(42);
        recovered = 1;
        siglongjmp(recover, 1);
      });
      (void)allot::dump_on_crash(ring);
      if (sigsetjmp(recover, 1) == 0) write_to_nowhere();
      write_to_nowhere();
    });
    CHECK(end.exited(42));
    CHECK(count(end, "allot: the last") == 1);
  }

  TEST_CASE("abort does what it does where its signal is blocked, in any thread") {
    const ending end = crash_after_six([] {
      std::thread{[] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        std::abort();
      }}.join();
    });
    CHECK(end.was_killed_by(SIGABRT));
    CHECK_MESSAGE(shows_the_last_four(end), end.output);
  }

#if defined(SYS_rt_tgsigqueueinfo) && defined(BUS_MCEERR_AO)
  TEST_CASE("bad memory that nothing has used yet ends the program, as it would have without") {
    const ending end = crash_after_six([] {
      siginfo_t info{};
      info.si_signo = SIGBUS;
      info.si_code = BUS_MCEERR_AO;
      syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGBUS, &info);
      _exit(43);
    });
    CHECK(end.was_killed_by(SIGBUS));
  }
#endif

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
