#include <allot/core/adaptor_interface.hpp>

#include <doctest/doctest.h>

#include <type_traits>

TEST_SUITE("adaptor_interface") {
  TEST_CASE("an adaptor is a resource") {
    struct plain final : allot::adaptor_interface<plain, allot::resource> {};
    CHECK(std::is_base_of_v<allot::resource, plain>);
  }
}
