#pragma once

#include <allot/core/config.hpp>
#include <allot/core/threads.hpp>

#include <mutex>

namespace allot::inline ALLOT_ABI::detail {

#if ALLOT_THREADS
using recursive_lock = std::recursive_mutex;
#else
/// Where there are no threads there is nobody to keep out.
struct recursive_lock {
  void lock() noexcept {}
  void unlock() noexcept {}
};
#endif

} // namespace allot::inline ALLOT_ABI::detail
