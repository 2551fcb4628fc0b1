#pragma once

#include <atomic>
#include <csignal>
#include <cstddef>
#include <thread>

#include <pthread.h>
#include <signal.h>

namespace support {

/// While it lives, the thread that made it gets one signal after the other, each as soon as the handler is done with the
/// one before. One at a time. POSIX only.
class signal_flood {
public:
  explicit signal_flood(int signal, void (*handler)(int)) : signal_{signal}, interrupted_{pthread_self()} {
    handler_ = handler;
    std::signal(signal, count);
    sender_ = std::thread{[this] { send(); }};
  }

  ~signal_flood() {
    done_.store(true);
    sender_.join();
    std::signal(signal_, SIG_IGN); // not the default: one more may be on its way
  }

  signal_flood(const signal_flood&) = delete;
  signal_flood& operator=(const signal_flood&) = delete;

private:
  static void count(int signal) {
    handler_(signal);
    handled_.fetch_add(1);
  }

  void send() {
    while (!done_.load()) {
      const std::size_t before = handled_.load();
      pthread_kill(interrupted_, signal_);
      while (handled_.load() == before && !done_.load())
        std::this_thread::yield();
    }
  }

  static inline void (*handler_)(int) = nullptr;
  static inline std::atomic<std::size_t> handled_{0};

  int signal_;
  pthread_t interrupted_;
  std::atomic<bool> done_{false};
  std::thread sender_;
};

} // namespace support
