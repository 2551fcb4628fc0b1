#include <allot/source/page_resource.hpp> // first: proves that the header stands alone

#include "../support/shadow_model.hpp"

#include <allot/arena/monotonic_resource.hpp>
#include <allot/core/layout.hpp>
#include <allot/detail/system_pages.hpp>
#include <allot/testing/split_mix.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>
#include <support/failing_pages.hpp>
#include <support/mappings.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <string_view>
#include <vector>

#include <sys/syscall.h>
#if ALLOT_ASAN
#include <sanitizer/asan_interface.h>
#endif
#include <unistd.h>

namespace {

using namespace allot::literals;
using allot::page_resource;
using support::failing_pages;
using support::mapped_within;

constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();
const std::size_t page = allot::detail::page_size();

/// As large a range as the tools let a program reserve: Memcheck gives 32 GiB and no more.
constexpr std::size_t large_range = sizeof(void*) == 4 ? 256_MiB : ALLOT_VALGRIND ? 16_GiB : 1024_GiB;

/// A range with room for every alignment that the contract names. Memcheck looks at each byte that becomes accessible, those
/// in front of an aligned block included, so there it is one that refuses the largest.
constexpr std::size_t aligned_range = sizeof(void*) == 4 || ALLOT_VALGRIND ? 64_MiB : 4_GiB;

struct page_fixture {
  page_resource r{{.reserve = aligned_range}};
  auto& resource() { return r; }
};

struct kept_fixture {
  page_resource r{{.reserve = aligned_range, .freed = allot::freed_pages::kept}};
  auto& resource() { return r; }
};

struct gaps_fixture {
  page_resource r{{.reserve = aligned_range, .guard_gaps = true}};
  auto& resource() { return r; }
};

struct small_fixture {
  page_resource r{{.reserve = 40 * page, .commit_step = page}};
  auto& resource() { return r; }
  static constexpr bool bounded = true;
};

struct huge_fixture {
  page_resource r{{.reserve = aligned_range, .huge_pages = true}};
  auto& resource() { return r; }
};

std::byte* bytes_at(void* p) { return static_cast<std::byte*>(p); }

/// New pages from the system. Memcheck takes them for uninitialised: a block's contents are not promised.
bool are_zeros([[maybe_unused]] const std::byte* p, [[maybe_unused]] std::size_t bytes) {
#if ALLOT_VALGRIND
  return true;
#else
  return std::all_of(p, p + bytes, [](std::byte b) { return b == std::byte{0}; });
#endif
}

void touch(volatile char* p) { *p = 1; }

/// Requests of all kinds against a model, in a range that is often too small.
void run_against_model(std::uint64_t seed, const allot::page_options& options) {
  CAPTURE(seed);
  allot::split_mix random{seed};
  support::shadow_model model;
  page_resource pages{options};
  for (int i = 0; i < 150; ++i) {
    if (model.size() != 0 && random.below(100) < 45) {
      const auto b = model.remove(random.below(model.size()));
      pages.deallocate(b.p, b.shape.bytes, b.shape.alignment);
    } else {
      const allot::layout l{random.below(random.below(4) == 0 ? 40 * page : 2 * page),
                            std::size_t{1} << random.below(random.below(4) == 0 ? 18 : 6)};
      if (void* const p = pages.try_allocate(l.bytes, l.alignment)) model.add(p, l);
    }
    if (random.below(40) == 0) pages.trim();
    std::size_t used = 0;
    for (const auto& b : model.live())
      used += b.shape.bytes;
    REQUIRE(pages.used() == used);
    REQUIRE(pages.live_blocks() == model.size());
    REQUIRE(pages.committed() >= used);
    REQUIRE(pages.committed() <= pages.reserved());
  }
  model.clear();
}

} // namespace

TEST_SUITE("page_resource") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<page_fixture>(); }
  TEST_CASE("keeps it where freed pages are kept") { check_contract<kept_fixture>(); }
  TEST_CASE("keeps it with gaps") { check_contract<gaps_fixture>(); }
  TEST_CASE("keeps it in a range of 40 pages") { check_contract<small_fixture>(); }
  TEST_CASE("keeps it with huge pages") { check_contract<huge_fixture>(); }

  TEST_CASE("example") {
    // [example]
    allot::page_resource pages; // 1 TiB of addresses, and no memory yet
    allot::monotonic_resource arena{pages};
    std::pmr::vector<std::pmr::string> lines{&arena};
    lines.emplace_back("commits as it grows, to whatever size the machine has memory for");
    // [example]
    CHECK(pages.used() == arena.reserved());
  }

  TEST_CASE("an arena over a large range: memory follows use, and release gives it back") {
    // [recipe]
    allot::page_resource pages{large_range};
    allot::monotonic_resource arena{pages};
    for (std::size_t taken = 0; taken < 100'000'000; taken += 100'000)
      std::memset(arena.allocate(100'000, 8), 1, 100'000);
    // [recipe]
    CHECK(pages.reserved() >= large_range);
    CHECK(pages.committed() >= 100'000'000);
    CHECK(pages.committed() <= arena.reserved() + 2_MiB);
    void* const inside = arena.allocate(1, 1);
    const auto range = mapped_within(bytes_at(inside) - 200_MiB, 400_MiB);
    CHECK(range.resident >= 100'000'000);

    arena.release();
    CHECK(pages.used() == 0);
    CHECK(pages.committed() <= 2_MiB);
    CHECK(pages.owns(inside) == allot::ownership::yes);
    CHECK(pages.release() > 0);
    CHECK(pages.reserved() == 0);
    CHECK(pages.committed() == 0);
    CHECK(pages.owns(inside) == allot::ownership::no);
  }

  TEST_CASE("nothing is asked of the system before the first request, and nothing is left after the last") {
    failing_pages system;
    {
      page_resource pages{1_GiB, "mine"};
      CHECK(system.calls == 0);
      CHECK(pages.reserved() == 0);
      CHECK(pages.trim() == 0);
      CHECK(pages.release() == 0);
      CHECK(pages.owns(&pages) == allot::ownership::no);
      CHECK(pages.name() == std::string_view{"mine"});
      CHECK(system.calls == 0);
    }
    std::byte* at = nullptr;
    std::size_t bytes = 0;
    {
      page_resource pages{1_GiB};
      at = bytes_at(pages.allocate(1));
      bytes = pages.reserved();
      CHECK(mapped_within(at, 1_GiB).bytes == 1_GiB);
    }
    CHECK(mapped_within(at, bytes / 2).bytes < bytes / 2);
  }

  TEST_CASE("a block is page aligned, zero at first, and writable to its last byte") {
    page_resource pages{64_MiB};
    for (const std::size_t bytes : {std::size_t{1}, page - 1, page, page + 1, 100 * page}) {
      auto* const p = bytes_at(pages.allocate(bytes, 1));
      CHECK(allot::is_aligned(p, page));
      CHECK(are_zeros(p, bytes));
      std::memset(p, 1, bytes);
    }
    CHECK(pages.used() == 103 * page + 1);
    CHECK(pages.live_blocks() == 5);
  }

  TEST_CASE("the lowest pages that fit are used again, and neighbours join in any order of return") {
    for (const auto freed : {allot::freed_pages::given_back, allot::freed_pages::kept}) {
      std::array<std::size_t, 4> order{0, 1, 2, 3};
      do {
        page_resource pages{{.reserve = 1_MiB, .freed = freed}};
        std::array<void*, 4> blocks{};
        for (void*& p : blocks)
          p = pages.allocate(page);
        void* const behind = pages.allocate(page);
        for (const std::size_t i : order)
          pages.deallocate(blocks[i], page);
        CHECK(pages.allocate(4 * page) == blocks[0]);
        CHECK(pages.allocate(page) > behind);
      } while (std::next_permutation(order.begin(), order.end()));
    }
  }

  TEST_CASE("a range is used to its last page, whatever came and went before") {
    allot::split_mix random{5};
    for (const bool gaps : {false, true}) {
      page_resource pages{{.reserve = 64 * page, .guard_gaps = gaps}};
      for (int turn = 0; turn < 20; ++turn) {
        std::vector<void*> blocks;
        while (void* const p = pages.try_allocate(page))
          blocks.push_back(p);
        CHECK(blocks.size() == (gaps ? 32u : 64u));
        while (!blocks.empty()) {
          std::swap(blocks[random.below(blocks.size())], blocks.back());
          pages.deallocate(blocks.back(), page);
          blocks.pop_back();
        }
        void* const all = pages.try_allocate(64 * page - (gaps ? page : 0));
        REQUIRE(all != nullptr);
        CHECK(pages.try_allocate(1) == nullptr);
        pages.deallocate(all, 64 * page - (gaps ? page : 0));
      }
    }
  }

  TEST_CASE("alignments over a page are kept, up to the largest that fits, and cost only free pages") {
    page_resource pages{aligned_range};
    for (std::size_t alignment = page; alignment <= aligned_range / 4; alignment *= 2) {
      void* const p = pages.try_allocate(1, alignment);
      REQUIRE(p != nullptr);
      CHECK(allot::is_aligned(p, alignment));
    }
    CHECK(pages.committed() < aligned_range);
    CHECK(pages.try_allocate(1, huge / 2 + 1) == nullptr);
  }

  TEST_CASE("a request that fits at one place only is served, behind any number of places where it does not") {
    page_resource pages{{.reserve = 1_MiB, .freed = allot::freed_pages::kept}};
    std::vector<std::byte*> blocks;
    while (void* const p = pages.try_allocate(page))
      blocks.push_back(bytes_at(p));
    const auto aligned = [](const std::byte* p) { return allot::is_aligned(p, 8 * page); };
    std::byte* fits = nullptr;
    for (std::byte* p : blocks) {
      if (aligned(p)) fits = p;
      if (!aligned(p - page) && !aligned(p)) continue;
      if (!aligned(p)) pages.deallocate(p, page); // one behind each aligned page
    }
    CHECK(pages.try_allocate(page, 8 * page) == nullptr);
    pages.deallocate(fits, page); // the last one
    CHECK(pages.try_allocate(page, 8 * page) == fits);
  }

  TEST_CASE("memory that comes back goes to the system, and the next block there is zeros") {
    page_resource pages{64_MiB};
    auto* const p = bytes_at(pages.allocate(1_MiB));
    void* const behind = pages.allocate(page);
    const std::size_t committed = pages.committed();
    std::memset(p, 1, 1_MiB);
    pages.deallocate(p, 1_MiB);
    CHECK(pages.committed() == committed - 1_MiB);
    CHECK(mapped_within(p, 64_MiB).resident < 1_MiB);
    auto* const again = bytes_at(pages.allocate(1_MiB));
    CHECK(again == p);
    CHECK(are_zeros(again, 1_MiB));
    CHECK(pages.committed() == committed);
    pages.deallocate(behind, page);
  }

  TEST_CASE("memory that is kept stays until trim, which tells how much it gave back") {
    page_resource pages{{.reserve = 64_MiB, .freed = allot::freed_pages::kept}};
    auto* const p = bytes_at(pages.allocate(1_MiB));
    std::memset(p, 1, 1_MiB);
    void* const behind = pages.allocate(page);
    const std::size_t committed = pages.committed();
    pages.deallocate(p, 1_MiB);
    CHECK(pages.committed() == committed);
    failing_pages system;
    CHECK(pages.allocate(1_MiB) == p);
    CHECK(are_zeros(p, 1_MiB) == (ALLOT_VALGRIND == 1));
    CHECK(system.calls == 0); // warm: no system call
    pages.deallocate(p, 1_MiB);
    const std::size_t given = pages.trim();
    CHECK(given >= 1_MiB);
    CHECK(system.discarded == given); // what never was accessible is left alone
    CHECK(pages.committed() <= committed - 1_MiB);
    CHECK(pages.trim() == 0);
    CHECK(mapped_within(p, 64_MiB).resident < 1_MiB);
    pages.deallocate(behind, page);
    CHECK(pages.trim() == page);
  }

  TEST_CASE("committed is exact where freed pages are given back, and all of it comes back") {
    allot::split_mix random{11};
    page_resource pages{{.reserve = 64_MiB, .commit_step = 1}};
    std::vector<std::pair<void*, std::size_t>> live;
    std::size_t in_blocks = 0;
    for (int i = 0; i < 500; ++i) {
      if (!live.empty() && random.below(2) == 0) {
        std::swap(live[random.below(live.size())], live.back());
        pages.deallocate(live.back().first, live.back().second * page);
        in_blocks -= live.back().second;
        live.pop_back();
      } else {
        const std::size_t n = 1 + random.below(20);
        live.emplace_back(pages.allocate(n * page), n);
        in_blocks += n;
      }
      const std::size_t books = pages.committed() - in_blocks * page;
      REQUIRE(books % page == 0);
      REQUIRE(books <= 3 * page);
    }
  }

  TEST_CASE("gaps are inaccessible, and so is a block that came back; all else is not") {
    page_resource pages{{.reserve = 16 * page, .guard_gaps = true}}; // so few that the books fill their page
    volatile char* const a = static_cast<char*>(pages.allocate(page));
    volatile char* const b = static_cast<char*>(pages.allocate(page));
    CHECK((b == a + 2 * page));
    CHECK(support::ending_of([&] { touch(a), touch(b), touch(a + page - 1), touch(b + page - 1); }).exited(0));
#if !ALLOT_ASAN
    CHECK(support::ending_of([&] { a[page] = 1; }).was_killed_by(SIGSEGV));
    CHECK(support::ending_of([&] { a[-1] = 1; }).was_killed_by(SIGSEGV));
    CHECK(support::ending_of([&] { b[-1] = 1; }).was_killed_by(SIGSEGV));
    CHECK(support::ending_of([&] { b[page] = 1; }).was_killed_by(SIGSEGV));
    pages.deallocate(const_cast<char*>(a), page);
    CHECK(support::ending_of([&] { a[0] = 1; }).was_killed_by(SIGSEGV));
    pages.deallocate(const_cast<char*>(b), page);
    volatile char* const both = static_cast<char*>(pages.allocate(3 * page)); // the gap is inside
    CHECK((both == a));
    CHECK(support::ending_of([&] { touch(both + page), touch(both + 3 * page - 1); }).exited(0));
    CHECK(support::ending_of([&] { both[3 * page] = 1; }).was_killed_by(SIGSEGV));
#endif
  }

  TEST_CASE("with gaps memory is what the live blocks have, and the freed ones cost no mapping") {
    page_resource pages{{.reserve = 64_MiB, .guard_gaps = true}};
    std::array<std::byte*, 100> blocks{};
    for (std::byte*& p : blocks) {
      p = bytes_at(pages.allocate(3 * page));
      std::memset(p, 1, 3 * page);
    }
    const std::size_t books = pages.committed() - 300 * page;
    CHECK(books <= 3 * page);
    const std::size_t mappings = mapped_within(blocks[0], 64_MiB).mappings;
    CHECK(mappings >= 200);
    for (std::byte* p : blocks)
      pages.deallocate(p, 3 * page);
    CHECK(pages.committed() == books);
    CHECK(mapped_within(blocks[0], 64_MiB).mappings == 1);
  }

  TEST_CASE("huge pages: the range is aligned for them, and the system is asked") {
    if (allot::detail::huge_page_size() == 0) return;
    page_resource pages{{.reserve = 1_GiB, .huge_pages = true}};
    CHECK_FALSE(pages.huge_pages());
    void* const p = pages.allocate(1);
    CHECK(allot::is_aligned(p, allot::detail::huge_page_size()));
    CHECK(pages.huge_pages());
    CHECK(pages.committed() >= allot::detail::huge_page_size());
    pages.release();
    CHECK_FALSE(pages.huge_pages());

    failing_pages system;
    system.first_failure = 2; // reserve, then the wish
    page_resource refused{{.reserve = 1_GiB, .huge_pages = true}};
    CHECK(refused.try_allocate(1) == nullptr); // since all fails from then on
    CHECK_FALSE(refused.huge_pages());
    system.first_failure = failing_pages::never;
    CHECK(refused.try_allocate(1) != nullptr); // but not for that reason
  }

  TEST_CASE("where the system refuses a whole step, what the request needs is enough") {
    failing_pages system;
    system.most_committed = 2 * page;
    page_resource pages{1_GiB};
    CHECK(pages.try_allocate(2 * page) != nullptr);
    CHECK(pages.try_allocate(3 * page) == nullptr);
    CHECK(pages.try_allocate(page) != nullptr);
    CHECK(pages.committed() == 4 * page); // one for the books
  }

  TEST_CASE("the frontier moves by steps: one call for many blocks") {
    failing_pages system;
    page_resource pages{{.reserve = 1_GiB, .commit_step = 64 * page}};
    (void)pages.allocate(1);
    const std::size_t calls = system.calls;
    CHECK(pages.committed() == 65 * page);
    for (int i = 1; i < 64; ++i)
      (void)pages.allocate(1);
    CHECK(system.calls == calls);
    (void)pages.allocate(1);
    CHECK(system.calls == calls + 1);
  }

  TEST_CASE("a step ends where the range ends, and what lies behind it is not touched") {
    for (const std::size_t step : {16 * page, huge}) {
      page_resource pages{{.reserve = 10 * page, .commit_step = step}};
      auto* const p = static_cast<char*>(pages.allocate(1));
      CHECK(pages.committed() == 11 * page);
      CHECK(support::ending_of([&] { touch(p); }).exited(0));
      CHECK_FALSE(support::ending_of([&] { touch(p + 10 * page); }).exited(0));
    }
  }

  TEST_CASE("a system call that fails at any place changes nothing, and loses no mapping") {
    for (const bool gaps : {false, true}) {
      for (std::size_t k = 1; k < 300; ++k) {
        CAPTURE(k);
        failing_pages system;
        page_resource pages{{.reserve = 64_MiB, .commit_step = page, .huge_pages = k % 2 == 0, .guard_gaps = gaps}};
        system.first_failure = k;
        std::vector<void*> blocks;
        while (blocks.size() < 120) {
          void* const p = pages.try_allocate(2 * page);
          if (p == nullptr) break;
          blocks.push_back(p);
        }
        const std::size_t committed = pages.committed();
        CHECK(pages.used() == blocks.size() * 2 * page);
        CHECK(pages.high_water() == pages.used());
        if (blocks.size() < 120) {
          CHECK(pages.try_allocate(2 * page) == nullptr);
          CHECK(pages.committed() == committed);
        }
        system.first_failure = failing_pages::never;
        void* const after = pages.try_allocate(2 * page);
        REQUIRE(after != nullptr);
        std::memset(after, 1, 2 * page);
        const std::size_t reserved = pages.reserved();
        CHECK(pages.release() > 0);
        CHECK(pages.reserved() == 0);
        CHECK(mapped_within(after, reserved / 2).bytes < reserved / 2);
        if (blocks.size() == 120) break;
      }
    }
  }

  TEST_CASE("pages that the system does not take back are kept, and told as such") {
    failing_pages system;
    page_resource pages{1_GiB};
    void* const p = pages.allocate(1_MiB);
    const std::size_t committed = pages.committed();
    system.discard_error = EINVAL; // as for locked memory
    pages.deallocate(p, 1_MiB);
    CHECK(pages.committed() == committed);
    CHECK(pages.trim() == 0);
    CHECK(pages.allocate(1_MiB) == p);
    pages.deallocate(p, 1_MiB);
    system.discard_error = 0;
    CHECK(pages.trim() == committed - page); // the book's page stays
  }

  TEST_CASE("with gaps, pages that cannot be made inaccessible are used no more, and counted") {
    failing_pages system;
    page_resource pages{{.reserve = 1_MiB, .guard_gaps = true}};
    void* const p = pages.allocate(page);
    const std::size_t committed = pages.committed();
    system.vacate_error = ENOMEM;
    pages.deallocate(p, page);
    CHECK(pages.committed() == committed);
    void* const q = pages.allocate(page);
    CHECK(q != p);
    pages.deallocate(q, page);
    CHECK(pages.committed() == committed + page);
    system.vacate_error = 0;
    for (int i = 0; i < 100; ++i) { // the books count those pages, too
      void* const r = pages.try_allocate(page);
      CHECK(r != p);
      CHECK(r != q);
    }
    CHECK(pages.release() > 0);
    CHECK(pages.committed() == 0);
  }

  TEST_CASE("a range that the system does not take back is void, and is tried again before anything else") {
    failing_pages system;
    page_resource pages{1_MiB};
    void* const p = pages.allocate(page);
    system.unreserve_error = ENOMEM;
    const std::size_t committed = pages.committed();
    CHECK(pages.release() == 0);
    CHECK(pages.used() == 0);
    CHECK(pages.live_blocks() == 0);
    CHECK(pages.committed() == committed);
    CHECK(pages.reserved() > 0);
    CHECK(pages.try_allocate(1) == nullptr);
    CHECK(pages.owns(p) == allot::ownership::yes); // still its own
    CHECK(dies([&] { pages.deallocate(p, page); }, "not a block"));
    system.unreserve_error = 0;
    CHECK(pages.try_allocate(1) != nullptr);
    CHECK(pages.committed() == committed);
    CHECK(pages.release() == committed);
  }

  TEST_CASE(
      "the books have room for a free run on either side of every block, those that cannot be used again included") {
    for (const bool gaps : {false, true}) {
      failing_pages system;
      page_resource pages{{.reserve = 64_MiB, .guard_gaps = gaps}};
      void* const first = pages.allocate(page);
      (void)pages.allocate(page, 16 * page);
      pages.deallocate(first, page); // a run in front of all others
      system.vacate_error = ENOMEM;
      for (int i = 0; i < 700; ++i) {
        void* const p = pages.allocate(page, 16 * page);
        if (gaps) pages.deallocate(p, page);
      }
      CHECK(pages.live_blocks() == (gaps ? 1u : 701u));
      pages.release();
      (void)pages.allocate(page);
      if (gaps) CHECK(pages.committed() == 2 * page); // the books are for one block again
    }
  }

  TEST_CASE("release and then more: a range anew, with the books anew") {
    page_resource pages{{.reserve = 1_MiB, .guard_gaps = true}};
    for (int turn = 0; turn < 3; ++turn) {
      for (int i = 0; i < 100; ++i)
        std::memset(pages.allocate(page), 1, page);
      CHECK(pages.release() >= 100 * page);
      CHECK(pages.used() == 0);
      CHECK(pages.high_water() == 100 * page);
    }
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record of a refusal says which call, and the system's error") {
    const auto record_of = [](page_resource& pages, std::size_t bytes) {
      try {
        (void)pages.allocate(bytes);
      } catch (const allot::out_of_memory& e) {
        return e.record();
      }
      FAIL("allocated");
      return allot::failure{};
    };
    failing_pages system;
    page_resource pages{1_MiB, "mine"};
    for (const std::string_view what : {"range of addresses", "the books", "the pages"}) {
      system.first_failure = system.calls + 1;
      const allot::failure record = record_of(pages, 10);
      CHECK(std::string_view{record.detail}.find(what) != std::string_view::npos);
      CHECK(record.system_error == ENOMEM);
      CHECK(std::string_view{record.name} == "mine");
      CHECK(record.bytes == 10);
      system.first_failure = failing_pages::never;
      if (what == "range of addresses") system.first_failure = system.calls + 2;
      if (what == "the books") system.first_failure = system.calls + 2;
      if (what != "the pages") CHECK(pages.try_allocate(10) == nullptr);
    }
    CHECK(pages.try_allocate(10) != nullptr);
    CHECK(record_of(pages, 1_MiB).system_error == 0);
    CHECK(std::string_view{record_of(pages, 1_MiB).detail}.find("in a row") != std::string_view::npos);
    CHECK(std::string_view{record_of(pages, huge).detail}.find("larger than the range") != std::string_view::npos);
    CHECK(record_of(pages, 1_MiB).used == 10);
  }

#if !ALLOT_VALGRIND // it has limits of its own
  TEST_CASE("where the program may not have so many addresses, the failure names the system's error") {
    const auto ending = support::ending_of([] {
      const rlimit gibibyte{4_GiB, 4_GiB};
      if (setrlimit(RLIMIT_AS, &gibibyte) != 0) return;
      page_resource pages{1024_GiB};
      try {
        (void)pages.allocate(1);
      } catch (const allot::out_of_memory& e) {
        if (e.record().system_error == ENOMEM && pages.reserved() == 0) std::fputs(e.what(), stderr);
      }
    });
    CHECK(ending.exited(0));
    CHECK(ending.says("page_resource: no room for 1 byte"));
    CHECK(ending.says("ENOMEM"));
  }
#endif
#endif

#if !ALLOT_VALGRIND
  TEST_CASE("where the program may not have so much data, the blocks before the failure stay whole") {
    const auto ending = support::ending_of([] {
      page_resource pages{1_GiB};
      void* const first = pages.try_allocate(1_MiB);
      const rlimit no_more{1, 1};
      if (first == nullptr || setrlimit(RLIMIT_DATA, &no_more) != 0) return;
      const std::size_t used = pages.used();
      if (pages.try_allocate(64_MiB) != nullptr || pages.used() != used) return;
      std::memset(first, 1, 1_MiB);
      pages.deallocate(first, 1_MiB);
      if (pages.try_allocate(1_MiB) == first) std::fputs("whole", stderr);
    });
    CHECK(ending.says("whole"));
  }

#endif

  TEST_CASE("locked memory is kept, since the system takes none of it back") {
    const auto ending = support::ending_of([] {
      page_resource pages{1_MiB};
      void* const p = pages.try_allocate(page);
      // By number, since the sanitizers' mlock locks nothing. A program that may not lock at all has nothing to lose.
      if (syscall(SYS_mlock, p, page) != 0) std::fputs("kept", stderr);
      const std::size_t committed = pages.committed();
      std::memset(p, 1, page);
      pages.deallocate(p, page);
      if (pages.committed() == committed && pages.try_allocate(page) == p) std::fputs("kept", stderr);
    });
    CHECK(ending.says("kept"));
  }

  TEST_CASE("when the system has no mapping left for a gap, nothing is lost") {
    page_resource pages{{.reserve = 2_GiB, .guard_gaps = true}};
    failing_pages system;
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 1000; ++i) {
      system.most_committed = i % 7 == 0 ? 0 : failing_pages::never;
      if (void* const p = pages.try_allocate(page)) blocks.push_back(p);
    }
    CHECK(blocks.size() > 800);
    CHECK(pages.live_blocks() == blocks.size());
    for (void* p : blocks)
      pages.deallocate(p, page);
    CHECK(pages.used() == 0);
    CHECK(mapped_within(blocks[0], 1_GiB).mappings <= 2);
  }

  TEST_CASE("a block that comes back twice, or from elsewhere, ends the program by its record") {
    page_resource pages{{.name = "mine", .reserve = 1_MiB}};
    auto* const p = bytes_at(pages.allocate(2 * page));
    auto* const q = bytes_at(pages.allocate(page));
    int local = 0;
    CHECK(dies([&] { pages.deallocate(p, 2 * page), pages.deallocate(p, 2 * page); }, "wrong deallocation"));
    CHECK(dies([&] { pages.deallocate(p, 2 * page), pages.deallocate(p + page, page); }, "\"mine\""));
    CHECK(dies([&] { pages.deallocate(q, 2 * page); }, "or one that is free")); // the page behind it is
    CHECK(dies([&] { pages.deallocate(&local, 4); }, "not a block"));
    CHECK(dies([&] { pages.deallocate(p + 1, 4); }, "not a block"));
    CHECK(dies([&] { pages.deallocate(p, page), pages.deallocate(p, 3 * page); }, "not a block")); // the first is free
    page_resource full{2 * page};
    (void)full.allocate(page);
    void* const last = full.allocate(page);
    CHECK(dies([&] { full.deallocate(last, 2 * page); }, "not a block"));
    CHECK(dies([&] { pages.deallocate(p, 1_GiB); }, "not a block"));
    CHECK(dies([&] { pages.release(), pages.deallocate(p, 2 * page); }, "not a block"));
    pages.deallocate(p, 2 * page);
    pages.deallocate(q, page);
  }

  TEST_CASE("sizes that could wrap are refused without asking the system") {
    failing_pages system;
    page_resource pages;
    for (std::size_t below = 0; below < 3 * page; below += 7) {
      for (const std::size_t alignment : {std::size_t{1}, std::size_t{1} << 30, huge / 2 + 1}) {
        REQUIRE(pages.try_allocate(huge - below, alignment) == nullptr);
      }
    }
    CHECK(system.calls == 0);
    page_resource none{0};
    CHECK(none.try_allocate(0) == nullptr);
    page_resource all{huge};
    CHECK(all.try_allocate(1) == nullptr);
    CHECK(all.reserved() == 0);
  }

  TEST_CASE("random calls agree with a model") {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      const auto freed = seed % 2 == 0 ? allot::freed_pages::kept : allot::freed_pages::given_back;
      run_against_model(seed,
                        {.reserve = 300 * page, .commit_step = 5 * page, .freed = freed, .guard_gaps = seed % 3 == 0});
    }
  }

  TEST_CASE("what was written stays over any number of turns of trim, and a second one finds nothing") {
    allot::split_mix random{3};
    page_resource pages{{.reserve = 200 * page, .freed = allot::freed_pages::kept}};
    support::shadow_model model;
    for (int i = 0; i < 600; ++i) {
      if (random.below(20) == 0) {
        pages.trim();
        const std::size_t live = pages.committed();
        CHECK(pages.trim() == 0);
        CHECK(pages.committed() == live);
      } else if (model.size() != 0 && random.below(2) == 0) {
        const auto b = model.remove(random.below(model.size()));
        pages.deallocate(b.p, b.shape.bytes, b.shape.alignment);
      } else if (const std::size_t n = 1 + random.below(8 * page); void* const p = pages.try_allocate(n, 1)) {
        model.add(p, {n, 1});
      }
    }
    model.clear();
  }

  TEST_CASE("errno is left alone") {
    page_resource pages{{.reserve = 64 * page, .huge_pages = true}};
    errno = 77;
    void* const p = pages.try_allocate(1);
    CHECK(pages.try_allocate(1_GiB) == nullptr);
    pages.deallocate(p, 1);
    pages.release();
    page_resource all{std::size_t{1} << 62};
    CHECK(all.try_allocate(1) == nullptr);
    CHECK(errno == 77);
  }

#if ALLOT_ASAN
  TEST_CASE("memory goes back clean") {
    for (const bool gaps : {false, true}) {
      page_resource pages{{.reserve = 1_MiB, .freed = allot::freed_pages::kept, .guard_gaps = gaps}};
      auto* const p = bytes_at(pages.allocate(10));
      pages.deallocate(pages.allocate(40 * page), 40 * page);
      CHECK(__asan_region_is_poisoned(p, 20 * page) == p + 10);
      (void)pages.allocate(1); // below what was a block's
      pages.release();
      CHECK(__asan_region_is_poisoned(p, 42 * page) == nullptr);
    }
  }

  TEST_CASE("a use after free, or behind the end, is a report and not silence") {
    page_resource pages{{.reserve = 1_MiB, .freed = allot::freed_pages::kept}};
    volatile char* const p = static_cast<char*>(pages.allocate(96));
    CHECK(support::ending_of([&] { touch(p + 95); }).exited(0));
    CHECK(support::ending_of([&] { touch(p + 96); }).says("use-after-poison"));
    CHECK(support::ending_of([&] { pages.deallocate(const_cast<char*>(p), 96), touch(p); }).says("use-after-poison"));
  }
#endif
}
