#pragma once

#include <allot/adaptor/trace_dump.hpp>
#include <allot/adaptor/trace_event.hpp>
#include <allot/adaptor/trace_slot.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// A sink of traces that keeps the last N events in memory, to be read at any time, also by a crash handler.
///
///     constinit allot::trace_ring<1024> ring;        // namespace scope, .bss
///     allot::trace_adaptor traced{arena, ring};
///     ring.dump(2);                                  // stderr; safe in a signal handler
///
/// Each event takes the next number; number n lies in slot n % N, over number n - N.
///
/// Guarantees
/// - A reader gets whole events only, the oldest first, and never one that is being written.
/// - Nobody waits. An event that meets another one in its slot (a writer was overtaken by N others, or interrupted and
///   overtaken) is counted in `dropped()`; what it would have replaced is not among the last N, and is not read either. A
///   writer that never comes back (`longjmp` out of a signal handler) costs the ring that slot.
/// - At rest `came()` is the sum of the events that are read, `overwritten()`, and those `dropped()`.
/// - All zero at first, trivially destructible: as a static it lies in `.bss` and is usable before `main`.
///
/// Costs: two locked instructions and seven stores an event; N * 64 bytes with 64 bits, N * 32 with 32 bits. `N` is a
/// power of two. Needs an atomic compare-exchange of std::size_t: not on Cortex-M0.
/// Threads: any thread and interrupt handlers, lock-free, for writers and readers alike.
///
/// \snippet tests/adaptor/trace_ring_test.cpp example
template <std::size_t N>
class trace_ring {
  static_assert(std::has_single_bit(N), "the number of events in a trace_ring is a power of two");

public:
  /// The resource that is traced is never called from here.
  static constexpr bool never_allocates = true;

  constexpr trace_ring() noexcept = default;
  trace_ring(const trace_ring&) = delete;
  trace_ring& operator=(const trace_ring&) = delete;

  /// Keeps an event.
  void record(const trace_event& event) noexcept {
    const std::size_t number = next_.fetch_add(1, std::memory_order_relaxed);
    if (!slots_[number % N].put(number, event)) dropped_.fetch_add(1, std::memory_order_release);
  }

  /// Calls `f(const trace_event&)` with each of the last N events, the oldest first. Those that came since the start of
  /// this call are not among them, and those that they replaced may be missing.
  template <class F>
  void for_each(F&& f) const {
    read_before(came(), f);
  }

  /// Writes a line that says how many events came, and a line for each that is kept, as `trace_format::text` has it, the
  /// newest last.
  /// Threads: any thread and signal handlers; errno is as it was.
  /// \param fd  a file descriptor. For one that takes nothing (a full pipe) it waits a second, once; lines that are not taken
  ///            then are left out. No SIGPIPE for a pipe whose reader is gone
  /// \return the events that were written whole
  std::size_t dump(int fd) const noexcept {
    const std::size_t lost = dropped();
    const std::size_t end = came();
    detail::trace_dump lines{fd, {.came = end, .dropped = lost, .capacity = N}};
    read_before(end, [&](const trace_event& event) { lines.put(event); });
    return lines.written();
  }

  /// Events that came since the start, modulo the range of std::size_t.
  [[nodiscard]] std::size_t came() const noexcept { return next_.load(std::memory_order_relaxed); }

  /// Events that were not kept: see the guarantees.
  [[nodiscard]] std::size_t dropped() const noexcept { return dropped_.load(std::memory_order_acquire); }

  /// Events that are no longer read since others came after them. Exact at rest; while events come, those that are being
  /// written or replaced count too. Costs a look at each slot.
  [[nodiscard]] std::size_t overwritten() const noexcept {
    std::size_t kept = 0;
    const std::size_t lost = dropped(); // first, and by acquire: each of them is one of `all`
    const std::size_t all = came();
    read_before(all, [&](const trace_event&) { ++kept; });
    return all - lost - kept;
  }

  /// Events that it can keep.
  [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }

private:
  template <class F>
  void read_before(std::size_t end, F&& f) const {
    for (std::size_t number = end - N; number != end; ++number) {
      trace_event event;
      if (slots_[number % N].get(number, event)) f(static_cast<const trace_event&>(event));
    }
  }

  std::atomic<std::size_t> next_{0};    // the number of the next event
  std::atomic<std::size_t> dropped_{0}; // invariant: what is read here is no more than what is then read in next_
  std::array<detail::trace_slot, N> slots_{};
};

} // namespace allot::inline ALLOT_ABI
