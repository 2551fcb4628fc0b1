#include <allot/adaptor/aligned_adaptor.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/conformance.hpp"
#include "support/death.hpp"

namespace {

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();

template <std::size_t Minimum>
struct aligned_fixture {
  allot::probe_upstream up;
  allot::aligned_adaptor<allot::probe_upstream> r{up, Minimum};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct two_minima_fixture {
  allot::probe_upstream up;
  allot::aligned_adaptor<allot::probe_upstream> inner{up, 32};
  allot::aligned_adaptor<decltype(inner)> r{inner, 8};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

bool is_at_multiple(const void* p, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(p) % alignment == 0;
}

} // namespace

TEST_SUITE("aligned_adaptor") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<aligned_fixture<64>>(); }

#if !ALLOT_VALGRIND // under Memcheck the suite takes seconds, and a minimum is one number
  TEST_CASE_TEMPLATE("keeps the contract with other minima", Fixture, aligned_fixture<1>, aligned_fixture<4096>,
                     two_minima_fixture) {
    check_contract<Fixture>();
  }
#endif

  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    allot::aligned_adaptor lines{arena, 64};

    const std::pmr::vector<char> text(10, 'x', &lines); // asks for alignment 1
    CHECK(reinterpret_cast<std::uintptr_t>(text.data()) % 64 == 0);
    // [example]
    CHECK(lines.minimum_alignment() == 64);
    CHECK(lines.name() == nullptr);
  }

  TEST_CASE("upstream is asked for the larger alignment, and is given back the same") {
    allot::checking_resource up;
    allot::aligned_adaptor aligned{up, 16, "simd"};
    for (std::size_t alignment = 1; alignment <= 1024; alignment *= 2) {
      CAPTURE(alignment);
      const std::size_t expected = alignment < 16 ? 16 : alignment;
      for (void* const p : {aligned.allocate(5, alignment), aligned.try_allocate(5, alignment)}) {
        CHECK(up.last_allocated().alignment == expected);
        CHECK(up.last_allocated().bytes == 5);
        CHECK(is_at_multiple(p, expected));
        aligned.deallocate(p, 5, alignment);
        CHECK(up.last_deallocated().alignment == expected);
        CHECK(up.last_deallocated().bytes == 5);
      }
    }
    CHECK(std::string_view{aligned.name()} == "simd");
  }

  TEST_CASE("through the interface of std the minimum holds as well") {
    allot::checking_resource up;
    allot::aligned_adaptor aligned{up, 256};
    std::pmr::memory_resource& r = aligned;
    void* const p = r.allocate(1, 1);
    CHECK(is_at_multiple(p, 256));
    r.deallocate(p, 1, 1);
    CHECK(up.last_deallocated().alignment == 256);
  }

  TEST_CASE("a request that upstream cannot serve fails, and the next one does not") {
    alignas(64) std::byte memory[128];
    allot::bump_resource<> arena{memory};
    allot::aligned_adaptor aligned{arena, 64};
    CHECK(aligned.try_allocate(most, 1) == nullptr);
    CHECK(aligned.try_allocate(1, std::size_t{1} << 30) == nullptr);
    CHECK(aligned.try_allocate(1, 1) != nullptr);
    CHECK(aligned.try_allocate(65, 1) == nullptr); // would fit, were it not for the minimum
    void* const p = aligned.try_allocate(64, 1);
    CHECK(aligned.owns(p) == allot::ownership::yes);
    CHECK(aligned.owns(&arena) == allot::ownership::no);
    CHECK(decltype(aligned)::owns_is_exact);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the exception is upstream's own, with the alignment that upstream was asked for") {
    allot::bump_resource<64> arena{"small"};
    allot::aligned_adaptor aligned{arena, 32};
    try {
      (void)aligned.allocate(100, 2);
      FAIL("should have thrown");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "small");
      CHECK(e.record().alignment == 32);
      CHECK(e.record().bytes == 100);
    }
  }

  TEST_CASE("takes a foreign upstream") {
    allot::aligned_adaptor aligned{*std::pmr::new_delete_resource(), 512};
    CHECK(std::is_same_v<decltype(aligned)::upstream_type, std::pmr::memory_resource>);
    void* const p = aligned.try_allocate(3, 1);
    CHECK(is_at_multiple(p, 512));
    aligned.deallocate(p, 3, 1);
    CHECK(aligned.owns(p) == allot::ownership::unknown);
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops at a minimum, and at a request, that is no power of two") {
    allot::bump_resource<64> arena;
    CHECK(dies([&] { const allot::aligned_adaptor aligned{arena, 24}; }, "is_alignment(minimum)"));
    CHECK(dies([&] { const allot::aligned_adaptor aligned{arena, 0}; }, "is_alignment(minimum)"));
    allot::aligned_adaptor aligned{arena, 16};
    CHECK(dies([&] { (void)aligned.allocate(1, 12); }, "is_alignment(alignment)"));
  }
#endif
}
