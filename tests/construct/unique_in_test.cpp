#include <allot/construct/unique_in.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/construct/no_default_resource_guard.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>

#include <doctest/doctest.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/death.hpp"

namespace {

constexpr const char* long_text = "a text that is longer than any small buffer of a string";

struct shape {
  virtual ~shape() = default;
  [[nodiscard]] virtual int sides() const { return 0; }
};

struct coloured {
  coloured() = default;
  coloured(const coloured&) = delete;
  coloured& operator=(const coloured&) = delete;
  virtual ~coloured() = default;
  int colour = 7;
};

/// As a `shape*` it points into the middle of the object.
struct alignas(32) square final : coloured, shape {
  explicit square(int* d = nullptr) : destroyed{d} {}
  ~square() override {
    if (destroyed != nullptr) ++*destroyed;
  }
  [[nodiscard]] int sides() const override { return 4; }
  int* destroyed;
};

template <class T>
concept makes = requires(allot::checking_resource& r) {
  allot::unique_in<T>(r, 3);
};

struct plain_base {};
struct plain_derived : plain_base {};

/// Counts itself, remembers the order of destruction, and throws from its constructor when told to.
struct element {
  static inline int live = 0;
  static inline int throw_at = -1;
  static inline std::vector<int> destroyed;

  element() : number{live} {
#if ALLOT_EXCEPTIONS
    if (live == throw_at) throw std::runtime_error{"no more"};
#endif
    ++live;
  }
  element(const element&) = delete;
  element& operator=(const element&) = delete;
  ~element() {
    --live;
    destroyed.push_back(number);
  }

  static void reset(int at = -1) {
    live = 0;
    throw_at = at;
    destroyed.clear();
  }

  int number;
};

} // namespace

TEST_SUITE("unique_in") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    allot::unique_ptr_in<std::pmr::string> text =
        allot::unique_in<std::pmr::string>(arena, "object and characters both lie in the arena");
    allot::unique_ptr_in<int[]> numbers = allot::unique_in<int[]>(arena, 100);
    // [example]
    CHECK(arena.owns(text.get()) == allot::ownership::yes);
    CHECK(arena.owns(text->data()) == allot::ownership::yes);
    CHECK(numbers[99] == 0);
  }

  TEST_CASE("gives back the block as it was asked for, through a pointer to a second base as well") {
    allot::checking_resource up;
    int destroyed = 0;
    {
      allot::unique_ptr_in<square> s = allot::unique_in<square>(up, &destroyed);
      CHECK(up.last_allocated() == allot::layout{sizeof(square), 32});
      const allot::unique_ptr_in<shape> base = std::move(s);
      CHECK(s == nullptr);
      CHECK(base->sides() == 4);
      CHECK(static_cast<void*>(base.get()) != dynamic_cast<void*>(base.get()));
    }
    CHECK(destroyed == 1);
    CHECK(up.last_deallocated() == allot::layout{sizeof(square), 32});
    CHECK(up.status() == 0);
  }

  TEST_CASE("converts to a base only where the base's destructor is virtual") {
    CHECK(std::convertible_to<allot::unique_ptr_in<square>, allot::unique_ptr_in<shape>>);
    CHECK(std::convertible_to<allot::unique_ptr_in<int>, allot::unique_ptr_in<const int>>);
    CHECK_FALSE(std::convertible_to<allot::unique_ptr_in<plain_derived>, allot::unique_ptr_in<plain_base>>);
    CHECK_FALSE(std::convertible_to<allot::unique_ptr_in<int>, allot::unique_ptr_in<void>>);
    CHECK_FALSE(std::convertible_to<allot::unique_ptr_in<shape>, allot::unique_ptr_in<square>>);
  }

  TEST_CASE("an array converts to an array of the same type only, with qualifiers added") {
    CHECK(std::convertible_to<allot::unique_ptr_in<int[]>, allot::unique_ptr_in<const int[]>>);
    CHECK_FALSE(std::convertible_to<allot::unique_ptr_in<square[]>, allot::unique_ptr_in<shape[]>>);
    CHECK_FALSE(std::convertible_to<allot::delete_in<square[]>, allot::delete_in<shape[]>>);
    CHECK_FALSE(std::convertible_to<allot::unique_ptr_in<const int[]>, allot::unique_ptr_in<int[]>>);
    CHECK_FALSE(std::convertible_to<allot::unique_ptr_in<int[]>, allot::unique_ptr_in<int>>);
    CHECK_FALSE(std::convertible_to<allot::unique_ptr_in<int>, allot::unique_ptr_in<int[]>>);
  }

  TEST_CASE("makes arrays of objects, and none of arrays") {
    CHECK(makes<int[]>);
    CHECK(makes<const int[]>);
    CHECK_FALSE(makes<int[][3]>);
    CHECK_FALSE(makes<int[3]>);
  }

  TEST_CASE("an empty pointer needs no resource, and can be assigned to") {
    allot::checking_resource up;
    allot::unique_ptr_in<int> p;
    allot::unique_ptr_in<int[]> a;
    CHECK(p.get_deleter().resource() == nullptr);
    p = allot::unique_in<int>(up, 5);
    a = allot::unique_in<int[]>(up, 5);
    CHECK(*p == 5);
    CHECK(a.get_deleter().size() == 5);
    CHECK(p.get_deleter().resource() == &up);
    p.reset();
    a = nullptr;
    CHECK(p.get_deleter().resource() == &up); // what it had is kept
    CHECK(a.get_deleter().size() == 5);
    CHECK(up.status() == 0);
  }

  TEST_CASE("hands the resource to a T that takes an allocator, elements of an array included") {
    const allot::no_default_resource_guard nothing_else;
    allot::checking_resource up;
    const auto text = allot::unique_in<std::pmr::string>(up, long_text);
    const auto texts = allot::unique_in<std::pmr::string[]>(up, 3);
    const auto pair = allot::unique_in<std::pair<int, std::pmr::string>>(up, 1, long_text);
    texts[2] = long_text;
    CHECK(text->get_allocator().resource() == &up);
    CHECK(texts[2].get_allocator().resource() == &up);
    CHECK(pair->second.get_allocator().resource() == &up);
  }

  TEST_CASE("an over-aligned T lies at its alignment") {
    struct alignas(256) page {
      std::byte bytes[256];
    };
    allot::checking_resource up; // gives exactly the alignment asked for
    const auto one = allot::unique_in<page>(up);
    const auto three = allot::unique_in<page[]>(up, 3);
    CHECK(reinterpret_cast<std::uintptr_t>(one.get()) % 256 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(three.get()) % 256 == 0);
  }

  TEST_CASE("an array is destroyed from its last element to its first") {
    element::reset();
    allot::checking_resource up;
    { const auto a = allot::unique_in<element[]>(up, 4); }
    CHECK(element::destroyed == std::vector{3, 2, 1, 0});
    CHECK(up.status() == 0);
  }

  TEST_CASE("an array of no elements is not null, and goes back") {
    allot::checking_resource up;
    auto a = allot::unique_in<element[]>(up, 0);
    CHECK(a != nullptr);
    CHECK(up.last_allocated() == allot::layout{0, alignof(element)});
    a.reset();
    CHECK(up.status() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("when the constructor throws, the block has gone back") {
    element::reset(0);
    allot::checking_resource up;
    CHECK_THROWS_AS((void)allot::unique_in<element>(up), std::runtime_error);
    CHECK(element::live == 0);
    CHECK(up.allocations() == 1);
    CHECK(up.status() == 0);
  }

  TEST_CASE("when an element's constructor throws, those before it are destroyed backwards and the block goes back") {
    element::reset(3);
    allot::checking_resource up;
    CHECK_THROWS_AS((void)allot::unique_in<element[]>(up, 5), std::runtime_error);
    CHECK(element::destroyed == std::vector{2, 1, 0});
    CHECK(element::live == 0);
    CHECK(up.status() == 0);
    CHECK(up.last_deallocated() == allot::layout{5 * sizeof(element), alignof(element)});
  }

  TEST_CASE("a length whose bytes do not fit size_t is bad_array_new_length, and asks the resource nothing") {
    allot::checking_resource up;
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    CHECK_THROWS_AS((void)allot::unique_in<int[]>(up, most / sizeof(int) + 1), std::bad_array_new_length);
    CHECK(up.attempts() == 0);
  }

  TEST_CASE("nothing leaks at any allocation that fails") {
    const allot::no_default_resource_guard nothing_else;
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      const auto text = allot::unique_in<std::pmr::string>(up, long_text);
      const auto pairs = allot::unique_in<std::pair<int, std::pmr::vector<int>>[]>(up, 3);
      const auto nested = allot::unique_in<std::pmr::vector<std::pmr::string>>(up);
      nested->resize(3, *text); // libc++ 16 loses a block when vector(n, value, allocator) throws
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.failures_injected >= 8);
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a deleter without a resource stops at an object that it cannot know") {
    int x = 1;
    CHECK(dies([&] { allot::delete_in<int>{}(&x); }, "resource_ != nullptr"));
    CHECK(dies([&] { allot::delete_in<int[]>{}(&x); }, "resource_ != nullptr"));
  }
#endif
}
