#pragma once

#include <allot/adaptor/trace_event.hpp>
#include <allot/core/expects.hpp>

namespace allot::inline ALLOT_ABI {

/// A sink of traces that calls a function of the caller's with each event.
///
/// The function may allocate through the resource that it traces: such a call is served, and is not an event. See
/// `trace_adaptor`.
///
/// Costs: an indirect call for each event, beside the mark against re-entry.
/// Threads: as the function: it is called in the thread of the event.
///
/// \snippet tests/adaptor/trace_callback_test.cpp example
class trace_callback {
public:
  /// Called with each event, and with what was given as `user`.
  using function = void (*)(const trace_event& event, void* user) noexcept;

  /// \param call  not null
  /// \param user  handed to each call
  explicit trace_callback(function call, void* user = nullptr) noexcept : call_{call}, user_{user} {
    ALLOT_EXPECTS(call != nullptr);
  }

  /// Calls the function.
  void record(const trace_event& event) noexcept { call_(event, user_); }

private:
  function call_;
  void* user_;
};

} // namespace allot::inline ALLOT_ABI
