#include <allot/source/section_buffer.hpp> // first: proves that the header stands alone

#include <allot/core/failure.hpp>

#include <support/death.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace {

constexpr std::byte noise{0xA5};

ALLOT_SECTION_BUFFER(in_unnamed_namespace, 300, 64, ".bss.allot_test");
ALLOT_SECTION_BUFFER(untouched, 32, 1, ".allot_test");

alignas(8) std::byte users_own[24];
std::byte shared_array[8];
constinit allot::section_buffer<users_own> over_users_own;

} // namespace

// [example]
ALLOT_SECTION_BUFFER(usb_frames, 2048, 64, ".allot_test");

void start_usb() {
  const std::span<std::byte, 2048> frames = usb_frames.claim_zeroed("usb"); // nobody zeroes that memory
  frames[0] = std::byte{1};
}
// [example]

namespace board {
ALLOT_SECTION_BUFFER(in_a_namespace, 16, 16, ".allot_test");
}

TEST_SUITE("section_buffer") {
  TEST_CASE("the example keeps its promise") {
    usb_frames_bytes[2047] = noise;
    start_usb();
    CHECK(usb_frames.is_claimed());
    CHECK(usb_frames_bytes[0] == std::byte{1});
    CHECK(usb_frames_bytes[2047] == std::byte{0});
  }

  TEST_CASE("the handle is one byte, apart from the array, and needs no destructor") {
    static_assert(sizeof usb_frames == 1);
    static_assert(std::is_trivially_destructible_v<decltype(usb_frames)>);
    CHECK(usb_frames.owns(&usb_frames) == allot::ownership::no);
    CHECK(usb_frames.owns(usb_frames_bytes + 2047) == allot::ownership::yes);
    CHECK(usb_frames.owns(usb_frames_bytes + 2048) == allot::ownership::no);
  }

  TEST_CASE("the first claim gives the whole array, aligned, and the second nothing") {
    const auto bytes = in_unnamed_namespace.try_claim();
    REQUIRE(bytes);
    static_assert(std::same_as<decltype(bytes), const std::optional<std::span<std::byte, 300>>>);
    CHECK(bytes->data() == in_unnamed_namespace_bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(bytes->data()) % 64 == 0);
    CHECK(!in_unnamed_namespace.try_claim());
    CHECK(board::in_a_namespace.try_claim());
  }

  TEST_CASE("a plain claim leaves the array as it was") {
    std::ranges::fill(untouched_bytes, noise);
    CHECK(!untouched.is_claimed()); // noise in the section is none in the flag
    CHECK(std::ranges::all_of(untouched.claim(), [](std::byte b) { return b == noise; }));
  }

  TEST_CASE("two handles of one array have one claim between them") {
    static constinit allot::section_buffer<shared_array> first;
    static constinit allot::section_buffer<shared_array> second;
    static_cast<void>(first.claim());
    CHECK(second.is_claimed());
    CHECK(!second.try_claim());
  }

  TEST_CASE("any array of bytes with linkage will do") {
    CHECK(over_users_own.claim().size() == 24);
    CHECK(over_users_own.owns(users_own) == allot::ownership::yes);
#if ALLOT_EXCEPTIONS
    try {
      static_cast<void>(over_users_own.claim("again"));
      FAIL("claimed twice");
    } catch (const allot::already_claimed& e) {
      CHECK(std::string_view{e.record().resource} == "section_buffer");
      CHECK(std::string_view{e.record().name} == "again");
      CHECK(e.record().capacity == 24);
    }
#endif
  }
}
