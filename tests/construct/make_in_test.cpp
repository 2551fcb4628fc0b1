#include <allot/construct/make_in.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/construct/no_default_resource_guard.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory_resource>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "support/room.hpp"

namespace {

using arena_type = allot::bump_resource<support::room(32768)>;

constexpr const char* long_text = "a text that is longer than any small buffer of a string";

/// Takes an allocator, and can be neither copied nor moved.
struct pinned {
  using allocator_type = std::pmr::polymorphic_allocator<>;
  explicit pinned(int n, const allocator_type& a = {}) : text(static_cast<std::size_t>(n), 'x', a) {}
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;
  std::pmr::string text;
};

template <class T>
concept takes = requires(allot::checking_resource& r, T argument) {
  allot::string_in(r, argument);
};

} // namespace

TEST_SUITE("make_in") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    auto words = allot::make_in<std::map, std::pmr::string, int>(arena, {{"one", 1}, {"two", 2}});
    auto primes = allot::make_in<std::pmr::vector<int>>(arena, {2, 3, 5, 7});
    auto squares = allot::vector_in<int>(arena, 10); // empty, with room for ten
    auto name = allot::string_in(arena, "a name too long for the small buffer of a string");
    // [example]
    CHECK(words.size() == 2);
    CHECK(primes.back() == 7);
    CHECK(squares.capacity() == 10);
    CHECK(name.get_allocator().resource() == &arena);
  }

  TEST_CASE("makes a container of a given type, whose allocator is pmr's or allot's") {
    const allot::no_default_resource_guard nothing_else;
    arena_type arena;
    const auto a = allot::make_in<std::pmr::vector<int>>(arena, std::size_t{3}, 7);
    const auto b = allot::make_in<std::vector<int, allot::allocator<int, arena_type>>>(arena, std::size_t{3}, 7);
    const auto c = allot::make_in<std::vector<int, allot::allocator<int, allot::resource>>>(arena, std::size_t{3}, 7);
    CHECK(a == std::pmr::vector<int>({7, 7, 7}, &arena));
    CHECK(a.get_allocator().resource() == &arena);
    CHECK(b.get_allocator().resource() == &arena);
    CHECK(c.get_allocator().resource() == &arena);
  }

  TEST_CASE("chooses the allocator by what is known of the resource") {
    arena_type arena;
    std::pmr::memory_resource& unknown = arena;
    allot::resource& allots = arena;
    auto typed = allot::make_in<std::vector, int>(arena, 10);
    auto erased = allot::make_in<std::vector, int>(unknown, 10);
    auto interface = allot::make_in<std::vector, int>(allots, 10);
    CHECK(std::is_same_v<decltype(typed), std::vector<int, allot::allocator<int, arena_type>>>);
    CHECK(std::is_same_v<decltype(erased), std::pmr::vector<int>>);
    CHECK(std::is_same_v<decltype(interface), std::pmr::vector<int>>);
    CHECK(typed.size() == 10);
    CHECK(erased.get_allocator().resource() == &arena);
  }

  TEST_CASE("makes every standard container, elements and all, in the resource") {
    const allot::no_default_resource_guard nothing_else;
    arena_type arena;
    using string = std::pmr::string;
    const string text{long_text, &arena};

    CHECK(allot::make_in<std::vector, string>(arena, std::size_t{2}, text)[1].get_allocator().resource() == &arena);
    CHECK(allot::make_in<std::deque, string>(arena, std::size_t{2}, text)[1].get_allocator().resource() == &arena);
    CHECK(allot::make_in<std::list, string>(arena, std::size_t{2}, text).back().get_allocator().resource() == &arena);
    CHECK(allot::make_in<std::forward_list, string>(arena, std::size_t{2}, text).front() == text);
    auto set = allot::make_in<std::set, string, std::greater<>>(arena);
    CHECK(set.emplace(long_text).first->get_allocator().resource() == &arena);
    auto multimap = allot::make_in<std::multimap, int, string>(arena);
    CHECK(multimap.emplace(1, long_text)->second.get_allocator().resource() == &arena);
    auto hash_set = allot::make_in<std::unordered_set, string>(arena, std::size_t{100});
    CHECK(hash_set.bucket_count() >= 100);
    CHECK(hash_set.emplace(long_text).first->get_allocator().resource() == &arena);
    auto hash_map = allot::make_in<std::unordered_map, string, string>(arena);
    CHECK(hash_map.try_emplace(text, long_text).first->second.get_allocator().resource() == &arena);
    auto bits = allot::make_in<std::vector, bool>(arena, std::size_t{1000});
    CHECK(bits.get_allocator().resource() == &arena);
  }

  TEST_CASE("passes comparators and hashers on") {
    arena_type arena;
    const auto descending = allot::make_in<std::map, int, char, std::greater<>>(arena, {{1, 'a'}, {2, 'b'}});
    CHECK(descending.begin()->first == 2);
    using less = std::function<bool(int, int)>;
    auto by_function = allot::make_in<std::set, int, less>(arena, less{std::greater<>{}});
    by_function.insert({1, 2});
    CHECK(*by_function.begin() == 2);
  }

  TEST_CASE("makes what cannot be moved, and hands the resource into pairs") {
    const allot::no_default_resource_guard nothing_else;
    arena_type arena;
    const pinned p = allot::make_in<pinned>(arena, 100);
    CHECK(p.text.get_allocator().resource() == &arena);
    const auto pair = allot::make_in<std::pair<std::pmr::string, int>>(arena, long_text, 1);
    CHECK(pair.first.get_allocator().resource() == &arena);
  }

  TEST_CASE("vector_in has its room from the start: filling it asks for nothing more") {
    allot::checking_resource up;
    auto v = allot::vector_in<int>(up, 100);
    for (int i = 0; i < 100; ++i)
      v.push_back(i);
    CHECK(up.allocations() == 1);
    CHECK(up.total_bytes() == 400);
    CHECK(allot::vector_in<int>(up).capacity() == 0);
    CHECK(up.allocations() == 1);
  }

  TEST_CASE("string_in takes a text, or room for one") {
    allot::checking_resource up;
    CHECK(allot::string_in(up) == "");
    CHECK(allot::string_in(up, long_text) == long_text);
    const auto room = allot::string_in(up, 1000);
    CHECK(room.empty());
    CHECK(room.capacity() >= 1000);
    CHECK(up.live_blocks() == 1);
    std::pmr::memory_resource& unknown = up;
    CHECK(std::is_same_v<decltype(allot::string_in(unknown, "text")), std::pmr::string>);
  }

  TEST_CASE("string_in takes any integer for the room, and no character, truth or null") {
    allot::checking_resource up;
    CHECK(allot::string_in(up, 100L).capacity() >= 100);
    CHECK(allot::string_in(up, 100U).capacity() >= 100);
    CHECK(allot::string_in(up, std::string_view{long_text}) == long_text);
    CHECK(takes<int>);
    CHECK(takes<std::size_t>);
    CHECK(takes<const char*>);
    CHECK(takes<std::pmr::string>);
    CHECK_FALSE(takes<char>);
    CHECK_FALSE(takes<char8_t>);
    CHECK_FALSE(takes<bool>);
    CHECK_FALSE(takes<std::nullptr_t>);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("nothing leaks at any allocation that fails") {
    const allot::no_default_resource_guard nothing_else;
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      const auto text = allot::string_in(up, long_text);
      auto map = allot::make_in<std::map, int, std::pmr::vector<std::pmr::string>>(up);
      map[1].emplace_back(long_text);
      map[2] = allot::make_in<std::pmr::vector<std::pmr::string>>(up, {std::pmr::string{text, &up}});
      const auto v = allot::vector_in<std::pmr::string>(up, 10);
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.failures_injected >= 9);
  }
#endif
}
