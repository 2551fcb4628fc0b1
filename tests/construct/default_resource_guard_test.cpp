#include <allot/construct/default_resource_guard.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/checking_resource.hpp>

#include <doctest/doctest.h>

#include <memory_resource>
#include <vector>

TEST_SUITE("default_resource_guard") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    {
      const allot::default_resource_guard use{arena};
      const std::pmr::vector<int> v(10); // no resource named: in the arena
      CHECK(arena.owns(v.data()) == allot::ownership::yes);
    }
    CHECK(std::pmr::get_default_resource() == std::pmr::new_delete_resource());
    // [example]
  }

  TEST_CASE("guards nest, and each restores the default before it") {
    std::pmr::memory_resource* const before = std::pmr::get_default_resource();
    allot::checking_resource one;
    allot::checking_resource two;
    {
      const allot::default_resource_guard outer{one};
      CHECK(outer.previous() == before);
      {
        const allot::default_resource_guard inner{two};
        CHECK(inner.previous() == &one);
        CHECK(std::pmr::get_default_resource() == &two);
      }
      CHECK(std::pmr::get_default_resource() == &one);
    }
    CHECK(std::pmr::get_default_resource() == before);
  }
}
