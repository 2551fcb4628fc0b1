#include <allot/detail/thread_end.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <atomic>
#include <bit>
#include <cstdint>

#include <pthread.h>

namespace allot::inline ALLOT_ABI::detail {
namespace {

constexpr pthread_key_t cheap_keys = 32;
constinit std::atomic<std::uint32_t> keys{0}; // that are in use here, a bit for each

/// When the library that has this code is unloaded, or the program exits: threads that end later would call what is gone.
[[gnu::destructor]] void delete_keys() noexcept {
  for (std::uint32_t left = keys.exchange(0); left != 0; left &= left - 1)
    pthread_key_delete(static_cast<pthread_key_t>(std::countr_zero(left)));
}

} // namespace

thread_end::thread_end(void (*call)(void*)) noexcept {
  pthread_key_t key{};
  if (pthread_key_create(&key, call) != 0) return;
  if (key >= cheap_keys) {
    pthread_key_delete(key);
    return;
  }
  key_ = key;
  works_ = true;
  keys.fetch_or(std::uint32_t{1} << key);
}

bool thread_end::announce() const noexcept {
  static const char any{}; // the call comes for what is not null
  if (!works_ || (keys.load() >> key_ & 1) == 0) return false;
  return pthread_setspecific(static_cast<pthread_key_t>(key_), &any) == 0;
}

} // namespace allot::inline ALLOT_ABI::detail

#else

namespace allot::inline ALLOT_ABI::detail {

thread_end::thread_end(void (*)(void*)) noexcept {}

bool thread_end::announce() const noexcept { return false; }

} // namespace allot::inline ALLOT_ABI::detail

#endif
