#include <allot/adaptor/trace_writer.hpp> // first: proves that the header stands alone

#include <allot/adaptor/trace_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/channel.hpp"
#include "support/death.hpp"

namespace {

using support::channel;

const allot::trace_event example{
    .time = 12, .thread = 3, .pointer = reinterpret_cast<void*>(0xbeef), .bytes = 64, .alignment = 8};

/// Does `work` while no file can grow beyond so many bytes; what is cut by that raises no signal.
template <class Work>
void with_file_limit(rlim_t bytes, Work work) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlim_t before = std::exchange(limit.rlim_cur, bytes);
  setrlimit(RLIMIT_FSIZE, &limit);
  work();
  limit.rlim_cur = before;
  setrlimit(RLIMIT_FSIZE, &limit);
}

} // namespace

TEST_SUITE("trace_writer") {
  TEST_CASE("example") {
    const channel out;
    const int fd = out.in();
    // [example]
    allot::bump_resource<4096> arena;
    allot::trace_writer lines{fd, allot::trace_format::csv};
    allot::trace_adaptor traced{arena, lines};
    traced.deallocate(traced.allocate(64, 8), 64, 8);
    CHECK(lines.written() == 3); // the header is one
    // [example]
    CHECK(out.read_all().find("time,thread,operation,pointer,bytes,alignment,outcome\n") == 0);
  }

  TEST_CASE("a line of text and one of csv say the same") {
    const channel out;
    allot::trace_writer text{out.in()};
    text.record(example);
    CHECK(out.read_all() == "12 thread 3 allocate 64 bytes aligned to 8 at 0xbeef\n");
    allot::trace_writer csv{out.in(), allot::trace_format::csv};
    csv.record({.time = 1, .bytes = 9, .alignment = 2, .outcome = allot::trace_outcome::failed});
    CHECK(out.read_all() == std::string{allot::trace_csv_header} + "1,0,allocate,0x0,9,2,failed\n");
  }

  TEST_CASE("the longest line fits") {
    const allot::trace_event longest{.time = std::size_t(-1),
                                     .thread = std::size_t(-1),
                                     .pointer = reinterpret_cast<void*>(std::size_t(-1)),
                                     .bytes = std::size_t(-1),
                                     .alignment = std::size_t(-1),
                                     .operation = allot::trace_operation::deallocate};
    char line[1000];
    for (const auto format : {allot::trace_format::text, allot::trace_format::csv})
      CHECK(allot::format_trace(longest, format, line) <= allot::longest_trace_line);
  }

  TEST_CASE("what a full pipe does not take is dropped, counted, and no part of it stays") {
    const channel out;
    out.fill();
    fcntl(out.in(), F_SETFL, O_NONBLOCK);
    allot::trace_writer lines{out.in()};
    errno = 77;
    lines.record(example);
    CHECK(errno == 77);
    CHECK(lines.dropped() == 1);
    (void)out.read_all();
    lines.record(example);
    CHECK(lines.written() == 1);
    CHECK(out.read_all() == "12 thread 3 allocate 64 bytes aligned to 8 at 0xbeef\n");
  }

  TEST_CASE("a descriptor that is not open costs the line, and nothing else") {
    allot::trace_writer lines{-1, allot::trace_format::csv};
    errno = 77;
    lines.record(example);
    CHECK(errno == 77);
    CHECK(lines.dropped() == 2); // with the header
    CHECK(lines.written() == 0);
  }

  TEST_CASE("after a line that was cut the next one starts on a line of its own") {
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    const int fd = fileno(file);
    const support::ending end = support::ending_of([fd] {
      allot::trace_writer lines{fd};
      with_file_limit(10, [&] { lines.record(example); }); // the line is longer
      lines.record(example);
      _exit(lines.dropped() == 1 && lines.written() == 1 ? 0 : 1);
    });
    CHECK(end.exited(0));
    char text[200] = {};
    CHECK(pread(fd, text, sizeof text, 0) > 0);
    CHECK(std::string{text} == "12 thread \n12 thread 3 allocate 64 bytes aligned to 8 at 0xbeef\n");
    std::fclose(file);
  }

  TEST_CASE("a cut line stays to be ended until something can be written again") {
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    const int fd = fileno(file);
    const support::ending end = support::ending_of([fd] {
      allot::trace_writer lines{fd};
      with_file_limit(10, [&] { // the line is longer, and then there is no room for anything
        lines.record(example);
        lines.record(example);
      });
      lines.record(example);
      _exit(lines.dropped() == 2 && lines.written() == 1 ? 0 : 1);
    });
    CHECK(end.exited(0));
    char text[200] = {};
    CHECK(pread(fd, text, sizeof text, 0) > 0);
    CHECK(std::string{text} == "12 thread \n12 thread 3 allocate 64 bytes aligned to 8 at 0xbeef\n");
    std::fclose(file);
  }

  TEST_CASE("a write that a signal interrupts goes on") {
    const channel out;
    out.fill();
    static constinit std::atomic<int> interruptions{0};
    struct sigaction action {}; // without SA_RESTART: write ends with EINTR
    action.sa_handler = [](int) { interruptions.fetch_add(1); };
    sigaction(SIGUSR2, &action, nullptr);
    allot::trace_writer lines{out.in()};
    const pthread_t self = pthread_self();
    std::thread helper{[&] {
      for (int i = 0; i < 20; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
        pthread_kill(self, SIGUSR2);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
      (void)out.read_all();
    }};
    lines.record(example); // waits until the helper has read
    helper.join();
    CHECK(interruptions.load() > 0);
    CHECK(lines.written() == 1);
    CHECK(lines.dropped() == 0);
  }
}
