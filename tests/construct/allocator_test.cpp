#include <allot/construct/allocator.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/construct/no_default_resource_guard.hpp>
#include <allot/source/null_resource.hpp>
#include <allot/testing/checking_resource.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/death.hpp"
#include "support/room.hpp"

namespace {

using arena_type = allot::bump_resource<support::room(16384)>;

template <class T>
using in_arena = allot::allocator<T, arena_type>;

constexpr const char* long_text = "a text that is longer than any small buffer of a string";

} // namespace

TEST_SUITE("allocator") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    using allocator = allot::allocator<std::pmr::string, allot::bump_resource<1024>>;

    std::vector<std::pmr::string, allocator> words{&arena}; // no virtual call, and one pointer
    words.emplace_back("the string's own characters land in the arena as well");
    CHECK(words[0].get_allocator().resource() == &arena);
    // [example]
  }

  TEST_CASE("hands its resource on to nested pmr containers") {
    const allot::no_default_resource_guard nothing_else;
    arena_type arena;
    std::vector<std::pmr::string, in_arena<std::pmr::string>> v{arena};
    v.emplace_back(long_text);
    v.push_back(std::pmr::string{long_text, &arena});
    v.resize(10);
    v.insert(v.begin(), v[0]);
    for (const auto& s : v)
      CHECK(s.get_allocator().resource() == &arena);
  }

  TEST_CASE("hands it on through a map, pairs and three levels") {
    const allot::no_default_resource_guard nothing_else;
    arena_type arena;
    using strings = std::pmr::vector<std::pmr::string>;
    using entry = std::pair<const std::pmr::string, strings>;
    std::map<std::pmr::string, strings, std::less<>, in_arena<entry>> m{&arena};
    auto& [key, values] = *m.emplace(long_text, 2).first;
    values[0] = long_text;
    values.emplace_back(long_text);

    CHECK(key.get_allocator().resource() == &arena);
    for (const auto& s : values)
      CHECK(s.get_allocator().resource() == &arena);
  }

  TEST_CASE("hands it on piecewise") {
    const allot::no_default_resource_guard nothing_else;
    arena_type arena;
    using both = std::pair<std::pmr::string, std::pmr::string>;
    std::vector<both, in_arena<both>> v{&arena};
    v.emplace_back(std::piecewise_construct, std::forward_as_tuple(long_text), std::forward_as_tuple(50, 'x'));
    CHECK(v[0].first.get_allocator().resource() == &arena);
    CHECK(v[0].second.get_allocator().resource() == &arena);
  }

#if !defined(_LIBCPP_VERSION) || _LIBCPP_VERSION >= 170000 // libc++ 16 does not find its overloads for a pair in a pair
  TEST_CASE("hands it on into pairs of pairs") {
    const allot::no_default_resource_guard nothing_else;
    arena_type arena;
    using inner = std::pair<std::pmr::string, int>;
    using outer = std::pair<inner, std::pmr::string>;
    std::vector<outer, in_arena<outer>> v{&arena};
    v.emplace_back(std::piecewise_construct, std::forward_as_tuple(long_text, 1), std::forward_as_tuple(long_text));
    v.emplace_back();
    v.emplace_back(v[0]);
    for (const auto& [first, second] : v) {
      CHECK(first.first.get_allocator().resource() == &arena);
      CHECK(second.get_allocator().resource() == &arena);
    }
  }
#endif

  TEST_CASE("hands itself on to containers that are typed as well") {
    allot::checking_resource up;
    using inner = std::vector<int, allot::allocator<int, allot::checking_resource>>;
    std::vector<inner, allot::allocator<inner, allot::checking_resource>> v{&up};
    v.emplace_back(5);
    v.emplace_back();
    CHECK(v[0].get_allocator().resource() == &up);
    CHECK(v[1].get_allocator().resource() == &up);
    CHECK(up.live_blocks() == 2);
  }

  TEST_CASE("has no default constructor, and propagates nowhere") {
    using a = in_arena<int>;
    using traits = std::allocator_traits<a>;
    CHECK_FALSE(std::is_default_constructible_v<a>);
    CHECK_FALSE(traits::propagate_on_container_copy_assignment::value);
    CHECK_FALSE(traits::propagate_on_container_move_assignment::value);
    CHECK_FALSE(traits::propagate_on_container_swap::value);
    CHECK_FALSE(traits::is_always_equal::value);
    CHECK(std::is_same_v<traits::rebind_alloc<char>, in_arena<char>>);
    CHECK(sizeof(a) == sizeof(void*));
  }

  TEST_CASE("a copied container stays in the resource of its original") {
    const allot::no_default_resource_guard nothing_else;
    allot::checking_resource up;
    std::vector<int, allot::allocator<int, allot::checking_resource>> v(3, &up);
    const auto copy = v;
    CHECK(copy.get_allocator() == v.get_allocator());
    CHECK(up.live_blocks() == 2);
  }

  TEST_CASE("a container keeps its resource when another is assigned to it") {
    allot::checking_resource one;
    allot::checking_resource two;
    using vector = std::vector<int, allot::allocator<int, allot::checking_resource>>;
    vector a(3, &one);
    vector b(5, &two);
    a = std::move(b); // moves element by element
    CHECK(a.size() == 5);
    CHECK(a.get_allocator().resource() == &one);
  }

  TEST_CASE("is equal to another exactly when the resource is the same object") {
    arena_type one;
    arena_type two;
    CHECK(in_arena<int>{one} == in_arena<int>{&one});
    CHECK(in_arena<int>{one} == in_arena<char>{one});
    CHECK(in_arena<int>{one} != in_arena<int>{two});
    CHECK(in_arena<int>{in_arena<char>{one}}.resource() == &one);
  }

  TEST_CASE("converts to the allocators that a nested container may ask for, and to no other") {
    CHECK(std::convertible_to<in_arena<int>, std::pmr::polymorphic_allocator<char>>);
    CHECK(std::convertible_to<in_arena<int>, in_arena<char>>);
    CHECK(std::convertible_to<in_arena<int>, allot::allocator<char, allot::resource>>);
    CHECK_FALSE(std::convertible_to<in_arena<int>, allot::allocator<char, allot::null_resource>>);
    CHECK_FALSE(std::convertible_to<in_arena<int>, std::allocator<int>>);
    CHECK_FALSE(std::convertible_to<allot::allocator<int, allot::resource>, in_arena<int>>);
  }

  TEST_CASE("asks for the size and the alignment of its elements, and gives the same back") {
    struct alignas(64) wide {
      std::byte bytes[64];
    };
    allot::checking_resource up;
    allot::allocator<wide, allot::checking_resource> a{up};
    wide* const p = a.allocate(3);
    CHECK(up.last_allocated() == allot::layout{192, 64});
    a.deallocate(p, 3);
    CHECK(up.last_deallocated() == allot::layout{192, 64});
    CHECK(up.status() == 0);
  }

  TEST_CASE("an interface gets polymorphic_allocator, a concrete resource this one") {
    CHECK(std::is_same_v<allot::allocator_for<int, std::pmr::memory_resource>, std::pmr::polymorphic_allocator<int>>);
    CHECK(std::is_same_v<allot::allocator_for<int, allot::resource>, std::pmr::polymorphic_allocator<int>>);
    CHECK(std::is_same_v<allot::allocator_for<int, arena_type>, in_arena<int>>);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a length whose bytes do not fit size_t is bad_array_new_length, and asks the resource nothing") {
    allot::checking_resource up;
    allot::allocator<int, allot::checking_resource> a{up};
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    CHECK_THROWS_AS((void)a.allocate(most / sizeof(int) + 1), std::bad_array_new_length);
    CHECK_THROWS_AS((void)a.allocate(most), std::bad_array_new_length);
    CHECK(up.attempts() == 0);
    CHECK_THROWS_AS((void)a.allocate(most / sizeof(int)), allot::out_of_memory);
    CHECK(up.attempts() == 1);
  }
#else
  TEST_CASE("a length whose bytes do not fit size_t stops the program, and says so") {
    arena_type arena;
    CHECK(dies([&] { (void)in_arena<int>{arena}.allocate(std::numeric_limits<std::size_t>::max()); },
               "does not fit std::size_t"));
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops at a null resource") {
    arena_type* const none = nullptr;
    CHECK(dies([&] { in_arena<int>{none}; }, "resource != nullptr"));
  }
#endif
}
