// Pools that any thread may use. Each thread is on a core of its own where there are as many, and time is by the wall clock. An
// item is an allocation and its deallocation by *each* of the threads: with enough cores a pool that scales keeps its figure.
//
//   own_lifo_32/threads:N      each of N threads takes 64 blocks of 32 bytes and gives them back, the last one first
//   own_churn_mixed/threads:N  each has 1,000 live blocks of 16 to 512 bytes, of which eight at random are freed and eight
//                              others taken; where N is 1, another thread sleeps
//   handed_on/threads:N        own_churn_mixed where every eighth block is freed by the next thread, which gets it by a mailbox
//   producer_consumer          one thread allocates 32 bytes, writes to them and passes them on by the hundred; another one
//                              frees them. An item is a block
//
// The floor has a free list for each thread, inlined, which nobody else touches; there is none where blocks change hands.

#include "support/free_list.hpp"
#include "support/pool_work.hpp"
#include "support/rows.hpp"
#include "support/team.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

using any = std::pmr::memory_resource;
using bench::sizes;

/// A line apart, so that no thread writes to what another one reads.
template <class Work>
struct alignas(128) alone {
  Work self;
};

/// A workload for each thread of a team. A round is short enough to be repeated and long enough that its start is nothing.
template <class Work>
class for_each_thread {
public:
  for_each_thread(unsigned threads, const Work& one) : members_(threads, alone<Work>{one}) {
    const std::size_t least =
        threads > bench::cores() ? 200'000 : 16'384; // threads that share cores take turns of milliseconds
    turns_ = (least + one.items() - 1) / one.items();
  }

  [[nodiscard]] std::size_t items() const noexcept { return members_[0].self.items() * turns_; }

  template <class Resource>
  void begin(unsigned i, Resource& r) {
    members_[i].self.begin(r);
  }
  template <class Resource>
  void round(unsigned i, Resource& r) {
    for (std::size_t turn = 0; turn < turns_; ++turn)
      members_[i].self.round(r);
  }
  template <class Resource>
  void end(unsigned i, Resource& r) {
    members_[i].self.end(r);
  }

private:
  std::vector<alone<Work>> members_;
  std::size_t turns_;
};

/// Blocks that change hands. Every eighth block that a thread frees goes to the next one's mailbox instead, and the owner of a
/// mailbox empties it every so often.
class handed_on {
  using work = bench::churn<sizes::mixed>;

public:
  explicit handed_on(unsigned threads) : boxes_(threads), members_(threads, alone<work>{work{live}}) {}

  [[nodiscard]] std::size_t items() const noexcept { return members_[0].self.items(); }

  void begin(unsigned i, any& r) { members_[i].self.begin(r); }
  void round(unsigned i, any& r) {
    passing_on passing{r, boxes_[(i + 1) % boxes_.size()], boxes_[i]};
    members_[i].self.round(passing);
  }
  void end(unsigned i, any& r) {
    boxes_[i].empty(r);
    members_[i].self.end(r);
  }

private:
  static constexpr std::size_t live = 1000;

  struct letter {
    letter* next;
    std::size_t bytes;
  };

  class alignas(128) mailbox {
  public:
    void put(void* block, std::size_t bytes) noexcept {
      auto* const one = ::new (block) letter{head_.load(std::memory_order_relaxed), bytes};
      while (!head_.compare_exchange_weak(one->next, one, std::memory_order_release, std::memory_order_relaxed)) {
      }
    }
    void empty(any& r) {
      if (head_.load(std::memory_order_relaxed) == nullptr) return;
      for (letter* one = head_.exchange(nullptr, std::memory_order_acquire); one != nullptr;) {
        letter* const next = one->next;
        r.deallocate(one, one->bytes, 8);
        one = next;
      }
    }

  private:
    std::atomic<letter*> head_{nullptr};
  };

  class passing_on {
  public:
    passing_on(any& r, mailbox& next, mailbox& own) noexcept : r_{r}, next_{next}, own_{own} {}

    void* allocate(std::size_t bytes, std::size_t alignment) { return r_.allocate(bytes, alignment); }
    void deallocate(void* p, std::size_t bytes, std::size_t alignment) {
      ++freed_;
      if (freed_ % 8 == 0) {
        next_.put(p, bytes);
      } else {
        r_.deallocate(p, bytes, alignment);
      }
      if (freed_ % 64 == 0) own_.empty(r_);
    }

  private:
    any& r_;
    mailbox& next_;
    mailbox& own_;
    unsigned freed_ = 0;
  };

  std::vector<mailbox> boxes_;
  std::vector<alone<work>> members_;
};

/// Two threads and a ring of batches between them.
class producer_consumer {
public:
  explicit producer_consumer(unsigned) : ring_(slots) {}

  [[nodiscard]] static std::size_t items() noexcept { return batches * batch_blocks; }

  static void begin(unsigned, any&) noexcept {}
  void round(unsigned i, any& r) {
    if (i == 0) {
      produce(r);
    } else {
      consume(r);
    }
  }
  static void end(unsigned, any&) noexcept {}

private:
  static constexpr std::size_t batches = 32;
  static constexpr std::size_t batch_blocks = 100;
  static constexpr std::size_t slots = 16;

  struct alignas(128) batch {
    std::array<void*, batch_blocks> blocks{};
    std::atomic<bool> is_full{false};
  };

  void produce(any& r) {
    for (std::size_t n = 0; n < batches; ++n) {
      batch& b = ring_[n % slots];
      bench::wait_until([&b] { return !b.is_full.load(std::memory_order_acquire); });
      for (void*& block : b.blocks) {
        block = r.allocate(bench::pool_block, 8);
        *static_cast<std::size_t*>(block) = n;
      }
      b.is_full.store(true, std::memory_order_release);
    }
  }

  void consume(any& r) {
    for (std::size_t n = 0; n < batches; ++n) {
      batch& b = ring_[n % slots];
      bench::wait_until([&b] { return b.is_full.load(std::memory_order_acquire); });
      for (void* const block : b.blocks) {
        if (*static_cast<std::size_t*>(block) != n) std::abort(); // the block is somebody else's too
        r.deallocate(block, bench::pool_block, 8);
      }
      b.is_full.store(false, std::memory_order_release);
    }
  }

  std::vector<batch> ring_;
};

/// What a thread of the team uses: the one resource, or, for the floor, a list of its own.
struct one_for_all {
  any& r;
  any& operator[](unsigned) noexcept { return r; }
};

template <class Work, class Resources>
void time_rounds(benchmark::State& state, bench::team& team, Work& work, Resources& resources) {
  team.round([&](unsigned i) { work.begin(i, resources[i]); });
  const std::function<void(unsigned)> round = [&](unsigned i) { work.round(i, resources[i]); };
  team.round(round);
  double seconds = 0;
  for (auto _ : state)
    seconds += team.round(round);
  team.round([&](unsigned i) { work.end(i, resources[i]); });
  state.counters["items_per_second"] =
      static_cast<double>(work.items()) * static_cast<double>(state.iterations()) / seconds;
  state.counters["threads"] = team.size();
}

template <class MakeWork>
void time_pool(benchmark::State& state, const bench::peer& who, unsigned threads, MakeWork make_work) {
  const auto subject = who.make({});
  any* r = &subject->resource();
  benchmark::DoNotOptimize(r);
  if (!bench::serves<sizes::mixed>(*r)) return state.SkipWithError("a block is not aligned or not the caller's own");
  auto work = make_work(threads);
  one_for_all resources{*r};
  bench::team team{threads};
  time_rounds(state, team, work, resources);
}

template <class List, class MakeWork>
void time_floor(benchmark::State& state, unsigned threads, MakeWork make_work) {
  auto work = make_work(threads);
  std::vector<std::unique_ptr<List>> lists;
  for (unsigned i = 0; i < threads; ++i)
    lists.push_back(std::make_unique<List>(std::pmr::new_delete_resource()));
  struct {
    std::vector<std::unique_ptr<List>>& all;
    List& operator[](unsigned i) noexcept { return *all[i]; }
  } resources{lists};
  bench::team team{threads};
  time_rounds(state, team, work, resources);
}

template <class MakeWork>
bench::footprint weigh(const bench::peer& who, unsigned threads, MakeWork make_work) {
  auto work = make_work(threads);
  bench::team team{threads};
  return bench::weigh(who, {}, [&](bench::subject&, any& r) {
    team.round([&](unsigned i) { work.begin(i, r); });
    team.round([&](unsigned i) { work.round(i, r); });
    team.round([&](unsigned i) { work.end(i, r); });
  });
}

/// \tparam List  what each thread has in the floor; void where there is none
template <class List, class MakeWork>
void add(std::vector<bench::row>& rows, const std::string& workload, unsigned threads, MakeWork make_work) {
  const std::string name = "threads/" + workload + '/';
  if constexpr (!std::is_void_v<List>) {
    rows.push_back({name + "floor",
                    [threads, make_work](benchmark::State& state) { time_floor<List>(state, threads, make_work); },
                    {}});
  }
  for (const bench::peer& who : peers_for(bench::part::shared_pool)) {
    rows.push_back({name + who.name,
                    [who, threads, make_work](benchmark::State& state) { time_pool(state, who, threads, make_work); },
                    [who, threads, make_work] { return weigh(who, threads, make_work); }});
  }
}

/// 1, 2, 4 ... up to twice the cores.
std::vector<unsigned> team_sizes() {
  std::vector<unsigned> sizes;
  for (unsigned n = 1; n < 2 * bench::cores(); n *= 2)
    sizes.push_back(n);
  sizes.push_back(2 * bench::cores());
  return sizes;
}

void add_all(std::vector<bench::row>& rows) {
  using nested = bench::out_and_back<sizes::same>;
  using mixed = bench::churn<sizes::mixed>;
  const auto lifo = [](unsigned n) { return for_each_thread{n, nested{64, nested::order::lifo}}; };
  const auto churn = [](unsigned n) { return for_each_thread{n, mixed{1000}}; };

  for (const unsigned n : team_sizes()) {
    const std::string threads = "/threads:" + std::to_string(n);
    add<bench::one_free_list>(rows, "own_lifo_32" + threads, n, lifo);
    add<bench::free_lists>(rows, "own_churn_mixed" + threads, n, churn);
    if (n > 1) add<void>(rows, "handed_on" + threads, n, [](unsigned size) { return handed_on{size}; });
  }
  add<void>(rows, "producer_consumer", 2, [](unsigned size) { return producer_consumer{size}; });
}

const bench::group here{"threads", add_all};

} // namespace
