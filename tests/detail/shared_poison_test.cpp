#include <allot/detail/shared_poison.hpp>

#include <doctest/doctest.h>

#include "support/race.hpp"

#include <array>
#include <span>
#include <vector>

namespace {

using allot::detail::shared_poison;

/// The bytes of `memory` that are reported on access.
[[maybe_unused]] std::vector<std::size_t> reported([[maybe_unused]] std::span<const std::byte> memory) {
  std::vector<std::size_t> all;
#if ALLOT_ASAN
  for (std::size_t i = 0; i < memory.size(); ++i) {
    if (__asan_address_is_poisoned(&memory[i]) != 0) all.push_back(i);
  }
#endif
  return all;
}

} // namespace

TEST_SUITE("shared_poison") {
  TEST_CASE("of no memory, or less than a granule, is nothing to poison") {
    std::array<std::byte, 5> memory;
    for (const std::span<std::byte> few : {std::span<std::byte>{}, std::span<std::byte>{memory}}) {
      const shared_poison poison{few};
      poison.poison_all(few);
      poison.poison(few);
      poison.unpoison(few);
    }
    CHECK(reported(memory).empty());
  }

#if ALLOT_ASAN
  TEST_CASE("poisons the whole granules inside of a block, and clears all that it has a byte of, but nothing outside") {
    alignas(8) std::array<std::byte, 40> memory{};
    const auto part = std::span{memory}.subspan(3, 34); // granules 1, 2 and 3 are whole
    const shared_poison poison{part};
    for (std::size_t begin = 0; begin <= part.size(); ++begin) {
      for (std::size_t bytes = 0; bytes <= part.size() - begin; ++bytes) {
        CAPTURE(begin);
        CAPTURE(bytes);
        poison.poison_all(part);
        poison.unpoison(part.subspan(begin, bytes));
        const std::size_t first = 3 + begin;
        const std::size_t end = first + bytes;
        std::vector<std::size_t> expected;
        for (std::size_t i = 8; i < 32; ++i) {
          const std::size_t granule = i / 8 * 8;
          if (end <= granule || granule + 8 <= first || bytes == 0) expected.push_back(i);
        }
        if (bytes != 0) REQUIRE(reported(memory) == expected);

        poison.unpoison(part);
        REQUIRE(reported(memory).empty());
        poison.poison(part.subspan(begin, bytes));
        expected.clear();
        for (std::size_t i = 8; i < 32; ++i) {
          if (first <= i / 8 * 8 && i / 8 * 8 + 8 <= end) expected.push_back(i);
        }
        REQUIRE(reported(memory) == expected);
        poison.unpoison(part);
      }
    }
  }

  TEST_CASE("two threads that make their blocks in one granule accessible lose neither") {
    alignas(8) std::array<std::byte, 8> memory{};
    const shared_poison poison{memory};
    std::size_t lost = 0;
    race(2, 20'000, [&](unsigned thread, unsigned round) {
      if (round % 2 == 1) {
        poison.unpoison(std::span{memory}.subspan(thread * 4, 4));
      } else if (thread == 0) {
        if (round != 0 && !reported(memory).empty()) ++lost;
        poison.poison_all(memory);
      }
    });
    CHECK(lost == 0);
  }
#endif
}
