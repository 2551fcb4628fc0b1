#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail {

/// Knows which mark of an arena is the latest that is not void. Marks are numbered, and no number is given twice: one that
/// `clear` made void does not pass for one that was made after it.
class mark_order {
public:
  /// What a mark keeps.
  struct number {
    std::size_t own;
    std::size_t before; // of the mark that was the latest then, or 0
  };

  [[nodiscard]] number add() noexcept {
    const number made{++last_, latest_};
    latest_ = made.own;
    return made;
  }

  /// \pre `is_latest(n)`
  void remove(const number& n) noexcept { latest_ = n.before; }

  /// Makes every mark void.
  void clear() noexcept { latest_ = 0; }

  [[nodiscard]] bool is_latest(const number& n) const noexcept { return n.own == latest_; }

private:
  std::size_t latest_ = 0; // 0: none
  std::size_t last_ = 0;   // the greatest number given so far
};

} // namespace allot::inline ALLOT_ABI::detail
