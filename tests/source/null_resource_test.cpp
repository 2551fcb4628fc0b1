#include <allot/source/null_resource.hpp>

#include <doctest/doctest.h>

TEST_SUITE("null_resource") {
  TEST_CASE("gives null when tried") {
    allot::null_resource none;
    CHECK(none.try_allocate(0, 1) == nullptr);
  }
}
