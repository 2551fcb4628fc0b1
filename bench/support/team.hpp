#pragma once

#include "pinned.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

namespace bench {

/// Waits for what another thread is about to do: awake for a while, then without taking a core from those who work.
template <class Condition>
void wait_until(Condition condition) {
  for (int i = 0; !condition(); ++i) {
    if (i >= 4096) std::this_thread::yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

/// Threads that work in rounds, the calling one among them: each on a core of its own where there are as many.
class team {
public:
  explicit team(unsigned size) : has_cores_{size <= cores()} {
    if (has_cores_) own_core_.emplace(0U);
    for (unsigned i = 1; i < size; ++i)
      others_.emplace_back([this, i] { follow(i); });
  }
  team(const team&) = delete;
  team& operator=(const team&) = delete;
  ~team() {
    work_ = nullptr;
    start_round();
    for (std::thread& other : others_)
      other.join();
  }

  [[nodiscard]] unsigned size() const noexcept { return static_cast<unsigned>(others_.size()) + 1; }

  /// Has each thread call `work` with its number, and says how many seconds passed until the last one was done.
  double round(const std::function<void(unsigned)>& work) {
    work_ = &work;
    done_.store(0, std::memory_order_relaxed);
    const auto start = std::chrono::steady_clock::now();
    start_round();
    work(0);
    wait_until([this] { return done_.load(std::memory_order_acquire) == others_.size(); });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

private:
  void start_round() noexcept { rounds_.fetch_add(1, std::memory_order_release); }

  void follow(unsigned number) {
    std::optional<pinned> own_core;
    if (has_cores_) own_core.emplace(number);
    for (unsigned round = 1;; ++round) {
      wait_until([this, round] { return rounds_.load(std::memory_order_acquire) >= round; });
      if (work_ == nullptr) return;
      (*work_)(number);
      done_.fetch_add(1, std::memory_order_release);
    }
  }

  bool has_cores_;
  std::optional<pinned> own_core_;
  const std::function<void(unsigned)>* work_ = nullptr; // written between rounds only
  std::atomic<unsigned> rounds_{0};
  std::atomic<std::size_t> done_{0};
  std::vector<std::thread> others_;
};

} // namespace bench
