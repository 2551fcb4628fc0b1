#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// Nanoseconds of `std::chrono::steady_clock`, modulo the range of std::size_t (with 32 bits: 4.3 seconds).
/// Threads: any thread and signal handlers.
[[nodiscard]] std::size_t trace_time() noexcept;

/// 1 for the first thread that asked, 2 for the next one, and so on; never given to another thread, also not after the
/// end of this one. Always 1 where there are no threads.
/// Threads: any thread and signal handlers, lock-free; allocates nothing.
[[nodiscard]] std::size_t trace_thread() noexcept;

/// Where a `trace_adaptor` takes the time and the thread of an event from. Firmware gives its own two functions, and links
/// neither a clock nor thread-local storage: `trace_adaptor traced{arena, ring, {.time = cycles, .thread = core}}`.
struct trace_stamps {
  std::size_t (*time)() noexcept = trace_time;     ///< not null
  std::size_t (*thread)() noexcept = trace_thread; ///< not null
};

} // namespace allot::inline ALLOT_ABI
