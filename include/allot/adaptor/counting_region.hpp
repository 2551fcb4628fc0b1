#pragma once

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/core/expects.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI {

/// Looks at a `counting_adaptor` from here to the end of the block: `allot::counting_region here{counted};`
///
///     outer:  |---------------------------|   peak of the outer region: that of the inner one too, where it was higher
///     inner:          |---------|             peak of the inner region: only what came after its start
///
/// Guarantees
/// - Its peaks and its largest block are exact: those since its start, whatever was higher before.
/// - The adaptor's own figures, and those of the regions around it, are as if it had not been there.
///
/// Costs: for a snapshot of the region, a walk over those inside it; nothing for an allocation.
/// Threads: regions of one adaptor are opened, read and closed by one thread at a time, the last opened first. Where the
/// policy allows other threads, they may allocate meanwhile, and are counted.
template <class Counting>
class counting_region {
public:
  /// \param counted  a `counting_adaptor`; outlives the region
  explicit counting_region(Counting& counted) noexcept
      : counted_{counted},
        outer_{counted.innermost_},
        before_{counted.ledger_.restart_peaks()},
        start_{counted.ledger_.read()} {
    counted_.innermost_ = this;
  }

  counting_region(const counting_region&) = delete;
  counting_region& operator=(const counting_region&) = delete;

  ~counting_region() {
    ALLOT_EXPECTS(counted_.innermost_ == this);
    counted_.ledger_.raise_peaks(before_);
    counted_.innermost_ = outer_;
  }

  /// The figures when the region was opened; its peaks are what was live then.
  [[nodiscard]] const counting_snapshot& start() const noexcept { return start_; }

  /// The figures now, with the peaks and the largest block since the region was opened.
  [[nodiscard]] counting_snapshot snapshot() const noexcept {
    counting_snapshot now = counted_.ledger_.read();
    for (const auto* r = counted_.innermost_; r != this; r = r->outer_)
      now.raise_peaks(r->before_);
    return now;
  }

  /// What happened since the region was opened.
  [[nodiscard]] counting_difference so_far() const noexcept { return snapshot() - start_; }

private:
  Counting& counted_;
  counting_region* outer_; // opened before this one and still open; null for the outermost
  counting_peaks before_;  // the peaks between the opening of `outer_` and that of this region
  counting_snapshot start_;
};

/// What `measure` gives for a function with a result: `auto [words, cost] = measure(counted, parse);`
template <class Result>
struct measured {
  Result result;            ///< what the function gave
  counting_difference cost; ///< what that took
};

/// Calls `f` in a region of its own. A result that still holds memory of `counted` is in `cost.live_bytes`.
/// \return what it cost; with f's result, where there is one, as `measured`
/// \throws what `f` throws: the figures are lost with it, and the adaptor is as it should be. To have them all the same,
///         open a `counting_region` outside of the `try`.
template <class Counting, class F>
auto measure(Counting& counted, F&& f) {
  using result = std::invoke_result_t<F>;
  const counting_region<Counting> region{counted};
  if constexpr (std::is_void_v<result>) {
    std::invoke(std::forward<F>(f));
    return region.so_far();
  } else {
    return measured<result>{.result = std::invoke(std::forward<F>(f)), .cost = region.so_far()};
  }
}

} // namespace allot::inline ALLOT_ABI
