#pragma once

#include <allot/core/atomic.hpp>
#include <allot/core/claim_flag.hpp>
#include <allot/core/expects.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>

namespace allot::inline ALLOT_ABI {

/// No limit. So is every limit of bytes from `SIZE_MAX / 2` up. That much is charged at the most: on a machine of 32 bits
/// a program that may have 2 GiB or more live in one level needs another class.
inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// How much may be live at once: `allot::limit_adaptor capped{up, allot::budget{.bytes = 16_KiB, .blocks = 100}};`
struct budget {
  std::size_t bytes = unlimited;  ///< in sum, as they were asked for
  std::size_t blocks = unlimited; ///< zero bytes are a block too
};

/// The figures of a `limit_adaptor`, each as it was at a moment during the call that read them.
struct limit_snapshot {
  std::size_t used_bytes = 0;           ///< charged now: live, or asked of upstream in this moment
  std::size_t limit_bytes = unlimited;  ///< the limit that was in force
  std::size_t peak_bytes = 0;           ///< the most that was charged when upstream delivered a block
  std::size_t used_blocks = 0;          ///< 0 where blocks are not counted, as is the peak
  std::size_t limit_blocks = unlimited; ///< the limit that was in force
  std::size_t peak_blocks = 0;          ///< the most that were charged when upstream delivered a block
  std::size_t refusals = 0;             ///< requests that this level refused, not those that upstream failed

  friend bool operator==(const limit_snapshot&, const limit_snapshot&) noexcept = default;
};

/// Called with the bytes that were charged by the admission that reached a soft mark.
using soft_mark_callback = void (*)(std::size_t used, void* user) noexcept;

/// Where a budget speaks up before it refuses: at `upper` bytes, and then not again until fewer than `lower` were charged.
struct soft_mark {
  std::size_t upper = unlimited;         ///< bytes charged at which `callback` is called
  std::size_t lower = 0;                 ///< not above `upper`
  soft_mark_callback callback = nullptr; ///< never null once the mark is set
  void* user = nullptr;                  ///< goes to `callback`
};

/// The books of a `limit_adaptor`.
///
/// Guarantees
/// - No `admit` raises what is charged past the limit that it read. It says no only where what was charged at one moment
///   of the call left no room: it charges nothing that it might have to take back, so no refusal causes another.
/// - One admission is told for each crossing of the soft mark: that the mark was reached is a bit of the word that counts
///   the bytes. It is taken out by the next admission that finds fewer than `lower` bytes; only admissions raise the
///   count, so none overlooks that it had fallen.
///
/// With a limit of blocks two words must change as one. No core has a compare-and-swap for that in portable C++, and to
/// charge one word and take it back when the other refuses would have others refused meanwhile. So admissions then go by
/// turns; deallocations do not: they can only make room.
///
/// Costs: a load and a compare-exchange to admit, one locked subtraction to give back; where blocks are counted an exchange
/// and an add more to admit, and a subtraction more to give back. 12 words.
/// Threads: any thread and interrupt handlers, lock-free. Where blocks are counted any thread, no interrupt handler: a turn
/// is taken by a spin lock, held for two dozen instructions. Who waits for it yields, which lets no thread of a lower
/// real-time priority run: threads of several such priorities must not count blocks on one core.
class limit_ledger {
public:
  /// Counts blocks where `limits` has a limit of them, and only there.
  explicit constexpr limit_ledger(const budget& limits) noexcept
      : limit_{capped(limits.bytes)}, block_limit_{limits.blocks}, counts_blocks_{limits.blocks != unlimited} {}

  /// Charges a block, or says no and charges nothing. Calls the soft mark's callback where it is reached.
  [[nodiscard]] bool admit(std::size_t bytes) noexcept {
    const outcome charge = counts_blocks_ ? charge_block(bytes) : charge_bytes(bytes);
    if (!charge.fits) [[unlikely]] {
      refusals_.fetch_add(1, relaxed);
      return false;
    }
    if (charge.reaches_mark) [[unlikely]]
      callback_(charge.used, user_);
    return true;
  }

  /// Upstream delivered what was admitted: from now on it may be a peak.
  void delivered() noexcept {
    raise(peak_, used());
    if (counts_blocks_) raise(peak_blocks_, used_blocks());
  }

  /// Takes a charge off. \pre a block of `bytes` bytes was admitted
  void give_back(std::size_t bytes) noexcept {
    [[maybe_unused]] const std::size_t before = word_.fetch_sub(bytes << 1, std::memory_order_release) >> 1;
    ALLOT_EXPECTS(bytes <= before);
    if (counts_blocks_) give_back_block();
  }

  /// The figures as `limit_adaptor` tells them.
  [[nodiscard]] std::size_t used() const noexcept { return word_.load(relaxed) >> 1; }
  [[nodiscard]] std::size_t peak() const noexcept { return peak_.load(relaxed); }
  [[nodiscard]] std::size_t used_blocks() const noexcept { return blocks_.load(relaxed); }
  [[nodiscard]] std::size_t block_limit() const noexcept { return block_limit_.load(relaxed); }

  /// Most bytes charged at once, or `unlimited`.
  [[nodiscard]] std::size_t limit() const noexcept {
    const std::size_t bytes = limit_.load(relaxed);
    return bytes == most_bytes ? unlimited : bytes;
  }

  /// Bytes that may still be charged; `unlimited` where there is no limit.
  [[nodiscard]] std::size_t headroom() const noexcept;

  [[nodiscard]] limit_snapshot read() const noexcept;

  /// \return whether what is charged now is within both. \pre blocks are counted, or `limits.blocks` is `unlimited`
  bool set_limit(const budget& limits) noexcept;
  /// The same for bytes alone.
  bool set_limit(std::size_t bytes) noexcept;

  /// \pre `mark.lower <= mark.upper`, a callback, and no other call at the same time
  void set_soft_mark(const soft_mark& mark) noexcept;
  /// \pre `lower <= upper`
  void move_soft_mark(std::size_t upper, std::size_t lower) noexcept;

private:
  using counter = detail::atomic<std::size_t>;
  static constexpr auto relaxed = std::memory_order_relaxed;
  static constexpr std::size_t most_bytes = unlimited >> 1; // one bit of the word is the mark's
  static constexpr std::size_t told = 1;

  struct outcome {
    bool fits = false;
    bool reaches_mark = false;
    std::size_t used = 0;
  };

  static constexpr std::size_t capped(std::size_t bytes) noexcept { return std::min(bytes, most_bytes); }

  /// Zero bytes always fit. The limit may be below what is charged already.
  static constexpr bool fits(std::size_t bytes, std::size_t used, std::size_t limit) noexcept {
    return bytes == 0 || (used <= limit && bytes <= limit - used);
  }

  /// Acquires what `give_back` releases: upstream has the block back before the room is given to someone else.
  outcome charge_bytes(std::size_t bytes) noexcept {
    std::size_t seen = word_.load(relaxed);
    std::size_t next = 0;
    bool reaches_mark = false;
    do {
      const std::size_t used = seen >> 1;
      if (!fits(bytes, used, limit_.load(relaxed))) return {};
      const bool above = used + bytes >= upper_.load(relaxed);
      const bool was_told = (seen & told) != 0 && used >= lower_.load(relaxed);
      reaches_mark = above && !was_told;
      next = ((used + bytes) << 1) | (above || was_told ? told : 0);
    } while (!word_.compare_exchange_weak(seen, next, std::memory_order_acquire, relaxed));
    return {.fits = true, .reaches_mark = reaches_mark, .used = next >> 1};
  }

  outcome charge_block(std::size_t bytes) noexcept;
  void give_back_block() noexcept;

  static void raise(counter& peak, std::size_t to) noexcept {
    std::size_t seen = peak.load(relaxed);
    while (seen < to && !peak.compare_exchange_weak(seen, to, relaxed)) {
    }
  }

  counter word_{0}; // twice the bytes that are charged, and `told` where the mark was reached
  counter limit_;   // not above most_bytes; may be below what is charged
  counter upper_{unlimited};
  counter lower_{0};
  counter peak_{0};
  counter blocks_{0}; // raised only by who has the turn
  counter block_limit_;
  counter peak_blocks_{0};
  counter refusals_{0};
  soft_mark_callback callback_ = nullptr; // never null where upper_ can be reached
  void* user_ = nullptr;
  claim_flag turn_;
  const bool counts_blocks_;
};

} // namespace allot::inline ALLOT_ABI
