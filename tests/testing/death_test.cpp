#include <support/death.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <sys/time.h>

TEST_SUITE("death") {
  TEST_CASE("tells an exit from an abort, and has what was written to stderr") {
    const auto exits = support::ending_of([] { std::fputs("going", stderr); });
    CHECK(exits.exited(0));
    CHECK(exits.says("going"));
    CHECK(dies([] { std::abort(); }));
    CHECK_FALSE(support::ending_of([] { std::raise(SIGTERM); }).was_killed_by(SIGABRT));
  }

  TEST_CASE("is not put off by signals while it waits") {
    struct sigaction interrupts {};
    interrupts.sa_handler = [](int) {}; // without SA_RESTART
    sigaction(SIGALRM, &interrupts, nullptr);
    const itimerval often{{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &often, nullptr);
    const auto end = support::ending_of([] {
      usleep(50000);
      std::fputs("late", stderr);
      std::_Exit(7);
    });
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    std::signal(SIGALRM, SIG_IGN); // Memcheck may deliver one more
    CHECK(end.exited(7));
    CHECK(end.says("late"));
  }

#if defined(__cpp_exceptions)
  TEST_CASE("an exception that comes out of the body ends the child, and is no exit") {
    const auto end = support::ending_of([] { throw 42; });
    CHECK(end.was_killed_by(SIGABRT));
  }
#endif
}
