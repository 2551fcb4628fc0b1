#pragma once

#include <allot/adaptor/trace_event.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace allot::inline ALLOT_ABI::detail {

/// One place of a `trace_ring`: an event and the state of it, all of it atomic words, so that no reader or writer races.
///
///     state: 0 never written -> 4n + 1 event n is being written -> 4n + 2 event n is here -> 4(n + N) + 1 ...
///
/// No read is torn. Words are stored only by whoever made the state odd, until the state is even again, and who makes it
/// odd acquires what was released by the even one: the words change in the order of the states. So a reader that saw "n is
/// here" reads words of n or of later events. A word of a later event, m, was stored with release after the state had
/// become 4m + 1, and is loaded with acquire before the state is loaded again: that second load sees 4m + 1 or what came
/// after it, and the read is refused. (A reader would have to sleep for a quarter of all numbers, to the event, to see n's
/// state come back: 2^30 events with 32 bits.) Fences would say the same with fewer ordered accesses, but ThreadSanitizer
/// does not know them.
class alignas(8 * sizeof(std::size_t)) trace_slot {
  static_assert(sizeof(std::uintptr_t) <= sizeof(std::size_t));
  static_assert(std::atomic<std::size_t>::is_always_lock_free, "a trace_ring needs lock-free atomics of std::size_t");

public:
  /// Writes event `number`. \return false where another one is being written, or a later one is here: nothing was done
  bool put(std::size_t number, const trace_event& event) noexcept {
    std::size_t seen = state_.load(std::memory_order_relaxed);
    if (is_being_written(seen) || is_later(seen, number)) return false;
    if (!state_.compare_exchange_strong(seen, here(number) - 1, std::memory_order_acquire, std::memory_order_relaxed))
      return false;
    store(time_, event.time);
    store(thread_, event.thread);
    store(pointer_, static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(event.pointer)));
    store(bytes_, event.bytes);
    store(alignment_, event.alignment);
    store(kind_, static_cast<std::size_t>(event.operation) | static_cast<std::size_t>(event.outcome) << 8);
    state_.store(here(number), std::memory_order_release);
    return true;
  }

  /// Reads event `number`. \return false where it is not here, not yet, or no more; `event` is then not to be used
  bool get(std::size_t number, trace_event& event) const noexcept {
    const std::size_t seen = state_.load(std::memory_order_acquire);
    if (seen != here(number)) return false;
    event.time = load(time_);
    event.thread = load(thread_);
    event.pointer = reinterpret_cast<const void*>(static_cast<std::uintptr_t>(load(pointer_)));
    event.bytes = load(bytes_);
    event.alignment = load(alignment_);
    const std::size_t kind = load(kind_);
    event.operation = static_cast<trace_operation>(kind & 0xff);
    event.outcome = static_cast<trace_outcome>(kind >> 8);
    return state_.load(std::memory_order_relaxed) == seen;
  }

private:
  using word = std::atomic<std::size_t>;

  static void store(word& to, std::size_t value) noexcept { to.store(value, std::memory_order_release); }
  static std::size_t load(const word& from) noexcept { return from.load(std::memory_order_acquire); }

  static constexpr std::size_t here(std::size_t number) noexcept { return 4 * number + 2; } // never 0, nor odd
  static constexpr bool is_being_written(std::size_t state) noexcept { return state % 2 != 0; }

  /// Whether the state is of an event that came after `number`: right across the wrap of numbers, since those of one slot
  /// that are in use at a time lie close together.
  static constexpr bool is_later(std::size_t state, std::size_t number) noexcept {
    return state != 0 && static_cast<std::ptrdiff_t>(state - here(number)) > 0;
  }

  word state_{0};
  word time_{0};
  word thread_{0};
  word pointer_{0};
  word bytes_{0};
  word alignment_{0};
  word kind_{0};
};

} // namespace allot::inline ALLOT_ABI::detail
