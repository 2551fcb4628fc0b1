#include <allot/interop/boost.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/source/null_resource.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <type_traits>
#include <vector>

#include <boost/container/pmr/vector.hpp>

#include "support/conformance.hpp"
#include "support/death.hpp"

namespace boost_pmr = boost::container::pmr;

namespace {

/// Both adaptors, the types known all the way.
struct there_and_back_fixture {
  allot::probe_upstream up;
  allot::boost_adaptor<allot::probe_upstream> below{up};
  allot::std_adaptor<decltype(below)> r{below};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// The same over an arena: what a container of Boost in an arena gets.
struct arena_fixture {
  allot::bump_resource<20000> arena;
  allot::boost_adaptor<allot::bump_resource<20000>> below{arena};
  allot::std_adaptor<decltype(below)> r{below};
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
  static constexpr bool bounded = true;
};

#if ALLOT_EXCEPTIONS
/// Only the interfaces are known.
struct dynamic_fixture {
  allot::probe_upstream up;
  allot::boost_adaptor<> below{up};
  allot::std_adaptor<> r{below};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};
#endif

/// A resource of Boost whose next answer is what the test says.
class scripted final : public boost_pmr::memory_resource {
public:
  void* answer = nullptr;
  void* given_back = nullptr;
  allot::layout given_as;

private:
  void* do_allocate(std::size_t, std::size_t) override { return answer; }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    given_back = p;
    given_as = {bytes, alignment};
  }
  bool do_is_equal(const boost_pmr::memory_resource& other) const noexcept override { return this == &other; }
};

} // namespace

TEST_SUITE("boost") {
  TEST_CASE("as_std(as_boost(r)) keeps the contract of a memory resource") { check_contract<there_and_back_fixture>(); }
  TEST_CASE("and so it does over an arena") { check_contract<arena_fixture>(); }
#if ALLOT_EXCEPTIONS
  TEST_CASE("and so it does where only the interfaces are known") { check_contract<dynamic_fixture>(); }
#endif

  TEST_CASE("as_boost: an example") {
    // [as_boost]
    allot::bump_resource<4096> arena;
    auto for_boost = allot::as_boost(arena);

    boost::container::pmr::vector<int> v{&for_boost};
    v.resize(100);
    CHECK(arena.used() == 400);
    // [as_boost]
  }
}
