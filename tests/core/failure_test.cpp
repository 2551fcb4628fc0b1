#include <allot/core/failure.hpp>

#include <doctest/doctest.h>

#include <string_view>

TEST_SUITE("failure") {
  TEST_CASE("a reason is named as in the enumeration") {
    CHECK(allot::to_string(allot::failure_reason::poisoned) == std::string_view{"poisoned"});
  }
}
