#include <allot/construct/shared_in.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/construct/no_default_resource_guard.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <string>
#include <vector>

namespace {

constexpr const char* long_text = "a text that is longer than any small buffer of a string";

#if defined(_LIBCPP_VERSION) && _LIBCPP_VERSION < 180000
#define MAKES_ARRAYS_OF_ARRAYS 0
constexpr std::size_t blocks_of_array = 2;
#else
#define MAKES_ARRAYS_OF_ARRAYS 1
constexpr std::size_t blocks_of_array = 1;
#endif

} // namespace

TEST_SUITE("shared_in") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    std::shared_ptr<std::pmr::string> text =
        allot::shared_in<std::pmr::string>(arena, "object, counts and characters lie in the arena");
    const std::weak_ptr<std::pmr::string> watching = text; // keeps the block, and needs the arena, until it ends
    text.reset();
    CHECK(watching.expired());
    // [example]
  }

  TEST_CASE("object and counts are one block, which the last pointer gives back, be it a weak one") {
    allot::checking_resource up;
    {
      auto p = allot::shared_in<int>(up, 5);
      CHECK(up.live_blocks() == 1);
      std::weak_ptr<int> w = p;
      const auto q = std::move(p);
      CHECK(*q == 5);
      CHECK(up.allocations() == 1);
    }
    CHECK(up.status() == 0);

    std::weak_ptr<int> last = allot::shared_in<int>(up, 6);
    CHECK(last.expired());
    CHECK(up.live_blocks() == 1);
    last.reset();
    CHECK(up.status() == 0);
  }

  TEST_CASE("hands the resource to a T that takes an allocator") {
    const allot::no_default_resource_guard nothing_else;
    allot::checking_resource up;
    const auto text = allot::shared_in<std::pmr::string>(up, long_text);
    const auto fixed = allot::shared_in<const std::pmr::string>(up, long_text);
    CHECK(text->get_allocator().resource() == &up);
    CHECK(fixed->get_allocator().resource() == &up);
    CHECK(up.live_blocks() == 4);
  }

  TEST_CASE("makes arrays, of elements that take an allocator too") {
    const allot::no_default_resource_guard nothing_else;
    allot::checking_resource up;
    const auto numbers = allot::shared_in<int[]>(up, 5);
    CHECK(numbers[4] == 0);
    const auto texts = allot::shared_in<std::pmr::string[]>(up, 3);
    CHECK(texts[2].get_allocator().resource() == &up);
    CHECK(up.live_blocks() == 2 * blocks_of_array);
  }

  TEST_CASE("makes arrays of const elements") {
    const allot::no_default_resource_guard nothing_else;
    allot::checking_resource up;
    const std::shared_ptr<const int[]> fixed = allot::shared_in<const int[]>(up, 3);
    CHECK(fixed[2] == 0);
    CHECK(up.live_blocks() == blocks_of_array);
  }

#if MAKES_ARRAYS_OF_ARRAYS
  TEST_CASE("makes arrays of arrays") {
    const allot::no_default_resource_guard nothing_else;
    allot::checking_resource up;
    const auto rows = allot::shared_in<int[][3]>(up, 2);
    CHECK(rows[1][2] == 0);
    const auto texts = allot::shared_in<const std::pmr::string[][2]>(up, 2);
    CHECK(texts[1][1].get_allocator().resource() == &up);
    CHECK(up.live_blocks() == 2);
  }
#endif

  TEST_CASE("works through an interface") {
    allot::checking_resource up;
    std::pmr::memory_resource& unknown = up;
    const auto p = allot::shared_in<std::pmr::string>(unknown, long_text);
    CHECK(p->get_allocator().resource() == &up);
    CHECK(up.live_blocks() == 2);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a length whose bytes do not fit size_t is bad_array_new_length, and asks the resource nothing") {
    allot::checking_resource up;
    CHECK_THROWS_AS((void)allot::shared_in<int[]>(up, std::numeric_limits<std::size_t>::max() / 2),
                    std::bad_array_new_length);
    CHECK(up.attempts() == 0);
  }

  TEST_CASE("a length that wraps around when the counts are added is bad_array_new_length as well") {
    allot::checking_resource up;
    for (const std::size_t below : {0U, 1U, 3U, 8U, 16U, 40U, 100U, 1000U}) {
      CAPTURE(below);
      const std::size_t n = std::numeric_limits<std::size_t>::max() - below;
      CHECK_THROWS_AS((void)allot::shared_in<char[]>(up, n), std::bad_array_new_length);
      CHECK_THROWS_AS((void)allot::shared_in<long[]>(up, n / sizeof(long)), std::bad_array_new_length);
#if MAKES_ARRAYS_OF_ARRAYS
      CHECK_THROWS_AS((void)allot::shared_in<long[][3]>(up, n / sizeof(long[3])), std::bad_array_new_length);
#endif
    }
    CHECK(up.attempts() == 0);
  }

  TEST_CASE("nothing leaks at any allocation that fails") {
    const allot::no_default_resource_guard nothing_else;
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      const auto text = allot::shared_in<std::pmr::string>(up, long_text);
      const auto texts = allot::shared_in<std::pmr::vector<std::pmr::string>>(up);
      texts->resize(3, *text); // libc++ 16 loses a block when vector(n, value, allocator) throws
      const auto pairs = allot::shared_in<std::pmr::string[]>(up, 3);
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.failures_injected >= 8);
  }
#endif
}
