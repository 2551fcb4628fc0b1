// What threads do to a concurrent_pool_resource by beginning, ending and outliving it.

#include <allot/pool/concurrent_pool_resource.hpp>

#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>

#include "pool/serial_upstream.hpp"
#include "support/death.hpp"
#include "support/race.hpp"
#include "support/sanitizers.hpp"

#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <climits>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using pool_type = allot::concurrent_pool_resource<allot::checking_resource>;

/// A thread that does one thing after another, as it is told.
class worker {
public:
  worker() : thread_{[this] { run(); }} {}
  ~worker() { end(); }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// Has the thread call `f`, and waits until it has.
  void does(std::function<void()> f) {
    work_ = std::move(f);
    order_.store(1);
    order_.notify_one();
    order_.wait(1);
  }

  void end() {
    if (!thread_.joinable()) return;
    order_.store(2);
    order_.notify_one();
    thread_.join();
  }

private:
  void run() {
    for (;;) {
      order_.wait(0);
      if (order_.load() == 2) return;
      work_();
      order_.store(0);
      order_.notify_one();
    }
  }

  std::function<void()> work_;
  std::atomic<int> order_{0};
  std::thread thread_;
};

/// Threads at one address, which is no memory any more when this goes.
class own_stack {
public:
  own_stack() { REQUIRE(memory_ != MAP_FAILED); }
  ~own_stack() { munmap(memory_, bytes); }
  own_stack(const own_stack&) = delete;
  own_stack& operator=(const own_stack&) = delete;

  /// Runs `f` in a thread to its end.
  void run(void* (*f)(void*)) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_t thread{};
    REQUIRE(pthread_attr_setstack(&attributes, memory_, bytes) == 0);
    REQUIRE(pthread_create(&thread, &attributes, f, this) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
  }

private:
  static constexpr std::size_t bytes = 1 << 20;
  void* memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
};

/// Takes blocks and gives them back, so that some stay in the magazines.
template <class Pool>
void use(Pool& pool, std::size_t blocks = 100, std::size_t bytes = 40) {
  std::vector<void*> taken(blocks);
  for (void*& p : taken)
    std::memset(p = pool.allocate(bytes, 8), 0x5A, bytes);
  for (void* const p : taken)
    pool.deallocate(p, bytes, 8);
}

/// How the child of a fork says that all was well. At an exit Memcheck would look for leaks, take what the lost threads had for
/// some, and change the status.
constexpr int ends_well = SIGKILL;
void end_well() { kill(getpid(), ends_well); }

} // namespace

TEST_SUITE("concurrent_pool_resource, threads") {
  TEST_CASE("a thread that ends leaves the blocks in its magazines to the others: no further upstream call") {
    allot::checking_resource up;
    pool_type pool{up};
    std::thread{[&] { use(pool, 1000); }}.join();
    CHECK(pool.cached() == 0);
    const allot::checking_resource::monitor since{up};
    std::vector<void*> all(1000);
    for (void*& p : all)
      p = pool.allocate(40, 8);
    CHECK(since.attempts() == 0); // the magazines themselves are those of that thread, too
    for (void* const p : all)
      pool.deallocate(p, 40, 8);
  }

  TEST_CASE("threads that come and go one after another need no more than one of them did") {
    allot::checking_resource up;
    pool_type pool{up};
    std::thread{[&] { use(pool, 10); }}.join();
    const allot::checking_resource::monitor since{up};
    for (int i = 0; i < 50; ++i)
      std::thread{[&] { use(pool, 10); }}.join();
    CHECK(since.attempts() == 0);
  }

  TEST_CASE("a block goes back by any thread, also by one that never allocated, and by none to upstream") {
    allot::checking_resource up;
    pool_type pool{up};
    std::array<void*, 300> blocks;
    for (void*& p : blocks)
      p = pool.allocate(100, 4);
    const allot::checking_resource::monitor since{up};
    worker other;
    other.does([&] {
      for (void* const p : blocks)
        pool.deallocate(p, 100, 4);
    });
    CHECK(since.attempts() == 0);
    CHECK(pool.used() == 0);
    for (void*& p : blocks)
      p = pool.allocate(100, 4);
    CHECK(since.attempts() == 1); // not for blocks: for the magazines that the other thread lacked
    const std::size_t own = pool.cached();
    other.does([&] {
      for (void* const p : blocks)
        pool.deallocate(p, 100, 4);
    });
    CHECK(pool.cached() >= own + 100 * 100); // it has them now
    CHECK(pool.used() == 0);
  }

  TEST_CASE("a thread that uses hundreds of pools finds its magazines for each") {
    allot::checking_resource up;
    std::vector<std::unique_ptr<pool_type>> pools;
    for (int i = 0; i < 300; ++i)
      pools.push_back(std::make_unique<pool_type>(up));
    const auto use_all = [&] {
      for (int turn = 0; turn < 3; ++turn)
        for (auto& pool : pools)
          use(*pool, 5);
    };
    use_all();
    CHECK(up.live_blocks() == 2 * 300); // a chunk and the magazines, for each
    worker other;
    other.does(use_all);
    CHECK(up.live_blocks() == 4 * 300); // another thread's magazines, and a chunk where ours have all blocks
    for (auto& pool : pools) {
      CHECK(pool->used() == 0);
      CHECK(pool->cached() > 0);
    }
    other.end();
    use_all();
    CHECK(up.live_blocks() == 4 * 300);
  }

  TEST_CASE("a pool may end while threads live that once used it, and they may end later") {
    allot::checking_resource up;
    worker first;
    worker second;
    std::optional<pool_type> longer{std::in_place, up};
    {
      pool_type pool{up};
      use(pool);
      for (worker* const w : {&first, &second})
        w->does([&] { use(pool), use(*longer); });
    }
    first.does([&] { use(*longer); });
    first.end();
    CHECK(up.check() == 0);
    longer.reset();
    second.end();
    CHECK(up.live_blocks() == 0);
    CHECK(up.check() == 0);
  }

  TEST_CASE("release in a quiet moment voids the magazines of other threads, which go on with new ones") {
    allot::checking_resource up;
    pool_type pool{up};
    worker first;
    worker second;
    for (int turn = 0; turn < 20; ++turn) {
      use(pool);
      first.does([&] { use(pool); });
      second.does([&] { use(pool); });
      pool.release();
      CHECK(up.live_blocks() == 0);
      CHECK(pool.cached() == 0);
      first.does([&] {
        void* const p = pool.allocate(40, 8);
        CHECK(pool.owns(p) == allot::ownership::yes);
        pool.deallocate(p, 40, 8);
      });
      CHECK(up.check() == 0); // nobody wrote into what went back
    }
    first.end();
    CHECK(pool.cached() == 0);
  }

  TEST_CASE("a pool at the address of one that is gone is another one") {
    allot::checking_resource up;
    worker other;
    for (int turn = 0; turn < 40; ++turn) { // more than a thread's table has places
      pool_type pool{up};
      const auto take = [&] {
        void* const p = pool.allocate(40, 8);
        CHECK(pool.owns(p) == allot::ownership::yes);
        pool.deallocate(p, 40, 8);
      };
      take();
      other.does(take);
    }
    CHECK(up.live_blocks() == 0);
    CHECK(up.check() == 0);
  }

  TEST_CASE("a thread_local object gives back late, and the block is there for others") {
    struct late {
      pool_type* pool = nullptr;
      void* block = nullptr;
      ~late() {
        if (pool != nullptr) pool->deallocate(block, 40, 8);
      }
    };
    allot::checking_resource up;
    pool_type pool{up};
    std::thread{[&] {
      static thread_local late mine;
      mine.pool = &pool;
      mine.block = pool.allocate(40, 8);
    }}.join();
    CHECK(pool.used() == 0);
    CHECK(pool.cached() == 0);
  }

  TEST_CASE("thread-specific data gives back when the thread has no magazines any more, and allocates then") {
    allot::checking_resource up;
    pool_type pool{up};
    use(pool); // the library's own key is there, and comes before the one below
    const std::size_t own = pool.cached();
    static pool_type* of_thread;
    of_thread = &pool;
    pthread_key_t key;
    REQUIRE(pthread_key_create(&key, [](void* block) {
              of_thread->deallocate(block, 40, 8);
              use(*of_thread, 200);
            }) == 0);
    for (int i = 0; i < 3; ++i)
      std::thread{[&] { pthread_setspecific(key, pool.allocate(40, 8)); }}.join();
    CHECK(pool.used() == 0);
    CHECK(pool.cached() == own); // nothing stays with threads that are gone
    const allot::checking_resource::monitor since{up};
    std::thread{[&] { use(pool, 10); }}.join();
    CHECK(since.attempts() == 0); // the magazines of those threads are there to be used
    CHECK(pool.cached() == own);
    pthread_key_delete(key);
  }

#if !ALLOT_TEST_TSAN // which has ended with the thread by then, and does not bear it
  TEST_CASE("a thread whose end goes untold, since it comes to the pool in the very last destructor, may be unmapped") {
    allot::checking_resource up;
    std::optional<pool_type> pool{std::in_place, up};
    use(*pool);
    const std::size_t own = pool->cached();
    static pool_type* of_thread;
    of_thread = &*pool;
    static pthread_key_t key;
    static int rounds;
    rounds = 0;
    REQUIRE(pthread_key_create(&key, [](void* any) {
              ++rounds == PTHREAD_DESTRUCTOR_ITERATIONS ? use(*of_thread, 10) : void(pthread_setspecific(key, any));
            }) == 0);
    {
      own_stack stack;
      stack.run([](void* any) -> void* { return pthread_setspecific(key, any), nullptr; });
      REQUIRE(rounds == PTHREAD_DESTRUCTOR_ITERATIONS);
      CHECK(pool->cached() > own); // or the thread's end was told after all
      const allot::checking_resource::monitor since{up};
      stack.run([](void*) -> void* { return use(*of_thread, 10), nullptr; });
      CHECK(since.attempts() == 0); // what the first thread left is the second one's
      CHECK(pool->cached() == own);
      rounds = 0;
      stack.run([](void* any) -> void* { return pthread_setspecific(key, any), nullptr; });
    }
    pthread_key_delete(key);
    pool.reset();
    CHECK(up.live_blocks() == 0);
    CHECK(up.check() == 0);
  }

#endif

  TEST_CASE("threads that end while pools end, hundreds of times") {
    allot::checking_resource up;
    pool_type longer{up};
    std::atomic<int> threads{0};
    for (int turn = 0; turn < 150; ++turn) {
      std::vector<std::thread> running;
      {
        pool_type shorter{up};
        std::atomic<int> done{0};
        for (int i = 0; i < 3; ++i) {
          running.emplace_back([&, &done_here = done, &pool = shorter] {
            use(longer, 20);
            use(pool, 20);
            threads.fetch_add(1);
            done_here.fetch_add(1); // from here on the thread only ends
          });
        }
        while (done.load() < 3)
          std::this_thread::yield();
      }
      for (std::thread& t : running)
        t.join();
    }
    CHECK(threads == 450);
    CHECK(longer.used() == 0);
    CHECK(longer.cached() == 0);
    longer.release();
    CHECK(up.live_blocks() == 0);
  }

  TEST_CASE("pools come and go in one thread, while other threads begin and end with pools of their own") {
    allot::checking_resource up;
    race(3, 60, [&](unsigned thread, unsigned) {
      pool_type pool{up};
      use(pool, 30);
      if (thread != 0) std::thread{[&] { use(pool, 30); }}.join();
    });
    CHECK(up.live_blocks() == 0);
  }

  TEST_CASE("a pool over a pool: threads begin and end, both pools end, nothing waits for ever") {
    allot::checking_resource up;
    {
      allot::concurrent_pool_resource<allot::checking_resource> bottom{up};
      allot::concurrent_pool_resource top{bottom};
      for (int turn = 0; turn < 10; ++turn) {
        race(3, 3, [&](unsigned thread, unsigned round) {
          use(top, 100 + 50 * thread, 40 + 100 * round);
          use(bottom, 50);
        });
        if (turn % 3 == 0) top.release();
      }
      CHECK(top.used() == 0);
      CHECK(top.cached() == 0);
      CHECK(bottom.used() >= top.reserved());
      top.release();
      CHECK(bottom.used() == 0);
    }
    CHECK(up.live_blocks() == 0);
  }

  TEST_CASE("upstream is called by one thread at a time, large blocks and trim among the calls") {
    support::serial_upstream up;
    allot::concurrent_pool_resource pool{up};
    race(4, 20, [&](unsigned thread, unsigned round) {
      use(pool, 20, 100 * (thread + 1) + 17 * round);
      use(pool, 2, 100'000);
      if (round % 4 == thread) (void)pool.trim();
    });
    CHECK_FALSE(up.met_two_threads());
    CHECK(pool.used() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a failure of upstream at any call, in whatever thread, leaves locks free and nothing lost") {
    for (std::size_t k = 1; k <= 24; ++k) {
      for (const bool from : {false, true}) {
        CAPTURE(k);
        support::serial_upstream up;
        allot::concurrent_pool_resource pool{up};
        from ? up.failing().fail_from(k) : up.failing().fail_at(k);
        race(3, 2, [&](unsigned thread, unsigned) {
          std::vector<void*> taken;
          try {
            if (thread == 0) pool.deallocate(pool.allocate(100'000), 100'000);
            for (int i = 0; i < 150; ++i)
              taken.push_back(pool.allocate(200 * (thread + 1), 8));
            pool.deallocate(pool.allocate(100'000), 100'000);
          } catch (const std::bad_alloc&) {
          }
          for (void* const p : taken)
            pool.deallocate(p, 200 * (thread + 1), 8);
        });
        CHECK(pool.used() == 0);
        CHECK(pool.reserved() == up.memory().live_bytes());
        up.failing().heal();
        use(pool, 100);
        pool.release();
        CHECK(up.memory().live_blocks() == 0);
        CHECK_FALSE(up.met_two_threads());
      }
    }
  }
#endif

  TEST_CASE("a pool whose upstream refuses magazines does without, and does not ask at each call") {
    allot::checking_resource memory;
    allot::failing_adaptor up{memory};
    up.fail_if([](std::size_t, std::size_t alignment, void*) noexcept { return alignment == 64; });
    allot::concurrent_pool_resource pool{up};
    use(pool, 300, 40);
    std::thread{[&] { use(pool, 300, 40); }}.join();
    CHECK(pool.cached() == 0);
    CHECK(pool.used() == 0);
    CHECK(up.failures_injected() <= 3);
    up.heal();
    use(pool, 600, 40);
    CHECK(pool.cached() > 0); // asked again at some time
  }

  TEST_CASE(
      "a thread without magazines takes the blocks of full ones that others gave back, before any of upstream's") {
    allot::checking_resource memory;
    allot::failing_adaptor up{memory};
    allot::concurrent_pool_resource pool{up};
    use(pool, 400); // more than this thread's magazines hold
    up.fail_if([](std::size_t, std::size_t alignment, void*) noexcept { return alignment == 64; });
    const allot::checking_resource::monitor since{memory};
    std::thread{[&] { use(pool, 400 - 2 * 64); }}.join();
    CHECK(up.failures_injected() >= 1);
    CHECK(since.attempts() == 0);
  }

  TEST_CASE("an upstream that refuses magazines for a thread that only deallocates is not asked for each batch") {
    allot::checking_resource memory;
    allot::failing_adaptor up{memory};
    allot::concurrent_pool_resource pool{up};
    use(pool);
    up.fail_if([](std::size_t, std::size_t alignment, void*) noexcept { return alignment == 64; });
    worker other;
    for (int turn = 0; turn < 50; ++turn) {
      std::vector<void*> taken(200);
      for (void*& p : taken)
        p = pool.allocate(40, 8);
      other.does([&] {
        for (void* const p : taken)
          pool.deallocate(p, 40, 8);
      });
    }
    CHECK(up.failures_injected() >= 1);
    CHECK(up.failures_injected() <= 3);
    CHECK(pool.used() == 0);
  }

  TEST_CASE("the child of a fork goes on with the pool; what lies in lost threads' magazines stays there") {
    allot::checking_resource up;
    worker other;
    std::optional<pool_type> pool{std::in_place, up};
    use(*pool);
    other.does([&] { use(*pool); });
    const auto child = [&] {
      const std::size_t lost_and_own = pool->cached();
      use(*pool);
      if (pool->cached() != lost_and_own) _exit(2);
#if !ALLOT_TEST_TSAN // which allows a child of several threads none
      void* kept = nullptr;
      std::thread{[&] { kept = pool->allocate(40, 8); }}.join(); // has the memory of the lost thread's stack
      if (pool->cached() != lost_and_own) _exit(3);
      pool->deallocate(kept, 40, 8);
#endif
      pool.reset();
      if (up.live_blocks() != 0 || up.check() != 0) _exit(4);
      end_well();
    };
    const support::ending end = support::ending_of(child);
    CHECK_MESSAGE(end.was_killed_by(ends_well), end.status << ' ' << end.output);
    use(*pool);
    other.does([&] { use(*pool); });
  }

  TEST_CASE("a fork while other threads begin and end leaves a child that can use pools") {
    allot::checking_resource up;
    std::atomic<bool> stop{false};
    std::vector<std::thread> busy;
    for (int i = 0; i < 2; ++i)
      busy.emplace_back([&] {
        allot::checking_resource own;
        std::vector<std::unique_ptr<pool_type>> pools; // many, so that a thread takes long to end
        for (int k = 0; k < 100; ++k)
          pools.push_back(std::make_unique<pool_type>(own));
        while (!stop.load())
          std::thread{[&] {
            for (auto& pool : pools)
              use(*pool, 1);
          }}.join();
      });
    int good = 0;
    for (int forks = 0; good == forks && forks < 60; ++forks) {
      const pid_t child = fork();
      if (child == 0) {
        alarm(5); // for a child that waits for ever
        {
          pool_type pool{*static_cast<allot::checking_resource*>(&up)};
          use(pool, 3);
        }
        if (up.live_blocks() == 0) end_well();
        _exit(1);
      }
      int status = 0;
      waitpid(child, &status, 0);
      good += WIFSIGNALED(status) && WTERMSIG(status) == ends_well ? 1 : 0;
    }
    stop = true;
    for (std::thread& t : busy)
      t.join();
    CHECK(good == 60);
  }
}
