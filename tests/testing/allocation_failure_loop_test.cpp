#include <allot/testing/allocation_failure_loop.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <memory_resource>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

/// Three blocks by try_allocate; all or none. `careless` keeps the first when the third fails.
class trio {
public:
  explicit trio(allot::probe_upstream& up, bool careless = false) : up_{up}, careless_{careless} {}
  trio(const trio&) = delete;
  trio& operator=(const trio&) = delete;
  ~trio() {
    for (void* const p : blocks_)
      up_.deallocate(p, 8, 8);
  }

  [[nodiscard]] bool fill() {
    for (void*& p : blocks_) {
      p = up_.try_allocate(8, 8);
      if (p != nullptr) continue;
      if (careless_ && &p == &blocks_[2]) blocks_[0] = nullptr;
      return false;
    }
    return true;
  }

private:
  allot::probe_upstream& up_;
  bool careless_;
  void* blocks_[3] = {};
};

} // namespace

TEST_SUITE("allocation_failure_loop") {
  TEST_CASE("fails each allocation of a function in turn, and then lets it run") {
    // [example]
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      trio blocks{up};
      return blocks.fill(); // false: failed; code that throws std::bad_alloc returns nothing
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.runs == 4); // it has three allocations
    // [example]
    CHECK(result.failures_injected == 3);
    CHECK(result.swallowed == 0);
    CHECK(up.memory().live_blocks() == 0);
  }

  TEST_CASE("reports what a failed run leaks, and in which run") {
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      trio blocks{up, true};
      return blocks.fill();
    });
    CHECK(result.leaked_blocks == 1);
    CHECK(result.problems == 1);
    CHECK(std::string_view{result.first_problem} == "run 3 left 1 blocks live when its allocation 3 failed");
  }

  TEST_CASE("reports code that swallows a failure, unless that is accepted") {
    allot::probe_upstream up;
    const auto swallows = [&] { up.deallocate(up.try_allocate(8, 8), 8, 8); };
    const auto strict = allot::allocation_failure_loop(up, swallows);
    CHECK(strict.swallowed == 1);
    CHECK(std::string_view{strict.first_problem} == "run 1 ended well although its allocation 1 failed");
    const auto lenient = allot::allocation_failure_loop(up, swallows, {.accept_swallowed = true});
    CHECK(lenient.swallowed == 1);
    CHECK(lenient.ok());
  }

  TEST_CASE("stops at its cap and says so") {
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up,
                                                       [&] {
                                                         while (void* const p = up.try_allocate(8, 8))
                                                           up.deallocate(p, 8, 8);
                                                         return false;
                                                       },
                                                       {.most_runs = 10});
    CHECK(result.runs == 10);
    CHECK(std::string_view{result.first_problem} == "an allocation still failed in run 10, the last one allowed");
    CHECK(up.try_allocate(1, 1) != nullptr); // disarmed
  }

  TEST_CASE("asks for the invariant after each failed run, and only then") {
    struct model {
      int asked = 0;
      static bool holds(void* user) noexcept { return ++static_cast<model*>(user)->asked != 2; }
    } m;
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up,
                                                       [&] {
                                                         trio blocks{up};
                                                         return blocks.fill();
                                                       },
                                                       {.invariant = model::holds, .user = &m});
    CHECK(m.asked == 3);
    CHECK(result.problems == 1);
    CHECK(std::string_view{result.first_problem} == "the invariant did not hold after allocation 2 of run 2 failed");
  }

  TEST_CASE("reports a run that fails although nothing was made to") {
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [] { return false; });
    CHECK(result.runs == 1);
    CHECK(std::string_view{result.first_problem} == "run 1 failed although no allocation did");
  }

  TEST_CASE("reports what upstream saw: here a wrong size") {
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      void* const p = up.try_allocate(8, 8);
      if (p != nullptr) up.deallocate(p, 7, 8);
      return p != nullptr;
    });
    CHECK(result.problems == 1);
    CHECK(std::string_view{result.first_problem}.find("wrong_size") != std::string_view::npos);
  }

  TEST_CASE("a long-lived object may grow in a failed run where that is accepted") {
    allot::probe_upstream up;
    std::vector<void*> kept;
    const auto grow = [&] {
      for (int i = 0; i < 2; ++i) {
        void* const p = up.try_allocate(8, 8);
        if (p == nullptr) return false;
        kept.push_back(p);
      }
      return true;
    };
    CHECK(allot::allocation_failure_loop(up, grow, {.accept_leaks = true}).ok());
    CHECK_FALSE(allot::allocation_failure_loop(up, grow).ok());
    for (void* const p : kept)
      up.deallocate(p, 8, 8);
  }

  TEST_CASE("looks for leaks also where a failure was swallowed, and in the run that had none") {
    allot::probe_upstream up;
    const auto drops = [&] {
      (void)up.try_allocate(8, 8);
      up.deallocate(up.try_allocate(8, 8), 8, 8);
    };
    const auto result = allot::allocation_failure_loop(up, drops, {.accept_swallowed = true});
    CHECK(result.leaked_blocks == 2); // in runs 2 and 3
    CHECK(std::string_view{result.first_problem} == "run 2 left 1 blocks live when its allocation 2 failed");

    const auto last = allot::allocation_failure_loop(up, [&] { return up.try_allocate(8, 8) != nullptr; });
    CHECK(last.leaked_blocks == 1);
    CHECK(std::string_view{last.first_problem} == "run 2 left 1 blocks live, and no allocation of it failed");
  }

  TEST_CASE("asks for the invariant also where a failure was swallowed") {
    allot::probe_upstream up;
    const auto result =
        allot::allocation_failure_loop(up, [&] { up.deallocate(up.try_allocate(8, 8), 8, 8); },
                                       {.accept_swallowed = true, .invariant = [](void*) noexcept { return false; }});
    CHECK(result.problems == 1);
  }

  TEST_CASE("a double free is a fault, and no leak of a negative block") {
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      void* const p = up.try_allocate(8, 8);
      if (p == nullptr) return false;
      up.deallocate(p, 8, 8);
      up.deallocate(p, 8, 8);
      return true;
    });
    CHECK(result.leaked_blocks == 0);
    CHECK(std::string_view{result.first_problem}.find("in run 2: ") == 0);
    CHECK(std::string_view{result.first_problem}.find("double_free") != std::string_view::npos);
    CHECK(up.failing().live_blocks() == 0);
  }

  TEST_CASE("quotes the fault of the run, and blames no run for what was there before") {
    allot::probe_upstream up;
    int local = 0;
    up.deallocate(&local, sizeof local, alignof(int));
    const auto faulty = allot::allocation_failure_loop(up, [&] {
      void* const p = up.try_allocate(8, 8);
      up.deallocate(p, 7, 8);
      return p != nullptr;
    });
    CHECK(std::string_view{faulty.first_problem}.find("in run 2: ") == 0);
    CHECK(std::string_view{faulty.first_problem}.find("wrong_size") != std::string_view::npos);

    auto* const p = static_cast<char*>(up.try_allocate(8, 8));
    p[8] = 'x';
    const auto innocent = allot::allocation_failure_loop(up, [] { return true; });
    CHECK(innocent.problems == 1);
    CHECK(std::string_view{innocent.first_problem}.find("before the first run: ") == 0);
    up.deallocate(p, 8, 8);
  }

  TEST_CASE("leaves the rules alone that its user has set, and ends although they go on failing") {
    allot::probe_upstream up;
    up.failing().fail_above(100);
    const auto result = allot::allocation_failure_loop(up, [&] {
      void* const p = up.try_allocate(200, 8);
      up.deallocate(p, 200, 8);
      return p != nullptr;
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.runs == 2);
    CHECK(up.try_allocate(101, 8) == nullptr);
  }

  TEST_CASE("takes false and null for a failure, and a number for a value") {
    allot::probe_upstream up;
    CHECK(allot::allocation_failure_loop(up, [] { return std::size_t{0}; }).ok());
    CHECK(allot::allocation_failure_loop(up, [] { return std::errc{}; }).ok());
    CHECK(allot::allocation_failure_loop(up, [] { return std::error_code{}; }).ok());
    CHECK_FALSE(allot::allocation_failure_loop(up, [] { return false; }).ok());
    CHECK_FALSE(allot::allocation_failure_loop(up, []() -> void* { return nullptr; }).ok());
    CHECK_FALSE(allot::allocation_failure_loop(up, [] { return std::optional<int>{}; }).ok());
    CHECK(allot::allocation_failure_loop(up, [] { return std::optional{0}; }).ok());
  }

  TEST_CASE("any number of runs may be allowed, be it the greatest there is") {
    allot::probe_upstream up;
    const auto result =
        allot::allocation_failure_loop(up, [] { return true; }, {.most_runs = std::numeric_limits<std::size_t>::max()});
    CHECK(result.ok());
    CHECK(result.runs == 1);
  }

  TEST_CASE("works over any upstream") {
    allot::checking_resource memory;
    allot::failing_adaptor failing{memory};
    const auto result = allot::allocation_failure_loop(failing, [&] {
      void* const p = failing.try_allocate(8, 8);
      failing.deallocate(p, 8, 8);
      return p != nullptr;
    });
    CHECK(result.ok());
    CHECK(result.runs == 2);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("takes a std::bad_alloc for the failure that came out") {
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      std::pmr::vector<std::pmr::string> words{&up};
      for (int i = 0; i < 5; ++i)
        words.emplace_back("longer than any small string buffer");
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.runs > 5);
    CHECK(result.failures_injected == result.runs - 1);
  }

  TEST_CASE("lets any other exception out, and is disarmed then") {
    allot::probe_upstream up;
    const auto throws = [] { throw std::runtime_error{"before any allocation, so that the failure is still armed"}; };
    CHECK_THROWS_AS((void)allot::allocation_failure_loop(up, throws), std::runtime_error);
    void* const p = up.try_allocate(8, 8);
    CHECK(p != nullptr);
    up.deallocate(p, 8, 8);
  }
#endif
}
