#pragma once

#include <allot/core/config.hpp>

#if ALLOT_BARE_METAL
#error "allot: crash_dump needs an operating system: there is none on bare metal"
#endif

#include <allot/adaptor/trace_ring.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

namespace detail {

/// How a signal handler reaches a ring of any size.
struct crash_target {
  const void* ring;
  std::size_t (*dump)(const void* ring, int fd) noexcept;
};

bool dump_on_crash(const crash_target& wanted) noexcept;

} // namespace detail

/// Has the events of `ring` written to stderr when the program gets SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT; then the
/// program goes the way that it would have gone without: the handler that was there before is called, or it ends by that
/// signal, core dump included.
///
/// It runs on an alternate stack, so that a stack overflow is traced too: in the calling thread, on one that is set here
/// unless the thread has one; in others, on that which they have: see `crash_stack`. The first crash is the one dumped; a
/// crash in another thread waits for it, about two seconds at most. A stderr that takes nothing costs a second and the dump.
/// Where the handler from before goes on with the program, or the signal was ignored, no later crash is dumped.
/// A signal that was sent comes to that handler as if the program had sent it.
///
/// Call it once, early, after other handlers are set, and in a program of one's own: a library has no business there. It
/// stays to the end of the program. Allocates nothing.
/// \param ring  of static storage duration
/// \return false where it was called before, or the system has no such signals: nothing has changed then
template <std::size_t N>
bool dump_on_crash(const trace_ring<N>& ring) noexcept {
  return detail::dump_on_crash({.ring = &ring, .dump = [](const void* p, int fd) noexcept {
                                  return static_cast<const trace_ring<N>*>(p)->dump(fd);
                                }});
}

template <std::size_t N>
bool dump_on_crash(const trace_ring<N>&& ring) noexcept = delete;

/// An alternate stack for the signal handlers of this thread, to the end of the block; nothing where the thread has one.
/// For threads that may overflow their stack: `thread_local`, static, or part of what the thread owns, rather than on the
/// stack in question.
/// Threads: begins and ends in the same thread.
class [[nodiscard]] crash_stack {
public:
  crash_stack() noexcept;
  crash_stack(const crash_stack&) = delete;
  crash_stack& operator=(const crash_stack&) = delete;
  ~crash_stack();

private:
  alignas(16) std::byte bytes_[std::size_t{64} * 1024];
  bool is_set_ = false;
};

} // namespace allot::inline ALLOT_ABI
