#include <allot/core/layout.hpp>

#include <doctest/doctest.h>

TEST_SUITE("layout") {
  TEST_CASE("the greatest size is no multiple of two") {
    CHECK_FALSE(allot::align_up(std::numeric_limits<std::size_t>::max(), 2).has_value());
  }
}
