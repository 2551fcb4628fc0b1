#include <allot/global/no_allocation_scope.hpp> // first: proves that the header stands alone

#include <allot/core/failure.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "global/forms.hpp"
#include "support/death.hpp"

namespace {

using allot::global::no_allocation_scope;
using allot::global::on_allocation;

} // namespace

TEST_SUITE("no_allocation_scope") {
  TEST_CASE("example") {
    // [example]
    std::string line(100, '-');
    {
      const allot::global::no_allocation_scope quiet{"drawing"}; // aborts at the first allocation in this thread
      line.replace(0, 5, "title");
    }
    const allot::global::no_allocation_scope counted{"growing", allot::global::on_allocation::count};
    line.append(1000, '-');
    CHECK(counted.allocations() == 1);
    // [example]
  }

  TEST_CASE("aborts at every form of operator new, and says what was asked for and where") {
    for (const form& f : every_form) {
      CAPTURE(f.name);
      CHECK(dies(
          [&] {
            const no_allocation_scope quiet{"audio"};
            (void)f.allocate(4321, std::align_val_t{256});
          },
          f.aligned
              ? "no_allocation_scope \"audio\": over budget by a request for 4321 bytes aligned to 256: operator new"
              : "no_allocation_scope \"audio\": over budget by a request for 4321 bytes aligned to 16: operator new"));
    }
  }

  TEST_CASE("lets blocks go back") {
    void* const p = ::operator new(10);
    const support::ending end = support::ending_of([&] {
      const no_allocation_scope quiet;
      ::operator delete(p);
    });
    CHECK(end.exited(0));
    ::operator delete(p);
  }

  TEST_CASE("counts requests and their bytes, and serves them") {
    void* p = nullptr;
    const no_allocation_scope counted{nullptr, on_allocation::count};
    p = ::operator new(7);
    allocate_and_free(20);
    const std::size_t allocations = counted.allocations();
    const std::size_t bytes = counted.bytes();
    CHECK(p != nullptr);
    CHECK(allocations == 2);
    CHECK(bytes == 27);
    ::operator delete(p);
  }

  TEST_CASE("a request that fails is one too") {
    const no_allocation_scope counted{nullptr, on_allocation::count};
    void* const p = ::operator new(std::numeric_limits<std::size_t>::max(), std::nothrow);
    const std::size_t allocations = counted.allocations();
    CHECK(p == nullptr);
    CHECK(allocations == 1);
  }

  TEST_CASE("is over when its block is, and the one around it is not") {
    const no_allocation_scope outer{nullptr, on_allocation::count};
    std::size_t inside = 0;
    {
      const no_allocation_scope inner{nullptr, on_allocation::count};
      allocate_and_free(1);
      inside = inner.allocations();
    }
    allocate_and_free(1);
    const std::size_t around = outer.allocations();
    CHECK(inside == 1);
    CHECK(around == 2);
  }

  TEST_CASE("a scope that counts does not hide a request from one around it that aborts") {
    CHECK(dies(
        [] {
          const no_allocation_scope outer{"outer"};
          const no_allocation_scope inner{"inner", on_allocation::count};
          allocate_and_free(1);
        },
        "\"outer\""));
    CHECK(dies(
        [] {
          const no_allocation_scope outer{"outer", on_allocation::count};
          const no_allocation_scope inner{"inner"};
          allocate_and_free(1);
        },
        "\"inner\""));
  }

  TEST_CASE("is of one thread: others allocate") {
    std::size_t heard = 0;
    {
      std::thread waiting{[] { allocate_and_free(100); }};
      const no_allocation_scope counted{nullptr, on_allocation::count};
      waiting.join();
      heard = counted.allocations();
    }
    CHECK(heard == 0);
  }

  TEST_CASE("a failure handler gets the record, and may allocate") {
    CHECK(dies(
        [] {
          allot::set_failure_handler([](const allot::failure& what) noexcept {
            allocate_and_free(what.bytes);
            std::fprintf(stderr, "%s of %zu bytes in %s", allot::to_string(what.reason), what.bytes, what.name);
          });
          const no_allocation_scope quiet{"here"};
          allocate_and_free(99);
        },
        "budget_exceeded of 99 bytes in here"));
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops when scopes are ended out of order, or by another thread") {
    CHECK(dies(
        [] {
          auto first = std::make_unique<no_allocation_scope>(nullptr, on_allocation::count);
          const no_allocation_scope second{nullptr, on_allocation::count};
          first.reset();
        },
        "innermost_scope == this"));
    CHECK(dies(
        [] {
          auto mine = std::make_unique<no_allocation_scope>(nullptr, on_allocation::count);
          std::thread{[&] { mine.reset(); }}.join();
        },
        "innermost_scope == this"));
  }
#endif
}
