#include <allot/construct/no_default_resource_guard.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/checking_resource.hpp>

#include <doctest/doctest.h>

#include <memory_resource>
#include <string>
#include <vector>

#include "support/death.hpp"

TEST_SUITE("no_default_resource_guard") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena;
    const allot::no_default_resource_guard nothing_else;
    std::pmr::vector<std::pmr::string> words{&arena};
    words.emplace_back("characters that would have gone to the heap with std::vector");
    // [example]
    CHECK(nothing_else.allocations() == 0);
  }

  TEST_CASE("stops at the first request, and says how much was asked for") {
    CHECK(dies(
        [] {
          const allot::no_default_resource_guard nothing;
          const std::pmr::vector<int> v(10);
        },
        "no_default_resource_guard: no room for 40 bytes aligned to 4: memory was asked of the default resource"));
  }

  TEST_CASE("counting, it serves from the default before it") {
    allot::checking_resource up;
    const allot::default_resource_guard use{up};
    const allot::no_default_resource_guard watching{allot::default_use::count};
    {
      const std::pmr::vector<int> v(10);
      const std::pmr::vector<int> w(20);
      CHECK(up.live_blocks() == 2);
    }
    CHECK(watching.allocations() == 2);
    CHECK(watching.bytes() == 120);
    CHECK(up.status() == 0);
  }

  TEST_CASE("restores the default before it") {
    std::pmr::memory_resource* const before = std::pmr::get_default_resource();
    { const allot::no_default_resource_guard nothing; }
    CHECK(std::pmr::get_default_resource() == before);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops where a block that it counted would outlive it") {
    CHECK(dies(
        [] {
          std::pmr::vector<int>* v = nullptr;
          const allot::no_default_resource_guard watching{allot::default_use::count};
          v = new std::pmr::vector<int>(10); // never deleted before the guard ends
          (void)v;
        },
        "live_ == 0"));
  }
#endif
}
