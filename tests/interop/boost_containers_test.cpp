#if defined(__clang__) && __clang_major__ > 14
#pragma clang diagnostic ignored "-Wdeprecated-declarations" // Boost 1.81 calls destroy, which is deprecated
#endif

#include <allot/interop/boost.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/construct/default_resource_guard.hpp>
#include <allot/construct/no_default_resource_guard.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory_resource>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/container/devector.hpp>
#include <boost/container/flat_map.hpp>
#include <boost/container/flat_set.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/container/stable_vector.hpp>
#include <boost/container/static_vector.hpp>
#include <boost/version.hpp>

namespace boost_pmr = allot::boost_pmr;

namespace {

constexpr const char* long_text = "longer than any string keeps in itself, so that it needs memory";

/// Whether every string of a container is in the resource.
template <class Strings>
bool all_in(const Strings& strings, std::pmr::memory_resource& resource) {
  for (const auto& s : strings) {
    if (s.get_allocator().resource() != &resource) return false;
  }
  return !strings.empty();
}

/// A container of strings, filled in the ways that a sequence has.
template <class Strings>
void fill(Strings& strings) {
  strings.emplace_back(long_text);
  strings.push_back(strings.front());
  strings.insert(strings.begin(), strings.back());
  strings.resize(9);
  for (auto& s : strings)
    s = long_text;
}

template <class Resource>
using string_of = std::conditional_t<std::is_abstract_v<Resource>, std::pmr::string,
                                     std::basic_string<char, std::char_traits<char>, allot::allocator<char, Resource>>>;

} // namespace

TEST_SUITE("boost_containers") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena;
    const allot::no_default_resource_guard nowhere_else;

    allot::boost_pmr::flat_map<int, std::pmr::string> names{&arena};
    names.try_emplace(7, "a name too long to be kept in the string itself");
    allot::boost_pmr::small_vector<int, 4> few{allot::boost_pmr::in(arena)};
    few.assign({1, 2, 3, 4, 5});

    CHECK(names.at(7).get_allocator().resource() == &arena);
    CHECK(arena.owns(few.data()) == allot::ownership::yes);
    // [example]
  }

  TEST_CASE_TEMPLATE("strings in a sequence are in its resource, and nothing is anywhere else", Resource,
                     std::pmr::memory_resource, allot::checking_resource) {
    allot::checking_resource memory;
    const allot::no_default_resource_guard nowhere_else;
    using string = string_of<Resource>;
    const auto check = [&](auto strings) {
      fill(strings);
      CHECK(all_in(strings, memory));
      const auto copy = strings; // stays where the original is
      CHECK(all_in(copy, memory));
      const auto moved = std::move(strings);
      CHECK(all_in(moved, memory));
    };
    check(boost_pmr::stable_vector<string, Resource>{&memory});
    check(boost_pmr::devector<string, Resource>{&memory});
    check(boost_pmr::small_vector<string, 3, Resource>{boost_pmr::in(memory)});
    CHECK(memory.allocations() > 0);
    CHECK(memory.status() == 0);
  }

  TEST_CASE_TEMPLATE("a flat_map hands its resource to both halves of its pairs, however they are made", Resource,
                     std::pmr::memory_resource, allot::checking_resource) {
    allot::checking_resource memory;
    const allot::no_default_resource_guard nowhere_else;
    using string = string_of<Resource>;
    {
      boost_pmr::flat_map<string, string, Resource> map{&memory};
      const string a(60u, 'a', &memory), b(60u, 'b', &memory), c(60u, 'c', &memory);
      map.emplace(b, long_text);
      map.try_emplace(a, long_text);
      map.try_emplace(string{c, &memory}, 70u, 'x');
      map.insert_or_assign(a, b);
      map.emplace(std::piecewise_construct, std::forward_as_tuple(long_text), std::forward_as_tuple(80u, 'y'));
      map.emplace(std::piecewise_construct, std::forward_as_tuple(99u, 'z'), std::tuple<>{});
      map.emplace(std::pair<const char*, const char*>{"d: longer than what a string keeps in itself", long_text});
      map.erase(b);
      const auto copy = map;
      const auto moved = std::move(map);
      for (const auto* one : {&copy, &moved}) {
        CHECK(one->size() == 5);
        CHECK(one->at(c) == string(70u, 'x', &memory));
        CHECK(one->at(string{long_text, &memory}) == string(80u, 'y', &memory));
        for (const auto& [key, value] : *one) {
          CHECK(key.get_allocator().resource() == &memory);
          CHECK(value.get_allocator().resource() == &memory);
        }
      }
    }
    CHECK(memory.status() == 0);
  }

  TEST_CASE("the other flat containers do the same") {
    allot::checking_resource memory;
    const allot::no_default_resource_guard nowhere_else;
    {
      boost_pmr::flat_set<std::pmr::string> set{&memory};
      boost_pmr::flat_multiset<std::pmr::string, std::pmr::memory_resource, std::greater<>> multiset{&memory};
      boost_pmr::flat_multimap<int, std::pmr::string> multimap{&memory};
      for (const int i : {3, 1, 2, 1}) {
        set.emplace(static_cast<std::size_t>(i) + 40, 's');
        multiset.emplace(static_cast<std::size_t>(i) + 40, 'm');
        multimap.emplace(i, long_text);
      }
      CHECK(set.size() == 3);
      CHECK(multiset.size() == 4);
      CHECK(multiset.begin()->size() == 43);
      CHECK(multimap.count(1) == 2);
      CHECK(all_in(set, memory));
      CHECK(all_in(multiset, memory));
      for (const auto& [key, text] : multimap)
        CHECK(text.get_allocator().resource() == &memory);
    }
    CHECK(memory.status() == 0);
  }

  TEST_CASE("pairs of pairs and of tuples reach their strings") {
    allot::checking_resource memory;
    const allot::no_default_resource_guard nowhere_else;
    using text = std::pmr::string;
    {
      boost_pmr::flat_map<int, std::pair<int, text>> pairs{&memory};
      boost_pmr::flat_map<int, std::tuple<text, int>> tuples{&memory};
      for (int i = 0; i < 4; ++i) {
        pairs.emplace(-i, std::pair<int, const char*>{i, long_text});
        tuples.try_emplace(-i, long_text, i);
      }
      CHECK(pairs.at(-3).second.get_allocator().resource() == &memory);
      CHECK(std::get<0>(tuples.at(-3)).get_allocator().resource() == &memory);
    }
    CHECK(memory.status() == 0);
  }

  TEST_CASE(
      "with std's own allocator the strings in a flat_map are in the default resource: hence an allocator of its own") {
    allot::checking_resource memory, elsewhere;
    const allot::default_resource_guard by_default{elsewhere};
    using text = std::pmr::string;
    using allocator = std::pmr::polymorphic_allocator<std::pair<text, text>>;
    {
      boost::container::flat_map<text, text, std::less<>, allocator> map{&memory};
      map.emplace("a key that is longer than what a string keeps in itself", long_text);
      CHECK(memory.live_blocks() == 1);
      CHECK(elsewhere.live_blocks() == 2);
    }
    CHECK(memory.status() == 0);
    CHECK(elsewhere.status() == 0);
  }

  TEST_CASE("a small_vector asks for nothing until it is past its own room, and a static_vector never") {
    allot::checking_resource memory;
    {
      boost_pmr::small_vector<int, 4> few{boost_pmr::in(memory)};
      few.assign({1, 2, 3, 4});
      CHECK(memory.allocations() == 0);
      few.push_back(5);
      CHECK(memory.allocations() == 1);
      CHECK(memory.last_allocated().alignment == alignof(int));
    }
    boost_pmr::static_vector<int, 4> none{1, 2, 3};
    none.push_back(4);
    CHECK(none.back() == 4);
    CHECK(memory.allocations() == 1);
    CHECK(memory.status() == 0);
  }

  TEST_CASE("there is no container without a resource") {
    static_assert(!std::default_initializable<boost_pmr::container_allocator<int, std::pmr::memory_resource>>);
    static_assert(
        std::convertible_to<allot::checking_resource*, boost_pmr::container_allocator<int, std::pmr::memory_resource>>);
    static_assert(!std::convertible_to<std::pmr::memory_resource*,
                                       boost_pmr::container_allocator<int, allot::checking_resource>>);
    allot::bump_resource<64> arena;
    CHECK(boost_pmr::in(arena).resource() == &arena);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("checking_resource says that stable_vector frees and writes to a node whose element could not be made") {
    struct picky {
      explicit picky(int n) : number{n} {
        if (n < 0) throw n;
      }
      int number;
    };
    allot::checking_resource memory{{.action = allot::on_fault::record}};
    {
      boost_pmr::stable_vector<picky> numbers{&memory};
      numbers.emplace_back(1);
      CHECK_THROWS_AS(numbers.emplace_back(-1), int);
    }
    (void)memory.check();
    if (BOOST_VERSION == 108100) { // what else it does to the freed node depends on the optimiser
      CHECK(memory.errors(allot::memory_fault::double_free) == 1);
      CHECK(memory.errors(allot::memory_fault::write_after_free) == 1);
    } else {
      CHECK(memory.errors() == 0);
    }
  }

  TEST_CASE("a failure at any allocation leaves nothing behind") {
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      boost_pmr::flat_map<std::pmr::string, std::pmr::string> map{&up};
      map.try_emplace(std::pmr::string{long_text, &up}, 60u, 'a');
      map.emplace(std::piecewise_construct, std::forward_as_tuple(60u, 'b'), std::forward_as_tuple(60u, 'c'));
      boost_pmr::small_vector<std::pmr::string, 1> small{boost_pmr::in(up)};
      fill(small);
      boost_pmr::stable_vector<int> stable{&up}; // of strings: Boost 1.81 frees a node twice when its element throws
      stable.assign(9, 7);
      boost_pmr::devector<std::pmr::string> both_ends{&up};
      fill(both_ends);
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.runs > 20);
  }
#endif
}
