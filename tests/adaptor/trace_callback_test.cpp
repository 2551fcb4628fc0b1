#include <allot/adaptor/trace_callback.hpp> // first: proves that the header stands alone

#include <allot/adaptor/trace_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>

#include <doctest/doctest.h>

#include <cstddef>

#include "support/death.hpp"

TEST_SUITE("trace_callback") {
  TEST_CASE("example") {
    // [example]
    std::size_t largest = 0;
    allot::trace_callback watch{[](const allot::trace_event& event, void* user) noexcept {
                                  auto& most = *static_cast<std::size_t*>(user);
                                  if (event.bytes > most) most = event.bytes;
                                },
                                &largest};
    allot::bump_resource<4096> arena;
    allot::trace_adaptor traced{arena, watch};
    (void)traced.allocate(100, 8);
    (void)traced.allocate(10, 8);
    CHECK(largest == 100);
    // [example]
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops where it is given no function") {
    CHECK(dies([] { const allot::trace_callback nobody{nullptr}; }, "call != nullptr"));
  }
#endif
}
