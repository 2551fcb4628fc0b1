// What docs/start.md shows.

#include "page.hpp"

#include <allot/allot.hpp>

#include <cstddef>
#include <cstdio>
#include <list>
#include <memory_resource>
#include <string>
#include <vector>

using namespace allot::literals;

namespace {

void arena() {
  //! [arena]
  allot::bump_resource<4_KiB> arena;

  std::pmr::vector<std::pmr::string> words{&arena};
  words.reserve(2);
  words.emplace_back("short");
  words.emplace_back("a string that is too long for the string object itself");

  std::printf("%zu of %zu bytes\n", arena.used(), arena.capacity());
  //! [arena]
}

void failure() {
  //! [failure]
  allot::bump_resource<64> arena{"lines"};
  std::pmr::vector<int> numbers{&arena};
  numbers.reserve(10);
  try {
    numbers.reserve(100);
  } catch (const allot::out_of_memory& failure) { // a std::bad_alloc
    std::puts(failure.what());
  }
  std::printf("%zu numbers fit as before\n", numbers.capacity());
  //! [failure]
}

void budget() {
  //! [budget]
  allot::chain request{
      allot::layer<allot::limit_adaptor>(1_KiB, "request"), // refuses what would pass 1 KiB
      allot::layer<allot::counting_adaptor>(),              // counts what was not refused
      allot::source<allot::bump_resource<4_KiB>>(),         // places it
  };

  auto numbers = allot::vector_in<int>(request, 200);
  const auto cost = request.layer<allot::counting_adaptor>().snapshot();
  std::printf("%zu bytes live, %zu at most, %zu allocation\n", cost.live_bytes, cost.peak_bytes, cost.allocations);
  try {
    numbers.reserve(300);
  } catch (const allot::budget_exceeded& failure) { // an out_of_memory
    std::puts(failure.what());
  }
  //! [budget]
}

void pool() {
  //! [pool]
  allot::malloc_resource heap;
  allot::pool_resource pool{heap};

  std::pmr::list<int> numbers{&pool};
  for (int i = 0; i < 1000; ++i) {
    numbers.push_back(i);
    if (i >= 10) numbers.pop_front(); // its node is the next one out
  }
  std::printf("%zu nodes live, %zu bytes taken from the heap\n", numbers.size(), pool.reserved());

  numbers.clear();
  std::printf("%zu bytes given back\n", pool.trim());
  //! [pool]
}

void report() {
  //! [report]
  allot::chain request{
      allot::layer<allot::limit_adaptor>(1_KiB, "request"),
      allot::source<allot::bump_resource<4_KiB>>(),
  };
  auto numbers = allot::vector_in<int>(request, 200);

  char text[1024];
  const auto done = allot::report::text(request, text);
  std::printf("%.*s", static_cast<int>(done.written), text);
  //! [report]
}

} // namespace

int main(int argc, char** argv) {
  return page::run(argc, argv,
                   {{{"arena", arena}, {"failure", failure}, {"budget", budget}, {"pool", pool}, {"report", report}}});
}
