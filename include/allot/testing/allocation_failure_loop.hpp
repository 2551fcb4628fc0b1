#pragma once

#include <allot/detail/line_pattern.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <concepts>
#include <cstddef>
#include <new>
#include <type_traits>

namespace allot::inline ALLOT_ABI {

/// How `allocation_failure_loop` judges; what is not named keeps its default.
struct failure_loop_options {
  std::size_t most_runs = 1000;  ///< more runs than that are a problem
  bool accept_swallowed = false; ///< a run may end well although an allocation of its failed
  bool accept_leaks = false;     ///< a run may leave blocks live, as a long-lived object that grows does
  bool (*invariant)(void* user) noexcept = nullptr; ///< must be true after each run in which an allocation failed
  void* user = nullptr;                             ///< goes to `invariant`
};

/// What `allocation_failure_loop` saw.
struct failure_loop_result {
  std::size_t runs = 0;              ///< the last one, without a failure, included
  std::size_t failures_injected = 0; ///< one a run, but for the last one
  std::size_t swallowed = 0;         ///< runs that ended well in spite of their failure
  std::size_t leaked_blocks = 0;     ///< live after runs that began without them
  std::size_t problems = 0;          ///< breaches of what was to be shown
  char first_problem[256] = {};      ///< one line; empty where there is none

  /// True where every run kept what it should.
  [[nodiscard]] bool ok() const noexcept { return problems == 0; }
};

namespace detail {

/// Counts a problem and keeps its text if it is the first.
template <class... Values>
void note_problem(failure_loop_result& result, std::type_identity_t<line_pattern<sizeof...(Values)>> pattern,
                  const Values&... values) noexcept {
  if (++result.problems == 1) write_line(result.first_problem, pattern, values...);
}

/// Notes that `memory` (if any) has found a fault since it had `known` of them. Run 0: before the first one.
void note_faults(failure_loop_result& result, checking_resource* memory, std::size_t known) noexcept;

/// A value that says by `false` that its function failed: a bool, a pointer, an optional or a smart pointer. A number
/// is none (0 may be a right answer), nor is an error code, which is false where all went well.
template <class T>
concept tells_success = std::same_as<T, bool> || std::is_pointer_v<T> ||
    (std::is_class_v<T>&& std::constructible_from<bool, T>&& requires(T& t) { *t; });

/// Calls `f`; true where it ended well: it threw no std::bad_alloc, and did not say by its value that it failed.
template <class F>
bool ends_well(F& f) {
  using result = std::remove_cvref_t<std::invoke_result_t<F&>>;
#if ALLOT_EXCEPTIONS
  try {
#endif
    if constexpr (tells_success<result>) {
      return static_cast<bool>(f());
    } else {
      static_cast<void>(f());
      return true;
    }
#if ALLOT_EXCEPTIONS
  } catch (const std::bad_alloc&) {
    return false;
  }
#endif
}

template <class Upstream>
class failure_loop {
public:
  failure_loop(failing_adaptor<Upstream>& failing, checking_resource* memory,
               const failure_loop_options& options) noexcept
      : failing_{failing}, memory_{memory}, options_{options} {}
  failure_loop(const failure_loop&) = delete;
  failure_loop& operator=(const failure_loop&) = delete;
  ~failure_loop() { failing_.disarm(); } // also when f throws something else

  template <class F>
  failure_loop_result run(F& f) {
    note_new_faults(faults()); // what was overwritten before is not the first run's doing
    for (std::size_t k = 0; k < options_.most_runs; ++k) {
      if (is_last(f, k + 1)) return result_;
    }
    note_problem(result_, "an allocation still failed in run {}, the last one allowed", options_.most_runs);
    return result_;
  }

private:
  /// What was seen before a run.
  struct before {
    std::size_t calls;
    std::size_t injected;
    std::size_t blocks;
    std::size_t faults;
  };

  /// Runs f with allocation `k` failing. \return true where it had no `k`-th allocation
  template <class F>
  bool is_last(F& f, std::size_t k) {
    const before start{failing_.calls(), failing_.failures_injected(), live_blocks(), faults()};
    failing_.fail_at(k);
    const bool well = ends_well(f);
    failing_.disarm();
    ++result_.runs;
    const std::size_t injected = failing_.failures_injected() - start.injected;
    result_.failures_injected += injected;

    note_new_faults(start.faults);
    note_leaks(start.blocks, injected != 0);
    if (injected == 0 && !well) note_problem(result_, "run {} failed although no allocation did", k);
    if (injected != 0) check_failed_run(k, well);
    return failing_.calls() - start.calls < k;
  }

  void check_failed_run(std::size_t k, bool well) noexcept {
    if (well) {
      ++result_.swallowed;
      if (!options_.accept_swallowed)
        note_problem(result_, "run {} ended well although its allocation {} failed", k, k);
    }
    if (options_.invariant != nullptr && !options_.invariant(options_.user)) {
      note_problem(result_, "the invariant did not hold after allocation {} of run {} failed", k, k);
    }
  }

  void note_leaks(std::size_t blocks_before, bool had_failure) noexcept {
    const std::size_t blocks = live_blocks();
    if (blocks <= blocks_before || options_.accept_leaks) return;
    result_.leaked_blocks += blocks - blocks_before;
    if (had_failure) {
      note_problem(result_, "run {} left {} blocks live when its allocation {} failed", result_.runs,
                   blocks - blocks_before, result_.runs);
    } else {
      note_problem(result_, "run {} left {} blocks live, and no allocation of it failed", result_.runs,
                   blocks - blocks_before);
    }
  }

  void note_new_faults(std::size_t known) noexcept { note_faults(result_, memory_, known); }

  [[nodiscard]] std::size_t faults() const noexcept { return memory_ == nullptr ? 0 : memory_->errors(); }

  /// By the books that know a double free from a free, where there are such.
  [[nodiscard]] std::size_t live_blocks() const noexcept {
    return memory_ == nullptr ? failing_.live_blocks() : memory_->live_blocks();
  }

  failing_adaptor<Upstream>& failing_;
  checking_resource* memory_;
  failure_loop_options options_;
  failure_loop_result result_;
};

} // namespace detail

/// Runs `f` with its first allocation failing, then with its second, and so on, until a run has no failure left to meet.
///
///     allot::probe_upstream up;
///     const auto result = allot::allocation_failure_loop(up, [&] { std::pmr::vector<int>{{1, 2, 3}, &up}; });
///     CHECK_MESSAGE(result.ok(), result.first_problem);
///
/// `f` must do the same in each run, and take all its memory from `up`. It fails by `std::bad_alloc`, or by what it
/// returns, where that is a bool, a pointer, an optional or the like, and false: code that uses `try_allocate` is
/// tested in the same way. Any other value that it returns is ignored.
///
/// Guarantees
/// - After each run, the last one included: no block more is live than before it, and upstream saw no fault. After each
///   run in which an allocation failed, the invariant holds.
/// - A run that swallows its failure is a problem, unless that is accepted.
/// - On the way out, also by an exception that is no `std::bad_alloc`, no failure is armed. Of the rules of the
///   `failing_adaptor` only `fail_at` is touched: others that were set before stay, and fail what they fail.
///
/// Costs: one run more than `f` has allocations; allocates nothing.
/// Threads: one thread at a time.
///
/// \snippet tests/testing/allocation_failure_loop_test.cpp example
template <class F>
[[nodiscard]] failure_loop_result allocation_failure_loop(probe_upstream& up, F f,
                                                          const failure_loop_options& options = {}) {
  return detail::failure_loop{up.failing(), &up.memory(), options}.run(f);
}

/// The same over any upstream: what upstream itself would find is not looked at.
template <class Upstream, class F>
[[nodiscard]] failure_loop_result allocation_failure_loop(failing_adaptor<Upstream>& failing, F f,
                                                          const failure_loop_options& options = {}) {
  return detail::failure_loop{failing, nullptr, options}.run(f);
}

} // namespace allot::inline ALLOT_ABI
