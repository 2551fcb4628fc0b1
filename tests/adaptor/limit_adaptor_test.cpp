#include <allot/adaptor/limit_adaptor.hpp> // first: proves that the header stands alone

#include <allot/arena/bump_resource.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <memory_resource>
#include <string_view>
#include <type_traits>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/race.hpp"

namespace {

struct bytes_fixture {
  allot::probe_upstream up;
  allot::limit_adaptor<allot::probe_upstream> r{up, 65536};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct blocks_fixture {
  allot::probe_upstream up;
  allot::limit_adaptor<allot::probe_upstream> r{up, allot::budget{.bytes = 65536, .blocks = 500}};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct nested_fixture {
  allot::probe_upstream up;
  allot::limit_adaptor<allot::probe_upstream> inner{up, 65536, "process"};
  allot::limit_adaptor<decltype(inner)> r{inner, 32768, "tenant"};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// An upstream for any thread that gives nobody a place of his own, and knows the most that was live.
class probe final : public allot::resource_interface<probe> {
public:
  static constexpr const char* class_name = "probe";
  support::shared<std::size_t> bytes{0};
  support::shared<std::size_t> blocks{0};
  support::shared<std::size_t> most_bytes{0};
  support::shared<std::size_t> most_blocks{0};
  support::shared<unsigned> fails_every{0};

private:
  friend resource_interface;

  static void raise(support::shared<std::size_t>& peak, std::size_t to) noexcept {
    std::size_t seen = peak.load();
    while (seen < to && !peak.compare_exchange_weak(seen, to)) {
    }
  }

  void* place(std::size_t n, std::size_t) noexcept {
    const unsigned every = fails_every.load();
    if (every != 0 && calls_.fetch_add(1) % every == 0) return nullptr;
    raise(most_bytes, bytes.fetch_add(n) + n);
    raise(most_blocks, blocks.fetch_add(1) + 1);
    return &place_;
  }

  void give_back(void*, std::size_t n, std::size_t) noexcept {
    bytes.fetch_sub(n);
    blocks.fetch_sub(1);
  }

  support::shared<unsigned> calls_{0};
  alignas(std::max_align_t) std::byte place_[64] = {};
};

/// Looks at the books of the level above while it is called.
struct watching final : allot::resource_interface<watching> {
  static constexpr const char* class_name = "watching";
  std::byte block[8];
  const allot::limit_adaptor<watching>* capped = nullptr;
  std::size_t charged_at_call = 0;

  void* place(std::size_t, std::size_t) noexcept {
    charged_at_call = capped->used();
    return block;
  }
  void give_back(void*, std::size_t, std::size_t) noexcept { charged_at_call = capped->used(); }
};

constexpr unsigned threads = 4;
constexpr unsigned rounds = ALLOT_VALGRIND ? 50 : 1000;

/// A round of a thread: it takes a few blocks of random sizes and gives them back.
template <class R>
void take_and_give_back(R& r, unsigned thread, unsigned round) {
  allot::split_mix random{thread * 100000 + round};
  std::array<std::size_t, 6> sizes{};
  std::array<void*, 6> blocks{};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    sizes[i] = random.below(40);
    blocks[i] = r.try_allocate(sizes[i], 1);
  }
  for (std::size_t i = 0; i < sizes.size(); ++i)
    r.deallocate(blocks[i], sizes[i], 1);
}

} // namespace

TEST_SUITE("limit_adaptor") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<bytes_fixture>(); }

#if !ALLOT_VALGRIND // under Memcheck the suite takes seconds, and a budget puts nothing in memory but figures
  TEST_CASE_TEMPLATE("keeps the contract with a limit of blocks, and in two levels", Fixture, blocks_fixture,
                     nested_fixture) {
    check_contract<Fixture>();
  }
#endif

  TEST_CASE("example") {
    // [example]
    allot::bump_resource<1024> arena;
    allot::limit_adaptor process{arena, 1000, "process"};
    allot::limit_adaptor tenant{process, allot::budget{.bytes = 600, .blocks = 2}, "tenant"};

    void* const p = tenant.allocate(500, 8);
    CHECK(tenant.headroom() == 100);
    CHECK(process.headroom() == 500);
    CHECK(tenant.try_allocate(101, 1) == nullptr); // past the tenant's bytes
    CHECK(process.used() == 500);                  // nothing of it was charged to the process
    tenant.deallocate(p, 500, 8);
    // [example]
    CHECK(tenant.used() == 0);
  }

  TEST_CASE("refuses the byte past the limit, and counts nothing for it") {
    allot::checking_resource up;
    allot::limit_adaptor capped{up, 100};
    void* const p = capped.allocate(60, 1);

    CHECK(capped.try_allocate(41, 1) == nullptr);
    CHECK(capped.used() == 60);
    CHECK(up.live_blocks() == 1);
    CHECK(capped.snapshot().refusals == 1);

    capped.deallocate(capped.allocate(40, 1), 40, 1); // exactly full is allowed
    CHECK(capped.peak() == 100);
    capped.deallocate(p, 60, 1);
  }

  TEST_CASE("limits blocks also") {
    allot::checking_resource up;
    allot::limit_adaptor capped{up, allot::budget{.bytes = 100, .blocks = 2}, "two"};
    void* const p = capped.allocate(0, 1);
    void* const q = capped.allocate(10, 1);
    CHECK(capped.used_blocks() == 2);
    CHECK(capped.try_allocate(0, 1) == nullptr);
    CHECK(up.attempts() == 2);
    CHECK(capped.snapshot() == allot::limit_snapshot{.used_bytes = 10,
                                                     .limit_bytes = 100,
                                                     .peak_bytes = 10,
                                                     .used_blocks = 2,
                                                     .limit_blocks = 2,
                                                     .peak_blocks = 2,
                                                     .refusals = 1});
    capped.deallocate(p, 0, 1);
    CHECK(capped.used_blocks() == 1);
    capped.deallocate(q, 10, 1);
  }

  TEST_CASE("deduces its upstream, also where that is another budget") {
    allot::bump_resource<64> arena;
    allot::limit_adaptor capped{arena, 10};
    allot::limit_adaptor again{capped, 20, "outer"};
    allot::limit_adaptor both{capped, allot::budget{.bytes = 1, .blocks = 2}};
    CHECK(std::is_same_v<decltype(capped), allot::limit_adaptor<allot::bump_resource<64>>>);
    CHECK(std::is_same_v<decltype(again), allot::limit_adaptor<decltype(capped)>>);
    CHECK(std::is_same_v<decltype(both), decltype(again)>);
    CHECK(again.upstream_resource() == &capped);
    CHECK(std::string_view{again.name()} == "outer");
    CHECK(again.capacity() == 20);
    CHECK(both.block_limit() == 2);
    CHECK(decltype(again)::owns_is_exact);
  }

  TEST_CASE("a limit may be set below what is live: that is told, and nothing is freed") {
    allot::checking_resource up;
    allot::limit_adaptor capped{up, 100};
    void* const p = capped.allocate(80, 1);
    CHECK_FALSE(capped.set_limit(50));
    CHECK(capped.limit() == 50);
    CHECK(capped.headroom() == 0);
    CHECK(up.live_bytes() == 80);
    CHECK(capped.try_allocate(1, 1) == nullptr);
    capped.deallocate(p, 80, 1);
    CHECK(capped.headroom() == 50);
    CHECK(capped.set_limit(allot::budget{.bytes = 10}));
    CHECK(capped.try_allocate(11, 1) == nullptr);
  }

  TEST_CASE("charges before upstream is asked, and until it has its block back") {
    watching up;
    allot::limit_adaptor capped{up, 100};
    up.capped = &capped;
    void* const p = capped.allocate(8, 1);
    CHECK(up.charged_at_call == 8);
    up.charged_at_call = 0;
    capped.deallocate(p, 8, 1);
    CHECK(up.charged_at_call == 8);
    CHECK(capped.used() == 0);
  }

  TEST_CASE("a refusal by any level leaves every level uncharged") {
    constexpr std::size_t small = 99;
    constexpr std::size_t large = 1000;
    allot::checking_resource up;
    for (std::size_t refusing = 0; refusing < 3; ++refusing) {
      CAPTURE(refusing);
      allot::limit_adaptor process{up, refusing == 0 ? small : large, "process"};
      allot::limit_adaptor tenant{process, allot::budget{.bytes = refusing == 1 ? small : large, .blocks = 9},
                                  "tenant"};
      allot::limit_adaptor request{tenant, refusing == 2 ? small : large, "request"};
      void* const p = request.allocate(0, 1);

      CHECK(request.try_allocate(100, 1) == nullptr);
      CHECK(process.used() + tenant.used() + request.used() == 0);
      CHECK(tenant.used_blocks() == 1);
#if ALLOT_EXCEPTIONS
      constexpr std::string_view names[]{"process", "tenant", "request"};
      try {
        (void)request.allocate(100, 1);
        FAIL("should have thrown");
      } catch (const allot::budget_exceeded& e) {
        CHECK(e.record().reason == allot::failure_reason::budget_exceeded);
        CHECK(std::string_view{e.record().name} == names[refusing]);
        CHECK(std::string_view{e.record().resource} == "limit_adaptor");
        CHECK(e.record().bytes == 100);
        CHECK(e.record().capacity == small);
        CHECK(e.record().detail == nullptr);
      }
      CHECK(process.used() + tenant.used() + request.used() == 0);
      CHECK(tenant.used_blocks() == 1);
      CHECK(process.peak() + tenant.peak() + request.peak() == 0);
      CHECK(process.snapshot().refusals == (refusing == 0 ? 2 : 0));
      CHECK(request.snapshot().refusals == (refusing == 2 ? 2 : 0));
#endif
      request.deallocate(p, 0, 1);
    }
    CHECK(up.live_blocks() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("the record says where blocks were the matter") {
    allot::bump_resource<64> arena;
    allot::limit_adaptor capped{arena, allot::budget{.blocks = 0}, "none"};
    try {
      (void)capped.allocate(1, 1);
      FAIL("should have thrown");
    } catch (const allot::budget_exceeded& e) {
      CHECK(std::string_view{e.what()}.find("blocks") != std::string_view::npos);
      CHECK(std::string_view{e.what()}.find("none") != std::string_view::npos);
    }
  }

  TEST_CASE("any exception of upstream goes on, and leaves nothing charged") {
    struct odd final : std::pmr::memory_resource {
      void* do_allocate(std::size_t, std::size_t) override { throw 42; }
      void do_deallocate(void*, std::size_t, std::size_t) override {}
      [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
    };
    odd up;
    allot::limit_adaptor capped{up, allot::budget{.bytes = 100, .blocks = 5}};
    CHECK_THROWS_AS((void)capped.allocate(8, 8), int);
    CHECK(capped.snapshot() == allot::limit_snapshot{.limit_bytes = 100, .limit_blocks = 5});
  }
#else
  TEST_CASE("without exceptions a refusal goes to the handler, with the name of the level") {
    allot::bump_resource<64> arena;
    allot::limit_adaptor capped{arena, 10, "tenant"};
    CHECK(dies([&] { (void)capped.allocate(11, 1); }, "tenant"));
  }
#endif

  TEST_CASE("an upstream that fails at any call leaves two levels as they were") {
    allot::probe_upstream up;
    allot::limit_adaptor process{up, 2000};
    allot::limit_adaptor tenant{process, allot::budget{.bytes = 1000, .blocks = 50}};
    const auto result = allot::allocation_failure_loop(up, [&] {
      std::array<void*, 20> blocks{};
      bool all = true;
      for (void*& p : blocks)
        all = (p = tenant.try_allocate(10, 2)) != nullptr && all;
      CHECK(tenant.used() == up.memory().live_bytes());
      CHECK(tenant.used_blocks() == up.memory().live_blocks());
      CHECK(process.used() == tenant.used());
      for (void* const p : blocks)
        tenant.deallocate(p, 10, 2);
      return all;
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.failures_injected == 20);
    CHECK(process.used() == 0);
    CHECK(tenant.used() == 0);
    CHECK(tenant.used_blocks() == 0);
    CHECK(tenant.snapshot().refusals == 0); // upstream's failures are none of its own
  }

  TEST_CASE("the callback of a soft mark may look at the level, and allocate and free on it") {
    struct helper {
      allot::limit_adaptor<allot::checking_resource>* level;
      void* spare;
      std::size_t calls = 0;
      std::size_t seen = 0;

      static void help(std::size_t used, void* user) noexcept {
        auto& self = *static_cast<helper*>(user);
        ++self.calls;
        self.seen = self.level->used();
        CHECK(used == self.seen);
        self.level->deallocate(self.spare, 30, 1);
        self.spare = self.level->try_allocate(5, 1);
      }
    };
    allot::checking_resource up;
    allot::limit_adaptor level{up, allot::budget{.bytes = 100, .blocks = 10}};
    helper frees{.level = &level, .spare = level.allocate(30, 1)};
    level.set_soft_mark({.upper = 80, .lower = 60, .callback = helper::help, .user = &frees});
    void* const p = level.allocate(60, 1);
    CHECK(frees.calls == 1);
    CHECK(frees.seen == 90);
    CHECK(level.used() == 65);
    level.move_soft_mark(99, 0);
    level.deallocate(p, 60, 1);
    level.deallocate(frees.spare, 5, 1);
  }

  TEST_CASE("a thousand races never put more upstream than the limit") {
    for (const std::size_t blocks : {allot::unlimited, std::size_t{7}}) {
      CAPTURE(blocks);
      probe up;
      allot::limit_adaptor capped{up, allot::budget{.bytes = 100, .blocks = blocks}};
      race(threads, rounds, [&](unsigned thread, unsigned round) { take_and_give_back(capped, thread, round); });
      CHECK(up.most_bytes <= 100);
      CHECK(up.most_blocks <= blocks);
      CHECK(capped.snapshot().refusals > 0);
      CHECK(capped.used() == 0);
      CHECK(capped.used_blocks() == 0);
    }
  }

  TEST_CASE("they do not with the limit moving, upstream failing, and two levels") {
    probe up;
    allot::limit_adaptor process{up, 150};
    allot::limit_adaptor a{process, allot::budget{.bytes = 100, .blocks = 10}};
    allot::limit_adaptor b{process, 100};
    up.fails_every = 5;
    race(threads, rounds, [&](unsigned thread, unsigned round) {
      if (thread == 0) process.set_limit(round % 2 == 0 ? 30 : 150);
      if (thread == 1) a.set_limit(allot::budget{.bytes = 100, .blocks = round % 10});
      take_and_give_back(a, thread, round);
      take_and_give_back(b, thread, round);
    });
    CHECK(up.most_bytes <= 150);
    CHECK(process.used() + a.used() + b.used() + a.used_blocks() == 0);
  }

  TEST_CASE("in a race for what fits everyone gets it, whoever else is refused") {
    for (const std::size_t blocks : {allot::unlimited, std::size_t{threads}}) {
      CAPTURE(blocks);
      probe up;
      allot::limit_adaptor capped{up, allot::budget{.bytes = 25 * threads, .blocks = blocks}};
      support::shared<unsigned> refused{0};
      race(threads, rounds, [&](unsigned, unsigned) {
        for (int i = 0; i < 20; ++i) {
          if (capped.try_allocate(25 * threads + 1, 1) != nullptr) refused = 1000000; // never fits
          void* const p = capped.try_allocate(25, 1);                                 // always fits
          if (p == nullptr) refused.fetch_add(1);
          capped.deallocate(p, 25, 1);
        }
      });
      CHECK(refused == 0);
      CHECK(up.most_bytes <= 25 * threads);
    }
  }
}
