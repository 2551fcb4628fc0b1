#include <allot/source/malloc_resource.hpp> // first: proves that the header stands alone

#include <support/conformance.hpp>
#include <support/race.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

namespace {

struct malloc_fixture {
  allot::malloc_resource r;
  auto& resource() { return r; }
};

struct instance_fixture {
  auto& resource() { return allot::malloc_resource::instance(); }
  static constexpr bool single_instance = true;
};

constexpr std::size_t size_max = std::numeric_limits<std::size_t>::max();
constexpr std::size_t half = size_max / 2; // PTRDIFF_MAX

} // namespace

// Where a sanitizer's malloc refuses, it ends the program if it is not told otherwise.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }

TEST_SUITE("malloc_resource") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<malloc_fixture>(); }
  TEST_CASE("the process-wide one keeps it too") { check_contract<instance_fixture>(); }

  TEST_CASE("example") {
    // [example]
    std::pmr::vector<int> numbers{{3, 1, 2}, &allot::malloc_resource::instance()};
    std::pmr::vector<int> others{&allot::malloc_resource::instance()};
    others.swap(numbers); // the same resource: nothing is copied
    // [example]
    CHECK(others.size() == 3);
  }

  TEST_CASE("every alignment is kept for every small size, and the block is there to its last byte") {
    allot::malloc_resource r;
    for (std::size_t alignment = 1; alignment <= std::size_t{1} << 21; alignment *= 2) {
      for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, alignment - 1, alignment, alignment + 1}) {
        void* const p = r.try_allocate(bytes, alignment);
        REQUIRE(p != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(p) % alignment == 0);
        std::memset(p, 0xA5, bytes);
        r.deallocate(p, bytes, alignment);
      }
    }
  }

  TEST_CASE("what no object can be as large as is refused at every alignment") {
    allot::malloc_resource r;
    for (std::size_t alignment = 1; alignment <= std::size_t{1} << 30; alignment *= 2) {
      for (const std::size_t bytes :
           {size_max, size_max - 1, size_max - alignment, size_max - alignment + 1, half + 1}) {
        CHECK(r.try_allocate(bytes, alignment) == nullptr);
      }
    }
    CHECK(r.try_allocate(half - 64, 4096) == nullptr);
  }

  TEST_CASE("what an object can be as large as, and no memory is there for, is refused at every alignment") {
    allot::malloc_resource r;
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2)
      CHECK(r.try_allocate(size_max / 4, alignment) == nullptr);
  }

  TEST_CASE("the greatest alignment of size_t is refused or kept") {
    allot::malloc_resource r;
    constexpr std::size_t top = half + 1;
    CHECK(r.try_allocate(1, top) == nullptr);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a refusal is out_of_memory with the request in its record") {
    allot::malloc_resource r;
    try {
      static_cast<void>(r.allocate(half + 1, 32));
      FAIL("gave out half of the address space");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().resource} == "malloc_resource");
      CHECK(e.record().bytes == half + 1);
      CHECK(e.record().alignment == 32);
    }
  }
#endif

  TEST_CASE("does not know what is its own") {
    allot::malloc_resource r;
    CHECK(r.owns(&r) == allot::ownership::unknown);
  }

  TEST_CASE("instance() is one object, and equal to no other") {
    allot::malloc_resource other;
    allot::malloc_resource& one = allot::malloc_resource::instance();
    CHECK(&one == &allot::malloc_resource::instance());
    CHECK(one == one);
    CHECK(one != other);
  }

  TEST_CASE("any thread may allocate, and another give back") {
    allot::malloc_resource r;
    constexpr unsigned rounds = 200;
    std::vector<std::atomic<void*>> handed(rounds);
    race(2, rounds, [&](unsigned, unsigned round) {
      void* const mine = r.try_allocate(40, 8);
      std::memset(mine, 1, 40);
      if (void* const theirs = handed[round].exchange(mine); theirs != nullptr) r.deallocate(theirs, 40, 8);
    });
    CHECK(std::ranges::none_of(handed, [](const auto& p) { return p == nullptr; }));
    for (auto& p : handed)
      r.deallocate(p, 40, 8);
  }
}
