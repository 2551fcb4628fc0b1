#include <allot/detail/write_whole.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "support/channel.hpp"

using allot::detail::takes_a_line;
using allot::detail::write_whole;

TEST_SUITE("write_whole") {
  TEST_CASE("writes all, by as many pieces as the reader takes, and leaves errno") {
    const support::channel out;
    std::string text(300'000, 'x'); // more than a pipe holds
    text.back() = 'y';
    std::string got;
    std::thread reader{[&] {
      while (got.size() < text.size()) {
        got += out.read_all();
        std::this_thread::yield();
      }
    }};
    errno = 77;
    CHECK(write_whole(out.in(), text) == text.size());
    CHECK(errno == 77);
    reader.join();
    CHECK((got == text));
  }

  TEST_CASE("what is not taken without waiting is not written where the descriptor does not wait, and errno stays") {
    const support::channel out;
    fcntl(out.in(), F_SETFL, O_NONBLOCK);
    const std::string text(300'000, 'x');
    errno = 77;
    const std::size_t done = write_whole(out.in(), text);
    CHECK(done > 0);
    CHECK(done < text.size());
    CHECK(write_whole(out.in(), text) == 0);
    CHECK(write_whole(-1, "a") == 0);
    CHECK(write_whole(-1, "") == 0);
    CHECK(errno == 77);
    CHECK(out.read_all().size() == done);
  }

  TEST_CASE("a signal that cuts a wait short loses nothing") {
    struct sigaction interrupts {};
    interrupts.sa_handler = [](int) {}; // and no SA_RESTART: the system's write fails
    struct sigaction before {};
    REQUIRE(sigaction(SIGUSR1, &interrupts, &before) == 0);
    const support::channel out;
    out.fill();
    const std::string text(1000, 'x');
    std::atomic<bool> is_writing{false};
    std::thread reader{[&, writer = pthread_self()] {
      is_writing.wait(false);
      for (int i = 0; i < 30; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        pthread_kill(writer, SIGUSR1);
      }
      (void)out.read_all();
    }};
    is_writing.store(true);
    is_writing.notify_one();
    CHECK(write_whole(out.in(), text) == text.size());
    reader.join();
    REQUIRE(sigaction(SIGUSR1, &before, nullptr) == 0);
  }

  TEST_CASE("a descriptor takes a line where a write would not wait") {
    const support::channel out;
    CHECK(takes_a_line(out.in(), 0));
    out.fill();
    errno = 77;
    CHECK_FALSE(takes_a_line(out.in(), 0));
    CHECK_FALSE(takes_a_line(out.in(), 3));
    CHECK_FALSE(takes_a_line(-1, 3));
    CHECK(errno == 77);
    (void)out.read_all();
    CHECK(takes_a_line(out.in(), 0));
  }

  TEST_CASE("waits for a reader that comes in time") {
    const support::channel out;
    out.fill();
    std::thread reader{[&] {
      std::this_thread::sleep_for(std::chrono::milliseconds{30});
      (void)out.read_all();
    }};
    CHECK(takes_a_line(out.in(), 60'000));
    reader.join();
  }

  TEST_CASE("a pipe without a reader takes none, nor does what is not open, and neither is waited for") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    close(ends[0]);
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(takes_a_line(ends[1], 60'000));
    close(ends[1]);
    CHECK_FALSE(takes_a_line(ends[1], 60'000));
    CHECK_FALSE(takes_a_line(-1, 60'000));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{30});
  }
}
