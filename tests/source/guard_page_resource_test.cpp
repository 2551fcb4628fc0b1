#include <allot/source/guard_page_resource.hpp> // first: proves that the header stands alone

#include "../support/shadow_model.hpp"

#include <allot/core/layout.hpp>
#include <allot/detail/system_pages.hpp>
#include <allot/testing/split_mix.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>
#include <support/failing_pages.hpp>
#include <support/mappings.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <memory_resource>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace allot::literals;
using allot::guard;
using allot::guard_page_resource;
using support::failing_pages;
using support::mapped_within;

constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();
const std::size_t page = allot::detail::page_size();

struct after_fixture {
  guard_page_resource r{{.reserve = 4_GiB}};
  auto& resource() { return r; }
};

struct before_fixture {
  guard_page_resource r{{.side = guard::before, .reserve = 4_GiB, .quarantine_bytes = 0}};
  auto& resource() { return r; }
};

struct small_fixture {
  guard_page_resource r{{.reserve = 40 * page}};
  auto& resource() { return r; }
  static constexpr bool bounded = true;
};

std::byte* bytes_at(void* p) { return static_cast<std::byte*>(p); }

bool can_be_read(const void* p) {
  const auto end = support::ending_of([&] { (void)*static_cast<const volatile char*>(p); });
  CHECK((end.exited(0) || end.was_killed_by(SIGSEGV) || end.was_killed_by(SIGBUS)));
  return end.exited(0);
}

bool can_be_written(void* p) {
  const auto end = support::ending_of([&] { *static_cast<volatile char*>(p) = 1; });
  CHECK((end.exited(0) || end.was_killed_by(SIGSEGV) || end.was_killed_by(SIGBUS)));
  return end.exited(0);
}

} // namespace

TEST_SUITE("guard_page_resource") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<after_fixture>(); }
  TEST_CASE("keeps it with blocks at the start of their page, used again at once") { check_contract<before_fixture>(); }
  TEST_CASE("keeps it in a range of 40 pages") { check_contract<small_fixture>(); }

  TEST_CASE("example") {
    // [example]
    allot::guard_page_resource pages; // or {allot::guard::before}
    std::pmr::vector<int> v{{1, 2, 3}, &pages};
    // Now v.data()[3] is a SIGSEGV at this very line, and so is any use of v.data() after the next one.
    v.push_back(4);
    // [example]
    CHECK(v.size() == 4);
    CHECK(pages.live_blocks() == 1);
    CHECK_FALSE(can_be_read(v.data() + 6)); // room for six: libstdc++ doubles
  }

  TEST_CASE("a write past the end dies, at every size, and one before it does not") {
    guard_page_resource pages{guard::after};
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, page - 1, page, page + 1, 3 * page}) {
      CAPTURE(bytes);
      auto* const p = bytes_at(pages.allocate(bytes, 1));
      CHECK(can_be_written(p));
      CHECK(can_be_written(p + bytes - 1));
      CHECK_FALSE(can_be_written(p + bytes));
      CHECK_FALSE(can_be_read(p + bytes));
      const std::size_t in_front = reinterpret_cast<std::uintptr_t>(p) % page;
      CHECK_FALSE(can_be_read(p - in_front - 1)); // the page before is another block's inaccessible one
    }
  }

  TEST_CASE("a read in front of the start dies, at every size, and one of the block does not") {
    guard_page_resource pages{guard::before};
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, page - 1, page, page + 1, 3 * page}) {
      CAPTURE(bytes);
      auto* const p = bytes_at(pages.allocate(bytes, 1));
      CHECK(can_be_read(p));
      CHECK(can_be_read(p + bytes - 1));
      CHECK_FALSE(can_be_read(p - 1));
      CHECK_FALSE(can_be_written(p - 1));
      CHECK_FALSE(can_be_read(p + (bytes + page - 1) / page * page));
    }
  }

  TEST_CASE("a use after free dies, and its neighbours live") {
    for (const guard side : {guard::after, guard::before}) {
      guard_page_resource pages{side};
      auto* const a = bytes_at(pages.allocate(10, 1));
      auto* const b = bytes_at(pages.allocate(2 * page, 1));
      auto* const c = bytes_at(pages.allocate(10, 1));
      pages.deallocate(b, 2 * page, 1);
      CHECK_FALSE(can_be_read(b));
      CHECK_FALSE(can_be_read(b + 2 * page - 1));
      CHECK_FALSE(can_be_written(b));
      CHECK(can_be_written(a));
      CHECK(can_be_written(c));
      pages.empty_quarantine();
      CHECK_FALSE(can_be_read(b)); // until its pages are used again
    }
  }

  TEST_CASE("zero bytes are an address of their own that cannot be touched") {
    guard_page_resource pages;
    std::set<void*> addresses;
    for (int i = 0; i < 10; ++i) {
      void* const p = pages.allocate(0, std::size_t{1} << i);
      CHECK(addresses.insert(p).second);
      CHECK_FALSE(can_be_read(p));
      CHECK(pages.owns(p) == allot::ownership::yes);
    }
    CHECK(pages.live_blocks() == 10);
    for (int i = 0; void* const p : std::vector<void*>(addresses.begin(), addresses.end()))
      pages.deallocate(p, 0, std::size_t{1} << i++);
    CHECK(pages.live_blocks() == 0);
  }

  TEST_CASE("the slack of an alignment is less than it, filled, and looked at when the block comes back") {
    guard_page_resource pages;
    for (std::size_t alignment = 1; alignment <= 4 * page; alignment *= 2) {
      for (const std::size_t bytes : {std::size_t{1}, std::size_t{33}, page - 3, page + 5}) {
        CAPTURE(alignment);
        CAPTURE(bytes);
        auto* const p = bytes_at(pages.allocate(bytes, alignment));
        REQUIRE(allot::is_aligned(p, alignment));
        const std::size_t slack = page - reinterpret_cast<std::uintptr_t>(p + bytes) % page;
        std::memset(p, 1, bytes);
        if (slack < page) {
          CHECK(slack < std::max(alignment, std::size_t{1}));
          CHECK(p[bytes] == std::byte{guard_page_resource::slack_byte});
          CHECK(p[bytes + slack - 1] == std::byte{guard_page_resource::slack_byte});
          if (alignment == 64 || alignment == 4 * page) {
            CHECK(dies([&] { p[bytes] = std::byte{0}, pages.deallocate(p, bytes, alignment); }, "behind the block"));
            CHECK(dies([&] { p[bytes + slack - 1] = std::byte{0}, pages.deallocate(p, bytes, alignment); },
                       "behind the block"));
          }
        }
        pages.deallocate(p, bytes, alignment);
      }
    }
  }

  TEST_CASE("what of a block's pages lies on the side without the guard is looked at, too") {
    guard_page_resource after;
    auto* const p = bytes_at(after.allocate(100, 1));
    CHECK(dies([&] { p[-1] = std::byte{0}, after.deallocate(p, 100, 1); }, "in front of the block was overwritten"));
    CHECK(dies([&] { p[100 - static_cast<std::ptrdiff_t>(page)] = std::byte{0}, after.deallocate(p, 100, 1); },
               "in front of the block was overwritten"));
    guard_page_resource before{guard::before};
    auto* const q = bytes_at(before.allocate(100, 1));
    CHECK(dies([&] { q[100] = std::byte{0}, before.deallocate(q, 100, 1); }, "behind the block was overwritten"));
    CHECK(dies([&] { q[page - 1] = std::byte{0}, before.deallocate(q, 100, 1); }, "behind the block was overwritten"));
  }

  TEST_CASE("each wrong deallocation is told by its record") {
    guard_page_resource pages{guard::after, "mine"};
    auto* const p = bytes_at(pages.allocate(100, 4));
    auto* const freed = bytes_at(pages.allocate(100, 4));
    pages.deallocate(freed, 100, 4);
    int local = 0;
    CHECK(dies([&] { pages.deallocate(p, 99, 4); }, "the size is not"));
    CHECK(dies([&] { pages.deallocate(p, 100, 8); }, "the alignment is not"));
    CHECK(dies([&] { pages.deallocate(p + 4, 96, 4); }, "not the start"));
    CHECK(dies([&] { pages.deallocate(p + page, 100, 4); }, "not the start"));
    CHECK(dies([&] { pages.deallocate(freed, 100, 4); }, "given back before"));
    CHECK(dies([&] { pages.empty_quarantine(), pages.deallocate(freed, 100, 4); }, "not the start"));
    CHECK(dies([&] { pages.deallocate(&local, 4, 4); }, "never given out here"));
    CHECK(dies([&] { pages.deallocate(p + 100'000'000, 4, 4); }, "never given out here"));
    CHECK(dies([&] { pages.deallocate(p, 1, 1); }, R"(guard_page_resource "mine": wrong deallocation of 1 byte)"));
    guard_page_resource fresh;
    CHECK(dies([&] { fresh.deallocate(&local, 4, 4); }, "never given out here"));
    pages.deallocate(p, 100, 4);
    CHECK(pages.live_blocks() == 0);
  }

  TEST_CASE("the record of a wrong deallocation goes to the handler") {
    guard_page_resource pages;
    void* const p = pages.allocate(100, 4);
    const auto ending = support::ending_of([&] {
      allot::set_failure_handler([](const allot::failure& what) noexcept {
        const bool right =
            what.reason == allot::failure_reason::wrong_deallocation && what.bytes == 7 && what.used == 100;
        _exit(right && what.pointer != nullptr ? 3 : 4);
      });
      pages.deallocate(p, 7, 4);
    });
    CHECK(ending.exited(3));
  }

  TEST_CASE("freed addresses are not used again before the quarantine is full, and then oldest first") {
    constexpr std::size_t held = 8;
    guard_page_resource pages{{.reserve = 64_MiB, .quarantine_bytes = held * 2 * page}};
    std::deque<void*> quarantine;
    for (int i = 0; i < 100; ++i) {
      void* const p = pages.allocate(10, 1);
      CHECK(std::find(quarantine.begin(), quarantine.end(), p) == quarantine.end());
      pages.deallocate(p, 10, 1);
      quarantine.push_back(p);
      if (quarantine.size() > held) quarantine.pop_front();
      CHECK(pages.quarantined() == quarantine.size() * 2 * page);
    }
    std::set<void*> seen;
    for (int i = 0; i < 100; ++i) {
      void* const p = pages.allocate(10, 1);
      seen.insert(p);
      pages.deallocate(p, 10, 1);
    }
    CHECK(seen.size() == held + 1); // they are used again
  }

  TEST_CASE("the books follow the blocks that are live or in quarantine, and not all that ever were") {
    guard_page_resource pages{{.reserve = 64_MiB, .quarantine_bytes = 300 * 2 * page}};
    const auto use = [&](std::size_t alignment, int times) {
      for (int i = 0; i < times; ++i)
        pages.deallocate(pages.allocate(page, alignment), page, alignment);
    };
    use(16 * page, 300); // each leaves free pages beside it
    const std::size_t committed = pages.committed();
    use(page, 3000);
    CHECK(pages.committed() == committed);
  }

  TEST_CASE("a block larger than the quarantine is inaccessible, and not held in it") {
    guard_page_resource pages{{.reserve = 64_MiB, .quarantine_bytes = 10 * page}};
    void* const small = pages.allocate(1, 1);
    pages.deallocate(small, 1, 1);
    void* const p = pages.allocate(20 * page);
    pages.deallocate(p, 20 * page);
    CHECK(pages.quarantined() == 0);
    CHECK_FALSE(can_be_read(p));
  }

  TEST_CASE("the quarantine is given up before a request is refused, the oldest first and no more than is needed") {
    guard_page_resource pages{{.reserve = 20 * page}};
    std::vector<void*> blocks;
    for (int i = 0; i < 10; ++i)
      blocks.push_back(pages.allocate(page));
    CHECK(pages.try_allocate(1) == nullptr);
    pages.deallocate(blocks[3], page);
    pages.deallocate(blocks[7], page);
    CHECK(pages.quarantined() == 4 * page);
    CHECK(pages.try_allocate(page) == blocks[3]);
    CHECK(pages.quarantined() == 2 * page);
    CHECK(pages.try_allocate(page) == blocks[7]);
    CHECK(pages.try_allocate(page) == nullptr);
  }

  TEST_CASE("what is freed holds no memory, and costs no mapping") {
    guard_page_resource pages;
    std::vector<std::byte*> blocks;
    for (int i = 0; i < 100; ++i) {
      blocks.push_back(bytes_at(pages.allocate(10 * page, page)));
      std::memset(blocks.back(), 1, 10 * page);
    }
    const std::size_t records = pages.committed() - 1000 * page;
    CHECK(records <= 16 * page);
    CHECK(mapped_within(blocks[0], 1100 * page).resident == 1000 * page);
    CHECK(mapped_within(blocks[0], 1100 * page).mappings == 200);
    for (std::byte* p : blocks)
      pages.deallocate(p, 10 * page, page);
    CHECK(pages.committed() == records);
    CHECK(mapped_within(blocks[0], 1100 * page).resident == 0);
    CHECK(mapped_within(blocks[0], 1100 * page).mappings == 1);
  }

  TEST_CASE("the end of the resource unmaps all, and a leak is what the queries say before") {
    std::byte* at = nullptr;
    std::size_t reserved = 0;
    {
      guard_page_resource pages{{.reserve = 64_MiB}};
      CHECK(pages.reserved() == 0);
      CHECK(pages.owns(&pages) == allot::ownership::no);
      at = bytes_at(pages.allocate(100));
      reserved = pages.reserved();
      CHECK(reserved > 64_MiB);
      CHECK(pages.live_blocks() == 1);
      CHECK(pages.used() == 100);
    }
    CHECK(mapped_within(at, 32_MiB).bytes < 16_MiB); // others may have come to lie there since
  }

  TEST_CASE("a system call that fails at any place changes nothing, and loses no mapping") {
    for (std::size_t k = 1; k < 400; ++k) {
      CAPTURE(k);
      failing_pages system;
      guard_page_resource pages{{.reserve = 64_MiB}};
      system.first_failure = k;
      std::vector<void*> blocks;
      while (blocks.size() < 200) {
        void* const p = pages.try_allocate(2 * page);
        if (p == nullptr) break;
        blocks.push_back(p);
      }
      const std::size_t committed = pages.committed();
      CHECK(pages.used() == blocks.size() * 2 * page);
      CHECK(pages.high_water() == pages.used());
      if (blocks.size() < 200) {
        CHECK(pages.try_allocate(2 * page) == nullptr);
        CHECK(pages.committed() <= committed + page); // books that were got before the call that failed
      }
      system.first_failure = failing_pages::never;
      void* const after = pages.try_allocate(2 * page);
      REQUIRE(after != nullptr);
      std::memset(after, 1, 2 * page);
      for (void* p : blocks)
        pages.deallocate(p, 2 * page);
      pages.deallocate(after, 2 * page);
      CHECK(pages.live_blocks() == 0);
      if (blocks.size() == 200) break;
    }
  }

  TEST_CASE("a block that cannot be made inaccessible is not used again, and known as freed") {
    failing_pages system;
    guard_page_resource pages{{.reserve = 64 * page, .quarantine_bytes = 0}};
    void* const p = pages.allocate(page);
    system.vacate_error = ENOMEM;
    pages.deallocate(p, page);
    CHECK(pages.live_blocks() == 0);
    CHECK(dies([&] { pages.deallocate(p, page); }, "given back before"));
    system.vacate_error = 0;
    std::size_t served = 0;
    for (void* q = nullptr; (q = pages.try_allocate(page)) != nullptr; ++served)
      CHECK(q != p);
    CHECK(served == 31);
  }

  TEST_CASE("the books have room for free pages beside every block that is not used again") {
    failing_pages system;
    guard_page_resource pages{{.reserve = 64_MiB, .quarantine_bytes = 0}};
    system.vacate_error = ENOMEM;
    for (int i = 0; i < 700; ++i)
      pages.deallocate(pages.allocate(page, 16 * page), page, 16 * page);
    CHECK(pages.live_blocks() == 0);
    CHECK(pages.committed() >= 700 * page);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record of a refusal says which call, and the system's error") {
    failing_pages system;
    guard_page_resource pages{{.name = "mine", .reserve = 1_MiB}};
    system.first_failure = 1;
    for (const std::string_view what : {"range of addresses", "the books", "the books", "the pages"}) {
      try {
        (void)pages.allocate(100, 8);
        FAIL("allocated");
      } catch (const allot::out_of_memory& e) {
        CHECK(std::string_view{e.record().detail}.find(what) != std::string_view::npos);
        CHECK(e.record().system_error == ENOMEM);
        CHECK(std::string_view{e.record().name} == "mine");
        CHECK(std::string_view{e.record().resource} == "guard_page_resource");
        CHECK(e.record().bytes == 100);
        CHECK(e.record().alignment == 8);
      }
      system.first_failure = system.calls + 2; // each turn gets one call further
    }
    system.first_failure = failing_pages::never;
    CHECK(pages.allocate(100, 8) != nullptr);
  }

#if !ALLOT_VALGRIND // it has a limit of its own, and ends there
  TEST_CASE("where the system has no mapping left, that is the failure, and the blocks before it can be given back") {
    const auto ending = support::ending_of([] {
      guard_page_resource pages;
      std::vector<void*> blocks;
      blocks.reserve(1 << 20);
      try {
        while (blocks.size() < blocks.capacity())
          blocks.push_back(pages.allocate(1, 1));
      } catch (const allot::out_of_memory& e) {
        std::fputs(e.what(), stderr);
      }
      for (void* p : blocks)
        pages.deallocate(p, 1, 1);
      if (pages.live_blocks() == 0) std::fputs(" all back", stderr);
    });
    CHECK(ending.exited(0));
    CHECK(ending.says("ENOMEM"));
    CHECK(ending.says("all back"));
  }
#endif
#endif

  TEST_CASE("sizes that could wrap are refused without asking the system") {
    failing_pages system;
    guard_page_resource pages;
    for (std::size_t below = 0; below < 3 * page; below += 7) {
      for (const std::size_t alignment : {std::size_t{1}, std::size_t{1} << 30, huge / 2 + 1}) {
        REQUIRE(pages.try_allocate(huge - below, alignment) == nullptr);
      }
    }
    CHECK(system.calls == 0);
    guard_page_resource none{{.reserve = 0}};
    CHECK(none.try_allocate(0) == nullptr);
    guard_page_resource all{{.reserve = huge}};
    CHECK(all.try_allocate(1) == nullptr);
    CHECK(all.reserved() == 0);
  }

  TEST_CASE("random calls agree with a model") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      support::shadow_model model;
      guard_page_resource pages{{.side = seed % 2 == 0 ? guard::after : guard::before,
                                 .reserve = 300 * page,
                                 .quarantine_bytes = random.below(100) * page}};
      for (int i = 0; i < 200; ++i) {
        if (model.size() != 0 && random.below(100) < 45) {
          const auto b = model.remove(random.below(model.size()));
          pages.deallocate(b.p, b.shape.bytes, b.shape.alignment);
        } else {
          const allot::layout l{random.below(random.below(4) == 0 ? 40 * page : 2 * page),
                                std::size_t{1} << random.below(random.below(4) == 0 ? 18 : 6)};
          if (void* const p = pages.try_allocate(l.bytes, l.alignment)) model.add(p, l);
        }
        REQUIRE(pages.live_blocks() == model.size());
      }
      model.clear();
    }
  }
}
