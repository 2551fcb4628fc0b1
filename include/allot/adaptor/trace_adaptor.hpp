#pragma once

#include <allot/core/config.hpp>

#if ALLOT_BARE_METAL
#error "allot: trace_adaptor needs an operating system: there is none on bare metal"
#endif

#include <allot/adaptor/trace_event.hpp>
#include <allot/adaptor/trace_stamps.hpp>
#include <allot/core/adaptor_interface.hpp>
#include <allot/core/atomic.hpp>
#include <allot/core/expects.hpp>
#include <allot/detail/reentry.hpp>

#include <atomic>
#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// What takes the events of a `trace_adaptor`: `trace_ring`, `trace_callback`, `trace_writer`, or a class of one's own.
///
/// One that never calls the traced resource, not by any detour, may say so by `static constexpr bool never_allocates =
/// true`: then there is no mark against re-entry, and a signal handler's calls are events even where it interrupts `record`.
template <class Sink>
concept trace_sink = requires(Sink& sink, const trace_event& event) {
  requires noexcept(sink.record(event));
};

/// Passes each call on to its upstream and tells a sink of it: what, when, by which thread, and how it ended.
///
///     container -> trace_adaptor -> upstream
///                      +----------> sink: trace_ring, trace_callback, trace_writer
///
/// Guarantees
/// - Never allocates. A failed allocation is an event too, and upstream's own failure goes on to the caller.
/// - An allocation is told after upstream gave the block, a deallocation before upstream takes it back: at no time does the
///   trace show an address live twice.
/// - A call that this adaptor gets from its own sink, in the same thread, is passed on to upstream and is no event: it is
///   counted in `skipped()`. So is one of a signal handler that interrupts the sink. `trace_ring` and `trace_writer` need
///   no such rule: they call nobody.
/// - Null given back is no event.
///
/// Costs: reading a clock and the sink, for each call; most of it is the clock. With a `trace_ring` an event is 70 instructions
/// beside the clock and the thread's number (x86-64, g++ 12, -O2). No memory beside the object.
/// Threads: as upstream and the sink allow it; `skipped()` any thread. Where the standard library has no threads, several
/// tasks need a sink that says `never_allocates`: there is one mark for all.
///
/// \snippet tests/adaptor/trace_adaptor_test.cpp example
template <class Upstream, trace_sink Sink>
class trace_adaptor final : public adaptor_interface<trace_adaptor<Upstream, Sink>, Upstream> {
  using base = adaptor_interface<trace_adaptor, Upstream>;

public:
  static constexpr const char* class_name = "trace_adaptor";

  /// \param upstream  outlives the adaptor
  /// \param sink      outlives the adaptor; several adaptors may share one, if it is for as many threads as they are
  /// \param name      for reports; static storage
  trace_adaptor(Upstream& upstream, Sink& sink, const char* name = nullptr) noexcept
      : trace_adaptor{upstream, sink, trace_stamps{}, name} {}

  /// The same with a clock and a thread number of one's own.
  trace_adaptor(Upstream& upstream, Sink& sink, trace_stamps stamps, const char* name = nullptr) noexcept
      : base{upstream, name}, sink_{sink}, stamps_{stamps} {
    ALLOT_EXPECTS(stamps.time != nullptr && stamps.thread != nullptr);
  }

  /// Where the events go.
  [[nodiscard]] Sink& sink() const noexcept { return sink_; }

  /// Calls that were no events, since the sink itself made them.
  [[nodiscard]] std::size_t skipped() const noexcept { return skipped_.load(std::memory_order_relaxed); }

private:
  friend base;
  friend resource_interface<trace_adaptor>;

  void allocated(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    tell(p, bytes, alignment, trace_operation::allocate, trace_outcome::ok);
  }
  void refused(std::size_t bytes, std::size_t alignment) noexcept {
    tell(nullptr, bytes, alignment, trace_operation::allocate, trace_outcome::failed);
  }
  void releasing(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    tell(p, bytes, alignment, trace_operation::deallocate, trace_outcome::ok);
  }

  void tell(const void* p, std::size_t bytes, std::size_t alignment, trace_operation operation,
            trace_outcome outcome) noexcept {
    if constexpr (requires { requires Sink::never_allocates; }) {
      sink_.record({stamps_.time(), stamps_.thread(), p, bytes, alignment, operation, outcome});
    } else if (detail::reentry_mark::is_inside(this)) {
      skipped_.fetch_add(1, std::memory_order_relaxed);
    } else {
      const detail::reentry_mark here{this};
      sink_.record({stamps_.time(), stamps_.thread(), p, bytes, alignment, operation, outcome});
    }
  }

  Sink& sink_;
  trace_stamps stamps_;
  detail::atomic<std::size_t> skipped_{0};
};

} // namespace allot::inline ALLOT_ABI
