// What counting costs: the same pairs of calls through the same upstream, behind an adaptor that adds nothing (the hop)
// and behind a counting one. The two alternate in batches of a few microseconds, so that both meet the same neighbours;
// `hop_ns` and `counted_ns` are the lower quartiles of their batches, for one allocation and its deallocation, and
// `beyond_ns` is the difference: the label says whether it keeps a goal of docs/performance.md, where there is one. An item is
// a pair behind the counting adaptor.
//
//   single       a block out and back: each call waits for what the one before it stored
//   nested       sixteen blocks out and back, the last one first
//   two_threads  nested, while another thread makes the same calls all the time, on a core of its own, with blocks of its own
//
// In the others the other thread sleeps. Upstream is known by its type, if the name does not say otherwise.
// RMM style and BDE style are the ledgers of `rmm::mr::statistics_resource_adaptor` and `bdlma::CountingAllocator`, as their
// sources have them, written anew for this interface.

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/striped_counters.hpp>
#include <allot/arena/bump_resource.hpp>

#include "support/pass_through.hpp"
#include "support/pinned.hpp"
#include "support/rows.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <mutex>
#include <shared_mutex>
#include <stack>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using bench::pass_through;

/// A stack of figures for nested statistics, under a std::shared_mutex that each call takes for itself alone; what was
/// freed is counted after upstream has it.
template <class Upstream>
class rmm_style final : public allot::adaptor_interface<rmm_style<Upstream>, Upstream> {
  using base = allot::adaptor_interface<rmm_style, Upstream>;
  friend base;
  friend allot::resource_interface<rmm_style>;

public:
  static constexpr const char* class_name = "rmm_style";
  explicit rmm_style(Upstream& upstream) : base{upstream, nullptr} { figures_.push({}); }

private:
  struct figure {
    std::int64_t live = 0;
    std::int64_t peak = 0;
    std::int64_t total = 0;
    std::int64_t times = 0;

    void add(std::int64_t n) noexcept {
      live += n;
      total += n;
      ++times;
      peak = std::max(peak, live);
    }
    void remove(std::int64_t n) noexcept { live -= n; }
  };

  void allocated(void*, std::size_t bytes, std::size_t) noexcept {
    const std::unique_lock lock{mutex_};
    figures_.top().first.add(static_cast<std::int64_t>(bytes));
    figures_.top().second.add(1);
  }
  void released(std::size_t bytes, std::size_t) noexcept {
    const std::unique_lock lock{mutex_};
    figures_.top().first.remove(static_cast<std::int64_t>(bytes));
    figures_.top().second.remove(1);
  }

  std::stack<std::pair<figure, figure>> figures_; // bytes, blocks
  std::shared_mutex mutex_;
};

/// What is live and the total, as atomics; no peak and no count of blocks. Without the header in which it keeps a size.
template <class Upstream>
class bde_style final : public allot::adaptor_interface<bde_style<Upstream>, Upstream> {
  using base = allot::adaptor_interface<bde_style, Upstream>;
  friend base;
  friend allot::resource_interface<bde_style>;

public:
  static constexpr const char* class_name = "bde_style";
  explicit bde_style(Upstream& upstream) noexcept : base{upstream, nullptr} {}

private:
  void allocated(void*, std::size_t bytes, std::size_t) noexcept {
    live_.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
    total_.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  }
  void releasing(void*, std::size_t bytes, std::size_t) noexcept {
    live_.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  }

  std::atomic<std::int64_t> live_{0};
  std::atomic<std::int64_t> total_{0};
};

/// An arena for each thread: what two threads can call at once, with nothing in common.
class own_arenas final : public allot::resource_interface<own_arenas> {
  friend allot::resource_interface<own_arenas>;

public:
  static constexpr const char* class_name = "own_arenas";

private:
  static allot::bump_resource<65536>& mine() noexcept {
    thread_local allot::bump_resource<65536> arena;
    return arena;
  }
  static void* place(std::size_t bytes, std::size_t alignment) noexcept {
    return mine().try_allocate(bytes, alignment);
  }
  static void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    mine().deallocate(p, bytes, alignment);
  }
};

using bench::pinned;

constexpr int batch = 1024;

/// One block at a time: each call waits for what the one before it stored.
void single(std::pmr::memory_resource& r) {
  for (int i = 0; i < batch; ++i) {
    void* const p = r.allocate(32, 8);
    benchmark::DoNotOptimize(p);
    r.deallocate(p, 32, 8);
  }
}

/// Sixteen blocks out and back, the last one first.
void nested(std::pmr::memory_resource& r) {
  std::array<void*, 16> blocks;
  for (int i = 0; i < batch / 16; ++i) {
    for (void*& p : blocks)
      p = r.allocate(32, 8);
    for (std::size_t k = blocks.size(); k > 0; --k)
      r.deallocate(blocks[k - 1], 32, 8);
  }
}

using work = void (*)(std::pmr::memory_resource&);

double seconds(work pairs, std::pmr::memory_resource& r) {
  const auto start = std::chrono::steady_clock::now();
  pairs(r);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double lower_quartile(std::vector<double>& values) {
  const auto quarter = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 4);
  std::nth_element(values.begin(), quarter, values.end());
  return *quarter;
}

/// A second thread, on a core of its own. It sleeps, or makes the same calls through what it is given until that changes.
class companion {
public:
  companion() : thread_{[this] { run(); }} {}
  companion(const companion&) = delete;
  companion& operator=(const companion&) = delete;
  ~companion() {
    ends_.store(true);
    given_.store(std::pmr::null_memory_resource()); // not what it sleeps on; it makes no call any more
    given_.notify_one();
    thread_.join();
  }

  /// Returns when it is at work on `r`; with null, when it has stopped.
  void give(std::pmr::memory_resource* r) {
    given_.store(r);
    given_.notify_one();
    while (at_work_on_.load() != r)
      std::this_thread::yield();
  }

private:
  void run() {
    const pinned here{1};
    while (!ends_.load()) {
      std::pmr::memory_resource* const r = given_.load();
      at_work_on_.store(r);
      if (r == nullptr) {
        given_.wait(nullptr);
        continue;
      }
      while (given_.load() == r && !ends_.load())
        nested(*r);
    }
  }

  std::atomic<std::pmr::memory_resource*> given_{nullptr};
  std::atomic<std::pmr::memory_resource*> at_work_on_{nullptr};
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

enum class threads { alone, two };

constexpr double no_goal = 0;

struct options {
  work pairs = nested;
  threads who = threads::alone;
  double goal_ns = no_goal;
};

template <class Adaptor>
void beyond_the_hop(benchmark::State& state, companion& other, const options& o) {
  using upstream_type = typename Adaptor::upstream_type;
  allot::bump_resource<65536> arena;
  own_arenas arenas;
  upstream_type* upstream = nullptr;
  if constexpr (std::is_same_v<upstream_type, own_arenas>)
    upstream = &arenas;
  else
    upstream = &arena;
  benchmark::DoNotOptimize(upstream); // what the compiler knows of it is its type
  pass_through<upstream_type> hop{*upstream};
  Adaptor counted{*upstream};

  std::vector<double> hops;
  std::vector<double> counts;
  const auto measured = [&](std::pmr::memory_resource& r) {
    if (o.who == threads::two) other.give(&r);
    return seconds(o.pairs, r);
  };
  for (auto _ : state) {
    hops.push_back(measured(hop));
    counts.push_back(measured(counted));
  }
  other.give(nullptr);

  const double hop_ns = lower_quartile(hops) * 1e9 / batch;
  const double counted_ns = lower_quartile(counts) * 1e9 / batch;
  state.counters["items_per_second"] = 1e9 / counted_ns;
  state.counters["hop_ns"] = hop_ns;
  state.counters["counted_ns"] = counted_ns;
  state.counters["beyond_ns"] = counted_ns - hop_ns;
  if (o.goal_ns != no_goal) {
    state.counters["goal_ns"] = o.goal_ns;
    state.SetLabel(counted_ns - hop_ns <= o.goal_ns ? "goal kept" : "goal missed");
  }
}

using arena = allot::bump_resource<65536>;
using unknown = std::pmr::memory_resource;
template <class Upstream>
using plain = allot::counting_adaptor<Upstream, allot::plain_counters_t>;
template <class Upstream>
using shared = allot::counting_adaptor<Upstream, allot::shared_counters_t>;
template <class Upstream>
using striped = allot::counting_adaptor<Upstream, allot::striped_counters_t<>>;
template <class Upstream>
using sizes = allot::counting_adaptor<Upstream, allot::with_histogram<allot::plain_counters_t>>;

/// The second thread, for the rows that need it.
template <class Adaptor>
void add(std::vector<bench::row>& rows, const char* name, const options& o) {
  rows.push_back({std::string{"counting/"} + name,
                  [o](benchmark::State& state) {
                    const pinned here{0};
                    companion other;
                    beyond_the_hop<Adaptor>(state, other, o);
                  },
                  {}});
}

void add_alone(std::vector<bench::row>& rows) {
  add<plain<arena>>(rows, "single/plain_counters", {.pairs = single, .goal_ns = 1.5});
  add<striped<arena>>(rows, "single/striped_counters", {.pairs = single, .goal_ns = 2});
  add<plain<unknown>>(rows, "single_unknown_upstream/plain_counters", {.pairs = single, .goal_ns = 1.5});
  add<plain<arena>>(rows, "nested/plain_counters", {.goal_ns = 1.5});
  add<sizes<arena>>(rows, "nested/plain_counters_with_histogram", {});
  add<striped<arena>>(rows, "nested/striped_counters", {.goal_ns = 2});
  add<shared<arena>>(rows, "nested/shared_counters", {});
  add<bde_style<arena>>(rows, "nested/bde_style", {});
  add<rmm_style<arena>>(rows, "nested/rmm_style", {});
  add<plain<unknown>>(rows, "nested_unknown_upstream/plain_counters", {.goal_ns = 1.5});
  add<striped<unknown>>(rows, "nested_unknown_upstream/striped_counters", {.goal_ns = 2});
}

void add_two_threads(std::vector<bench::row>& rows) {
  add<striped<own_arenas>>(rows, "two_threads/striped_counters", {.who = threads::two, .goal_ns = 6});
  add<shared<own_arenas>>(rows, "two_threads/shared_counters", {.who = threads::two});
  add<bde_style<own_arenas>>(rows, "two_threads/bde_style", {.who = threads::two});
  add<rmm_style<own_arenas>>(rows, "two_threads/rmm_style", {.who = threads::two});
}

void add_all(std::vector<bench::row>& rows) {
  add_alone(rows);
  add_two_threads(rows);
}

const bench::group here{"counting", add_all};

} // namespace
