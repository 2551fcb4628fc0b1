#include <allot/detail/thread_end.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>

namespace allot::inline ALLOT_ABI::detail {

thread_end::thread_end(void (*call)(void*)) noexcept {
  pthread_key_t key{};
  works_ = pthread_key_create(&key, call) == 0 && key < 32;
  key_ = key;
}

bool thread_end::announce() const noexcept {
  static const char any{}; // the call comes for what is not null
  return works_ && pthread_setspecific(static_cast<pthread_key_t>(key_), &any) == 0;
}

} // namespace allot::inline ALLOT_ABI::detail

#else

namespace allot::inline ALLOT_ABI::detail {

thread_end::thread_end(void (*)(void*)) noexcept {}

bool thread_end::announce() const noexcept { return false; }

} // namespace allot::inline ALLOT_ABI::detail

#endif
