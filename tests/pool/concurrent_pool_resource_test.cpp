#include <allot/pool/concurrent_pool_resource.hpp>

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/probe_upstream.hpp>

#include "support/conformance.hpp"
#include "support/death.hpp"

#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <memory_resource>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#if ALLOT_EXCEPTIONS
namespace with_std {
using unsynchronized_pool_resource = std::pmr::synchronized_pool_resource; // the program calls it so
#include "pool/std_pool_program.inc"
} // namespace with_std
namespace with_allot {
using unsynchronized_pool_resource = allot::concurrent_pool_resource<>;
#include "pool/std_pool_program.inc"
} // namespace with_allot
#endif

namespace {

struct known_fixture {
  allot::probe_upstream up;
  allot::concurrent_pool_resource<allot::probe_upstream> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct small_fixture {
  allot::probe_upstream up;
  allot::concurrent_pool_resource<allot::probe_upstream> r{std::pmr::pool_options{3, 100}, up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

#if ALLOT_EXCEPTIONS
struct foreign_fixture {
  allot::probe_upstream up;
  allot::concurrent_pool_resource<> r{&up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};
#endif

using pool_type = allot::concurrent_pool_resource<allot::checking_resource>;

constexpr std::size_t huge = SIZE_MAX;

/// Gives memory that is aligned to 16 and no more than that.
class crooked_upstream final : public allot::resource_interface<crooked_upstream> {
public:
  static constexpr const char* class_name = "crooked_upstream";
  allot::checking_resource memory;

private:
  friend resource_interface;
  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    auto* const p = static_cast<std::byte*>(memory.try_allocate(bytes + alignment, alignment));
    return p + (alignment > 16 ? 16 : 0);
  }
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    memory.deallocate(static_cast<std::byte*>(p) - (alignment > 16 ? 16 : 0), bytes + alignment, alignment);
  }
};

#if ALLOT_EXCEPTIONS
/// Throws what is no bad_alloc, at one of its calls.
struct throwing_upstream : std::pmr::memory_resource {
  allot::checking_resource memory;
  std::size_t calls = 0;
  std::size_t at = 0;

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (calls++ == at) throw std::runtime_error{"mine"};
    return memory.allocate(bytes, alignment);
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    memory.deallocate(p, bytes, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }
};
#endif

} // namespace

template class allot::concurrent_pool_resource<allot::checking_resource>;
#if ALLOT_EXCEPTIONS
template class allot::concurrent_pool_resource<>;
#endif

TEST_SUITE("concurrent_pool_resource") {
  TEST_CASE("keeps the contract of a memory resource: over a known upstream") { check_contract<known_fixture>(); }
  TEST_CASE("keeps the contract of a memory resource: with few and small blocks") { check_contract<small_fixture>(); }
#if ALLOT_EXCEPTIONS
  TEST_CASE("keeps the contract of a memory resource: over any upstream") { check_contract<foreign_fixture>(); }
#endif

#if ALLOT_EXCEPTIONS
  TEST_CASE("stands in for std::pmr::synchronized_pool_resource in a program written for it") {
    allot::checking_resource for_std;
    allot::checking_resource for_allot;
    CHECK(with_allot::run(&for_allot) == with_std::run(&for_std));
    CHECK(for_allot.live_blocks() == 0);
  }

  TEST_CASE("reads the default resource once, when it is made, and takes nothing from it then") {
    allot::checking_resource first;
    std::pmr::memory_resource* const before = std::pmr::set_default_resource(&first);
    allot::concurrent_pool_resource<> pool;
    CHECK(first.attempts() == 0);
    std::pmr::set_default_resource(before);
    pool.deallocate(pool.allocate(10), 10);
    CHECK(first.live_blocks() == 2);
    CHECK(pool.upstream_resource() == &first);
  }
#endif

  TEST_CASE("example") {
    // [example]
    allot::checking_resource memory;
    allot::concurrent_pool_resource pool{memory};

    std::pmr::list<int> numbers{&pool};
    std::thread{[&] { numbers.assign(1000, 7); }}.join(); // another thread's magazines
    numbers.clear();                                      // into this thread's

    CHECK(pool.used() == 0);
    CHECK(pool.cached() <= pool.most_cached_per_thread());
    pool.release();
    CHECK(memory.live_blocks() == 0);
    // [example]
  }

  TEST_CASE("deduces its upstream, and one over another is no copy") {
    allot::checking_resource bottom;
    allot::concurrent_pool_resource first{&bottom};
    allot::concurrent_pool_resource second{first};
    allot::concurrent_pool_resource third{std::pmr::pool_options{}, second, "third"};
    static_assert(std::is_same_v<decltype(first), pool_type>);
    static_assert(std::is_same_v<decltype(second), allot::concurrent_pool_resource<pool_type>>);
    static_assert(std::is_same_v<decltype(third), allot::concurrent_pool_resource<decltype(second)>>);
    CHECK(third.upstream_resource() == &second);
    CHECK(std::string_view{third.name()} == "third");
  }

  TEST_CASE("options tell the values that are obeyed") {
    allot::checking_resource up;
    const auto obeyed = [&](std::size_t blocks, std::size_t bytes) {
      const std::pmr::pool_options options = pool_type{{blocks, bytes}, up}.options();
      return std::pair{options.max_blocks_per_chunk, options.largest_required_pool_block};
    };
    CHECK(obeyed(0, 0) == std::pair<std::size_t, std::size_t>{8192, 65536});
    CHECK(obeyed(huge, huge) == std::pair<std::size_t, std::size_t>{8192, 65536});
    CHECK(obeyed(7, 100) == std::pair<std::size_t, std::size_t>{7, 104});
    CHECK(obeyed(1, 1) == std::pair<std::size_t, std::size_t>{1, 8});
  }

  TEST_CASE(
      "a chunk has no more blocks than the options allow, and one larger than the largest block is upstream's own") {
    allot::checking_resource up;
    pool_type pool{{3, 128}, up};
    for (int i = 0; i < 7; ++i)
      (void)pool.allocate(32);
    CHECK(pool.class_figures(3).chunks == 3);
    CHECK(pool.class_figures(3).blocks_used == 7);
    CHECK(pool.class_figures(3).blocks_free == 2);
    void* const large = pool.allocate(129);
    CHECK(pool.large_figures().blocks_used == 1);
    CHECK(pool.used() == 7 * 32 + 129);
    pool.deallocate(large, 129);
    CHECK(pool.large_figures().blocks_used == 0);
    CHECK(pool.large_figures().reserved_bytes == 0);
  }

  TEST_CASE("every size up to 5 KiB is aligned to every alignment") {
    allot::checking_resource up; // gives exactly the alignment asked for
    pool_type pool{up};
    for (std::size_t bytes = 1; bytes <= 5000; bytes = bytes < 300 ? bytes + 1 : bytes + bytes / 5) {
      for (std::size_t alignment = 1; alignment <= 8192; alignment *= 2) {
        void* const first = pool.allocate(bytes, alignment);
        void* const second = pool.allocate(bytes, alignment);
        REQUIRE(allot::is_aligned(first, alignment));
        REQUIRE(allot::is_aligned(second, alignment));
        std::memset(first, 1, bytes);
        std::memset(second, 2, bytes);
        pool.deallocate(first, bytes, alignment);
        pool.deallocate(second, bytes, alignment);
      }
    }
    CHECK(pool.used() == 0);
  }

  TEST_CASE("sizes that could wrap are refused without asking upstream") {
    allot::checking_resource up;
    pool_type pool{up};
    for (std::size_t below = 0; below < 100; ++below) {
      for (const std::size_t alignment : {std::size_t{1}, std::size_t{1} << 30, huge / 2 + 1})
        REQUIRE(pool.try_allocate(huge - below, alignment) == nullptr);
    }
    CHECK(up.attempts() == 0);
  }

  TEST_CASE("what idle magazines keep is bounded, and the bound is met") {
    allot::checking_resource up;
    pool_type pool{up};
    for (std::size_t i = 0; i < pool.class_count(); ++i) {
      const std::size_t bytes = i == 0 ? 8 : pool.class_figures(i).block_bytes;
      const std::size_t most = 2 * allot::detail::concurrent_blocks::batch_blocks(i);
      if (most == 0) continue; // blocks of more than 16 KiB
      const std::size_t free_before = pool.cached();
      std::vector<void*> taken(2 * most);
      for (void*& p : taken)
        p = pool.allocate(bytes, 1);
      for (; pool.cached() != free_before + most * pool.class_figures(i).block_bytes; taken.pop_back())
        pool.deallocate(taken.back(), bytes, 1);
      if (i % 2 == 0) continue;
      pool.deallocate(taken.back(), bytes, 1); // the full ones go to the depot, half by half
      CHECK(pool.cached() == free_before + (most / 2 + 1) * bytes);
      for (std::size_t left = most / 2; left > 1; --left)
        pool.deallocate(*(taken.end() - 1 - static_cast<std::ptrdiff_t>(left)), bytes, 1);
    }
    CHECK(pool.cached() == pool.most_cached_per_thread());
    CHECK(pool.most_cached_per_thread() <= 1536 * 1024);
    CHECK(pool_type{{0, 256}, up}.most_cached_per_thread() <= 512 * 1024);
  }

  TEST_CASE("to and fro across the end of a magazine does not go to the depot each time") {
    allot::checking_resource up;
    pool_type pool{up};
    std::vector<void*> taken(300);
    for (void*& p : taken)
      p = pool.allocate(32);
    for (; pool.cached() != 2 * 64 * 32; taken.pop_back())
      pool.deallocate(taken.back(), 32);
    pool.deallocate(taken.back(), 32);
    CHECK(pool.cached() == 65 * 32); // a full one went to the depot when one block more came, and not before
    for (int turn = 0; turn < 100; ++turn) {
      void* const first = pool.allocate(32);
      void* const second = pool.allocate(32);
      REQUIRE(pool.cached() == 63 * 32);
      pool.deallocate(first, 32);
      pool.deallocate(second, 32);
      REQUIRE(pool.cached() == 65 * 32);
    }
  }

  TEST_CASE("trim gives back what is wholly free, magazines of this thread included, and no other") {
    allot::checking_resource up;
    pool_type pool{{4, 0}, up};
    std::vector<void*> taken(40);
    for (void*& p : taken)
      p = pool.allocate(64);
    const std::size_t reserved = pool.reserved();
    CHECK(pool.trim() == 0);
    for (std::size_t i = 0; i < taken.size(); ++i)
      if (i != 17) pool.deallocate(taken[i], 64);
    const std::size_t given_back = pool.trim();
    CHECK(pool.reserved() == reserved - given_back);
    CHECK(pool.class_figures(7).chunks == 1);
    CHECK(pool.owns(taken[17]) == allot::ownership::yes);
    pool.deallocate(taken[17], 64);
    (void)pool.trim();
    CHECK(up.live_blocks() == 1); // the magazines
  }

  TEST_CASE("a failure of upstream at any call leaves it usable, and loses nothing") {
    allot::probe_upstream up;
    const auto use = [&] {
      allot::concurrent_pool_resource pool{up};
      std::vector<void*> taken;
      bool well = true;
      for (int i = 0; i < 100 && well; ++i) {
        void* const p = pool.try_allocate(100);
        well = p != nullptr;
        if (well) taken.push_back(p);
      }
      void* const large = pool.try_allocate(100'000);
      if (large != nullptr) pool.deallocate(large, 100'000);
      for (void* const p : taken)
        pool.deallocate(p, 100);
      return pool.used() == 0 && pool.reserved() == up.memory().live_bytes() && well && large != nullptr;
    };
    // Refused magazines, and refused chunks of more than one block, are done without.
    const auto result = allot::allocation_failure_loop(up, use, {.accept_swallowed = true});
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.failures_injected >= 4);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("what a foreign upstream throws beside bad_alloc passes through, at any call, and loses nothing") {
    for (std::size_t at = 0; at < 6; ++at) {
      throwing_upstream up;
      up.at = at;
      allot::concurrent_pool_resource<> pool{&up};
      std::vector<void*> taken;
      try {
        for (int i = 0; i < 200; ++i)
          taken.push_back(pool.allocate(100));
        FAIL("did not throw");
      } catch (const std::runtime_error&) {
      }
      taken.push_back(pool.allocate(100)); // the locks are free
      std::thread{[&] { pool.deallocate(pool.allocate(100), 100); }}.join();
      CHECK(pool.reserved() == up.memory.live_bytes());
      for (void* const p : taken)
        pool.deallocate(p, 100);
      CHECK(pool.used() == 0);
      pool.release();
      CHECK(up.memory.live_blocks() == 0);
    }
  }

  TEST_CASE("a failure is upstream's own, except where no block could be as large") {
    allot::bump_resource<2048> bottom{"bottom"};
    allot::concurrent_pool_resource pool{bottom, "top"};
    try {
      (void)pool.allocate(4000, 1);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "bottom");
    }
    try {
      (void)pool.allocate(huge - 10, 1);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().name} == "top");
      CHECK(e.record().bytes == huge - 10);
    }
  }

  TEST_CASE("memory that is not aligned as asked goes back, and the record says so") {
    crooked_upstream up;
    allot::concurrent_pool_resource pool{up, "mine"};
    try {
      (void)pool.allocate(64, 64);
      FAIL("allocated");
    } catch (const allot::out_of_memory& e) {
      CHECK(std::string_view{e.record().detail}.find("not aligned") != std::string_view::npos);
      CHECK(e.record().alignment == 64);
    }
    CHECK(up.memory.live_blocks() == 0);
    CHECK(pool.try_allocate(48, 16) != nullptr); // magazines, too, cannot be had
    CHECK(up.memory.live_blocks() == 1);
  }
#endif

  TEST_CASE("owns is exact: blocks, used or free, and nothing beside") {
    allot::checking_resource up;
    pool_type pool{{2, 0}, up};
    auto* const small = static_cast<std::byte*>(pool.allocate(64));
    auto* const large = static_cast<std::byte*>(pool.allocate(70'000));
    CHECK(pool.owns(small) == allot::ownership::yes);
    CHECK(pool.owns(small + 127) == allot::ownership::yes);
    CHECK(pool.owns(small + 128) == allot::ownership::no); // the footer
    CHECK(pool.owns(large + 69'999) == allot::ownership::yes);
    CHECK(pool.owns(&pool) == allot::ownership::no);
    CHECK(pool.owns(nullptr) == allot::ownership::no);
    pool.deallocate(large, 70'000);
    CHECK(pool.owns(large) == allot::ownership::no);
  }

  TEST_CASE("memory goes back clean") {
    alignas(64) static std::byte memory[128 * 1024];
    {
      allot::bump_resource bottom{memory};
      allot::concurrent_pool_resource pool{bottom};
      for (std::size_t bytes = 1; bytes < 3000; bytes += 100) {
        void* const p = pool.allocate(bytes, 1);
        std::memset(p, 1, bytes);
        if (bytes % 200 == 1) pool.deallocate(p, bytes, 1);
      }
      (void)pool.trim();
    }
    std::memset(memory, 2, sizeof memory); // a report where poison was left behind
  }

#if ALLOT_ASAN
  TEST_CASE("a use after deallocate or release, and one past the end, is a report and not silence") {
    allot::bump_resource<64 * 1024> bottom;
    allot::concurrent_pool_resource pool{bottom};
    volatile char* const p = static_cast<char*>(pool.allocate(33, 8));
    const auto touch = [&](std::ptrdiff_t at) { p[at] = 2; };
    CHECK(support::ending_of([&] { touch(32); }).exited(0));
    CHECK(support::ending_of([&] { touch(33); }).says("AddressSanitizer"));
    CHECK(support::ending_of([&] { pool.deallocate(const_cast<char*>(p), 33, 8), touch(8); }).says("use-after-poison"));
    CHECK(support::ending_of([&] { pool.release(), touch(0); }).says("use-after-poison"));
  }
#endif

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a broken precondition ends the program") {
    allot::checking_resource up;
    pool_type pool{up};
    void* const p = pool.allocate(32, 8);
    CHECK(dies([&] { (void)pool.try_allocate(8, 24); }, "is_alignment"));
    CHECK(dies([&] { pool.deallocate(p, 32, 8), pool.deallocate(p, 32, 8); }, "came back twice"));
    CHECK(dies([&] { (void)pool.class_figures(pool.class_count()); }, "class_count"));
    CHECK(dies([] { pool_type{static_cast<allot::checking_resource*>(nullptr)}; }, "upstream"));
    pool.deallocate(p, 32, 8);
  }
#endif
}
