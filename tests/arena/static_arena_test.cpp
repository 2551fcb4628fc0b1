#include <allot/arena/static_arena.hpp>

#include <doctest/doctest.h>

#include <memory_resource>
#include <string_view>
#include <vector>

namespace {

constinit allot::static_arena<1024> scratch;
[[maybe_unused]] constinit allot::static_arena<64> bytewise;
[[maybe_unused]] constinit allot::static_arena<64> named;

} // namespace

TEST_SUITE("static_arena") {
  TEST_CASE("example") {
    // [example]
    auto& arena = scratch.claim("scratch");
    std::pmr::vector<int> v{{1, 2, 3}, &arena};
    CHECK(arena.used() == 3 * sizeof(int));
    CHECK(scratch.try_claim() == nullptr); // the arena has its one owner
    // [example]
  }

  TEST_CASE("costs what its documentation says beside its bytes") {
    CHECK(sizeof scratch - 1024 == (sizeof(void*) == 8 ? 96 : 48));
  }

#if !ALLOT_VALGRIND // Memcheck takes every fresh block for uninitialised
  TEST_CASE("serves N bytes, all of them zero at first") {
    auto& arena = bytewise.claim();
    CHECK(arena.capacity() == 64);
    for (int i = 0; i < 64; ++i)
      CHECK(*static_cast<char*>(arena.allocate(1, 1)) == 0);
    CHECK(arena.try_allocate(1, 1) == nullptr);
  }
#endif

#if ALLOT_EXCEPTIONS
  TEST_CASE("names itself in the record of a failure") {
    auto& arena = named.claim("named");
    try {
      (void)arena.allocate(65, 1);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "named");
      CHECK(e.record().capacity == 64);
    }
  }
#endif
}
