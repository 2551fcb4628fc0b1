#include <allot/core/layout.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace {

using namespace allot::literals;

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
constexpr std::size_t top_bit = most / 2 + 1;

const void* at(std::uintptr_t address) { return reinterpret_cast<const void*>(address); }

struct alignas(64) line {
  char text[192];
};

// A literal is a constant: it can be the extent of an array and the argument of a template.
static_assert(std::array<char, 3_B>{}.size() == 3);
static_assert(0_GiB == 0 && 1_KiB == 1024 && 1_MiB == 1024_KiB && 1_GiB == 1024_MiB);

} // namespace

TEST_SUITE("layout") {
  TEST_CASE("an alignment is one bit, zero is none") {
    CHECK_FALSE(allot::is_alignment(0));
    CHECK_FALSE(allot::is_alignment(most));
    for (std::size_t n = 1; n != 0; n <<= 1) {
      CHECK(allot::is_alignment(n));
      if (n > 2) CHECK_FALSE(allot::is_alignment(n - 1));
      if (n > 1) CHECK_FALSE(allot::is_alignment(n + 1));
    }
  }

  TEST_CASE("a sum is refused from the first value that does not fit") {
    CHECK(allot::checked_add(0, most) == most);
    CHECK(allot::checked_add(most - 7, 7) == most);
    CHECK(allot::checked_add(most - 7, 8) == std::nullopt);
    CHECK(allot::checked_add(8, most - 7) == std::nullopt);
    CHECK(allot::checked_add(most, most) == std::nullopt);
  }

  TEST_CASE("a product is refused from the first value that does not fit") {
    CHECK(allot::checked_multiply(0, most) == 0u);
    CHECK(allot::checked_multiply(most, 0) == 0u);
    CHECK(allot::checked_multiply(most, 1) == most);
    CHECK(allot::checked_multiply(most / 3, 3) == most / 3 * 3);
    CHECK(allot::checked_multiply(most / 3 + 1, 3) == std::nullopt);
    CHECK(allot::checked_multiply(top_bit, 2) == std::nullopt);
    CHECK(allot::checked_multiply(most, most) == std::nullopt);
  }

  TEST_CASE("aligning down and up meet at a multiple and differ by one step elsewhere") {
    for (const std::size_t alignment : {std::size_t{1}, std::size_t{2}, std::size_t{64}, top_bit}) {
      CAPTURE(alignment);
      CHECK(allot::align_down(0, alignment) == 0);
      CHECK(allot::align_up(0, alignment) == 0u);
      CHECK(allot::align_up(1, alignment) == alignment);
      CHECK(allot::align_down(alignment, alignment) == alignment);
      CHECK(allot::align_up(alignment, alignment) == alignment);
      CHECK(allot::align_down(alignment - 1, alignment) == 0);
    }
    CHECK(allot::align_down(most, 64) == most - 63);
    CHECK(allot::align_up(most - 63, 64) == most - 63);
  }

  TEST_CASE("aligning up does not wrap around to a small number") {
    CHECK(allot::align_up(most, 1) == most);
    CHECK(allot::align_up(most - 62, 64) == std::nullopt);
    CHECK(allot::align_up(most, 2) == std::nullopt);
    CHECK(allot::align_up(top_bit + 1, top_bit) == std::nullopt);
  }

  TEST_CASE("the padding of an address reaches the next multiple, at the end of the address space too") {
    CHECK(allot::padding_to(at(4096), 4096) == 0);
    CHECK(allot::padding_to(at(4097), 4096) == 4095);
    CHECK(allot::padding_to(at(8191), 4096) == 1);
    CHECK(allot::padding_to(at(4097), 1) == 0);
    CHECK(allot::padding_to(at(std::numeric_limits<std::uintptr_t>::max()), 4096) == 1);
    CHECK(allot::padding_to(nullptr, top_bit) == 0);
    CHECK(allot::padding_to(at(1), top_bit) == top_bit - 1);
    CHECK(allot::is_aligned(at(8192), 4096));
    CHECK_FALSE(allot::is_aligned(at(8192 + 2048), 4096));
  }

  TEST_CASE("a layout is the size and the alignment of its type") {
    CHECK(allot::layout::of<line>() == allot::layout{192, 64});
    CHECK(allot::layout::of<char>() == allot::layout{1, 1});
    CHECK(allot::layout{192, 64} != allot::layout{192, 32});
    CHECK(allot::layout{192, 64} != allot::layout{191, 64});
  }

  TEST_CASE("an array whose size does not fit has no layout") {
    CHECK(allot::layout::array_of<line>(3) == allot::layout{576, 64});
    CHECK(allot::layout::array_of<line>(0) == allot::layout{0, 64});
    CHECK(allot::layout::array_of<line>(most / 192) == allot::layout{most / 192 * 192, 64});
    CHECK(allot::layout::array_of<line>(most / 192 + 1) == std::nullopt);
    CHECK(allot::layout::array_of<line>(most) == std::nullopt);
    CHECK(allot::layout::array_of<char>(most) == allot::layout{most, 1});
  }
}
