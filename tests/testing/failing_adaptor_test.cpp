#include <allot/testing/failing_adaptor.hpp>

#include <allot/testing/checking_resource.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

struct healthy {
  allot::probe_upstream up;
  allot::failing_adaptor<allot::probe_upstream> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct over_a_budget {
  allot::probe_upstream up;
  allot::failing_adaptor<allot::probe_upstream> r{up};
  over_a_budget() { r.fail_past(5000); }
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool bounded = true;
};

struct refusing_all {
  allot::probe_upstream up;
  allot::failing_adaptor<allot::probe_upstream> r{up};
  refusing_all() { r.fail_all(); }
  auto& resource() { return r; }
  auto& upstream() { return up; }
  static constexpr bool refuses_everything = true;
};

/// Asks `n` times for 8 bytes: '.' where a block came, 'x' where none did.
template <class Resource>
std::string outcomes(Resource& r, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) {
    void* const p = r.try_allocate(8, 8);
    text += p == nullptr ? 'x' : '.';
    r.deallocate(p, 8, 8);
  }
  return text;
}

bool is_odd(std::size_t bytes, std::size_t, void*) noexcept { return bytes % 2 == 1; }

bool fails_third(std::size_t, std::size_t alignment, void* user) noexcept {
  return alignment == 8 && ++*static_cast<int*>(user) == 3;
}

} // namespace

TEST_SUITE("failing_adaptor") {
  TEST_CASE("keeps the contract of a memory resource, whatever it fails") {
    check_contract<healthy>();
    check_contract<over_a_budget>();
    check_contract<refusing_all>();
  }

  TEST_CASE("fails the k-th call from now, and no other") {
    // [example]
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_at(2);

    void* const p = failing.allocate(16, 8);
    CHECK(failing.try_allocate(16, 8) == nullptr); // upstream was not asked
    CHECK(up.attempts() == 1);
    failing.deallocate(p, 16, 8);
    // [example]
    CHECK(outcomes(failing, 5) == ".....");
    failing.fail_at(3);
    CHECK(outcomes(failing, 5) == "..x..");
    CHECK(failing.calls() == 12);
    CHECK(failing.failures_injected() == 2);
  }

  TEST_CASE("fails from the k-th call on until it is healed") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_from(3);
    CHECK(outcomes(failing, 6) == "..xxxx");
    failing.heal();
    CHECK(outcomes(failing, 2) == "..");
    failing.fail_all();
    CHECK(outcomes(failing, 3) == "xxx");
    failing.heal();
    CHECK(outcomes(failing, 1) == ".");
  }

  TEST_CASE("heal ends a failure that comes again and again") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_every(2);
    CHECK(outcomes(failing, 3) == ".x.");
    failing.heal();
    CHECK(outcomes(failing, 4) == "....");
  }

  TEST_CASE("fails every k-th call") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_every(3);
    CHECK(outcomes(failing, 8) == "..x..x..");
    failing.fail_every(1);
    CHECK(outcomes(failing, 3) == "xxx");
  }

  TEST_CASE("fails above a size, which itself is served") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_above(100);
    CHECK(failing.try_allocate(101, 1) == nullptr);
    CHECK(failing.try_allocate(std::numeric_limits<std::size_t>::max(), 1) == nullptr);
    void* const p = failing.try_allocate(100, 1);
    CHECK(p != nullptr);
    failing.deallocate(p, 100, 1);
  }

  TEST_CASE("fails past a budget of live bytes, and gives back to the budget what came back") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_past(100);
    void* const p = failing.try_allocate(60, 1);
    CHECK(failing.try_allocate(41, 1) == nullptr);
    CHECK(failing.try_allocate(std::numeric_limits<std::size_t>::max(), 1) == nullptr);
    CHECK(failing.failures_injected() == 2); // the sum of used and requested bytes has not wrapped
    void* const q = failing.try_allocate(40, 1);
    CHECK(q != nullptr);
    CHECK(failing.used() == 100);
    CHECK(failing.live_blocks() == 2);
    failing.fail_past(50); // below what is live
    CHECK(failing.try_allocate(0, 1) == nullptr);
    failing.deallocate(p, 60, 1);
    CHECK(failing.try_allocate(11, 1) == nullptr);
    failing.deallocate(q, 40, 1);
    CHECK(failing.used() == 0);
  }

  TEST_CASE("a failure of its upstream is no injected one, and costs no budget") {
    allot::checking_resource up;
    up.set_allocation_limit(0);
    allot::failing_adaptor failing{up};
    CHECK(failing.try_allocate(8, 8) == nullptr);
    CHECK(failing.calls() == 1);
    CHECK(failing.failures_injected() == 0);
    CHECK(failing.used() == 0);
    CHECK(failing.live_blocks() == 0);
  }

  TEST_CASE("fails what a predicate says, which sees size, alignment and its user's data") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_if(is_odd);
    CHECK(failing.try_allocate(7, 1) == nullptr);
    CHECK(outcomes(failing, 2) == "..");
    int seen = 0;
    failing.fail_if(fails_third, &seen);
    CHECK(outcomes(failing, 5) == "..x..");
    failing.fail_if(nullptr);
    CHECK(outcomes(failing, 2) == "..");
  }

  TEST_CASE("fails at random as often as it was told, and the same calls for the same seed") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_with_probability(0.25, 42);
    const std::string first = outcomes(failing, 2000);
    const auto failures = failing.failures_injected();
    CHECK(failures > 400);
    CHECK(failures < 600);
    failing.fail_with_probability(0.25, 42);
    CHECK(outcomes(failing, 2000) == first);
    failing.fail_with_probability(0.25, 43);
    CHECK(outcomes(failing, 2000) != first);
    failing.fail_with_probability(1, 1);
    CHECK(outcomes(failing, 3) == "xxx");
    failing.fail_with_probability(0, 1);
    CHECK(outcomes(failing, 3) == "...");
  }

  TEST_CASE("rules add up, and each counts every call") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_every(2);
    failing.fail_at(3);
    CHECK(outcomes(failing, 6) == ".xxx.x");
  }

  TEST_CASE("disarm takes fail_at away and leaves the other rules") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    failing.fail_at(1);
    failing.fail_every(2);
    failing.disarm();
    CHECK(outcomes(failing, 4) == ".x.x");
  }

  TEST_CASE("a wrong deallocation is upstream's to find, and wraps no count") {
    allot::checking_resource up{{.action = allot::on_fault::record}};
    allot::failing_adaptor failing{up};
    void* const p = failing.try_allocate(8, 8);
    failing.deallocate(p, 9, 8);
    failing.deallocate(p, 8, 8);
    CHECK(up.errors() == 2);
    CHECK(failing.live_blocks() == 0);
    CHECK(failing.used() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("an injected failure is an out_of_memory that says so and names the adaptor") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up, "rx"};
    failing.fail_all();
    try {
      (void)failing.allocate(24, 8);
      FAIL("served");
    } catch (const allot::out_of_memory& e) {
      CHECK(e.record().bytes == 24);
      CHECK(e.record().name == std::string_view{"rx"});
      CHECK(std::string_view{e.what()}.find("a failure injected by a test") != std::string_view::npos);
    }
  }
#endif

  TEST_CASE("one over another is two, and not a copy") {
    allot::checking_resource up;
    allot::failing_adaptor inner{up};
    allot::failing_adaptor outer{inner, "outer"};
    static_assert(std::is_same_v<decltype(outer), allot::failing_adaptor<decltype(inner)>>);
    inner.fail_at(1);
    CHECK(outcomes(outer, 2) == "x.");
    CHECK(outer.failures_injected() == 0);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("has no zeroth call and no probability of two") {
    allot::checking_resource up;
    allot::failing_adaptor failing{up};
    CHECK(dies([&] { failing.fail_at(0); }, "k > 0"));
    CHECK(dies([&] { failing.fail_every(0); }, "k > 0"));
    CHECK(dies([&] { failing.fail_with_probability(2, 1); }, "probability"));
  }
#endif
}
