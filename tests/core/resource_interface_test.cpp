#include <allot/core/resource_interface.hpp>

#include <allot/source/null_resource.hpp>

#include <doctest/doctest.h>

TEST_SUITE("resource_interface") {
  TEST_CASE("a resource that cannot place a block gives null when tried") {
    allot::null_resource none;
    CHECK(none.try_allocate(1) == nullptr);
  }
}
