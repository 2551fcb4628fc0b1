// concurrent_pool_resource used by three threads, which end and start anew: by turns, as the input says, so that each finding
// comes again. A last part of the input may be run by all of them at once.

#include <allot/pool/concurrent_pool_resource.hpp>

#include "ask.hpp"
#include "pool_run.hpp"
#include "shadow.hpp"
#include "target.hpp"
#include "upstream.hpp"

#include <array>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using fuzz::input;

/// A thread that does one thing after another, each while the caller waits.
class worker {
public:
  worker() : thread_{[this] { serve(); }} {}
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker() {
    run({});
    thread_.join();
  }

  void run(std::function<void()> work) {
    start(std::move(work));
    wait();
  }

  void start(std::function<void()> work) {
    const std::lock_guard held{mutex_};
    work_ = std::move(work);
    is_busy_ = true;
    changed_.notify_all();
  }

  void wait() {
    std::unique_lock held{mutex_};
    changed_.wait(held, [this] { return !is_busy_; });
  }

private:
  /// Ends by an empty function.
  void serve() {
    for (bool is_last = false; !is_last;) {
      std::unique_lock held{mutex_};
      changed_.wait(held, [this] { return is_busy_; });
      is_last = !work_;
      if (!is_last) work_();
      is_busy_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_;
  bool is_busy_ = false;
  std::thread thread_; // last: it uses the others
};

/// What one thread does with the pool by its part of the input, on blocks that only it knows.
template <class Pool>
void use_alone(Pool& pool, std::span<const std::uint8_t> bytes, fuzz::shadow& blocks) {
  input in{bytes};
  while (!in.is_empty()) {
    if (in.below(3) == 0 && !blocks.is_empty()) {
      const auto gone = blocks.remove(in.byte() % blocks.size());
      fuzz::give_back(pool, gone.p, gone.shape, in.byte());
    } else {
      const allot::layout wanted = in.request();
      void* const p = fuzz::ask(pool, wanted, in.byte());
      if (p != nullptr) blocks.add(p, wanted);
    }
  }
}

template <class Pool>
class concurrent_run {
public:
  concurrent_run(input& in, Pool& pool, fuzz::upstream& up) : in_{in}, pool_{pool}, up_{up} {}

  void go() {
    for (std::size_t steps = 0; !in_.is_empty() && steps < 400; ++steps)
      step();
    if (ends_together_) use_together();
    blocks_.look();
    check_figures();
    if (in_.flag()) end_all(); // else the threads end after the pool does
    while (!blocks_.is_empty())
      free_one();
    FUZZ_REQUIRE(pool_.used() == 0);
  }

private:
  static constexpr std::size_t threads = 3;

  void step() {
    switch (in_.below(16)) {
    case 6:
    case 7:
    case 8:
    case 9: return free_one();
    case 10: return trim();
    case 11: return up_.plan(in_);
    case 12: return in_.below(8) == 0 ? release() : many();
    case 13: return check_figures();
    case 14: turn_ = in_.below(threads + 1); return;
    case 15: return in_.below(8) == 0 ? end_all() : free_many();
    default: return allocate(in_.request());
    }
  }

  /// Has the thread whose turn it is do something; the last one is this thread.
  template <class Work>
  void by_turn(Work work) {
    if (turn_ == threads) return work();
    if (workers_[turn_] == nullptr) workers_[turn_] = std::make_unique<worker>();
    workers_[turn_]->run(work);
  }

  void allocate(const allot::layout& wanted) {
    const std::size_t way = in_.byte();
    const std::size_t used = pool_.used();
    const std::size_t refusals = up_.refusals();
    void* p = nullptr;
    by_turn([&] { p = fuzz::ask(pool_, wanted, way); });
    if (p == nullptr) {
      FUZZ_REQUIRE(pool_.used() == used && up_.excuses(wanted, refusals));
      return;
    }
    blocks_.add(p, wanted);
    FUZZ_REQUIRE(pool_.owns(p) == allot::ownership::yes);
  }

  void many() {
    const allot::layout wanted = in_.request();
    const std::size_t count = in_.byte();
    std::vector<void*> all;
    by_turn([&] {
      for (std::size_t i = 0; i < count; ++i) {
        void* const p = pool_.try_allocate(wanted.bytes, wanted.alignment);
        if (p == nullptr) return;
        all.push_back(p);
      }
    });
    for (void* const p : all)
      blocks_.add(p, wanted);
  }

  void free_one() {
    if (blocks_.is_empty()) return;
    const auto gone = blocks_.remove(in_.byte() % blocks_.size());
    const std::size_t way = in_.byte();
    by_turn([&] { fuzz::give_back(pool_, gone.p, gone.shape, way); });
  }

  void free_many() {
    std::vector<fuzz::shadow::block> all;
    for (std::size_t left = in_.byte(); left > 0 && !blocks_.is_empty(); --left)
      all.push_back(blocks_.remove(blocks_.size() - 1));
    by_turn([&] {
      for (const auto& b : all)
        pool_.deallocate(b.p, b.shape.bytes, b.shape.alignment);
    });
  }

  void trim() {
    const std::size_t before = up_.bytes();
    std::size_t given = 0;
    by_turn([&] { given = pool_.trim(); });
    FUZZ_REQUIRE(before - up_.bytes() == given);
  }

  void release() {
    blocks_.clear();
    pool_.release();
    FUZZ_REQUIRE(up_.blocks() == 0 && pool_.cached() == 0);
  }

  void end_all() {
    for (auto& one : workers_)
      one.reset();
  }

  /// Each thread does its own part of what is left of the input, all of them at once.
  void use_together() {
    std::array<std::string, threads> parts;
    std::array<fuzz::shadow, threads> own;
    for (std::string& part : parts)
      part = in_.text(255);
    for (std::size_t i = 0; i < threads; ++i) {
      if (workers_[i] == nullptr) workers_[i] = std::make_unique<worker>();
      workers_[i]->start([&, i] {
        use_alone(pool_, {reinterpret_cast<const std::uint8_t*>(parts[i].data()), parts[i].size()}, own[i]);
      });
    }
    for (auto& one : workers_)
      one->wait();
    for (fuzz::shadow& mine : own) { // and gives them back from here
      while (!mine.is_empty()) {
        const auto gone = mine.remove(mine.size() - 1);
        pool_.deallocate(gone.p, gone.shape.bytes, gone.shape.alignment);
      }
    }
  }

  void check_figures() {
    // Magazines are neither blocks nor chunks.
    std::size_t others = up_.bytes();
    for (std::size_t i = 0; i < pool_.class_count(); ++i)
      others -= pool_.class_figures(i).reserved_bytes;
    others -= pool_.large_figures().reserved_bytes;
    fuzz::check_pool(pool_, blocks_, up_, others);
    FUZZ_REQUIRE(pool_.cached() <= (threads + 1) * pool_.most_cached_per_thread());
  }

  input& in_;
  Pool& pool_;
  fuzz::upstream& up_;
  fuzz::shadow blocks_;
  std::array<std::unique_ptr<worker>, threads> workers_;
  std::size_t turn_ = threads;
  const bool ends_together_ = in_.flag();
};

void run(input& in) {
  fuzz::over_any_upstream(in, [&]<class Upstream>(fuzz::upstream& up, Upstream& below) {
    const auto options = fuzz::pool_options(in);
    allot::concurrent_pool_resource<Upstream> pool{options, below, "fuzz"};
    concurrent_run{in, pool, up}.go();
  });
}

} // namespace

FUZZ_TARGET(run)
