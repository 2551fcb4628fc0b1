#include <allot/detail/thread_end.hpp>

#include "support/death.hpp"

#include <atomic>
#include <thread>

#include <pthread.h>
#include <unistd.h>

namespace {

std::atomic<int> ended{0};

void count_end(void*) { ended.fetch_add(1); }

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
#endif
}
