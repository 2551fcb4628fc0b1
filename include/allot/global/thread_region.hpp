#pragma once

#include <allot/adaptor/counting_region.hpp>
#include <allot/core/config.hpp>
#include <allot/global/books.hpp>
#include <allot/global/counter.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI::global {

/// Looks at what this thread allocates by `operator new`, from here to the end of the block. What is not seen:
/// allot/global/counter.hpp.
///
/// Figures are of one thread, since those of the process change with whatever runs beside: a test that holds them to a
/// number fails now and then. For the process: `snapshot() - before`, whose peak is an upper bound.
///
/// Guarantees
/// - Its peaks and its largest block are those since its start; regions around it see them too.
/// - A block that another thread frees stays in `live_bytes` here; one of another thread that is freed here is taken off.
///
/// Costs: for `so_far`, a walk over the regions inside it; nothing for an allocation.
/// Threads: opened, read and closed by one thread, the last opened first.
///
/// \snippet tests/global/thread_region_test.cpp example
class thread_region {
public:
  thread_region() noexcept;

  thread_region(const thread_region&) = delete;
  thread_region& operator=(const thread_region&) = delete;

  ~thread_region();

  /// What this thread did since the region was opened.
  [[nodiscard]] counting_difference so_far() const noexcept;

private:
  friend counting_difference thread_snapshot() noexcept;

  /// This thread's peaks since `region` was opened; since the thread started where it is null.
  static detail::thread_peaks peaks_inside(const thread_region* region) noexcept;

  thread_region* outer_;        // opened before this one and still open; null for the outermost
  detail::thread_peaks before_; // the peaks between the opening of `outer_` and that of this region
  counting_difference start_;   // the thread's figures when the region was opened
};

/// Calls `f` in a region of its own, in this thread. What threads do that `f` starts is not in the figures, except for
/// what it allocates to start them. A result that still holds memory is in `cost.live_bytes`.
/// \return what it cost; with f's result, where there is one, as `measured`: `auto [words, cost] = global::measure(parse);`
/// \throws what `f` throws: the figures are lost with it
template <class F>
auto measure(F&& f) {
  using result = std::invoke_result_t<F>;
  const thread_region region;
  if constexpr (std::is_void_v<result>) {
    std::invoke(std::forward<F>(f));
    return region.so_far();
  } else {
    return measured<result>{.result = std::invoke(std::forward<F>(f)), .cost = region.so_far()};
  }
}

} // namespace allot::inline ALLOT_ABI::global
