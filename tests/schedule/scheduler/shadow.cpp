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

/// Its place, where it may be of a schedule before. \return null: there is none
shadow::granule* shadow::find(std::uintptr_t number) noexcept {
  std::size_t place = static_cast<std::size_t>(number * 0x9E3779B97F4A7C15u >> 32) % size;
  for (std::size_t i = 0; i < size; ++i, place = (place + 1) % size) {
    granule& g = granules_[place];
    if (g.generation != generation_ || g.number == number) return &g;
  }
  return nullptr;
}

shadow::granule& shadow::at(std::uintptr_t number) noexcept {
  granule* const g = find(number);
  if (g == nullptr) {
    std::fputs("schedule: a test touches more memory than the scheduler looks at\n", stderr);
    std::abort();
  }
  if (g->generation != generation_) {
    g->number = number;
    g->generation = generation_;
    g->bytes = {};
  }
  return *g;
}

void shadow::forget(const volatile void* p, std::size_t bytes) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  for (std::uintptr_t number = begin / 8; number <= (begin + bytes - 1) / 8; ++number) {
    granule* const g = find(number);
    if (g != nullptr && g->generation == generation_) g->bytes = {};
  }
}

shadow::finding shadow::end(const volatile void* p, std::size_t bytes, const clock& seen) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  for (std::uintptr_t a = begin; a < begin + bytes; a += 8 - a % 8) {
    const granule* const g = find(a / 8);
    if (g == nullptr || g->generation != generation_) continue;
    for (std::uintptr_t i = a % 8; i < 8 && a - a % 8 + i < begin + bytes; ++i)
      if (const finding found = conflict(*g, i, access::write, seen); found.is_race) return found;
  }
  return {};
}

shadow::finding shadow::conflict(const granule& g, std::size_t i, access how, const clock& seen) noexcept {
  if (g.bytes[i].touched_by == 0) return {};
  const cell& c = g.cells[i];
  for (const access before : all_accesses) {
    if ((!is_write(how) && !is_write(before)) || (is_atomic(how) && is_atomic(before))) continue;
    for (std::size_t t = 0; t < most_threads; ++t) {
      if (c.last[index_of(before)][t] > seen.of(t))
        return {.is_race = true, .before = before, .thread = t, .from = c.from[index_of(before)]};
    }
  }
  return {};
}

shadow::finding shadow::touch(granule& g, std::size_t i, access how, std::size_t thread, const clock& seen,
                              const void* from) noexcept {
  byte& b = g.bytes[i];
  cell& c = g.cells[i];
  const auto mine = static_cast<std::uint8_t>(1U << thread);
  if (b.touched_by == mine && c.last[index_of(how)][thread] == seen.of(thread)) return {};
  finding found;
  if ((b.touched_by & ~mine) != 0) found = conflict(g, i, how, seen); // a thread has no race with itself
  if (found.is_race) return found;
  found.was_atomic = how == access::write && b.is_atomic;
  if (b.touched_by == 0) c = {};
  if (how == access::write) b = {}; // who comes after it comes after all that was before
  b.touched_by |= mine;
  b.is_atomic = b.is_atomic || is_atomic(how);
  c.last[index_of(how)][thread] = seen.of(thread);
  c.from[index_of(how)] = from;
  return found;
}

shadow::finding shadow::touch(const volatile void* p, std::size_t bytes, access how, std::size_t thread,
                              const clock& seen, const void* from) noexcept {
  finding found;
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  granule* g = nullptr;
  for (std::uintptr_t a = begin; a < begin + bytes; ++a) {
    if (g == nullptr || a % 8 == 0) g = &at(a / 8);
    const finding here = touch(*g, a % 8, how, thread, seen, from);
    if (here.is_race) return here;
    found.was_atomic = found.was_atomic || here.was_atomic;
  }
  return found;
}

} // namespace schedule
