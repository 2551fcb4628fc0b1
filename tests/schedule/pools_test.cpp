#include <allot/adaptor/synchronized_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/detail/short_lock.hpp>
#include <allot/pool/concurrent_pool_resource.hpp>

#include "scheduler/heap.hpp"
#include "scheduler/holds.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <thread>

namespace {

using schedule::ensure;
using schedule::holds;
using schedule::join;
using schedule::start;

using pool = allot::concurrent_pool_resource<schedule::heap>;

// A magazine holds one of these, a spare and a batch as well: each second call goes to the depot.
constexpr std::size_t bytes = 8192;
constexpr std::pmr::pool_options few{.max_blocks_per_chunk = 2, .largest_required_pool_block = bytes};

void* take(pool& from) {
  void* const p = from.allocate(bytes, 8);
  schedule::use(p, bytes);
  return p;
}

void give_back(pool& to, void* p) {
  schedule::use(p, bytes);
  to.deallocate(p, bytes, 8);
}

void take_and_give_back(pool& from, std::size_t blocks) {
  std::array<void*, 4> taken{};
  for (std::size_t i = 0; i < blocks; ++i)
    taken[i] = take(from);
  for (std::size_t i = 0; i < blocks; ++i)
    give_back(from, taken[i]);
}

void check_at_rest(pool& p) {
  ensure(p.used() == 0, "no block is lost, and none is there twice");
  (void)p.trim();
  ensure(p.reserved() < bytes, "no chunk is in use"); // but perhaps the magazines of the thread that runs the test
  p.release();
  ensure(p.reserved() == 0, "all of it went back");
}

/// A pool that has been in use: there are chunks, and what is made at the first call is there.
struct used_pool {
  explicit used_pool(std::size_t count = 2) { take_and_give_back(blocks, count); }

  schedule::heap up;
  pool blocks{few, up};
};

} // namespace

TEST_SUITE("schedule") {
  TEST_CASE("short_lock: one thread is behind it, and sees what the one before did") {
    holds("three threads take a short_lock", [] {
      allot::detail::short_lock lock;
      int n = 0;
      for (int i = 0; i < 3; ++i)
        start([&] {
          const std::lock_guard held{lock};
          ++n;
        });
      join();
      ensure(n == 3, "each was behind it once");
    });
  }

  TEST_CASE("short_lock: who has looked for it in vain waits for it") {
    holds("a short_lock that is held for long", {.preemptions = 0, .old_loads = 0}, [] {
      allot::detail::short_lock lock;
      std::atomic<int> turns{0};
      int n = 0;
      for (int i = 0; i < 2; ++i)
        start([&] {
          const std::lock_guard held{lock};
          ++n;
          for (int turn = 0; turn < 100; ++turn) { // more often than it is looked for
            turns.fetch_add(1, std::memory_order_relaxed);
            std::this_thread::yield();
          }
          ++n;
        });
      join();
      ensure(n == 4, "each was behind it once");
    });
  }

  TEST_CASE("synchronized_adaptor: an upstream for one thread serves several") {
    holds("two threads share an arena", [] {
      std::array<std::byte, 64> memory{};
      allot::bump_resource<> arena{memory};
      allot::synchronized_adaptor shared{arena};
      for (int i = 0; i < 2; ++i)
        start([&] {
          void* const p = shared.allocate(8, 1);
          schedule::use(p, 8);
          void* const q = shared.try_allocate(8, 1);
          schedule::use(q, 8);
          ensure(shared.owns(q) == allot::ownership::yes, "it knows its own");
          shared.deallocate(q, 8, 1);
        });
      join();
      ensure(arena.used() <= 32, "no more than four blocks");
    });
  }

  TEST_CASE("concurrent_pool_resource: no block is given out twice") {
    holds("two threads begin with a pool", {.preemptions = 1, .random_schedules = 500}, [] {
      schedule::heap up;
      pool blocks{few, up};
      for (int i = 0; i < 2; ++i)
        start([&] { take_and_give_back(blocks, 1); });
      join();
      check_at_rest(blocks);
    });
    holds("two threads by way of the depot", {.preemptions = 1, .random_schedules = 500}, [] {
      used_pool used{4};
      for (int i = 0; i < 2; ++i)
        start([&] { take_and_give_back(used.blocks, 3); });
      join();
      check_at_rest(used.blocks);
    });
    holds("three threads", {.preemptions = 1, .most_schedules = 2000, .random_schedules = 1000}, [] {
      used_pool used{4};
      for (int i = 0; i < 3; ++i)
        start([&] { take_and_give_back(used.blocks, 2); });
      join();
      check_at_rest(used.blocks);
    });
  }

  TEST_CASE("concurrent_pool_resource: one thread takes what another gives back") {
    holds("a producer and a consumer", {.preemptions = 1, .random_schedules = 500}, [] {
      used_pool used;
      std::atomic<void*> block{nullptr};
      start([&] {
        for (int i = 0; i < 2; ++i) {
          void* const p = take(used.blocks);
          void* none = nullptr;
          while (!block.compare_exchange_strong(none, p, std::memory_order_release, std::memory_order_relaxed)) {
            none = nullptr;
            std::this_thread::yield();
          }
        }
      });
      start([&] {
        for (int i = 0; i < 2; ++i) {
          void* p = nullptr;
          while ((p = block.exchange(nullptr, std::memory_order_acquire)) == nullptr)
            std::this_thread::yield();
          give_back(used.blocks, p);
        }
      });
      join();
      check_at_rest(used.blocks);
    });
  }

  TEST_CASE("concurrent_pool_resource: a thread ends while the pool does") {
    holds("the end of a thread against that of its pool",
          {.preemptions = 2, .most_schedules = 3000, .random_schedules = 500}, [] {
            schedule::heap up;
            std::optional<pool> blocks{std::in_place, few, up};
            std::atomic<bool> is_done{false};
            start([&] {
              take_and_give_back(*blocks, 2);
              is_done.store(true, std::memory_order_release);
            }); // and its magazines are left when it ends
            while (!is_done.load(std::memory_order_acquire))
              std::this_thread::yield();
            blocks.reset();
            join();
            ensure(up.live() == 0, "all of it went back");
          });
  }

  TEST_CASE("concurrent_pool_resource: a thread that ends leaves its blocks to those that come") {
    holds("magazines go from a thread to another", {.preemptions = 1, .random_schedules = 500}, [] {
      used_pool used;
      std::atomic<bool> is_done{false};
      start([&] {
        take_and_give_back(used.blocks, 2);
        is_done.store(true, std::memory_order_relaxed);
      });
      start([&] {
        while (!is_done.load(std::memory_order_relaxed))
          std::this_thread::yield();
        take_and_give_back(used.blocks, 2);
      });
      join();
      check_at_rest(used.blocks);
    });
  }

  TEST_CASE("concurrent_pool_resource: release makes magazines of other threads void") {
    holds("a thread that has magazines of before", {.preemptions = 2, .most_schedules = 3000, .random_schedules = 500},
          [] {
            schedule::heap up;
            pool blocks{few, up};
            std::atomic<int> turn{0};
            start([&] {
              take_and_give_back(blocks, 2);
              turn.store(1, std::memory_order_release);
              while (turn.load(std::memory_order_acquire) != 2)
                std::this_thread::yield();
              take_and_give_back(blocks, 2);
            });
            while (turn.load(std::memory_order_acquire) != 1)
              std::this_thread::yield();
            blocks.release();
            ensure(up.live() == 0, "all of it went back");
            turn.store(2, std::memory_order_release);
            take_and_give_back(blocks, 1);
            join();
            check_at_rest(blocks);
          });
  }

  TEST_CASE("concurrent_pool_resource: trim takes no block that is in use") {
    holds("one trims while another takes and gives back", {.preemptions = 1, .random_schedules = 500}, [] {
      used_pool used{4};
      start([&] { take_and_give_back(used.blocks, 2); });
      start([&] {
        void* const p = take(used.blocks);
        (void)used.blocks.trim();
        give_back(used.blocks, p);
      });
      join();
      check_at_rest(used.blocks);
    });
    holds("one trims the magazines of a thread that ends",
          {.preemptions = 1, .most_schedules = 2000, .random_schedules = 500}, [] {
            schedule::heap up;
            pool blocks{few, up};
            start([&] { take_and_give_back(blocks, 1); });
            start([&] { (void)blocks.trim(); });
            start([&] { take_and_give_back(blocks, 1); });
            join();
            check_at_rest(blocks);
          });
  }

  TEST_CASE("concurrent_pool_resource: blocks larger than the classes are for any thread, too") {
    holds("a large block goes from thread to thread", {.preemptions = 2}, [] {
      schedule::heap up;
      pool blocks{{.max_blocks_per_chunk = 2, .largest_required_pool_block = 64}, up};
      std::atomic<void*> block{nullptr};
      start([&] { block.store(blocks.allocate(200, 8), std::memory_order_release); });
      start([&] {
        void* const own = blocks.allocate(300, 8);
        schedule::use(own, 300);
        if (void* const p = block.exchange(nullptr, std::memory_order_acquire)) {
          schedule::use(p, 200);
          blocks.deallocate(p, 200, 8);
        }
        blocks.deallocate(own, 300, 8);
      });
      join();
      if (void* const p = block.load()) blocks.deallocate(p, 200, 8);
      check_at_rest(blocks);
    });
  }

  TEST_CASE("concurrent_pool_resource: where upstream refuses, the books stay as they were") {
    holds("an upstream that soon has no more", {.preemptions = 1, .random_schedules = 500}, [] {
      schedule::heap up;
      up.refuse_after(3);
      pool blocks{few, up};
      for (int i = 0; i < 2; ++i)
        start([&] {
          for (int j = 0; j < 2; ++j) {
            void* const p = blocks.try_allocate(bytes, 8);
            if (p != nullptr) give_back(blocks, p);
          }
        });
      join();
      check_at_rest(blocks);
    });
  }

  TEST_CASE("concurrent_pool_resource: figures may be read at any time") {
    holds("a reader beside a thread that takes and gives back",
          {.preemptions = 1, .old_loads = 0, .most_schedules = 1000, .random_schedules = 500}, [] {
            used_pool used;
            start([&] { take_and_give_back(used.blocks, 2); });
            start([&] {
              ensure(used.blocks.used() <= 4 * bytes, "no more than there is");
              ensure(used.blocks.cached() <= used.blocks.reserved(), "no more than was taken");
            });
            join();
            check_at_rest(used.blocks);
          });
  }
}
