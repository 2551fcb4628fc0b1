#include <allot/adaptor/plain_counters.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>

TEST_SUITE("plain_counters") {
  TEST_CASE("a peak stays when what is live sinks, and moves only past itself") {
    allot::plain_counters_t::ledger ledger;
    ledger.allocated(10);
    ledger.allocated(20);
    ledger.deallocating(10);
    ledger.allocated(5);
    CHECK(ledger.live_bytes() == 25);
    CHECK(ledger.peaks() == allot::counting_peaks{.bytes = 30, .blocks = 2, .largest_bytes = 20});
    ledger.allocated(6);
    CHECK(ledger.peaks() == allot::counting_peaks{.bytes = 31, .blocks = 3, .largest_bytes = 20});
  }

  TEST_CASE("what is live stays right when the total wraps around") {
    constexpr std::size_t half = std::numeric_limits<std::size_t>::max() / 2;
    allot::plain_counters_t::ledger ledger;
    for (int i = 0; i < 3; ++i) {
      ledger.allocated(half);
      CHECK(ledger.live_bytes() == half);
      ledger.deallocating(half);
    }
    CHECK(ledger.live_bytes() == 0);
    CHECK(ledger.peaks().bytes == half);
  }

  TEST_CASE("a block of no bytes is a block") {
    allot::plain_counters_t::ledger ledger;
    ledger.allocated(0);
    CHECK(ledger.live_blocks() == 1);
    ledger.deallocating(0);
    CHECK(ledger.live_blocks() == 0);
    CHECK(ledger.read().total_bytes == 0);
  }
}
