#include <allot/testing/boost_stacks.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/checking_resource.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory_resource>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "support/death.hpp"
#include "support/race.hpp"

namespace {

std::atomic<std::size_t> news{0};

} // namespace

// Counts: a stack is to be taken without a single one.
[[gnu::noinline]] void* operator new(std::size_t n) {
  ++news;
  if (void* const p = std::malloc(n != 0 ? n : 1)) return p;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

#if defined(__clang__)
#define STACKS_TEST_OWN_FRAME [[gnu::noinline]]
#else
#define STACKS_TEST_OWN_FRAME [[gnu::noipa]] // no clones either: they have no name that is exported
#endif

namespace stacks_test {

// Neither inlined nor called as the last thing: each has a frame of its own.
STACKS_TEST_OWN_FRAME void* forgets(std::pmr::memory_resource& memory, std::size_t bytes) {
  void* volatile const p = memory.allocate(bytes, 8);
  return p;
}

STACKS_TEST_OWN_FRAME void forgets_twice(std::pmr::memory_resource& memory) {
  const volatile std::size_t times = 2; // volatile: else the loop may become two calls
  for (std::size_t i = 0; i < times; ++i) {
    void* volatile const p = forgets(memory, 20 + i); // line 53
    static_cast<void>(p);
  }
}

STACKS_TEST_OWN_FRAME int frees(std::pmr::memory_resource& memory, void* p) {
  memory.deallocate(p, 24, 8);
  return 1;
}

STACKS_TEST_OWN_FRAME int frees_again(std::pmr::memory_resource& memory, void* p) {
  memory.deallocate(p, 24, 8);
  return 2;
}

STACKS_TEST_OWN_FRAME int deep(std::pmr::memory_resource& memory, int levels) { // NOLINT(misc-no-recursion)
  if (levels == 0) return forgets(memory, 8) != nullptr;
  const volatile int below = deep(memory, levels - 1);
  return below + 1;
}

} // namespace stacks_test

namespace {

std::string leaks_of(const allot::checking_resource& memory) {
  std::vector<char> text(40'000);
  const std::size_t length = memory.report_leaks(text);
  return {text.data(), std::min(length, text.size() - 1)};
}

} // namespace

TEST_SUITE("boost_stacks") {
  TEST_CASE("example") {
    // [example]
    allot::checking_resource memory{{.action = allot::on_fault::record, .stacks = &allot::boost_stacks()}};
    stacks_test::forgets_twice(memory);

    memory.report_leaks(stdout); // 2 blocks, 41 bytes in all ... they were asked for by ...
    // [example]
    CHECK(memory.live_blocks() == 2);
  }

  TEST_CASE("leaks of one call site are one group, with the functions of this test") {
    allot::checking_resource memory{{.action = allot::on_fault::record, .stacks = &allot::boost_stacks()}};
    stacks_test::forgets_twice(memory);
    void* volatile const other = stacks_test::forgets(memory, 100);
    static_cast<void>(other);

    const std::string text = leaks_of(memory);
    INFO(text);
    CHECK(text.find("leak: 2 blocks, 41 bytes in all") != text.npos);
    CHECK(text.find("leak: block #3 (100 bytes aligned to 8") != text.npos);
    const std::size_t inner = text.find("stacks_test::forgets(");
    const std::size_t outer = text.find("stacks_test::forgets_twice(");
    CHECK(inner < outer);
    CHECK(outer < text.find("leak: block #3"));
    CHECK(text.rfind("stacks_test::forgets(") > text.find("leak: block #3"));
    CHECK(text.find("stacks_test::forgets_twice(", text.find("leak: block #3")) == text.npos);
  }

  TEST_CASE("the innermost frame is the code that asked, none of allot's") {
    allot::checking_resource memory{{.action = allot::on_fault::record, .stacks = &allot::boost_stacks()}};
    void* volatile const p = stacks_test::forgets(memory, 8);
    static_cast<void>(p);
    const std::string text = leaks_of(memory);
    INFO(text);
    const std::size_t first = text.find("    #0 ");
    const std::string_view line = std::string_view{text}.substr(first, text.find('\n', first) - first);
    const bool is_user = line.find("stacks_test::forgets(") != line.npos;
    const bool is_interface = line.find("std::pmr::memory_resource::allocate(") != line.npos; // where it is not inlined
    CHECK((is_user || is_interface));
  }

#if ALLOT_STACKTRACE_HAS_LINES
  TEST_CASE("a frame is at the line of the call, and not at the one behind it") {
    allot::checking_resource memory{{.action = allot::on_fault::record, .stacks = &allot::boost_stacks()}};
    stacks_test::forgets_twice(memory);
    const std::string text = leaks_of(memory);
    INFO(text);
    const std::size_t begin = text.find("stacks_test::forgets_twice(");
    REQUIRE(begin != text.npos);
    CHECK(std::string_view{text}.substr(begin, text.find('\n', begin) - begin).ends_with("boost_stacks_test.cpp:53"));
  }
#endif

  TEST_CASE("a double free shows all three: asked for, given back, given back again") {
    const auto end = support::ending_of([] {
      allot::checking_resource memory{{.stacks = &allot::boost_stacks()}};
      void* const p = stacks_test::forgets(memory, 24);
      (void)stacks_test::frees(memory, p);
      (void)stacks_test::frees_again(memory, p);
    });
    INFO(end.output);
    CHECK(end.was_killed_by(SIGABRT));
    const std::string& text = end.output;
    const std::size_t asked = text.find("asked for by"), freed = text.find("given back by"),
                      now = text.find("came back by");
    const std::size_t maker = text.find("stacks_test::forgets("), first = text.find("stacks_test::frees("),
                      second = text.find("stacks_test::frees_again(");
    CHECK(asked < maker);
    CHECK(maker < freed);
    CHECK(freed < first);
    CHECK(first < now);
    CHECK(now < second);
    CHECK(second != text.npos);
  }

  TEST_CASE("a wrong size shows the stack that asked for the block") {
    CHECK(dies(
        [] {
          allot::checking_resource memory{{.stacks = &allot::boost_stacks()}};
          void* const p = stacks_test::forgets(memory, 23);
          (void)stacks_test::frees(memory, p);
        },
        "stacks_test::forgets("));
  }

  TEST_CASE("a stack is taken without memory, from the checked resource or from anywhere") {
    allot::bump_resource<65536> arena;
    allot::checking_resource memory{arena, {.stacks = &allot::boost_stacks()}};
    memory.deallocate(memory.allocate(8, 8), 8, 8); // the unwinder may set itself up at first
    const std::size_t before = news;
    for (int i = 0; i < 10; ++i)
      memory.deallocate(memory.allocate(8, 8), 8, 8);
    CHECK(news == before);
    CHECK(memory.allocations() == 11);
  }

  TEST_CASE("threads may share it, and each leak is where its thread left it") {
    allot::checking_resource memory{{.action = allot::on_fault::record, .stacks = &allot::boost_stacks()}};
    race(4, 50, [&](unsigned thread, unsigned round) {
      memory.deallocate(memory.allocate(8, 8), 8, 8);
      if (thread == 2 && round == 7) (void)stacks_test::deep(memory, 3);
    });
    const std::string text = leaks_of(memory);
    INFO(text);
    CHECK(memory.live_blocks() == 1);
    CHECK(text.find("stacks_test::deep(") != text.npos);
  }

  TEST_CASE("a stack deeper than what is kept of one is cut at its outer end") {
    allot::checking_resource memory{{.action = allot::on_fault::record, .stacks = &allot::boost_stacks()}};
    CHECK(stacks_test::deep(memory, 100) == 101);
    const std::string text = leaks_of(memory);
    INFO(text);
    CHECK(text.find("stacks_test::forgets(") < text.find("stacks_test::deep("));
    CHECK(text.find(" main") == text.npos);
    CHECK(std::ranges::count(text, '\n') <= static_cast<std::ptrdiff_t>(allot::call_stack::most_frames) + 2);
  }
}
