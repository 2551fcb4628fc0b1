#include <allot/detail/thread_stripe.hpp>

#include <allot/detail/thread_end.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <limits>
#include <optional>

namespace allot::inline ALLOT_ABI::detail {

namespace {

using word = std::size_t;
constexpr std::size_t word_bits = std::numeric_limits<word>::digits;
static_assert(thread_stripe::count % word_bits == 0);

constinit std::array<std::atomic<word>, thread_stripe::count / word_bits> taken{}; // a bit for each number

/// The lowest number that is free. Acquire and release: with the end of the thread that had it before.
std::optional<std::size_t> take_lowest() noexcept {
  for (std::size_t i = 0; i < taken.size(); ++i) {
    word seen = taken[i].load(std::memory_order_relaxed);
    while (seen != std::numeric_limits<word>::max()) {
      const auto bit = static_cast<std::size_t>(std::countr_one(seen));
      if (taken[i].compare_exchange_weak(seen, seen | word{1} << bit, std::memory_order_acquire,
                                         std::memory_order_relaxed))
        return i * word_bits + bit;
    }
  }
  return std::nullopt;
}

void put_back(std::size_t number) noexcept {
  taken[number / word_bits].fetch_and(~(word{1} << number % word_bits), std::memory_order_release);
}

} // namespace

constinit thread_local std::size_t thread_stripe::next_to_current_ = thread_stripe::not_asked;

std::size_t thread_stripe::take() noexcept {
  // Where threads end without a word no number could come back, and none is given out.
  static const thread_end end{[](void*) { give_back(); }}; // made by the first thread, before main too
  if (next_to_current_ != not_asked) return current();
  next_to_current_ = refused;
  if (!end.announce()) return current();
  if (const auto number = take_lowest()) next_to_current_ = *number + 1;
  return current();
}

void thread_stripe::give_back() noexcept {
  const std::size_t number = current();
  next_to_current_ = refused;
  if (number < count) put_back(number);
}

} // namespace allot::inline ALLOT_ABI::detail
