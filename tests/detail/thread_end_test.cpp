#include <allot/detail/thread_end.hpp>

#include <allot/core/failure.hpp>

#include "support/death.hpp"
#include "support/sanitizers.hpp"

#include <atomic>
#include <cstdlib>
#include <thread>

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

namespace {

std::atomic<int> ended{0};

void count_end(void*) { ended.fetch_add(1); }

#if defined(__linux__)
std::atomic<bool> may_end{false};
std::thread* outlives = nullptr; // the destructors of the program

/// Whether the program has allot in itself. Where it is a shared library, its destructors come after all of the program's.
bool has_library_in_itself() {
  Dl_info program{};
  Dl_info library{};
  return dladdr(&may_end, &program) != 0 &&
         dladdr(reinterpret_cast<void*>(static_cast<const char* (*)(allot::failure_reason) noexcept>(allot::to_string)),
                &library) != 0 &&
         program.dli_fbase == library.dli_fbase;
}

[[gnu::destructor(101)]] void end_last() { // after those without a number
  if (outlives == nullptr) return;
  may_end = true;
  may_end.notify_one();
  outlives->join();
  _exit(ended == (has_library_in_itself() ? 0 : 1) ? 0 : 4);
}
#endif

} // namespace

TEST_SUITE("thread_end") {
  TEST_CASE("calls in the threads that asked for it, once each however often they asked, and in no other") {
    const allot::detail::thread_end end{count_end};
    ended = 0;
    std::thread{[&] {
      CHECK(end.announce());
      CHECK(end.announce());
      CHECK(ended == 0);
    }}.join();
    CHECK(ended == 1);
    std::thread{[] {}}.join();
    CHECK(ended == 1);
  }

  TEST_CASE("comes behind the destructors of thread_local objects") {
    struct late {
      int at_my_end = -1;
      ~late() { ended.store(ended.load() == 0 ? 100 : -1); }
    };
    const allot::detail::thread_end end{count_end};
    ended = 0;
    std::thread{[&] {
      CHECK(end.announce());
      static thread_local late mine; // made later, and gone before
      mine.at_my_end = 0;
    }}.join();
    CHECK(ended == 101);
  }

  TEST_CASE("where no key is left at all it says so") {
    const auto end = support::ending_of([] {
      for (pthread_key_t key = 0; pthread_key_create(&key, nullptr) == 0;) {
      }
      const allot::detail::thread_end none{count_end};
      _exit(none.announce() ? 1 : 0);
    });
    CHECK(end.exited(0));
  }

#if defined(__linux__)
  TEST_CASE("where the keys that cost nothing are in use it says so") {
    const auto use_up = [] {
      for (pthread_key_t key = 0; key < 40;)
        if (pthread_key_create(&key, nullptr) != 0) _exit(2);
      const allot::detail::thread_end end{count_end};
      if (end.announce()) _exit(3);
    };
    const support::ending done = support::ending_of(use_up);
    CHECK_MESSAGE(done.exited(0), done.status << ' ' << done.output);
  }

#if !ALLOT_TEST_TSAN // whose own destructor comes first
  TEST_CASE("a thread that ends when the library's destructors have run calls nothing of it") {
    const support::ending done = support::ending_of([] {
      const allot::detail::thread_end end{count_end};
      ended = 0;
      std::atomic<bool> announced{false};
      outlives = new std::thread{[&] {
        announced = end.announce();
        announced.notify_one();
        may_end.wait(false);
      }};
      announced.wait(false);
      std::exit(3); // but end_last says how it went
    });
    CHECK_MESSAGE(done.exited(0), done.status << ' ' << done.output);
  }
#endif
#endif
}
