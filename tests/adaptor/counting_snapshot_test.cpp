#include <allot/adaptor/counting_snapshot.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

TEST_SUITE("counting_snapshot") {
  TEST_CASE("a difference is what happened in between, negative where more went back") {
    constexpr allot::counting_snapshot earlier{.live_bytes = 100,
                                               .peak_bytes = 120,
                                               .total_bytes = 500,
                                               .live_blocks = 4,
                                               .peak_blocks = 5,
                                               .allocations = 20,
                                               .deallocations = 16,
                                               .failures = 1,
                                               .largest_bytes = 64};
    constexpr allot::counting_snapshot later{.live_bytes = 30,
                                             .peak_bytes = 150,
                                             .total_bytes = 700,
                                             .live_blocks = 1,
                                             .peak_blocks = 7,
                                             .allocations = 27,
                                             .deallocations = 26,
                                             .failures = 3,
                                             .largest_bytes = 70};
    constexpr allot::counting_difference difference = later - earlier;
    CHECK(difference == allot::counting_difference{.live_bytes = -70,
                                                   .peak_bytes = 50,
                                                   .total_bytes = 200,
                                                   .live_blocks = -3,
                                                   .peak_blocks = 3,
                                                   .allocations = 7,
                                                   .deallocations = 10,
                                                   .failures = 2,
                                                   .largest_bytes = 70});
  }

  TEST_CASE("a peak that was reset in between to less than was live at the start is none above it") {
    const allot::counting_snapshot earlier{.live_bytes = 100, .peak_bytes = 100, .live_blocks = 3, .peak_blocks = 3};
    const allot::counting_snapshot later{.live_bytes = 10, .peak_bytes = 20, .live_blocks = 1, .peak_blocks = 2};
    CHECK((later - earlier).peak_bytes == 0);
    CHECK((later - earlier).peak_blocks == 0);
    CHECK((later - earlier).live_bytes == -90);
  }

  TEST_CASE("counts that wrapped around in between still differ by what happened") {
    const allot::counting_snapshot earlier{.total_bytes = static_cast<std::size_t>(-10)};
    const allot::counting_snapshot later{.total_bytes = 5};
    CHECK((later - earlier).total_bytes == 15);
  }
}
