#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace schedule {

enum class step : unsigned char {
  load,
  store,
  change, // a read-modify-write
  lock,
  try_lock,
  unlock,
  yield,
  begin,
  end,
  join,
};

struct entry {
  step what = step::load;
  bool is_old = false; // a load that did not read the newest store
  int order = 0;
  std::size_t thread = 0;
  const volatile void* address = nullptr;
  std::uint64_t value = 0;
  const void* from = nullptr; // an address in the code
};

/// What the process that runs the schedules leaves for the one that started it, in memory that both have: it may crash.
struct journal {
  static constexpr std::size_t kept = 80;

  void add(const entry& e) noexcept { entries[came++ % kept] = e; }

  std::array<entry, kept> entries{};
  std::size_t came = 0;

  unsigned long in_order = 0; // schedules that were run
  unsigned long at_random = 0;
  std::size_t longest = 0; // steps
  std::size_t strayed = 0;
  bool is_exhaustive = false;
  bool is_done = false;
  bool failed = false;
  char failure[512] = {};
  char choices[std::size_t{1} << 18] = {}; // what does not fit is left out
};

/// The last steps of the schedule that failed, a line each.
[[nodiscard]] std::string steps_of(const journal& j);

/// The function that an address lies in; those of a test itself have no names that a program keeps.
[[nodiscard]] std::string function_at(const void* address);

} // namespace schedule
