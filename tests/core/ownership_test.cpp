#include <allot/core/ownership.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

namespace {

using allot::ownership;

const void* at(std::uintptr_t address) { return reinterpret_cast<const void*>(address); }

struct exact {
  static constexpr bool owns_is_exact = true;
  ownership owns(const void*) const noexcept { return ownership::no; }
};

struct silent : exact {
  static constexpr bool owns_is_exact = false;
};

struct unsaid {
  ownership owns(const void*) const noexcept { return ownership::no; }
};

struct throwing {
  [[maybe_unused]] static constexpr bool owns_is_exact = true;
  ownership owns(const void*) const { return ownership::no; }
};

struct yes_or_no {
  [[maybe_unused]] static constexpr bool owns_is_exact = true;
  bool owns(const void*) const noexcept { return false; }
};

} // namespace

TEST_SUITE("ownership") {
  TEST_CASE("a range holds its first byte and not the one past its last") {
    char memory[16];
    CHECK(allot::within(memory + 4, memory + 4, 8) == ownership::yes);
    CHECK(allot::within(memory + 11, memory + 4, 8) == ownership::yes);
    CHECK(allot::within(memory + 12, memory + 4, 8) == ownership::no);
    CHECK(allot::within(memory + 3, memory + 4, 8) == ownership::no);
    CHECK(allot::within(nullptr, memory, 16) == ownership::no);
  }

  TEST_CASE("an empty range holds nothing, not even its start") {
    char memory[1];
    CHECK(allot::within(memory, memory, 0) == ownership::no);
    CHECK(allot::within(nullptr, nullptr, 0) == ownership::no);
  }

  TEST_CASE("a range that ends with the address space is no range that wraps") {
    constexpr auto last = std::numeric_limits<std::uintptr_t>::max();
    CHECK(allot::within(at(last), at(last - 15), 16) == ownership::yes);
    CHECK(allot::within(at(last - 16), at(last - 15), 16) == ownership::no);
    CHECK(allot::within(at(0), at(last - 15), 16) == ownership::no);
  }

  TEST_CASE("an owns of other words, or one that may throw, is not allot's") {
    CHECK(allot::tells_ownership<exact>);
    CHECK(allot::tells_ownership<unsaid>);
    CHECK_FALSE(allot::tells_ownership<throwing>);
    CHECK_FALSE(allot::tells_ownership<yes_or_no>);
    CHECK_FALSE(allot::tells_ownership<int>);
  }

  TEST_CASE("only who says so, without an exception and in the right words, knows its own") {
    CHECK(allot::knows_its_own<exact>);
    CHECK_FALSE(allot::knows_its_own<silent>);
    CHECK_FALSE(allot::knows_its_own<unsaid>);
    CHECK_FALSE(allot::knows_its_own<throwing>);
    CHECK_FALSE(allot::knows_its_own<yes_or_no>);
    CHECK_FALSE(allot::knows_its_own<int>);
  }
}
