#include <allot/construct/no_default_resource_guard.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/checking_resource.hpp>

#include <doctest/doctest.h>

#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

#include "support/death.hpp"

TEST_SUITE("no_default_resource_guard") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
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

  TEST_CASE("counting, it serves from new and delete, whatever the default was before") {
    allot::checking_resource up;
    const allot::default_resource_guard use{up};
    const allot::no_default_resource_guard watching{allot::default_use::count};
    const std::pmr::vector<int> v(10);
    const std::pmr::vector<int> w(20);
    CHECK(watching.allocations() == 2);
    CHECK(watching.bytes() == 120);
    CHECK(up.attempts() == 0);
  }

  TEST_CASE("each guard counts what came since its own start") {
    const allot::no_default_resource_guard outer{allot::default_use::count};
    const std::pmr::vector<int> v(10);
    const allot::no_default_resource_guard inner{allot::default_use::count};
    const std::pmr::vector<int> w(20);
    CHECK(outer.allocations() == 2);
    CHECK(inner.allocations() == 1);
    CHECK(inner.bytes() == 80);
  }

  TEST_CASE("a container made under it may outlive it, and then ask for its first memory") {
    std::optional<std::pmr::vector<int>> v;
    {
      const allot::no_default_resource_guard nothing;
      v.emplace();
    }
    v->resize(10); // the default of its birth is still there, and does not stop any more
    CHECK(v->get_allocator().resource() != std::pmr::get_default_resource());
    const allot::no_default_resource_guard later{allot::default_use::count};
    v->resize(100);
    CHECK(later.allocations() == 1);
  }

  TEST_CASE("a block that it counted may outlive it, and goes back under another default") {
    std::optional<std::pmr::vector<int>> v;
    {
      const allot::no_default_resource_guard watching{allot::default_use::count};
      v.emplace(10);
      CHECK(watching.allocations() == 1);
    }
    allot::checking_resource up;
    const allot::default_resource_guard use{up};
    const allot::no_default_resource_guard watching{allot::default_use::count};
    v.reset();
    CHECK(up.attempts() == 0);
    CHECK(up.status() == 0);
  }

  TEST_CASE("stops inside of a guard that halts, even where the inner one counts, and not beyond the one that halts") {
    CHECK(dies(
        [] {
          const allot::no_default_resource_guard nothing;
          const allot::no_default_resource_guard watching{allot::default_use::count};
          const std::pmr::vector<int> v(10);
        },
        "no_default_resource_guard"));
    const allot::no_default_resource_guard watching{allot::default_use::count};
    { const allot::no_default_resource_guard nothing; }
    const std::pmr::vector<int> v(10);
    CHECK(watching.allocations() == 1);
  }

  TEST_CASE("counts under a default that was set inside of a guard that halts") {
    allot::checking_resource up;
    const allot::no_default_resource_guard nothing;
    const allot::default_resource_guard use{up};
    const allot::no_default_resource_guard watching{allot::default_use::count};
    const std::pmr::vector<int> v(10);
    CHECK(watching.allocations() == 1);
  }

  TEST_CASE("restores the default before it") {
    std::pmr::memory_resource* const before = std::pmr::get_default_resource();
    { const allot::no_default_resource_guard nothing; }
    CHECK(std::pmr::get_default_resource() == before);
  }

  TEST_CASE("the default that it sets is equal to itself alone") {
    const allot::no_default_resource_guard nothing;
    const std::pmr::memory_resource& set = *std::pmr::get_default_resource();
    CHECK(set.is_equal(set));
    CHECK_FALSE(set.is_equal(*std::pmr::new_delete_resource()));
  }
}
