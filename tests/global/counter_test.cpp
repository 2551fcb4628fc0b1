#include <allot/global/counter.hpp> // first: proves that the header stands alone

#include <allot/core/failure.hpp>
#include <allot/core/layout.hpp>
#include <allot/global/thread_region.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <thread>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "global/forms.hpp"
#include "support/death.hpp"
#include "support/race.hpp"
#include "support/sanitizers.hpp"

#define UNDER_SANITIZER (ALLOT_TEST_ASAN || ALLOT_TEST_TSAN)

#if UNDER_SANITIZER
// Their malloc ends the program at sizes that it takes for a mistake.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
#endif

namespace {

namespace global = allot::global;

constexpr std::size_t sizes[] = {0, 1, 7, 8, 24, 25, 100, 4096, 1'000'000};
constexpr std::size_t max_size = std::numeric_limits<std::size_t>::max();

/// Allocates `bytes` while it is made, which is before main, and keeps them.
struct early {
  void* block;
  explicit early(std::size_t bytes) : block{::operator new(bytes)} {}
  ~early() { ::operator delete(block); }
};
const early before_main{123'457};

/// A block of malloc's, which the compiler does not know for one.
void* foreign_block(std::size_t bytes) {
  void* (*volatile const by_malloc)(std::size_t) = std::malloc;
  return by_malloc(bytes);
}

/// What one thread did, in the whole of the process too: nothing else runs.
struct both {
  allot::counting_difference thread;
  allot::counting_difference process;
};

template <class F>
both cost_of(F f) {
  const auto before = global::snapshot();
  const auto thread = global::measure(f);
  return {thread, global::snapshot() - before};
}

/// Sets a new-handler for as long as it lives.
struct handler_guard {
  std::new_handler before;
  explicit handler_guard(std::new_handler handler) : before{std::set_new_handler(handler)} {}
  ~handler_guard() { std::set_new_handler(before); }
};

int handler_calls = 0;

/// A `thread_local` object that allocates when its thread has ended all else.
struct late {
  void* block = nullptr;
  late() = default;
  late(const late&) = delete;
  late& operator=(const late&) = delete;
  ~late() {
    ::operator delete(block);
    allocate_and_free(1000);
  }
};

void free_at_the_very_end(void* p) {
  ::operator delete(p);
  allocate_and_free(10'000);
}

std::atomic<bool> disorder{false};
std::atomic<std::size_t> seen{0};

void look(int) {
  const auto now = global::snapshot();
  const auto thread = global::thread_snapshot();
  if (now.live_bytes > now.peak_bytes || now.total_bytes < seen.load() || thread.deallocations > thread.allocations)
    disorder = true;
  seen = now.total_bytes;
}

} // namespace

TEST_SUITE("counter") {
  TEST_CASE("is in this program") { CHECK(global::is_counting()); }

  TEST_CASE("example") {
    // [example]
    const allot::counting_snapshot before = allot::global::snapshot();
    auto words = std::make_unique<char[]>(100);
    (void)kept(words.get()); // compilers may leave out an allocation that nobody looks at

    const allot::counting_difference since = allot::global::snapshot() - before;
    CHECK(since.live_bytes == 100);
    CHECK(since.allocations == 1);
    // [example]
  }

  TEST_CASE("every form counts what it was asked for, to the byte, and takes it back") {
    for (const form& f : every_form) {
      for (const std::size_t bytes : sizes) {
        CAPTURE(f.name);
        CAPTURE(bytes);
        void* p = nullptr;
        const auto out = cost_of([&] { p = f.allocate(bytes, std::align_val_t{64}); });
        const auto back = cost_of([&] { f.deallocate(p, bytes, std::align_val_t{64}); });

        for (const auto& cost : {out.thread, out.process}) {
          CHECK(cost.live_bytes == static_cast<std::ptrdiff_t>(bytes));
          CHECK(cost.total_bytes == bytes);
          CHECK(cost.live_blocks == 1);
          CHECK(cost.allocations == 1);
          CHECK(cost.deallocations == 0);
        }
        CHECK(out.thread.peak_bytes == bytes);
        CHECK(out.thread.largest_bytes == bytes);
        for (const auto& cost : {back.thread, back.process}) {
          CHECK(cost.live_bytes == -static_cast<std::ptrdiff_t>(bytes));
          CHECK(cost.total_bytes == 0);
          CHECK(cost.live_blocks == -1);
          CHECK(cost.deallocations == 1);
        }
      }
    }
  }

  TEST_CASE("every block is aligned as asked, and every byte of it can be written") {
    for (const form& f : every_form) {
      for (std::size_t alignment = 1; alignment <= 1 << 20; alignment *= 2) {
        const std::size_t bytes = alignment + 3;
        void* const p = f.allocate(bytes, std::align_val_t{alignment});
        std::memset(p, 0xff, bytes);
        CHECK(allot::is_aligned(p, f.aligned ? alignment : __STDCPP_DEFAULT_NEW_ALIGNMENT__));
        const auto back = global::measure([&] { f.deallocate(p, bytes, std::align_val_t{alignment}); });
        CHECK(back.live_bytes == -static_cast<std::ptrdiff_t>(bytes)); // writing to all of it did not reach its size
      }
    }
  }

  TEST_CASE("zero bytes are a block of their own") {
    for (const form& f : every_form) {
      void* const p = f.allocate(0, std::align_val_t{32});
      void* const q = f.allocate(0, std::align_val_t{32});
      CHECK(p != nullptr);
      CHECK(p != q);
      f.deallocate(p, 0, std::align_val_t{32});
      f.deallocate(q, 0, std::align_val_t{32});
    }
  }

  TEST_CASE("null can be deleted in every way, and is not counted") {
    const auto foreign = global::foreign_deallocations();
    const auto cost = cost_of([] {
      for (const form& f : every_form)
        f.deallocate(nullptr, 8, std::align_val_t{64});
    });
    CHECK(cost.thread == allot::counting_difference{});
    CHECK(cost.process.deallocations == 0);
    CHECK(global::foreign_deallocations() == foreign);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a request that cannot be served fails in the way of its form, and is counted as nothing else") {
    for (const form& f : every_form) {
      for (const std::size_t bytes :
           {max_size, max_size - 7, max_size - 8, max_size / 2 + 1, max_size / 2, max_size / 2 - 8}) {
        CAPTURE(f.name);
        const bool gives_null = std::string_view{f.name}.find("nothrow") != std::string_view::npos;
        bool threw = false;
        void* p = nullptr;
        const auto cost = cost_of([&] {
          try {
            p = f.allocate(bytes, std::align_val_t{4096});
          } catch (const std::bad_alloc&) {
            threw = true;
          }
        });
        CHECK(p == nullptr);
        CHECK(threw != gives_null);
        CHECK(cost.thread == allot::counting_difference{.failures = 1});
        CHECK(cost.process.failures == 1);
        CHECK(cost.process.live_bytes == 0);
      }
    }
  }

  TEST_CASE("what it throws says how much was asked for") {
    try {
      (void)every_form[3].allocate(max_size, std::align_val_t{128});
      FAIL("it was served");
    } catch (const allot::out_of_memory& e) {
      CHECK(e.record().bytes == max_size);
      CHECK(e.record().alignment == 128);
      CHECK(std::string_view{e.what()}.find("operator new") != std::string_view::npos);
    }
  }

  TEST_CASE("calls the new-handler again and again, until there is none") {
    for (const form& f : every_form) {
      handler_calls = 0;
      const handler_guard guard{[] {
        if (++handler_calls == 3) std::set_new_handler(nullptr);
      }};
      try {
        (void)f.allocate(max_size, std::align_val_t{64});
      } catch (const std::bad_alloc&) {
      }
      CHECK(handler_calls == 3);
    }
  }

  TEST_CASE("a new-handler that throws ends the request: nothrow gives null, the others let it through") {
    struct gone final : std::bad_alloc {};
    const handler_guard guard{[] { throw gone{}; }};
    const auto cost = global::measure([] {
      CHECK_THROWS_AS((void)kept(::operator new(max_size)), gone);
      CHECK(::operator new(max_size, std::nothrow) == nullptr);
      CHECK(::operator new[](max_size, std::align_val_t{64}, std::nothrow) == nullptr);
    });
    CHECK(cost.failures == 3);
  }
#endif

#if !UNDER_SANITIZER
  TEST_CASE("a new-handler that finds memory is rewarded") {
    const support::ending end = support::ending_of([] {
      rlimit limit{};
      getrlimit(RLIMIT_AS, &limit);
      rlimit low = limit;
      low.rlim_cur = 1;
      setrlimit(RLIMIT_AS, &low);
      static rlimit whole = limit;
      std::set_new_handler([] {
        ++handler_calls;
        setrlimit(RLIMIT_AS, &whole);
      });
      handler_calls = 0;
      const auto cost = global::measure([] { (void)kept(::operator new(100'000'000)); });
      if (cost.live_bytes != 100'000'000 || handler_calls != 1 || cost.failures != 0) std::abort();
    });
    CHECK(end.exited(0));
    CHECK_MESSAGE(end.output.empty(), end.output);
  }
#endif

#if !ALLOT_EXCEPTIONS
  TEST_CASE("without exceptions a request that cannot be served ends the program, with what was asked for") {
    CHECK(::operator new(max_size, std::nothrow) == nullptr);
    CHECK(dies([] { (void)kept(::operator new(max_size)); }, "operator new: no room for 18446744073709551615 bytes"));
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops at an alignment that is none") {
    CHECK(dies([] { (void)every_form[3].allocate(8, std::align_val_t{48}); }, "is_alignment"));
  }
#endif

  TEST_CASE("a block of malloc's can be deleted: it is freed, and told from a counted one") {
    for (const std::size_t bytes : sizes) {
      const auto foreign = global::foreign_deallocations();
      void* const p = foreign_block(bytes);
      std::memset(p, 0x5a, bytes);
      const auto cost = cost_of([&] { ::operator delete(p); });
      CHECK(cost.thread == allot::counting_difference{});
      CHECK(cost.process.live_bytes == 0);
      CHECK(cost.process.deallocations == 0);
      CHECK(global::foreign_deallocations() == foreign + 1);
    }
  }

  TEST_CASE("memory that was counted once is not taken for counted when malloc gave it out again") {
    const auto foreign = global::foreign_deallocations();
    for (std::size_t bytes = 8; bytes <= 1000; bytes += 8) {
      allocate_and_free(bytes);
      void* const again = foreign_block(bytes + global::block_overhead); // likely the same
      ::operator delete(again);
    }
    CHECK(global::foreign_deallocations() == foreign + 125);
  }

  TEST_CASE("a copy of a block's bytes is no block") {
    void* volatile p = ::operator new(32); // volatile: the compiler knows its size, and not that more lies behind it
    void* const copy = foreign_block(40);
#if !UNDER_SANITIZER // the size lies where nobody may look
    std::memcpy(copy, p, 40);
#endif
    const auto foreign = global::foreign_deallocations();
    ::operator delete(copy);
    CHECK(global::foreign_deallocations() == foreign + 1);
    ::operator delete(p);
  }

#if ALLOT_ASAN
  TEST_CASE("AddressSanitizer still reports an overrun by one byte") {
    const support::ending end = support::ending_of([] {
      char* const volatile p = static_cast<char*>(::operator new(30));
      p[30] = 1;
    });
    CHECK(end.says("AddressSanitizer"));
  }
#endif

  TEST_CASE("a block that another thread frees is off that thread's books, and off the process's") {
    const auto before = global::snapshot();
    void* p = nullptr;
    allot::counting_difference giver;
    allot::counting_difference taker;
    std::thread{[&] {
      p = ::operator new(5000);
      giver = global::thread_snapshot();
    }}.join();
    std::thread{[&] { taker = global::measure([&] { ::operator delete(p); }); }}.join();
    CHECK(giver.live_bytes >= 5000);
    CHECK(taker.live_bytes == -5000);
    CHECK(taker.live_blocks == -1);
    CHECK(taker.peak_bytes == 0);
    CHECK((global::snapshot() - before).live_bytes == 0);
  }

  TEST_CASE("a thread's figures start from nothing, and are its own") {
    allot::counting_difference start{.live_bytes = 1};
    allot::counting_difference end;
    std::thread{[&] {
      // What std::thread made for it came from another thread.
      start = global::thread_snapshot();
      allocate_and_free(77);
      end = global::thread_snapshot();
    }}.join();
    CHECK(start.allocations == 0);
    CHECK(end.total_bytes == 77);
    CHECK(end.peak_bytes == 77);
    CHECK(end.largest_bytes == 77);
  }

  TEST_CASE("the last things that a thread does are counted too") {
    static pthread_key_t key;
    REQUIRE(pthread_key_create(&key, free_at_the_very_end) == 0);
    const auto before = global::snapshot();
    std::thread{[] {
      thread_local late object;
      object.block = ::operator new(100);
      pthread_setspecific(key, ::operator new(200));
    }}.join();
    const auto since = global::snapshot() - before;
    CHECK(since.live_bytes == 0);
    CHECK(since.live_blocks == 0);
    CHECK(since.total_bytes >= 100 + 200 + 1000 + 10'000);
    pthread_key_delete(key);
  }

  TEST_CASE("loses nothing while threads allocate and free for each other") {
    constexpr unsigned threads = 4;
    constexpr unsigned rounds = 2000;
    static std::atomic<void*> slots[threads] = {};
    static std::atomic<std::size_t> asked{0};
    const auto before = global::snapshot();
    const auto start = global::thread_snapshot();
    race(threads, rounds, [](unsigned thread, unsigned round) {
      const std::size_t bytes = 16 + (thread * 31 + round * 7) % 300;
      asked += bytes;
      ::operator delete(slots[(thread + round) % threads].exchange(::operator new(bytes)));
    });
    for (auto& slot : slots)
      ::operator delete(slot.exchange(nullptr));
    const auto after = global::snapshot();
    const auto harness = allot::counting_difference{global::thread_snapshot()};
    CHECK((after - before).live_bytes == 0);
    CHECK((after - before).live_blocks == 0);
    CHECK((after - before).total_bytes == asked + harness.total_bytes - start.total_bytes);
    CHECK((after - before).allocations == threads * rounds + harness.allocations - start.allocations);
    CHECK(after.peak_bytes >= after.live_bytes);
  }

  TEST_CASE("a child made by fork goes on from its parent's figures") {
    void* const p = ::operator new(300);
    const auto parent = global::snapshot();
    const support::ending end = support::ending_of([&] {
      const auto start = global::snapshot();
      ::operator delete(p);
      allocate_and_free(40);
      const auto since = global::snapshot() - start;
      if (start.live_bytes < parent.live_bytes || since.live_bytes != -300 || since.total_bytes != 40) std::abort();
    });
    CHECK(end.exited(0));
    CHECK(global::snapshot().live_bytes >= 300); // the child's delete is not ours
    ::operator delete(p);
  }

  TEST_CASE("can be read from a signal handler in the middle of anything") {
    const auto old = std::signal(SIGALRM, look);
    const itimerval often{.it_interval = {.tv_sec = 0, .tv_usec = 200}, .it_value = {.tv_sec = 0, .tv_usec = 200}};
    seen = 0;
    setitimer(ITIMER_REAL, &often, nullptr);
    void* blocks[16] = {};
    for (std::size_t i = 0; i < 100'000 || seen == 0; ++i) {
      void*& slot = blocks[i % 16];
      ::operator delete(slot);
      slot = ::operator new(i % 500);
    }
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    std::signal(SIGALRM, old);
    for (void* const p : blocks)
      ::operator delete(p);
    CHECK(seen != 0);
    CHECK_FALSE(disorder);
  }

  TEST_CASE("before_main has what was allocated before main, and nothing since") {
    const auto at_main = global::before_main();
    CHECK(at_main.live_bytes >= 123'457);
    CHECK(at_main.largest_bytes == 123'457);
    allocate_and_free(500'000);
    CHECK(global::before_main() == at_main);
    CHECK(global::snapshot().largest_bytes >= 500'000);
  }
}
