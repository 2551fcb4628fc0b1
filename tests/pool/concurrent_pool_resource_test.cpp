#include <allot/pool/concurrent_pool_resource.hpp>

#include <allot/testing/checking_resource.hpp>
#include <allot/testing/probe_upstream.hpp>

#include "support/conformance.hpp"

#include <list>
#include <memory_resource>
#include <thread>

namespace {

struct known_fixture {
  allot::probe_upstream up;
  allot::concurrent_pool_resource<allot::probe_upstream> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct small_fixture {
  allot::probe_upstream up;
  allot::concurrent_pool_resource<allot::probe_upstream> r{std::pmr::pool_options{3, 100}, up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

#if ALLOT_EXCEPTIONS
struct foreign_fixture {
  allot::probe_upstream up;
  allot::concurrent_pool_resource<> r{&up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};
#endif

} // namespace

template class allot::concurrent_pool_resource<allot::checking_resource>;
#if ALLOT_EXCEPTIONS
template class allot::concurrent_pool_resource<>;
#endif

TEST_SUITE("concurrent_pool_resource") {
  TEST_CASE("keeps the contract of a memory resource: over a known upstream") { check_contract<known_fixture>(); }
  TEST_CASE("keeps the contract of a memory resource: with few and small blocks") { check_contract<small_fixture>(); }
#if ALLOT_EXCEPTIONS
  TEST_CASE("keeps the contract of a memory resource: over any upstream") { check_contract<foreign_fixture>(); }
#endif

  TEST_CASE("example") {
    // [example]
    allot::checking_resource memory;
    allot::concurrent_pool_resource pool{memory};

    std::pmr::list<int> numbers{&pool};
    std::thread{[&] { numbers.assign(1000, 7); }}.join(); // another thread's magazines
    numbers.clear();                                      // into this thread's

    CHECK(pool.used() == 0);
    CHECK(pool.cached() <= pool.most_cached_per_thread());
    pool.release();
    CHECK(memory.live_blocks() == 0);
    // [example]
  }
}
