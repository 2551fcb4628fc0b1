#pragma once

#include "words.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tour {

/// One way to give the containers their memory, and what it cost.
struct contender {
  const char* name;
  std::optional<double> seconds{};               ///< lower quartile of the passes; nothing where it ran out of memory
  std::optional<std::uint64_t> upstream_calls{}; ///< blocks or chunks taken from below
  std::optional<std::size_t> requested{};        ///< bytes asked for by the containers, all together
  std::optional<std::size_t> peak{};             ///< the most of them live at once
  std::optional<std::size_t> reserved{};         ///< bytes taken from below
};

/// The same count in new/delete, in std's monotonic resource and in allot's, the last two over the same `memory`.
/// Memory is measured in a pass of its own; then the three are timed in turn until each has had 200 ms.
[[nodiscard]] std::vector<contender> run_contest(const text_file& file, std::span<std::byte> memory);

} // namespace tour
