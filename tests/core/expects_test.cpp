#include <allot/core/expects.hpp>

#include <doctest/doctest.h>

TEST_SUITE("expects") {
  TEST_CASE("a promise that is kept costs the caller nothing") { ALLOT_EXPECTS(1 + 1 == 2); }
}
