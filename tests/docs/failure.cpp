// What docs/failure.md shows.

#include "page.hpp"

#include <allot/allot.hpp>
#include <allot/testing/checking_resource.hpp>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <memory_resource>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

using namespace allot::literals;

namespace {

void record() {
  //! [record]
  allot::bump_resource<1_KiB> arena{"frame"};
  try {
    std::pmr::vector<double> samples(200, &arena);
  } catch (const allot::out_of_memory& failure) {
    std::puts(failure.what());
    const allot::failure& record = failure.record();
    std::printf("%zu bytes asked for, %zu free\n", record.bytes, record.capacity - record.used);
  }
  //! [record]
}

void kinds() {
  //! [kinds]
  allot::malloc_resource heap;
  allot::bump_resource<64> arena{"a small arena"};
  allot::limit_adaptor tenant{heap, 1_KiB, "tenant"};
  allot::block_pool_resource<32, 16, allot::malloc_resource> nodes{heap, "nodes"};
  static constinit allot::static_buffer<64> buffer;
  (void)buffer.claim("first");
  allot::once<int> config;

  const auto say = [](auto request) {
    try {
      request();
    } catch (const std::exception& failure) {
      std::puts(failure.what());
    }
  };
  say([&] { (void)arena.allocate(65, 1); });
  say([&] { (void)tenant.allocate(2_KiB, 8); });
  say([&] { (void)nodes.allocate(33, 8); });
  say([&] { (void)nodes.allocate(32, 64); });
  say([&] { (void)heap.allocate(std::size_t{1} << 63, 8); });
  say([&] { (void)buffer.claim("second"); });
  say([&] { (void)*config; });
  //! [kinds]
}

void unchanged() {
  //! [unchanged]
  allot::bump_resource<1_KiB> arena;
  std::pmr::vector<int> numbers(100, 7, &arena);

  void* const p = arena.try_allocate(1_KiB, 8); // null: no exception, no handler
  std::printf("%s, %zu bytes in use as before\n", p == nullptr ? "no room" : "a block", arena.used());
  //! [unchanged]
}

void spill() {
  //! [spill]
  allot::malloc_resource heap;
  allot::counting_adaptor spilled{heap};
  allot::bump_resource<1_KiB> arena;
  allot::fallback_router memory{arena, spilled}; // asks the arena first, by try_allocate

  std::pmr::vector<char> fits(900, &memory);
  std::pmr::vector<char> does_not(900, &memory);
  std::printf("%zu bytes in the arena, %zu from the heap\n", arena.used(), spilled.used());
  //! [spill]
}

//! [retry]
struct cache {
  std::pmr::vector<char> pages;

  static bool drop(const allot::failed_attempt&, void* user) noexcept {
    auto& self = *static_cast<cache*>(user);
    if (self.pages.capacity() == 0) return false; // nothing left: the failure goes on
    std::pmr::vector<char>{self.pages.get_allocator()}.swap(self.pages);
    return true;
  }
};

void retry() {
  allot::malloc_resource heap;
  allot::limit_adaptor capped{heap, 1_KiB, "process"};
  cache recent{std::pmr::vector<char>(800, &capped)};
  allot::retry_adaptor memory{capped, {.callback = cache::drop, .user = &recent}};

  std::pmr::vector<char> wanted(900, &memory);
  std::printf("%zu bytes, the cache has %zu\n", wanted.size(), recent.pages.capacity());
}
//! [retry]

//! [reserve]
bool answer_request(std::pmr::memory_resource& memory) {
  std::pmr::string body(2_KiB, '.', &memory);
  return !body.empty();
}

void reserve() {
  allot::bump_resource<1_KiB> request;
  allot::bump_resource<256> last_words; // set aside: the way out never waits for memory
  try {
    (void)answer_request(request);
  } catch (const allot::out_of_memory& failure) {
    const std::pmr::string reply{failure.what(), &last_words};
    std::printf("503: %s\n", reply.c_str());
  }
}
//! [reserve]

//! [handler]
void note(const allot::failure& what) noexcept { // may log, reset the machine or exit
  char line[256];
  allot::describe(what, line);
  std::printf("handler: %s\n", line);
} // and where it returns, the program aborts

void handler() {
  allot::set_failure_handler(note);
  allot::page_resource pages{{.name = "heap"}};
  void* const p = pages.allocate(4_KiB, 8);
  pages.deallocate(p, 4_KiB, 8);
  pages.deallocate(p, 4_KiB, 8); // once too often: no exception, since deallocate runs in destructors
}
//! [handler]

void unhandled() {
  //! [unhandled]
  allot::null_resource nothing;
  int local = 0;
  nothing.deallocate(&local, sizeof local, alignof(int));
  //! [unhandled]
}

} // namespace

int main(int argc, char** argv) {
  return page::run(argc, argv,
                   {{{"record", record},
                     {"kinds", kinds},
                     {"unchanged", unchanged},
                     {"spill", spill},
                     {"retry", retry},
                     {"reserve", reserve},
                     {"handler", handler, page::ends::by_abort},
                     {"unhandled", unhandled, page::ends::by_abort}}});
}
