#pragma once

#include <atomic>
#include <thread>

namespace bench {

/// A thread that sleeps. While a process has one thread only, the C library leaves out the work of locks, and whatever locks
/// looks cheaper than it is in the programs that it is for.
class sleeper {
public:
  sleeper() : thread_{[this] { ends_.wait(false); }} {}
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;
  ~sleeper() {
    ends_.store(true);
    ends_.notify_one();
    thread_.join();
  }

private:
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

} // namespace bench
