#pragma once

#include <allot/core/config.hpp>
#include <allot/report/result.hpp>
#include <allot/report/source.hpp>

#include <span>

namespace allot::inline ALLOT_ABI::report {

/// Writes a report for people: for each layer its class and name, below it one figure in a line, exact and in KiB, MiB and
/// so on. What is below a layer is indented; the branches of a router bear their role or number.
///
/// Guarantees
/// - Whole lines only, in any buffer: see `result`. Nothing allocates, nothing depends on the locale.
/// - A name cannot break a line or command a terminal: see `put_quoted`.
///
/// Costs: the walk, and the characters.
/// Threads: reads each layer as its class allows it.
///
/// \snippet tests/report/text_test.cpp example
result text(std::span<const source> sources, std::span<char> out) noexcept;

/// The same for one.
inline result text(const source& one, std::span<char> out) noexcept { return text({&one, 1}, out); }

/// The same for a resource, a chain, a snapshot or a tag table.
template <reportable T>
result text(const T& what, std::span<char> out) noexcept {
  return text(source{what}, out);
}

} // namespace allot::inline ALLOT_ABI::report
