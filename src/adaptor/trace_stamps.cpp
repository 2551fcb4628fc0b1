#include <allot/adaptor/trace_stamps.hpp>
#include <allot/core/threads.hpp>

#include <atomic>
#include <chrono>

namespace allot::inline ALLOT_ABI {

std::size_t trace_time() noexcept {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

#if ALLOT_THREADS
namespace {

constinit std::atomic<std::size_t> last_number{0};

// 0: none yet. Atomic for the handler that interrupts the thread while it takes its number.
ALLOT_DETAIL_STATIC_TLS constinit thread_local std::atomic<std::size_t> own_number{0};

} // namespace

std::size_t trace_thread() noexcept {
  std::size_t number = own_number.load(std::memory_order_relaxed);
  if (number != 0) return number;
  const std::size_t next = last_number.fetch_add(1, std::memory_order_relaxed) + 1;
  return own_number.compare_exchange_strong(number, next, std::memory_order_relaxed) ? next : number;
}
#else
std::size_t trace_thread() noexcept { return 1; }
#endif

} // namespace allot::inline ALLOT_ABI
