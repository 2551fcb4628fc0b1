#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail {

/// Knows which mark of an arena is the latest that is not void, and which of the others may be rewound to. Marks are
/// numbered, and no number is given twice: one that `clear` made void does not pass for one that was made after it.
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

  /// Makes `n` and every mark after it void. \pre `admits(n)`
  void remove(const number& n) noexcept {
    latest_ = n.before;
    if (latest_ == 0) clear();
  }

  /// Makes every mark void.
  void clear() noexcept {
    latest_ = 0;
    void_up_to_ = last_;
  }

  [[nodiscard]] bool is_latest(const number& n) const noexcept { return n.own == latest_; }

  /// False for every mark that is void by `clear` or lies behind the latest. One that was removed, while another before it
  /// stayed, and after which a new one was made, is not told from one that is in force: that would take a list.
  [[nodiscard]] bool admits(const number& n) const noexcept { return n.own > void_up_to_ && n.own <= latest_; }

private:
  std::size_t latest_ = 0;     // 0: none
  std::size_t last_ = 0;       // the greatest number given so far
  std::size_t void_up_to_ = 0; // no mark with this number or a lesser one is in force
};

} // namespace allot::inline ALLOT_ABI::detail
