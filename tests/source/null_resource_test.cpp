#include <allot/source/null_resource.hpp>

#include <support/death.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <string_view>
#include <vector>

namespace {

static_assert(allot::knows_its_own<allot::null_resource>);

constinit allot::null_resource at_namespace_scope;

} // namespace

TEST_SUITE("null_resource") {
  TEST_CASE("refuses every size, zero included, and every alignment") {
    allot::null_resource none;
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, most}) {
      for (const std::size_t alignment : {std::size_t{1}, std::size_t{1} << 30}) {
        CHECK(none.try_allocate(bytes, alignment) == nullptr);
        CHECK(static_cast<allot::resource&>(none).try_allocate(bytes, alignment) == nullptr);
      }
    }
  }

  TEST_CASE("owns no address, its own included") {
    const allot::null_resource none;
    CHECK(none.owns(&none) == allot::ownership::no);
    CHECK(none.owns(nullptr) == allot::ownership::no);
  }

  TEST_CASE("serves as a constant-initialised object") {
    CHECK(at_namespace_scope.try_allocate(1) == nullptr);
    CHECK(at_namespace_scope == at_namespace_scope);
  }

  TEST_CASE("a block that comes back stops the program with its address, null does not") {
    allot::null_resource none;
    none.deallocate(nullptr, 8, 8);
    const auto block = reinterpret_cast<void*>(std::uintptr_t{0xbeef0});
    CHECK(dies([&] { none.deallocate(block, 8, 4); }, "wrong deallocation of 8 bytes aligned to 4 at 0xbeef0"));
    std::pmr::memory_resource& any = none;
    CHECK(dies([&] { any.deallocate(block, 8, 4); }, "null_resource: wrong deallocation"));
    CHECK(dies([&] { any.deallocate(block, 8, 4); }, "it never gave out a block"));
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("fails with a record that names it") {
    allot::null_resource none;
    std::pmr::vector<int> numbers{&none};
    try {
      numbers.push_back(1);
      FAIL("a block came from nowhere");
    } catch (const allot::out_of_memory& refused) {
      CHECK(refused.record().resource == std::string_view{"null_resource"});
      CHECK(refused.record().bytes == sizeof(int));
      CHECK(refused.record().alignment == alignof(int));
    }
  }
#else
  TEST_CASE("fails with a line that names it") {
    CHECK(dies([] { (void)at_namespace_scope.allocate(4, 4); }, "null_resource: no room for 4 bytes aligned to 4"));
  }
#endif
}
