#pragma once

#include <allot/adaptor/limit_ledger.hpp>
#include <allot/core/adaptor_interface.hpp>

#include <cstddef>
#include <memory_resource>

namespace allot::inline ALLOT_ABI {

/// A budget: passes each call on to its upstream, and refuses to let more than `limit()` bytes be live at once.
///
///     container -> limit_adaptor -> upstream         one request   -> tenant -> process -> heap
///                                                    another one   -> tenant ---^
///
/// Guarantees
/// - Counts requested bytes, from before upstream is asked until after it has its block back: never is more live upstream
///   than an admission found allowed. Zero bytes always fit, but are a block.
/// - On one level a request that fits is never refused because another was refused. Across levels, or over an upstream
///   that can fail, what is charged for a request counts until that request has failed.
/// - A refusal is `budget_exceeded`, its record names this level, and no level stays charged.
/// - The limit may be changed at any time, also to less than what is live: nothing is freed, and nothing more is admitted
///   until enough was given back.
///
/// Costs: a compare-exchange for an allocation and a locked subtraction for a deallocation; three locked instructions and
/// two, where there is a limit of blocks. No memory beside the object.
/// Threads: any thread and interrupt handlers, lock-free, as far as upstream allows it; with a limit of blocks any thread,
/// by a spin lock around the few instructions of an admission, and no interrupt handler. Threads of several real-time
/// priorities (SCHED_FIFO, tasks of an RTOS) on one core must not share a limit of blocks: a waiting one could keep the
/// one that it waits for from running, for good.
///
/// \snippet tests/adaptor/limit_adaptor_test.cpp example
template <class Upstream = std::pmr::memory_resource>
class limit_adaptor final : public adaptor_interface<limit_adaptor<Upstream>, Upstream> {
  using base = adaptor_interface<limit_adaptor, Upstream>;

public:
  static constexpr const char* class_name = "limit_adaptor";

  /// \param upstream  outlives the adaptor
  /// \param bytes     most bytes live at once; zero refuses everything but zero bytes
  /// \param name      stands in the record of a refusal; static storage
  explicit limit_adaptor(Upstream& upstream, std::size_t bytes, const char* name = nullptr) noexcept
      : limit_adaptor{upstream, budget{.bytes = bytes}, name} {}

  /// The same with a limit of blocks. Where it names none, blocks are not counted, and no limit can be set for them later.
  explicit limit_adaptor(Upstream& upstream, const budget& limits, const char* name = nullptr) noexcept
      : base{upstream, name}, ledger_{limits} {}

  /// Bytes charged now: live, or asked of upstream in this moment.
  [[nodiscard]] std::size_t used() const noexcept { return ledger_.used(); }

  /// Most bytes live at once, or `unlimited`.
  [[nodiscard]] std::size_t limit() const noexcept { return ledger_.limit(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return ledger_.limit(); }

  /// Bytes that are left of the limit: 0 where as much or more is charged, `unlimited` where there is no limit.
  [[nodiscard]] std::size_t headroom() const noexcept { return ledger_.headroom(); }

  /// The most bytes that were charged when upstream delivered a block. Where several threads allocate, what others were
  /// asking for in that moment is in it. At rest never below `used()`.
  [[nodiscard]] std::size_t peak() const noexcept { return ledger_.peak(); }
  [[nodiscard]] std::size_t high_water() const noexcept { return ledger_.peak(); }

  /// Blocks charged now; 0 where they are not counted.
  [[nodiscard]] std::size_t used_blocks() const noexcept { return ledger_.used_blocks(); }

  /// Most blocks live at once, or `unlimited`.
  [[nodiscard]] std::size_t block_limit() const noexcept { return ledger_.block_limit(); }

  /// All figures now.
  [[nodiscard]] limit_snapshot snapshot() const noexcept { return ledger_.read(); }

  /// Sets the limit of bytes, or both: what a `budget` leaves out is unlimited from then on. May be called while others
  /// allocate: a call that has read the old limit is admitted by that one.
  /// \return whether what is charged now is within the new limits
  /// \pre blocks are counted, or `limits.blocks` is `unlimited`
  bool set_limit(std::size_t bytes) noexcept { return ledger_.set_limit(bytes); }
  bool set_limit(const budget& limits) noexcept { return ledger_.set_limit(limits); }

  /// Has `mark.callback` called by the admission that raises `used()` to `mark.upper` or above, before upstream is asked;
  /// once for each crossing, and not again until `used()` was below `mark.lower`. The callback may look at this level,
  /// and allocate and free wherever it likes.
  /// \pre `mark.lower <= mark.upper`; a callback; no other call of this level at the same time
  void set_soft_mark(const soft_mark& mark) noexcept { ledger_.set_soft_mark(mark); }

  /// Moves the mark, at any time, and keeps its callback. An admission in the middle of it may see one mark moved.
  /// \pre `lower <= upper`; a mark was set
  void move_soft_mark(std::size_t upper, std::size_t lower) noexcept { ledger_.move_soft_mark(upper, lower); }

private:
  friend base;
  friend resource_interface<limit_adaptor>;

  bool admit(std::size_t bytes, std::size_t) noexcept { return ledger_.admit(bytes); }
  void allocated(void*, std::size_t, std::size_t) noexcept { ledger_.delivered(); }
  void refused(std::size_t bytes, std::size_t) noexcept { ledger_.give_back(bytes); }
  void released(std::size_t bytes, std::size_t) noexcept { ledger_.give_back(bytes); }

  /// The figures are those of the moment after the refusal.
  [[nodiscard]] failure refusal(std::size_t bytes, std::size_t alignment) const noexcept {
    const limit_snapshot now = ledger_.read();
    return {.reason = failure_reason::budget_exceeded,
            .resource = class_name,
            .name = this->name(),
            .detail = now.used_blocks >= now.limit_blocks ? "as many blocks are live as may be" : nullptr,
            .bytes = bytes,
            .alignment = alignment,
            .used = now.used_bytes,
            .capacity = now.limit_bytes};
  }

  limit_ledger ledger_;
};

} // namespace allot::inline ALLOT_ABI
