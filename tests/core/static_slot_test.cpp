#include <allot/core/static_slot.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/core/failure.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>
#include <support/race.hpp>
#include <support/room.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using arena_slot = allot::static_slot<allot::bump_resource<>, 1024>;

/// The least that a slot can hold: it takes no name, and it would be missed if it were destroyed.
struct plain {
  explicit plain(std::span<std::byte> memory) noexcept : bytes{memory} { ++made; }
  ~plain() { ++destroyed; }
  std::span<std::byte> bytes;
  static inline int made = 0;
  static inline int destroyed = 0;
};

/// Takes its time between its birth and its end as a complete object.
struct slow {
  explicit slow(std::span<std::byte> memory) noexcept {
    std::this_thread::yield();
    bytes = memory;
  }
  std::span<std::byte> bytes;
};

constinit allot::static_slot<plain, 100, 64> plain_slot;

struct slotted_arena {
  allot::static_slot<allot::bump_resource<>, support::room(16384)> slot;
  allot::bump_resource<>& arena = slot.claim("conformance");
  auto& resource() { return arena; }
  static constexpr bool reuses_memory = false;
  ~slotted_arena() { std::destroy_at(&arena); } // here the bytes are no static, and go back clean
};

} // namespace

// [example]
constinit allot::static_slot<allot::bump_resource<>, 2048> receive_memory;

int first_byte_of_a_frame() {
  allot::bump_resource<>& arena = receive_memory.claim("rx"); // once; a second call fails as already_claimed
  std::pmr::vector<int> frame{{42, 43, 44}, &arena};
  return frame.front();
}
// [example]

TEST_SUITE("static_slot") {
  TEST_CASE("the example keeps its promise") {
    CHECK(first_byte_of_a_frame() == 42);
    CHECK(receive_memory.is_claimed());
#if ALLOT_EXCEPTIONS
    CHECK_THROWS_AS(first_byte_of_a_frame(), allot::already_claimed);
#endif
  }

  TEST_CASE("the resource in it keeps the contract of a memory resource") { check_contract<slotted_arena>(); }

  TEST_CASE("claiming builds the resource over all N bytes, aligned as asked, and never destroys it") {
    CHECK(plain::made == 0);
    CHECK(plain_slot.get() == nullptr);
    plain& claimed = plain_slot.claim();
    CHECK(claimed.bytes.size() == 100);
    CHECK(reinterpret_cast<std::uintptr_t>(claimed.bytes.data()) % 64 == 0);
    CHECK(std::ranges::all_of(claimed.bytes, [](std::byte b) { return b == std::byte{0}; }));
    CHECK(plain_slot.try_claim() == nullptr);
    CHECK(plain_slot.get() == &claimed);
    CHECK(std::as_const(plain_slot).get() == &claimed);
    CHECK(plain::made == 1);
    CHECK(plain::destroyed == 0);
  }

  TEST_CASE("needs no destructor, whatever its resource needs") {
    static_assert(std::is_trivially_destructible_v<arena_slot>);
    static_assert(!std::is_trivially_destructible_v<allot::bump_resource<>>);
    static_assert(!std::is_copy_constructible_v<arena_slot>);
    static_assert(sizeof(allot::static_slot<plain, 16, 8>) == sizeof(plain) + 16 + 8);
    {
      allot::static_slot<plain, 16> in_a_block;
      static_cast<void>(in_a_block.claim());
    }
    CHECK(plain::destroyed == 0);
  }

  TEST_CASE("try_claim gives the resource once, with its name, and then null") {
    arena_slot slot;
    CHECK(!slot.is_claimed());
    CHECK(std::as_const(slot).get() == nullptr);
    allot::bump_resource<>* const arena = slot.try_claim("tx");
    REQUIRE(arena != nullptr);
    CHECK(std::string_view{arena->name()} == "tx");
    CHECK(arena->capacity() == slot.capacity());
    CHECK(slot.is_claimed());
    CHECK(slot.try_claim() == nullptr);
    CHECK(slot.get() == arena);
    std::destroy_at(arena);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record of a second claim names the claimer, and leaves the first one's resource alone") {
    arena_slot slot;
    allot::bump_resource<>& arena = slot.claim("first");
    void* const p = arena.allocate(8, 8);
    try {
      static_cast<void>(slot.claim("second"));
      FAIL("claimed twice");
    } catch (const allot::already_claimed& e) {
      CHECK(std::string_view{e.record().resource} == "static_slot");
      CHECK(std::string_view{e.record().name} == "second");
      CHECK(e.record().capacity == 1024);
    }
    CHECK(arena.used() == 8);
    arena.deallocate(p, 8, 8);
    std::destroy_at(&arena);
  }
#else
  TEST_CASE("without exceptions a second claim ends the program with its record") {
    CHECK(dies(
        [] {
          static arena_slot slot;
          static_cast<void>(slot.claim());
          static_cast<void>(slot.claim("second"));
        },
        "static_slot \"second\": already claimed"));
  }
#endif

  TEST_CASE("of two threads that claim at once exactly one wins, and the other sees no half-built resource") {
    using slot_type = allot::static_slot<slow, 8>;
    constexpr auto rounds = static_cast<unsigned>(support::room<slot_type>(1000));
    const auto slots = std::make_unique<slot_type[]>(rounds);
    const auto wins = std::make_unique<support::shared<int>[]>(rounds);
    support::shared<int> torn{0};
    race(2, rounds, [&](unsigned, unsigned round) {
      if (slots[round].try_claim() != nullptr) ++wins[round];
      const slow* const seen = slots[round].get();
      if (seen != nullptr && seen->bytes.size() != 8) ++torn;
    });
    for (unsigned round = 0; round < rounds; ++round)
      CHECK(wins[round] == 1);
    CHECK(torn == 0);
  }
}
