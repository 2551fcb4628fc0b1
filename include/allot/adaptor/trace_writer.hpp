#pragma once

#include <allot/core/config.hpp>

#if ALLOT_BARE_METAL
#error "allot: trace_writer needs an operating system: there is none on bare metal"
#endif

#include <allot/adaptor/trace_event.hpp>
#include <allot/adaptor/trace_format.hpp>

#include <atomic>
#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// A sink of traces that writes each event as a line to a file descriptor, by plain `write`.
///
///     trace_adaptor -> trace_writer -> file, pipe, terminal
///
/// It is not the owner of the descriptor. Where `write` waits (a full pipe without O_NONBLOCK), the traced program waits. With
/// a pipe whose reader is gone the system sends SIGPIPE, unless the program ignores it.
///
/// Guarantees
/// - A line that cannot be written whole at once (EAGAIN, disk full, closed) is counted in `dropped()`, and the program
///   goes on. An interrupted or partial write goes on where it was. Where a part of a line stays, the next one starts
///   on a line of its own.
/// - errno is as it was. Nothing is allocated and nothing is buffered: what was recorded is with the system.
/// - Each line is given to the system in one piece. Lines of several threads stay whole in pipes and in files opened with
///   O_APPEND, as long as the system takes them in one piece.
///
/// Costs: a system call for each event.
/// Threads: any thread and signal handlers.
///
/// \snippet tests/adaptor/trace_writer_test.cpp example
class trace_writer {
public:
  /// The resource that is traced is never called from here.
  static constexpr bool never_allocates = true;

  /// For csv the header is written here; it counts as a line, in `written()` or `dropped()`.
  /// \param fd  open for writing, as long as the writer lives
  explicit trace_writer(int fd, trace_format format = trace_format::text) noexcept;
  trace_writer(const trace_writer&) = delete;
  trace_writer& operator=(const trace_writer&) = delete;

  /// Writes one line.
  void record(const trace_event& event) noexcept;

  /// Lines that were written whole.
  [[nodiscard]] std::size_t written() const noexcept { return written_.load(std::memory_order_relaxed); }

  /// Lines that were not, or not whole.
  [[nodiscard]] std::size_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

private:
  void write_line(const char* line, std::size_t length) noexcept;

  int fd_;
  trace_format format_;
  std::atomic<bool> is_cut_{false}; // the last line has no newline
  std::atomic<std::size_t> written_{0};
  std::atomic<std::size_t> dropped_{0};
};

} // namespace allot::inline ALLOT_ABI
