#include <allot/adaptor/limit_adaptor.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <list>
#include <memory_resource>
#include <string_view>
#include <type_traits>

#include "support/conformance.hpp"
#include "support/death.hpp"

namespace {

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();

struct bytes_fixture {
  allot::probe_upstream up;
  allot::limit_adaptor<allot::probe_upstream> r{up, std::size_t{1} << 20};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct blocks_fixture {
  allot::probe_upstream up;
  allot::limit_adaptor<allot::probe_upstream> r{up, allot::budget{.bytes = std::size_t{1} << 20, .blocks = 5000}};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct unlimited_fixture {
  allot::probe_upstream up;
  allot::limit_adaptor<allot::probe_upstream> r{up, allot::budget{}};
  static constexpr bool bounded = false;
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct nested_fixture {
  allot::probe_upstream up;
  allot::limit_adaptor<allot::probe_upstream> inner{up, std::size_t{1} << 20, "process"};
  allot::limit_adaptor<decltype(inner)> r{inner, std::size_t{1} << 19, "tenant"};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

} // namespace

TEST_SUITE("limit_adaptor") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<bytes_fixture>(); }

#if !ALLOT_VALGRIND // under Memcheck the suite takes seconds, and a budget puts nothing in memory but figures
  TEST_CASE_TEMPLATE("keeps the contract with blocks, without a limit, and in two levels", Fixture, blocks_fixture,
                     unlimited_fixture, nested_fixture) {
    check_contract<Fixture>();
  }
#endif

  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena;
    allot::limit_adaptor process{arena, 1000, "process"};
    allot::limit_adaptor tenant{process, allot::budget{.bytes = 600, .blocks = 2}, "tenant"};

    void* const p = tenant.allocate(500, 8);
    CHECK(tenant.headroom() == 100);
    CHECK(process.headroom() == 500);
    CHECK(tenant.try_allocate(101, 1) == nullptr); // past the tenant's bytes
    CHECK(process.used() == 500);                  // nothing of it was charged to the process
    tenant.deallocate(p, 500, 8);
    // [example]
    CHECK(tenant.used() == 0);
  }

  TEST_CASE("refuses the byte past the limit, and counts nothing for it") {
    allot::checking_resource up;
    allot::limit_adaptor capped{up, 100};
    void* const p = capped.allocate(60, 1);

    CHECK(capped.try_allocate(41, 1) == nullptr);
    CHECK(capped.used() == 60);
    CHECK(up.live_blocks() == 1);
    CHECK(capped.snapshot().refusals == 1);

    capped.deallocate(capped.allocate(40, 1), 40, 1); // exactly full is allowed
    CHECK(capped.peak() == 100);
    capped.deallocate(p, 60, 1);
  }
}
