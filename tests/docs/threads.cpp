// What docs/threads.md shows.

#include "page.hpp"

#include <allot/allot.hpp>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <list>
#include <memory_resource>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using namespace allot::literals;

namespace {

void own() {
  //! [own]
  allot::malloc_resource heap;
  allot::limit_adaptor process{heap, 1_MiB, "process"}; // for any thread
  const auto serve = [&] {
    allot::limit_adaptor request{process, 64_KiB, "request"};
    allot::monotonic_resource arena{request}; // for this thread alone: no lock, nothing shared
    std::pmr::vector<int> numbers(1000, 7, &arena);
  };
  std::thread one{serve}, other{serve};
  one.join();
  other.join();
  std::printf("%zu bytes live, %s\n", process.used(),
              process.peak() < 1_MiB ? "never as many as the limit" : "too many");
  //! [own]
}

void handed_over() {
  //! [handed_over]
  allot::malloc_resource heap;
  allot::concurrent_pool_resource pool{heap};
  std::pmr::list<int> numbers{&pool};
  std::thread{[&] { numbers.assign(1000, 7); }}.join(); // that thread's magazines, which end with it
  numbers.clear();                                      // this thread frees what that one made
  std::printf("%zu bytes used, %s\n", pool.used(), pool.cached() > 0 ? "some kept for this thread" : "none kept");
  pool.release(); // while no other thread uses it
  std::printf("%zu bytes reserved\n", pool.reserved());
  //! [handed_over]
}

void locked() {
  //! [locked]
  allot::malloc_resource heap;
  allot::pool_resource pool{heap};          // for one thread at a time
  allot::synchronized_adaptor shared{pool}; // for any
  const auto work = [&] {
    for (int i = 0; i < 1000; ++i)
      std::pmr::vector<int> numbers(10, 7, &shared);
  };
  std::thread one{work}, other{work};
  one.join();
  other.join();
  std::printf("%zu bytes used\n", pool.used());
  //! [locked]
}

//! [handler]
constinit allot::static_slot<allot::atomic_bump_resource<>, 4_KiB> slot;

extern "C" void on_signal(int) {
  auto* const arena = slot.get(); // null before the claim
  if (arena == nullptr) return;
  void* const p = arena->try_allocate(64, 8); // lock-free; no exception out of a handler
  if (p != nullptr) static_cast<char*>(p)[0] = 's';
}

void handler() {
  auto& arena = slot.claim("events");
  std::signal(SIGUSR1, on_signal);
  (void)arena.allocate(32, 8);
  std::raise(SIGUSR1);
  std::printf("%zu bytes used\n", arena.used());
}
//! [handler]

void forked() {
  //! [forked]
  allot::malloc_resource heap;
  allot::concurrent_pool_resource pool{heap};
  std::pmr::vector<int> numbers(100, 7, &pool);

  const pid_t child = fork(); // no other thread is in a call of the pool
  if (child == 0) {
    std::pmr::vector<int> more(numbers, &pool); // a copy of the pool, in a copy of the memory
    _exit(more.size() == 100 ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  std::puts(status == 0 ? "the child went on" : "the child failed");
  //! [forked]
}

} // namespace

int main(int argc, char** argv) {
  return page::run(
      argc, argv,
      {{{"own", own}, {"handed_over", handed_over}, {"locked", locked}, {"handler", handler}, {"forked", forked}}});
}
