#include "explore.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <ostream>

#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

namespace schedule {
namespace {

constexpr unsigned seconds_for_all = 100;

/// Runs the program again with the addresses that it always has, where the system lets it: what the code under test does
/// can hang on them, and with that the way to a schedule that is to be repeated.
[[gnu::constructor]] void fix_addresses(int, char** arguments, char**) {
  const int now = personality(0xffffffff);
  if (now == -1 || (now & ADDR_NO_RANDOMIZE) != 0 || std::getenv("ALLOT_SCHEDULE_AGAIN") != nullptr) return;
  setenv("ALLOT_SCHEDULE_AGAIN", "1", 1); // once is enough for a system that only says that it does
  if (personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) != -1) execv("/proc/self/exe", arguments);
}

void run_once(const std::function<void()>& test, unsigned long number) {
  the_machine.begin(number);
  test();
  the_machine.finish();
}

void run_in_order(const bounds& b, const std::function<void()>& test, journal& j) {
  while (j.in_order < b.most_schedules) {
    ++j.in_order;
    run_once(test, 0);
    if (the_machine.has_learnt()) {
      the_machine.made().forget();
    } else if (!the_machine.made().next()) {
      j.is_exhaustive = true;
      return;
    }
  }
}

void run_at_random(const bounds& b, const std::function<void()>& test, journal& j) {
  the_machine.set_up(b, false, j);
  the_machine.made().set_way(choices::way::at_random);
  for (; j.at_random < b.random_schedules; ++j.at_random)
    run_once(test, j.at_random);
}

/// In a process of its own: `run(journal)` ends it where a schedule fails.
template <class F>
outcome in_process(F run) {
  void* const memory = mmap(nullptr, sizeof(journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  journal& j = *::new (memory) journal;
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTERM})
      std::signal(signal, SIG_DFL); // no report of a test framework's for what is to be reported here
    alarm(seconds_for_all);
    try {
      run(j);
    } catch (const std::exception& e) {
      the_machine.fail(e.what());
    }
    j.is_done = true;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!j.failed && !j.is_done) {
    j.failed = true;
    const char* const how = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit";
    std::snprintf(j.failure, sizeof j.failure, "the program ended: %s", how);
  }
  outcome o{.failed = j.failed,
            .failure = j.failure,
            .steps = j.failed ? steps_of(j) : "",
            .choices = j.choices,
            .in_order = j.in_order,
            .at_random = j.at_random,
            .longest = j.longest,
            .strayed = j.strayed,
            .is_exhaustive = j.is_exhaustive};
  munmap(memory, sizeof(journal));
  return o;
}

/// What is made at its first use is there from then on.
void warm_up(const std::function<void()>& test) {
  run_once(test, 0);
  the_machine.made().forget();
  (void)the_machine.has_learnt();
}

} // namespace

outcome explore(const bounds& b, const std::function<void()>& test) {
  return in_process([&](journal& j) {
    the_machine.set_up(b, true, j);
    warm_up(test);
    run_in_order(b, test, j);
    if (b.random_schedules != 0) run_at_random(b, test, j);
  });
}

outcome replay(const bounds& b, const std::string& choices, const std::function<void()>& test) {
  return in_process([&](journal& j) {
    the_machine.set_up(b, true, j);
    warm_up(test);
    the_machine.set_up(b, choices.starts_with('b'), j);
    the_machine.made().set_way(choices::way::as_told);
    the_machine.made().read(choices.size() < 2 ? "" : choices.substr(2));
    run_once(test, 0);
  });
}

std::ostream& operator<<(std::ostream& to, const outcome& o) {
  to << o.in_order << (o.is_exhaustive ? " schedules, all within the bounds" : " schedules");
  if (o.at_random != 0) to << ", and " << o.at_random << " at random";
  to << ", of up to " << o.longest << " steps";
  if (o.strayed != 0) to << ", " << o.strayed << " choices strayed";
  if (o.failed) to << "\nfailed: " << o.failure << "\nreplay: \"" << o.choices << "\"\n" << o.steps;
  return to;
}

void start(std::function<void()> work) { the_machine.start(std::move(work)); }

void join() { the_machine.join_all(); }

void ensure(bool holds, const char* claim) noexcept {
  if (!holds) the_machine.fail(claim);
}

} // namespace schedule
