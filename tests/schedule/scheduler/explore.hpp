#pragma once

#include "machine.hpp"

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>

namespace schedule {

/// \file
/// What the tests use. A test is a function that makes its objects, starts threads, joins them and looks at the result;
/// it is run once for each schedule, all of them in one process apart, with the shipped code compiled as for
/// ThreadSanitizer:
///
///     const outcome all = explore([] {
///       allot::claim_flag flag;
///       int winners = 0;
///       start([&] { if (flag.claim()) ++winners; });   // a data race where both win
///       start([&] { if (flag.claim()) ++winners; });
///       join();
///       ensure(winners == 1, "one wins");
///     });
///     CHECK_MESSAGE(!all.failed, all);
///
/// What it tries is in `bounds`; what C++ allows and is not tried, in `memory`. What a program makes at the first use is made
/// in one schedule that comes before all others. Memory that a function of the C library touches (memcpy, strcmp) is not looked
/// at. Besides, no test may depend on anything that differs from one run of it to the next: the time, or addresses of memory
/// that is not its own.

/// What came of all schedules.
struct outcome {
  bool failed = false;
  std::string failure;        // the first one
  std::string steps;          // of that schedule, at the end
  std::string choices;        // for `replay`
  unsigned long in_order = 0; // schedules that were run
  unsigned long at_random = 0;
  std::size_t longest = 0;    // steps in one
  std::size_t strayed = 0;    // choices that differed when they were made again
  bool is_exhaustive = false; // those in order are all within the bounds
};

outcome explore(const bounds& b, const std::function<void()>& test);
inline outcome explore(const std::function<void()>& test) { return explore({}, test); }

/// The one schedule that failed within these bounds.
outcome replay(const bounds& b, const std::string& choices, const std::function<void()>& test);

std::ostream& operator<<(std::ostream& to, const outcome& o);

// In a test:

/// Starts a thread. \pre called by the thread that runs the test, and before `join`
void start(std::function<void()> work);

/// Waits for all threads. What the test does from then on is not looked at.
void join();

/// Ends the schedule as a failure where `holds` is false.
void ensure(bool holds, const char* claim) noexcept;

} // namespace schedule
