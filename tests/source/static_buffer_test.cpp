#include <allot/source/static_buffer.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/core/failure.hpp>

#include <support/death.hpp>
#include <support/race.hpp>
#include <support/room.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace {

constinit allot::static_buffer<300, 64> aligned;

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

} // namespace

// [example]
constinit allot::static_buffer<2048> frames;

bool start_receiving() {
  const auto bytes = frames.try_claim();
  if (!bytes) return false; // someone else has it
  allot::bump_resource arena{std::span<std::byte>{*bytes}, "frames"};
  return arena.try_allocate(2048, 1) != nullptr;
}
// [example]

TEST_SUITE("static_buffer") {
  TEST_CASE("the example keeps its promise") {
    CHECK(start_receiving());
    CHECK(!start_receiving());
  }

  TEST_CASE("is N bytes and one, needs no destructor, and keeps no pointer") {
    static_assert(sizeof(allot::static_buffer<100, 1>) == 101);
    static_assert(sizeof(allot::static_buffer<100, 64>) == 128);
    static_assert(std::is_trivially_destructible_v<allot::static_buffer<100>>);
    static_assert(!std::is_copy_constructible_v<allot::static_buffer<100>>);
    static_assert(!std::is_move_assignable_v<allot::static_buffer<100>>);
    CHECK(alignof(allot::static_buffer<100>) == alignof(std::max_align_t));
  }

  TEST_CASE("the first claim gives all bytes, zero and aligned, with their number in the type") {
    CHECK(!aligned.is_claimed());
    const auto bytes = aligned.claim("first");
    static_assert(std::same_as<decltype(bytes), const std::span<std::byte, 300>>);
    CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64 == 0);
    CHECK(all_zero(bytes));
    CHECK(aligned.is_claimed());
    CHECK(!aligned.try_claim());
  }

  TEST_CASE("every byte of a claim is writable, and its own") {
    allot::static_buffer<64> one;
    allot::static_buffer<64> other;
    std::ranges::fill(one.claim(), std::byte{0xFF});
    CHECK(all_zero(other.claim()));
    CHECK(one.is_claimed()); // the flag is none of the bytes
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record of a second claim says who asked, for what, and how much it is") {
    allot::static_buffer<300> buffer;
    static_cast<void>(buffer.claim("rx"));
    try {
      static_cast<void>(buffer.claim("tx"));
      FAIL("claimed twice");
    } catch (const allot::already_claimed& e) {
      CHECK(std::string_view{e.record().resource} == "static_buffer");
      CHECK(std::string_view{e.record().name} == "tx");
      CHECK(e.record().capacity == 300);
    }
    CHECK_THROWS_AS(static_cast<void>(buffer.claim_zeroed()), allot::already_claimed);
  }
#else
  TEST_CASE("without exceptions a second claim ends the program with its record") {
    CHECK(dies(
        [] {
          static allot::static_buffer<300> buffer;
          static_cast<void>(buffer.claim("rx"));
          static_cast<void>(buffer.claim("tx"));
        },
        "static_buffer \"tx\": already claimed"));
  }
#endif

  TEST_CASE("a failed claim writes nothing over the first claimer's bytes") {
    allot::static_buffer<16> buffer;
    const auto bytes = buffer.claim();
    std::ranges::fill(bytes, std::byte{7});
    CHECK(!buffer.try_claim());
#if ALLOT_EXCEPTIONS
    CHECK_THROWS_AS(static_cast<void>(buffer.claim_zeroed()), allot::already_claimed);
#endif
    CHECK(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{7}; }));
  }

  TEST_CASE("owns its bytes and no byte more, claimed or not") {
    allot::static_buffer<16, 16> buffer;
    CHECK(buffer.owns(&buffer) == allot::ownership::yes);
    const auto bytes = buffer.claim();
    CHECK(buffer.owns(bytes.data()) == allot::ownership::yes);
    CHECK(buffer.owns(bytes.data() + 15) == allot::ownership::yes);
    CHECK(buffer.owns(bytes.data() + 16) == allot::ownership::no);
    const auto before = reinterpret_cast<std::uintptr_t>(bytes.data()) - 1;
    CHECK(buffer.owns(reinterpret_cast<const void*>(before)) == allot::ownership::no);
    CHECK(buffer.owns(nullptr) == allot::ownership::no);
  }

  TEST_CASE("of two threads that claim at once exactly one wins, a thousand times over") {
    constexpr auto rounds = static_cast<unsigned>(support::room<allot::static_buffer<8>>(1000));
    const auto buffers = std::make_unique<allot::static_buffer<8>[]>(rounds);
    const auto wins = std::make_unique<support::shared<int>[]>(rounds);
    race(2, rounds, [&](unsigned thread, unsigned round) {
      const auto bytes = buffers[round].try_claim();
      if (!bytes) return;
      ++wins[round];
      std::ranges::fill(*bytes, static_cast<std::byte>(thread)); // two winners would race here
    });
    for (unsigned round = 0; round < rounds; ++round)
      CHECK(wins[round] == 1);
  }
}
