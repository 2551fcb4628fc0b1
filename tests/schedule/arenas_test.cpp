#include <allot/arena/atomic_bump_resource.hpp>

#include "scheduler/holds.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>

namespace {

using schedule::ensure;
using schedule::holds;
using schedule::join;
using schedule::start;

} // namespace

TEST_SUITE("schedule") {
  TEST_CASE("atomic_bump_resource: no two blocks share a byte, and not one byte is lost") {
    holds("three threads fill an atomic_bump_resource", [] {
      std::array<std::byte, 8> memory{};
      allot::atomic_bump_resource<> arena{memory};
      std::array<std::size_t, 3> got{};
      for (std::size_t i = 0; i < got.size(); ++i)
        start([&, i] {
          void* const p = arena.try_allocate(3, 1);
          if (p == nullptr) return;
          schedule::use(p, 3);
          got[i] = 3;
        });
      join();
      ensure(got[0] + got[1] + got[2] == 6, "two of three find room");
      ensure(arena.used() == 6 && arena.high_water() == 6, "what is used is what was given out");
    });
  }

  TEST_CASE("atomic_bump_resource: with alignments a request fails only where there is no room") {
    holds("aligned and unaligned blocks side by side", [] {
      alignas(8) std::array<std::byte, 24> memory{};
      allot::atomic_bump_resource<> arena{memory};
      std::array<void*, 2> got{};
      start([&] { got[0] = arena.try_allocate(8, 8); });
      start([&] { got[1] = arena.try_allocate(5, 1); });
      join();
      ensure(got[0] != nullptr && got[1] != nullptr, "both fit in either order");
      ensure(arena.used() == 16 || arena.used() == 13, "no padding but between the two");
    });
  }

  TEST_CASE("atomic_bump_resource: a block that comes back is another one's, and nobody's before") {
    holds("the last block goes from hand to hand", {.preemptions = 3, .old_loads = 2}, [] {
      std::array<std::byte, 4> memory{};
      allot::atomic_bump_resource<> arena{memory};
      for (int i = 0; i < 2; ++i)
        start([&] {
          void* const p = arena.try_allocate(3, 1);
          if (p == nullptr) return;
          schedule::use(p, 3);
          arena.deallocate(p, 3, 1);
        });
      join();
      ensure(arena.used() == 0, "the last one came back");
      ensure(arena.high_water() == 3, "the high water is what was used");
    });
  }

  TEST_CASE("atomic_bump_resource: the high water misses no moment") {
    holds("blocks come and go below the high water", {.preemptions = 3}, [] {
      std::array<std::byte, 16> memory{};
      allot::atomic_bump_resource<> arena{memory};
      start([&] {
        void* const p = arena.try_allocate(4, 1);
        ensure(arena.high_water() >= 4, "its own block is in it");
        arena.deallocate(p, 4, 1);
      });
      start([&] {
        void* const p = arena.try_allocate(2, 1);
        schedule::use(p, 2);
        const std::size_t most = arena.high_water();
        ensure(most >= 2 && arena.high_water() >= most, "it never falls");
        arena.deallocate(p, 2, 1);
      });
      join();
      ensure(arena.high_water() >= 4 && arena.high_water() <= 6, "it is a sum that was used");
    });
  }

  TEST_CASE("atomic_bump_resource: a cursor that was moved to and fro does no harm") {
    holds("one thread takes while another gives back and takes again", {.preemptions = 3}, [] {
      std::array<std::byte, 8> memory{};
      allot::atomic_bump_resource<> arena{memory};
      start([&] {
        void* const p = arena.try_allocate(2, 1);
        schedule::use(p, 2);
      });
      start([&] {
        void* p = arena.try_allocate(2, 1);
        schedule::use(p, 2);
        arena.deallocate(p, 2, 1);
        p = arena.try_allocate(2, 1);
        schedule::use(p, 2);
      });
      join();
      ensure(arena.used() == 4 || arena.used() == 6, "no more than one block was given back too early");
    });
  }
}
