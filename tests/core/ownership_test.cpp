#include <allot/core/ownership.hpp>

#include <doctest/doctest.h>

TEST_SUITE("ownership") {
  TEST_CASE("the end of a range is outside") {
    char c[2];
    CHECK(allot::within(c + 1, c, 1) == allot::ownership::no);
  }
}
