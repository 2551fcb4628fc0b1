// A test program that goes wrong in the way that a macro names: stand_in_test.py looks whether it shows.

#include <allot/core/failure.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>

namespace {

[[maybe_unused]] const volatile bool yes = true, no = false; // the compiler does not know them

#ifdef A_DEEP_STACK
extern "C" std::byte board_heap_begin[];

/// Goes down to where the heap would begin.
[[gnu::noinline]] int descend() {
  volatile std::byte frame[32];
  for (volatile std::byte& b : frame)
    b = std::byte{1};
  return &frame[0] < board_heap_begin + 128 ? 1 : descend() + static_cast<int>(frame[0]);
}
#endif

} // namespace

#ifndef NO_CASE
TEST_SUITE("wrong") {
  TEST_CASE("one that is right") { CHECK(yes); }

#ifdef A_FALSE_CHECK_FOR_ONE_TYPE
  TEST_CASE_TEMPLATE("the wrong one", T, char, int) { CHECK(sizeof(T) == 1); }
#else
  TEST_CASE("the wrong one") {
#if defined(A_FALSE_CHECK)
    CHECK(no);
#elif defined(A_TRUE_CHECK_FALSE)
    CHECK_FALSE(yes);
#elif defined(A_FALSE_CHECK_MESSAGE)
    CHECK_MESSAGE(no, "the text");
#elif defined(A_FALSE_REQUIRE)
    REQUIRE(no);
    MESSAGE("went on");
#elif defined(A_TRUE_REQUIRE_FALSE)
    REQUIRE_FALSE(yes);
    MESSAGE("went on");
#elif defined(A_FAIL)
    FAIL("the text " << 42);
    MESSAGE("went on");
#elif defined(A_FAIL_CHECK)
    FAIL_CHECK("the text " << 42);
    MESSAGE("went on");
#elif defined(A_HALT)
    allot::halt({.resource = "arena", .bytes = 8});
#elif defined(AN_EXIT)
    CHECK(no);
    std::exit(0);
#elif defined(A_DEEP_STACK)
    CHECK(descend() > 1);
#endif
  }
#endif

  TEST_CASE("another that is right") { CHECK_FALSE(no); }
}
#endif
