#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// What was called.
enum class trace_operation : unsigned char {
  allocate,   ///< `allocate` or `try_allocate`
  deallocate, ///< `deallocate`
};

/// How it ended. A deallocation cannot fail.
enum class trace_outcome : unsigned char {
  ok,     ///< served
  failed, ///< an exception, or null
};

/// One call of a traced resource, as figures alone: it outlives the block and the resource.
struct trace_event {
  std::size_t time = 0;          ///< in the unit of the clock, by default nanoseconds; modulo the range of std::size_t
  std::size_t thread = 0;        ///< who called: see `trace_stamps`
  const void* pointer = nullptr; ///< the block; null where the allocation failed
  std::size_t bytes = 0;         ///< as the caller said it
  std::size_t alignment = 0;     ///< as the caller said it
  trace_operation operation = trace_operation::allocate; ///< what was called
  trace_outcome outcome = trace_outcome::ok;             ///< how it ended

  friend bool operator==(const trace_event&, const trace_event&) = default;
};

/// The name as it stands in the enumeration, which is how it stands in the lines of a trace.
[[nodiscard]] constexpr const char* to_string(trace_operation operation) noexcept {
  return operation == trace_operation::allocate ? "allocate" : "deallocate";
}
[[nodiscard]] constexpr const char* to_string(trace_outcome outcome) noexcept {
  return outcome == trace_outcome::ok ? "ok" : "failed";
}

} // namespace allot::inline ALLOT_ABI
