#include <allot/adaptor/retry_adaptor.hpp> // first: proves that the header stands alone

#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/failing_adaptor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <memory_resource>
#include <new>
#include <string_view>
#include <vector>

#include "support/conformance.hpp"
#include "support/death.hpp"

namespace {

/// Answers as it was told to, and remembers what it was asked.
struct adviser {
  std::size_t agrees = 100; // times
  std::vector<allot::failed_attempt> asked;

  static bool again(const allot::failed_attempt& failed, void* user) noexcept {
    auto& self = *static_cast<adviser*>(user);
    self.asked.push_back(failed);
    return self.asked.size() <= self.agrees;
  }

  allot::retry_policy policy(std::size_t most_attempts) {
    return {.callback = again, .user = this, .most_attempts = most_attempts};
  }
};

/// Agrees as often, and remembers nothing.
struct patience {
  std::size_t calls = 0;

  static bool again(const allot::failed_attempt&, void* user) noexcept {
    return ++static_cast<patience*>(user)->calls <= 100;
  }

  allot::retry_policy policy(std::size_t most_attempts) {
    return {.callback = again, .user = this, .most_attempts = most_attempts};
  }
};

template <std::size_t MostAttempts>
struct retry_fixture {
  allot::probe_upstream up;
  patience advice;
  allot::retry_adaptor<allot::probe_upstream> r{up, advice.policy(MostAttempts)};
  static constexpr bool asks_again = MostAttempts > 1;
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct retry_over_retry_fixture {
  allot::probe_upstream up;
  patience advice;
  allot::retry_adaptor<allot::probe_upstream> inner{up, advice.policy(2)};
  allot::retry_adaptor<decltype(inner)> r{inner, advice.policy(2)};
  static constexpr bool asks_again = true;
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// A cache of one block, which its owner can do without.
struct cache {
  std::pmr::memory_resource* from = nullptr;
  void* block = nullptr;

  static bool drop(const allot::failed_attempt&, void* user) noexcept {
    auto& self = *static_cast<cache*>(user);
    if (self.block == nullptr) return false;
    self.from->deallocate(self.block, 600, 8);
    self.block = nullptr;
    return true;
  }
};

struct upstreams {
  allot::checking_resource memory;
  allot::failing_adaptor<allot::checking_resource> failing{memory};
};

} // namespace

TEST_SUITE("retry_adaptor") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<retry_fixture<3>>(); }

#if !ALLOT_VALGRIND // under Memcheck the suite takes seconds, and the number of attempts is one number
  TEST_CASE("with one attempt it keeps it, and asks upstream once") { check_contract<retry_fixture<1>>(); }

  TEST_CASE("keeps the contract over another retry_adaptor") { check_contract<retry_over_retry_fixture>(); }
#endif

  TEST_CASE("example") {
    allot::checking_resource up;
    // [example]
    allot::limit_adaptor capped{up, 1000};
    cache pages{.from = &capped, .block = capped.allocate(600, 8)};
    allot::retry_adaptor patient{capped, {.callback = cache::drop, .user = &pages}};

    void* const p = patient.allocate(700, 8); // is refused, drops the cache, and then has room
    CHECK(pages.block == nullptr);
    CHECK(patient.try_allocate(700, 8) == nullptr); // nothing is left to drop
    // [example]
    CHECK(patient.most_attempts() == 3);
    patient.deallocate(p, 700, 8);
    CHECK(capped.used() == 0);
  }

  TEST_CASE("does not ask the callback while upstream delivers") {
    upstreams up;
    adviser advice;
    allot::retry_adaptor patient{up.failing, advice.policy(5)};
    patient.deallocate(patient.allocate(8, 8), 8, 8);
    patient.deallocate(patient.try_allocate(8, 8), 8, 8);
    CHECK(advice.asked.empty());
    CHECK(up.failing.calls() == 2);
  }

  TEST_CASE("tells the callback what failed, and the number of the attempt") {
    upstreams up;
    adviser advice;
    allot::retry_adaptor patient{up.failing, advice.policy(4)};
    up.failing.fail_all();
    CHECK(patient.try_allocate(24, 8) == nullptr);
    REQUIRE(advice.asked.size() == 3); // after the last attempt there is nothing to ask
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(advice.asked[i].bytes == 24);
      CHECK(advice.asked[i].alignment == 8);
      CHECK(advice.asked[i].number == i + 1);
    }
    CHECK(up.failing.calls() == 4);
  }

  TEST_CASE("stops at the attempt that upstream serves") {
    for (std::size_t failures = 0; failures < 4; ++failures) {
      CAPTURE(failures);
      upstreams up;
      adviser advice;
      allot::retry_adaptor patient{up.failing, advice.policy(4)};
      // The adviser is asked after each failure: the predicate counts the calls itself.
      std::size_t left = failures;
      up.failing.fail_if(
          [](std::size_t, std::size_t, void* user) noexcept {
            auto& n = *static_cast<std::size_t*>(user);
            return n != 0 && n-- != 0;
          },
          &left);
      void* const p = patient.allocate(40, 4);
      CHECK(advice.asked.size() == failures);
      CHECK(up.memory.live_blocks() == 1);
      CHECK(up.memory.last_allocated() == allot::layout{40, 4});
      patient.deallocate(p, 40, 4);
    }
  }

  TEST_CASE("gives up where the callback says so") {
    upstreams up;
    adviser advice{.agrees = 1, .asked = {}};
    allot::retry_adaptor patient{up.failing, advice.policy(10)};
    up.failing.fail_all();
    CHECK(patient.try_allocate(1, 1) == nullptr);
    CHECK(up.failing.calls() == 2);
    CHECK(advice.asked.size() == 2);
  }

  TEST_CASE("a request that can never be served ends after the last attempt") {
    upstreams up;
    allot::limit_adaptor capped{up.failing, 1000};
    adviser advice;
    allot::retry_adaptor patient{capped, advice.policy(7)};
    CHECK(patient.try_allocate(std::numeric_limits<std::size_t>::max(), std::size_t{1} << 30) == nullptr);
    CHECK(capped.snapshot().refusals == 7);
    CHECK(capped.used() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("allocate makes the same attempts, and the last failure goes on") {
    upstreams up;
    allot::limit_adaptor capped{up.failing, 10, "tenant"};
    adviser advice;
    allot::retry_adaptor patient{capped, advice.policy(3)};
    try {
      (void)patient.allocate(11, 1);
      FAIL("should have thrown");
    } catch (const allot::budget_exceeded& e) {
      CHECK(std::string_view{e.record().name} == "tenant");
    }
    CHECK(advice.asked.size() == 2);
    CHECK(capped.snapshot().refusals == 3);

    advice = {.agrees = 0, .asked = {}};
    CHECK_THROWS_AS((void)patient.allocate(11, 1), allot::budget_exceeded);
    CHECK(capped.snapshot().refusals == 4);
  }

  TEST_CASE("an exception that is no bad_alloc goes on at once") {
    struct odd final : std::pmr::memory_resource {
      int calls = 0;
      void* do_allocate(std::size_t, std::size_t) override { throw ++calls; }
      void do_deallocate(void*, std::size_t, std::size_t) override {}
      [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
    };
    odd up;
    adviser advice;
    allot::retry_adaptor patient{up, advice.policy(3)};
    CHECK_THROWS_AS((void)patient.allocate(8, 8), int);
    CHECK(up.calls == 1);
    CHECK(advice.asked.empty());
  }

  TEST_CASE("asks a foreign upstream again") {
    adviser advice;
    allot::retry_adaptor patient{*std::pmr::null_memory_resource(), advice.policy(3), "patient"};
    CHECK(patient.try_allocate(8, 8) == nullptr);
    CHECK(advice.asked.size() == 2);
    CHECK_THROWS_AS((void)patient.allocate(8, 8), std::bad_alloc);
    CHECK(advice.asked.size() == 4);
    CHECK(std::string_view{patient.name()} == "patient");
  }
#else
  TEST_CASE("without exceptions the handler gets upstream's own record, after all attempts") {
    upstreams up;
    allot::limit_adaptor capped{up.failing, 10, "tenant"};
    adviser advice;
    allot::retry_adaptor patient{capped, advice.policy(3)};
    CHECK(dies([&] { (void)patient.allocate(11, 1); }, "tenant"));
  }
#endif

  TEST_CASE("owns as upstream does") {
    upstreams up;
    adviser advice;
    allot::retry_adaptor patient{up.failing, advice.policy(3)};
    int elsewhere = 0;
    CHECK(patient.owns(&elsewhere) == up.failing.owns(&elsewhere));
    CHECK(decltype(patient)::owns_is_exact == decltype(up.failing)::owns_is_exact);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops at a policy with no callback, or with no attempt") {
    upstreams up;
    adviser advice;
    CHECK(dies([&] { const allot::retry_adaptor patient{up.failing, advice.policy(0)}; }, "most_attempts > 0"));
    CHECK(dies([&] { const allot::retry_adaptor patient{up.failing, allot::retry_policy{}}; }, "callback != nullptr"));
  }
#endif
}
