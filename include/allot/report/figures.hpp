#pragma once

#include <allot/core/config.hpp>
#include <allot/core/expects.hpp>

#include <array>
#include <cstddef>
#include <limits>
#include <span>

namespace allot::inline ALLOT_ABI::report {

/// What a layer can have a figure of. The order is that of every report.
enum class figure : unsigned char {
  used_bytes,          ///< in use now
  peak_bytes,          ///< the most that were in use at once
  limit_bytes,         ///< the most that may be in use at once
  headroom_bytes,      ///< what is left below the limit
  capacity_bytes,      ///< the most that could be in use
  reserved_bytes,      ///< taken from upstream or from the system
  used_blocks,         ///< in use now
  peak_blocks,         ///< the most that were in use at once
  limit_blocks,        ///< the most that may be in use at once
  largest_block_bytes, ///< of the largest block ever given out
  allocated_bytes,     ///< of all blocks ever given out
  allocations,         ///< blocks given out
  deallocations,       ///< blocks that came back
  failures,            ///< requests that upstream could not serve
  refusals,            ///< requests that the layer itself refused
};

/// How many figures there are.
inline constexpr std::size_t figure_count = 15;

/// The value of a limit that is none, and of the headroom below it. Text says "unlimited", JSON `null`, metrics `+Inf`.
inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

/// The figures of one layer at one moment: each is a number, or not known.
class figures {
public:
  /// Makes it known.
  constexpr void set(figure which, std::size_t value) noexcept {
    values_[index(which)] = value;
    known_[index(which)] = true;
  }

  /// Makes it unknown.
  constexpr void forget(figure which) noexcept {
    values_[index(which)] = 0;
    known_[index(which)] = false;
  }

  /// Whether it is known.
  [[nodiscard]] constexpr bool has(figure which) const noexcept { return known_[index(which)]; }

  /// \pre `has(which)`
  [[nodiscard]] constexpr std::size_t operator[](figure which) const noexcept {
    ALLOT_EXPECTS(has(which));
    return values_[index(which)];
  }

  /// True where `which` is a limit or what is left below one, and there is none. \pre `has(which)`
  [[nodiscard]] constexpr bool is_unlimited(figure which) const noexcept {
    const bool is_bound =
        which == figure::limit_bytes || which == figure::headroom_bytes || which == figure::limit_blocks;
    return is_bound && (*this)[which] == no_limit;
  }

  friend bool operator==(const figures&, const figures&) noexcept = default;

private:
  static constexpr std::size_t index(figure which) noexcept { return static_cast<std::size_t>(which); }

  std::array<std::size_t, figure_count> values_{}; // 0 where not known
  std::array<bool, figure_count> known_{};
};

/// How a figure is called in the reports.
struct figure_words {
  figure which;     ///< the one that it is about
  const char* key;  ///< in JSON; also the end of the metric's name: "allot_" or "allot_tag_" comes before it
  const char* text; ///< for people
  const char* unit; ///< of the metric, or empty; "bytes" are also shown as KiB and so on
  bool only_rises;  ///< the metric is a counter, otherwise a gauge
  const char* help; ///< one sentence

  /// True where the figure is of bytes.
  [[nodiscard]] constexpr bool is_size() const noexcept { return *unit == 'b' && unit[1] == 'y'; }
};

/// One for each figure, in the order of the enumeration.
[[nodiscard]] std::span<const figure_words, figure_count> all_figures() noexcept;

} // namespace allot::inline ALLOT_ABI::report
