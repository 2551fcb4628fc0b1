#pragma once

#include <algorithm>
#include <thread>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace bench {

/// Cores that this process may use.
[[nodiscard]] inline unsigned cores() noexcept { return std::max(1U, std::thread::hardware_concurrency()); }

/// Keeps the calling thread on one core, and lets it go again.
class pinned {
public:
#if defined(__linux__)
  explicit pinned(unsigned core) noexcept {
    pthread_getaffinity_np(pthread_self(), sizeof before_, &before_);
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(core % cores(), &only);
    pthread_setaffinity_np(pthread_self(), sizeof only, &only);
  }
  ~pinned() { pthread_setaffinity_np(pthread_self(), sizeof before_, &before_); }
#else
  explicit pinned(unsigned) noexcept {}
  ~pinned() {}
#endif
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;

private:
#if defined(__linux__)
  cpu_set_t before_;
#endif
};

} // namespace bench
