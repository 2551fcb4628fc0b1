#include <allot/detail/thread_stripe.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <limits>
#include <optional>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

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

#if defined(__unix__) || defined(__APPLE__)
/// Calls a function when the thread ends. Thread-specific data and no `thread_local` with a destructor: it comes behind
/// all of those, and glibc allocates nothing for it, as long as the key is one of its first 32.
class thread_end {
public:
  explicit thread_end(void (*call)(void*)) noexcept : works_{pthread_key_create(&key_, call) == 0 && key_ < 32} {}
  [[nodiscard]] bool announce() const noexcept { return works_ && pthread_setspecific(key_, &taken) == 0; }

private:
  pthread_key_t key_{};
  bool works_;
};
#else
/// Where threads end without a word no number could come back, and none is given out.
class thread_end {
public:
  explicit thread_end(void (*)(void*)) noexcept {}
  [[nodiscard]] bool announce() const noexcept { return false; }
};
#endif

} // namespace

constinit thread_local std::size_t thread_stripe::next_to_current_ = thread_stripe::not_asked;

std::size_t thread_stripe::take() noexcept {
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
