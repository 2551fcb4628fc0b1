#pragma once

#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <cstddef>
#include <new>
#include <type_traits>

namespace allot::inline ALLOT_ABI {

/// How `allocation_failure_loop` judges; what is not named keeps its default.
struct failure_loop_options {
  std::size_t most_runs = 1000;  ///< more runs than that are a problem
  bool accept_swallowed = false; ///< a run may end well although an allocation of its failed
  bool accept_leaks = false;     ///< a failed run may leave blocks live, as a long-lived object that grows does
  bool (*invariant)(void* user) noexcept = nullptr; ///< must be true after each failed run
  void* user = nullptr;                             ///< goes to `invariant`
};

/// What `allocation_failure_loop` saw.
struct failure_loop_result {
  std::size_t runs = 0; ///< the last one, without a failure, included
  std::size_t failures_injected = 0;
  std::size_t swallowed = 0;     ///< runs that ended well in spite of their failure
  std::size_t leaked_blocks = 0; ///< live after failed runs that began without them
  std::size_t problems = 0;
  char first_problem[256] = {}; ///< one line; empty where there is none

  [[nodiscard]] bool ok() const noexcept { return problems == 0; }
};

namespace detail {

/// Counts a problem and keeps its text if it is the first.
[[gnu::format(printf, 2, 3)]] void note_problem(failure_loop_result& result, const char* format, ...) noexcept;

/// Notes each fault that `memory` (if any) has found since it had `known` of them.
void note_faults(failure_loop_result& result, checking_resource* memory, std::size_t known) noexcept;

/// Calls `f`; true where it ended well: it returned (true, if it returns something), and threw no std::bad_alloc.
template <class F>
bool ends_well(F& f) {
#if ALLOT_EXCEPTIONS
  try {
#endif
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
      f();
      return true;
    } else {
      return static_cast<bool>(f());
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
  ~failure_loop() { failing_.heal(); } // also when f throws something else

  template <class F>
  failure_loop_result run(F& f) {
    for (std::size_t k = 1; k <= options_.most_runs; ++k) {
      if (is_last(f, k)) return result_;
    }
    note_problem(result_, "an allocation still failed in run %zu, the last one allowed", options_.most_runs);
    return result_;
  }

private:
  /// Runs f with allocation `k` failing. \return true where it had no `k`-th allocation, or it is of no use to go on
  template <class F>
  bool is_last(F& f, std::size_t k) {
    const std::size_t injected = failing_.failures_injected();
    const std::size_t blocks = failing_.live_blocks();
    const std::size_t faults = memory_ == nullptr ? 0 : memory_->errors();
    failing_.fail_at(k);
    const bool well = ends_well(f);
    failing_.heal();
    ++result_.runs;
    const bool had_failure = failing_.failures_injected() != injected;
    result_.failures_injected += failing_.failures_injected() - injected;
    note_faults(result_, memory_, faults);

    if (!had_failure) {
      if (!well) note_problem(result_, "run %zu failed although no allocation did", k);
      return true;
    }
    if (well) {
      note_swallowed(k);
    } else {
      check_after_failure(k, blocks);
    }
    return false;
  }

  void note_swallowed(std::size_t k) noexcept {
    ++result_.swallowed;
    if (!options_.accept_swallowed)
      note_problem(result_, "run %zu ended well although its allocation %zu failed", k, k);
  }

  void check_after_failure(std::size_t k, std::size_t blocks_before) noexcept {
    const std::size_t blocks = failing_.live_blocks();
    if (blocks > blocks_before && !options_.accept_leaks) {
      result_.leaked_blocks += blocks - blocks_before;
      note_problem(result_, "run %zu left %zu blocks live when its allocation %zu failed", k, blocks - blocks_before,
                   k);
    }
    if (options_.invariant != nullptr && !options_.invariant(options_.user)) {
      note_problem(result_, "the invariant did not hold after allocation %zu of run %zu failed", k, k);
    }
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
/// `f` must do the same in each run, and take all its memory from `up`. It fails by `std::bad_alloc`, or, where it
/// returns something, by a value that is false: code that uses `try_allocate` is tested in the same way.
///
/// Guarantees
/// - After each failed run: no block more is live than before it, upstream saw no fault, and the invariant holds.
/// - A run that swallows its failure is a problem, unless that is accepted.
/// - On the way out, also by an exception that is no `std::bad_alloc`, no failure is armed (`heal()`).
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
