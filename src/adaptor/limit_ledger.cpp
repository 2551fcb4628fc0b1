#include <allot/adaptor/limit_ledger.hpp>

#include <allot/core/once.hpp>

namespace allot::inline ALLOT_ABI {

std::size_t limit_ledger::headroom() const noexcept {
  const std::size_t most = limit();
  if (most == unlimited) return unlimited;
  const std::size_t now = used();
  return now < most ? most - now : 0;
}

limit_snapshot limit_ledger::read() const noexcept {
  return {.used_bytes = used(),
          .limit_bytes = limit(),
          .peak_bytes = peak(),
          .used_blocks = used_blocks(),
          .limit_blocks = block_limit(),
          .peak_blocks = peak_blocks_.load(relaxed),
          .refusals = refusals_.load(relaxed)};
}

bool limit_ledger::set_limit(const budget& limits) noexcept {
  ALLOT_EXPECTS(counts_blocks_ || limits.blocks == unlimited);
  block_limit_.store(limits.blocks, relaxed);
  const bool bytes_fit = set_limit(limits.bytes);
  return bytes_fit && used_blocks() <= limits.blocks;
}

bool limit_ledger::set_limit(std::size_t bytes) noexcept {
  limit_.store(capped(bytes), relaxed);
  return used() <= bytes;
}

void limit_ledger::set_soft_mark(const soft_mark& mark) noexcept {
  ALLOT_EXPECTS(mark.callback != nullptr);
  callback_ = mark.callback;
  user_ = mark.user;
  move_soft_mark(mark.upper, mark.lower);
}

void limit_ledger::move_soft_mark(std::size_t upper, std::size_t lower) noexcept {
  ALLOT_EXPECTS(lower <= upper && callback_ != nullptr);
  lower_.store(lower, relaxed);
  upper_.store(upper, relaxed);
}

limit_ledger::outcome limit_ledger::charge_block(std::size_t bytes) noexcept {
  for (unsigned turn = 0; !turn_.claim(); ++turn)
    pause_then_yield::relax(turn);
  outcome charge;
  if (blocks_.load(std::memory_order_acquire) < block_limit_.load(relaxed)) charge = charge_bytes(bytes);
  if (charge.fits) blocks_.fetch_add(1, relaxed);
  turn_.give_up();
  return charge;
}

void limit_ledger::give_back_block() noexcept {
  [[maybe_unused]] const std::size_t before = blocks_.fetch_sub(1, std::memory_order_release);
  ALLOT_EXPECTS(before > 0);
}

} // namespace allot::inline ALLOT_ABI
