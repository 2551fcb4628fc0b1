#pragma once

#include <allot/core/config.hpp>
#include <allot/report/result.hpp>
#include <allot/report/source.hpp>

#include <span>

namespace allot::inline ALLOT_ABI::report {

/// Writes a report as JSON: an array with one object for each source. docs/metrics.md has the keys.
///
///     {"class": "limit_adaptor", "name": "process", "used_bytes": 96, "limit_bytes": 1048576, "upstream":
///       {"class": "bump_resource", "name": null, "used_bytes": 96, "capacity_bytes": 4096}}
///
/// Guarantees
/// - Each layer and each tag is one line; whole lines only, in any buffer. A truncated report is no complete JSON: take
///   it for nothing, and come again with a buffer of `needed` characters.
/// - Valid UTF-8 and valid JSON whatever the names are: see `put_quoted`. No name is `null`.
/// - Figures are integers and exact, also above 2^53, which JavaScript's numbers are not. A limit that is none is `null`.
/// - Nothing allocates.
///
/// Costs: the walk, and the characters.
/// Threads: reads each layer as its class allows it.
///
/// \snippet tests/report/json_test.cpp example
result json(std::span<const source> sources, std::span<char> out) noexcept;

/// The same for one source: its object, without an array around it.
result json(const source& one, std::span<char> out) noexcept;

/// The same for a resource, a chain, a snapshot or a tag table.
template <reportable T>
result json(const T& what, std::span<char> out) noexcept {
  return json(source{what}, out);
}

} // namespace allot::inline ALLOT_ABI::report
