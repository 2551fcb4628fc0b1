#pragma once

#include <allot/adaptor/counting_region.hpp>
#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/adaptor/plain_counters.hpp>
#include <allot/adaptor/shared_counters.hpp>
#include <allot/adaptor/size_histogram.hpp>
#include <allot/core/adaptor_interface.hpp>
#include <allot/core/expects.hpp>

#include <concepts>
#include <cstddef>
#include <memory_resource>

namespace allot::inline ALLOT_ABI {

/// What keeps the books of a `counting_adaptor`: `plain_counters`, `shared_counters`, `striped_counters` (a header of its
/// own), or `with_histogram` of one of them.
template <class Counters>
concept counting_policy = requires(typename Counters::ledger& ledger, const typename Counters::ledger& read_only,
                                   std::size_t bytes, const counting_peaks& peaks) {
  requires noexcept(ledger.allocated(bytes), ledger.deallocating(bytes), ledger.failed());
  requires noexcept(ledger.raise_peaks(peaks), ledger.reset_peaks());
  requires std::same_as<decltype(ledger.restart_peaks()), counting_peaks>;
  requires noexcept(ledger.restart_peaks());

  requires std::same_as<decltype(read_only.live_bytes()), std::size_t>;
  requires std::same_as<decltype(read_only.earlier_peaks()), counting_peaks>;
  requires std::same_as<decltype(read_only.read()), counting_snapshot>;
  requires noexcept(read_only.live_bytes(), read_only.earlier_peaks(), read_only.read());
};

/// A policy that also counts the sizes of blocks: `with_histogram`.
template <class Counters>
concept keeps_histogram = requires(const typename Counters::ledger& ledger) {
  requires std::same_as<decltype(ledger.histogram()), size_histogram>;
};

/// Passes each call on to its upstream and counts it: what is live, the most that ever was, totals, failures.
///
///     container -> counting_adaptor -> upstream
///
/// Guarantees
/// - Counts requested bytes: padding and headers that upstream adds are not in the figures.
/// - A failed allocation changes `failures` and nothing else; any exception of upstream goes on to the caller.
/// - Adds nothing to the block: the pointer is upstream's own.
/// - Counts a block after upstream gave it and before upstream takes it back, so that no address is live twice.
///
/// Costs: with `plain_counters` 30 instructions for an allocation and its deallocation, on top of those of an adaptor that
/// does nothing; docs/performance.md has the times. No memory beside the object.
/// Threads: as the policy says: one thread at a time, or any thread as far as upstream allows it. Regions and
/// `reset_peaks` are for one thread at a time with either.
///
/// \snippet tests/adaptor/counting_adaptor_test.cpp example
template <class Upstream = std::pmr::memory_resource, counting_policy Counters = plain_counters_t>
class counting_adaptor final : public adaptor_interface<counting_adaptor<Upstream, Counters>, Upstream> {
  using base = adaptor_interface<counting_adaptor, Upstream>;

public:
  static constexpr const char* class_name = "counting_adaptor";

  /// \param upstream  outlives the adaptor
  /// \param name      for reports; static storage
  explicit counting_adaptor(Upstream& upstream, const char* name = nullptr) noexcept : base{upstream, name} {}

  /// The same, with the policy named by a value: `counting_adaptor counted{arena, shared_counters, "rx"};`
  counting_adaptor(Upstream& upstream, Counters, const char* name = nullptr) noexcept : base{upstream, name} {}

  ~counting_adaptor() override { ALLOT_EXPECTS(innermost_ == nullptr); }

  /// All figures now. Open regions change nothing in it: its peaks are those since construction or `reset_peaks`.
  [[nodiscard]] counting_snapshot snapshot() const noexcept {
    counting_snapshot now = ledger_.read();
    now.raise_peaks(ledger_.earlier_peaks()); // after `read`: what another thread restarts is in one of the two
    return now;
  }

  /// Bytes live now.
  [[nodiscard]] std::size_t used() const noexcept { return ledger_.live_bytes(); }

  /// The most bytes that were ever live at once, since construction or `reset_peaks`.
  [[nodiscard]] std::size_t high_water() const noexcept { return snapshot().peak_bytes; }

  /// Blocks given out, by size. The policy is `with_histogram`.
  [[nodiscard]] size_histogram histogram() const noexcept requires keeps_histogram<Counters> {
    return ledger_.histogram();
  }

  /// Starts the peaks and the largest block anew: the peaks from what is live now, the largest block from zero.
  /// \pre no `counting_region` of this adaptor is open
  void reset_peaks() noexcept {
    ALLOT_EXPECTS(innermost_ == nullptr);
    ledger_.reset_peaks();
  }

private:
  friend base;
  friend resource_interface<counting_adaptor>;
  friend counting_region<counting_adaptor>;

  void allocated(void*, std::size_t bytes, std::size_t) noexcept { ledger_.allocated(bytes); }
  void refused(std::size_t, std::size_t) noexcept { ledger_.failed(); }
  void releasing(void*, std::size_t bytes, std::size_t) noexcept { ledger_.deallocating(bytes); }

  counting_region<counting_adaptor>* innermost_ = nullptr; // the region opened last and not yet closed
  typename Counters::ledger ledger_;
};

/// A counter over a counter counts the counter: without these guides it would be a copy. They are constrained like the
/// class, since the more constrained candidate wins before a guide does.
template <class Upstream, counting_policy Counters>
counting_adaptor(counting_adaptor<Upstream, Counters>&) -> counting_adaptor<counting_adaptor<Upstream, Counters>>;
template <class Upstream, counting_policy Counters>
counting_adaptor(counting_adaptor<Upstream, Counters>&, const char*)
    -> counting_adaptor<counting_adaptor<Upstream, Counters>>;

} // namespace allot::inline ALLOT_ABI
