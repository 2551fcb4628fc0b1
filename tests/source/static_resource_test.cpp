#include <allot/source/static_resource.hpp> // first: proves that the header stands alone

#include <allot/core/static_slot.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>
#include <support/race.hpp>
#include <support/room.hpp>

#include <doctest/doctest.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <span>
#include <string_view>
#include <vector>

namespace {

struct over_a_buffer {
  static constexpr std::size_t size = support::room(4096);
  allot::static_buffer<size, 64> buffer;
  allot::static_resource<size, 64> r{buffer, "conformance"};
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
};

struct over_a_span {
  alignas(32) std::array<std::byte, 200> bytes;
  allot::static_resource<> r{bytes};
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
};

struct in_a_slot {
  allot::static_slot<allot::static_resource<>, 1000> slot;
  auto& resource() { return slot.get() == nullptr ? slot.claim("slot") : *slot.get(); }
  static constexpr bool reuses_memory = false;
};

constexpr std::size_t size_max = std::numeric_limits<std::size_t>::max();

} // namespace

TEST_SUITE("static_resource") {
  TEST_CASE("over a buffer, keeps the contract of a memory resource") { check_contract<over_a_buffer>(); }
  TEST_CASE("over a span, keeps it too") { check_contract<over_a_span>(); }
  TEST_CASE("in a slot, keeps it too") { check_contract<in_a_slot>(); }

  TEST_CASE("example") {
    // [example]
    static constinit allot::static_buffer<4096> buffer;
    allot::static_resource table_memory{buffer, "table"};
    std::pmr::vector<int> table{&table_memory};
    table.reserve(1024); // the one request: all 4096 bytes
    table.push_back(7);  // and no other
    // [example]
    CHECK(table_memory.used() == 4096);
    CHECK(table_memory.remaining(1) == 0);
#if ALLOT_EXCEPTIONS
    CHECK_THROWS_AS(table.resize(1025), allot::already_claimed);
#endif
    CHECK(table.front() == 7);
  }

  TEST_CASE("a request that does not fit spends nothing") {
    allot::static_buffer<100, 32> buffer;
    allot::static_resource r{buffer};
    static_assert(std::same_as<decltype(r), allot::static_resource<100, 32>>);
    CHECK(r.remaining(32) == 100);
    CHECK(r.remaining(64) == 0);
    CHECK(r.try_allocate(101, 1) == nullptr);
    CHECK(r.try_allocate(1, 64) == nullptr);
    CHECK(r.try_allocate(size_max, 1) == nullptr);
    CHECK(!r.is_claimed());
    CHECK(r.used() == 0);
    CHECK(r.try_allocate(100, 32) != nullptr);
  }

  TEST_CASE("what comes back stays spent") {
    allot::static_buffer<64> buffer;
    allot::static_resource r{buffer};
    void* const p = r.try_allocate(10, 1);
    REQUIRE(p != nullptr);
    r.deallocate(p, 10, 1);
    CHECK(r.try_allocate(10, 1) == nullptr);
    CHECK(r.used() == 64);
  }

  TEST_CASE("a request of no bytes spends the block") {
    allot::static_buffer<64> buffer;
    allot::static_resource r{buffer};
    CHECK(r.try_allocate(0, 1) != nullptr);
    CHECK(buffer.is_claimed());
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("too much is out of memory before the claim, and anything is already_claimed after it") {
    allot::static_buffer<64> buffer;
    allot::static_resource r{buffer, "table"};
    try {
      static_cast<void>(r.allocate(65, 1));
      FAIL("65 of 64 bytes");
    } catch (const allot::already_claimed&) {
      FAIL("nobody has claimed it");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.what()} ==
            "allot: static_resource \"table\": no room for 65 bytes aligned to 1: 0 of 64 bytes in use");
    }
    static_cast<void>(r.allocate(1, 1));
    CHECK_THROWS_AS(static_cast<void>(r.allocate(1, 1)), allot::already_claimed);
    CHECK_THROWS_AS(static_cast<void>(r.allocate(65, 1)), allot::already_claimed);
  }
#endif

  TEST_CASE("one buffer has one block, for all that ask through whatever") {
    allot::static_buffer<64> buffer;
    allot::static_resource one{buffer};
    allot::static_resource other{buffer};
    CHECK(one.try_allocate(1, 1) != nullptr);
    CHECK(other.try_allocate(1, 1) == nullptr);
    CHECK(!buffer.try_claim());
    CHECK(other.is_claimed());
  }

  TEST_CASE("over a span it takes the span's real alignment, and refuses all over an empty one") {
    alignas(64) std::array<std::byte, 65> bytes;
    allot::static_resource shifted{std::span<std::byte>{bytes}.subspan(1)};
    static_assert(std::same_as<decltype(shifted), allot::static_resource<>>);
    CHECK(shifted.try_allocate(1, 2) == nullptr);
    CHECK(shifted.try_allocate(64, 1) == bytes.data() + 1);
    allot::static_resource nothing{std::span<std::byte>{}};
    CHECK(nothing.try_allocate(0, 1) == nullptr);
    CHECK(nothing.remaining(1) == 0);
    CHECK(!nothing.is_claimed());
  }

  TEST_CASE("owns the block and no byte more") {
    allot::static_buffer<64> buffer;
    allot::static_resource r{buffer};
    auto* const p = static_cast<std::byte*>(r.try_allocate(8, 8));
    CHECK(r.owns(p) == allot::ownership::yes);
    CHECK(r.owns(p + 63) == allot::ownership::yes);
    CHECK(r.owns(p + 64) == allot::ownership::no);
    CHECK(r.owns(&r) == allot::ownership::no);
  }

  TEST_CASE("a block of no bytes serves no request of no bytes: the address would be somebody else's") {
    std::byte others[1];
    allot::static_resource<> r{std::span{others}.first(0)};
    CHECK(r.try_allocate(0, 1) == nullptr);
    CHECK(!r.is_claimed());
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a block that is not its own, or was never given out, ends a checked program") {
    allot::static_buffer<64> buffer;
    allot::static_resource r{buffer};
    int other = 0;
    CHECK(dies([&] { r.deallocate(&buffer, 8, 8); }, "is_claimed()"));
    static_cast<void>(r.try_allocate(8, 8));
    CHECK(dies([&] { r.deallocate(&other, 4, 4); }, "ownership::yes"));
  }
#endif

  TEST_CASE("of two threads that ask at once exactly one is served, a thousand times over") {
    constexpr auto rounds = static_cast<unsigned>(support::room<allot::static_buffer<8>>(1000));
    const auto buffers = std::make_unique<allot::static_buffer<8>[]>(rounds);
    const auto served = std::make_unique<support::shared<int>[]>(rounds);
    race(2, rounds, [&](unsigned, unsigned round) {
      allot::static_resource r{buffers[round]};
      if (r.try_allocate(8, 1) != nullptr) ++served[round];
    });
    for (unsigned round = 0; round < rounds; ++round)
      CHECK(served[round] == 1);
  }
}
