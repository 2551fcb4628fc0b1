#include "shadow.hpp"

#include <cstdio>
#include <cstdlib>

namespace schedule {
namespace {

constexpr std::size_t index_of(access how) noexcept { return static_cast<std::size_t>(how); }

constexpr bool is_atomic(access how) noexcept { return how >= access::atomic_read; }
constexpr bool is_write(access how) noexcept { return how == access::write || how == access::atomic_write; }

constexpr std::array all_accesses{access::read, access::write, access::atomic_read, access::atomic_write};

} // namespace

shadow::granule& shadow::at(std::uintptr_t number) noexcept {
  std::size_t place = static_cast<std::size_t>(number * 0x9E3779B97F4A7C15u >> 32) % size;
  for (std::size_t i = 0; i < size; ++i, place = (place + 1) % size) {
    granule& g = granules_[place];
    if (g.generation != generation_) {
      g = granule{number, generation_, {}};
      return g;
    }
    if (g.number == number) return g;
  }
  std::fputs("schedule: a test touches more memory than the scheduler looks at\n", stderr);
  std::abort();
}

void shadow::forget(const volatile void* p, std::size_t bytes) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  for (std::uintptr_t a = begin; a < begin + bytes; ++a)
    at(a / 8).cells[a % 8] = {};
}

shadow::finding shadow::conflict(const cell& c, access how, const clock& seen) noexcept {
  for (const access before : all_accesses) {
    if ((!is_write(how) && !is_write(before)) || (is_atomic(how) && is_atomic(before))) continue;
    for (std::size_t t = 0; t < most_threads; ++t) {
      if (c.last[index_of(before)][t] > seen.of(t))
        return {.is_race = true, .before = before, .thread = t, .from = c.from[index_of(before)]};
    }
  }
  return {};
}

shadow::finding shadow::touch(const volatile void* p, std::size_t bytes, access how, std::size_t thread,
                              const clock& seen, const void* from) noexcept {
  finding found;
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  granule* g = nullptr;
  for (std::uintptr_t a = begin; a < begin + bytes; ++a) {
    if (g == nullptr || a % 8 == 0) g = &at(a / 8);
    cell& c = g->cells[a % 8];
    const finding here = conflict(c, how, seen);
    if (here.is_race) return here;
    if (how == access::write) {
      for (const access atomic : {access::atomic_read, access::atomic_write})
        for (const tick t : c.last[index_of(atomic)])
          found.was_atomic = found.was_atomic || t != 0;
      c = {};
    }
    c.last[index_of(how)][thread] = seen.of(thread);
    c.from[index_of(how)] = from;
  }
  return found;
}

} // namespace schedule
