#pragma once

#include <allot/core/once.hpp>
#include <allot/core/threads.hpp>

#include <mutex>

#if ALLOT_THREADS

namespace allot::inline ALLOT_ABI::detail {

/// A mutex for a few dozen instructions: it is worth to look for it some times before the thread is put to sleep.
class short_lock {
public:
  void lock() noexcept {
    for (unsigned turn = 0; turn < turns; ++turn) {
      if (mutex_.try_lock()) return;
      pause_then_yield::relax(0);
    }
    mutex_.lock();
  }
  void unlock() noexcept { mutex_.unlock(); }

private:
  static constexpr unsigned turns = 64;

  std::mutex mutex_;
};

} // namespace allot::inline ALLOT_ABI::detail

#endif
