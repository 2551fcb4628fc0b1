#include <allot/core/upstream.hpp>

#include <allot/core/resource.hpp>

#include <doctest/doctest.h>

TEST_SUITE("upstream") {
  TEST_CASE("an allot::resource can be tried") { CHECK(allot::tries<allot::resource>); }
}
