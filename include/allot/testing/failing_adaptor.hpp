#pragma once

#include <allot/core/adaptor_interface.hpp>
#include <allot/testing/split_mix.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>

namespace allot::inline ALLOT_ABI {

/// Says whether a request is to fail. Called for each one while it is set.
using failure_predicate = bool (*)(std::size_t bytes, std::size_t alignment, void* user) noexcept;

/// Passes each call on to its upstream, but fails those that it was told to fail.
///
///     code under test -> failing_adaptor -> upstream
///
/// Each rule (`fail_at`, `fail_every`, ...) is set on its own and replaces only itself; a request fails when one of them
/// says so. `heal()` takes all of them away. Calls of `allocate` and `try_allocate` count alike.
///
/// Guarantees
/// - An injected failure is an ordinary one: `out_of_memory`, null from `try_allocate`; upstream is not asked.
/// - `deallocate` never fails.
/// - The same rules and the same calls give the same failures, the random ones by their seed.
///
/// Costs: a few compares for each allocation, no memory.
/// Threads: one thread at a time.
///
/// \snippet tests/testing/failing_adaptor_test.cpp example
template <class Upstream = std::pmr::memory_resource>
class failing_adaptor final : public adaptor_interface<failing_adaptor<Upstream>, Upstream> {
  using base = adaptor_interface<failing_adaptor, Upstream>;

public:
  static constexpr const char* class_name = "failing_adaptor";

  /// \param name  stands in the record of a failure; static storage
  explicit failing_adaptor(Upstream& upstream, const char* name = nullptr) noexcept : base{upstream, name} {}

  /// Fails the `k`-th allocation from now, and that one only. \pre `k > 0`
  void fail_at(std::size_t k) noexcept {
    ALLOT_EXPECTS(k > 0);
    at_ = k;
  }

  /// Fails the `k`-th allocation from now and all after it. \pre `k > 0`
  void fail_from(std::size_t k) noexcept {
    ALLOT_EXPECTS(k > 0);
    from_ = k;
  }

  /// Fails every `k`-th allocation from now. \pre `k > 0`
  void fail_every(std::size_t k) noexcept {
    ALLOT_EXPECTS(k > 0);
    every_ = every_left_ = k;
  }

  /// Fails every allocation until `heal()`.
  void fail_all() noexcept { fail_from(1); }

  /// Fails allocations of more than `bytes` bytes.
  void fail_above(std::size_t bytes) noexcept { above_ = bytes; }

  /// Fails allocations after which more than `budget` bytes would be live through this adaptor.
  void fail_past(std::size_t budget) noexcept { budget_ = budget; }

  /// Fails what `predicate` says; null takes the rule away.
  void fail_if(failure_predicate predicate, void* user = nullptr) noexcept {
    predicate_ = predicate;
    user_ = user;
  }

  /// Fails each allocation with the given probability, by a generator of its own.
  /// \pre `probability` is in [0, 1]
  void fail_with_probability(double probability, std::uint64_t seed) noexcept {
    ALLOT_EXPECTS(probability >= 0 && probability <= 1);
    probability_ = probability;
    random_ = split_mix{seed};
  }

  /// Takes the rule of `fail_at` away, and no other.
  void disarm() noexcept { at_ = 0; }

  /// Takes every rule away. The counts stay.
  void heal() noexcept {
    at_ = from_ = every_ = every_left_ = 0;
    above_ = budget_ = unlimited;
    predicate_ = nullptr;
    user_ = nullptr;
    probability_ = 0;
  }

  /// Allocations asked for since construction, those that were made to fail included.
  [[nodiscard]] std::size_t calls() const noexcept { return calls_; }

  /// Allocations that were made to fail since construction.
  [[nodiscard]] std::size_t failures_injected() const noexcept { return injected_; }

  /// Bytes live through this adaptor.
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

  /// Blocks live through this adaptor.
  [[nodiscard]] std::size_t live_blocks() const noexcept { return live_blocks_; }

private:
  friend base;
  friend resource_interface<failing_adaptor>;

  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  bool admit(std::size_t bytes, std::size_t alignment) noexcept {
    ++calls_;
    if (is_to_fail(bytes, alignment)) {
      ++injected_;
      return false;
    }
    used_ += bytes;
    ++live_blocks_;
    return true;
  }

  void refused(std::size_t bytes, std::size_t) noexcept {
    used_ -= bytes;
    --live_blocks_;
  }

  /// A wrong deallocation is upstream's to find; the counts here only must not wrap by it.
  void released(std::size_t bytes, std::size_t) noexcept {
    used_ -= std::min(bytes, used_);
    live_blocks_ -= std::min<std::size_t>(live_blocks_, 1);
  }

  [[nodiscard]] failure refusal(std::size_t bytes, std::size_t alignment) const noexcept {
    return {.resource = class_name,
            .name = this->name(),
            .detail = "a failure injected by a test",
            .bytes = bytes,
            .alignment = alignment,
            .used = used_};
  }

  /// Every rule is asked, so that each one counts every call.
  [[nodiscard]] bool is_to_fail(std::size_t bytes, std::size_t alignment) noexcept {
    bool fails = at_ != 0 && --at_ == 0;
    if (from_ != 0 && (from_ == 1 || --from_ == 0)) {
      from_ = 1;
      fails = true;
    }
    if (every_ != 0 && --every_left_ == 0) {
      every_left_ = every_;
      fails = true;
    }
    if (probability_ > 0 && random_.unit() < probability_) fails = true;
    if (predicate_ != nullptr && predicate_(bytes, alignment, user_)) fails = true;
    // Past the budget: the second comparison cannot wrap, since the first one has ended it where it could.
    return fails || bytes > above_ || (budget_ != unlimited && (used_ > budget_ || bytes > budget_ - used_));
  }

  std::size_t calls_ = 0;
  std::size_t injected_ = 0;
  std::size_t used_ = 0;
  std::size_t live_blocks_ = 0;
  std::size_t at_ = 0;   // calls up to the one that fails; 0: no such rule
  std::size_t from_ = 0; // the same; stays 1 while all fail
  std::size_t every_ = 0;
  std::size_t every_left_ = 0;
  std::size_t above_ = unlimited;
  std::size_t budget_ = unlimited;
  failure_predicate predicate_ = nullptr;
  void* user_ = nullptr;
  double probability_ = 0;
  split_mix random_;
};

/// A failing adaptor over a failing adaptor is one over the other, and no copy.
template <class Upstream>
failing_adaptor(failing_adaptor<Upstream>&) -> failing_adaptor<failing_adaptor<Upstream>>;
template <class Upstream>
failing_adaptor(failing_adaptor<Upstream>&, const char*) -> failing_adaptor<failing_adaptor<Upstream>>;

} // namespace allot::inline ALLOT_ABI
