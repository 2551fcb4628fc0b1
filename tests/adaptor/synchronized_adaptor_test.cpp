#include <allot/adaptor/synchronized_adaptor.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdio>
#include <memory_resource>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/race.hpp"

namespace {

struct own_mutex_fixture {
  allot::probe_upstream up;
  allot::synchronized_adaptor<allot::probe_upstream> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct shared_mutex_fixture {
  std::mutex mutex;
  allot::probe_upstream up;
  allot::synchronized_adaptor<allot::probe_upstream, std::mutex&> r{up, mutex};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct twice_fixture {
  allot::probe_upstream up;
  allot::synchronized_adaptor<allot::probe_upstream> inner{up};
  allot::synchronized_adaptor<decltype(inner)> r{inner};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// A mutex that only says whether it is held; no std::mutex may be asked that by who holds it.
struct flag_mutex {
  bool held = false;
  int locks = 0;
  void lock() {
    REQUIRE_FALSE(held);
    held = true;
    ++locks;
  }
  void unlock() {
    REQUIRE(held);
    held = false;
  }
};

/// Looks at a mutex in each call.
struct watching final : allot::resource_interface<watching> {
  static constexpr const char* class_name = "watching";
  static constexpr bool owns_is_exact = true;

  explicit watching(const flag_mutex& m) : mutex{m} {}

  const flag_mutex& mutex;
  std::byte block[8];
  bool fails = false;
  mutable int calls = 0;
  mutable int calls_with_lock = 0;

  void look() const noexcept {
    ++calls;
    if (mutex.held) ++calls_with_lock;
  }
  void* place(std::size_t, std::size_t) noexcept {
    look();
    return fails ? nullptr : block;
  }
  void give_back(void*, std::size_t, std::size_t) noexcept { look(); }
  [[nodiscard]] allot::ownership holds(const void* p) const noexcept {
    look();
    return allot::within(p, block, sizeof block);
  }
};

#if ALLOT_EXCEPTIONS
struct broken_mutex {
  void lock() { throw std::runtime_error{"broken"}; }
  void unlock() {}
};
#endif

/// Blocks of random sizes taken and given back by one thread.
template <class R>
void use_at_random(R& r, unsigned thread) {
  struct piece {
    void* p;
    std::size_t bytes;
  };
  allot::split_mix random{thread};
  std::vector<piece> live;
  for (int i = 0; i < 1000; ++i) {
    if (live.size() > 10 || (!live.empty() && random.below(2) == 0)) {
      r.deallocate(live.back().p, live.back().bytes, 8);
      live.pop_back();
    } else {
      const std::size_t bytes = random.below(100);
      live.push_back({i % 2 == 0 ? r.allocate(bytes, 8) : r.try_allocate(bytes, 8), bytes});
    }
    (void)r.owns(&random);
  }
  for (const piece& one : live)
    r.deallocate(one.p, one.bytes, 8);
}

} // namespace

TEST_SUITE("synchronized_adaptor") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<own_mutex_fixture>(); }

#if !ALLOT_VALGRIND // under Memcheck the suite takes seconds, and the mutex is of no matter there
  TEST_CASE_TEMPLATE("keeps the contract with a shared mutex, and over another one", Fixture, shared_mutex_fixture,
                     twice_fixture) {
    check_contract<Fixture>();
  }
#endif

  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena;
    std::mutex mutex;
    allot::synchronized_adaptor shared{arena};       // has a mutex of its own
    allot::synchronized_adaptor also{arena, mutex};  // uses the caller's ...
    allot::synchronized_adaptor third{arena, mutex}; // ... as this one does: these two may be used together
    // [example]
    using arena_type = allot::bump_resource<4096>;
    CHECK(std::is_same_v<decltype(shared), allot::synchronized_adaptor<arena_type, std::mutex>>);
    CHECK(std::is_same_v<decltype(also), allot::synchronized_adaptor<arena_type, std::mutex&>>);
    CHECK(&also.mutex() == &mutex);
    CHECK(&third.mutex() == &mutex);
    CHECK(&shared.mutex() != &mutex);
  }

  TEST_CASE("deduces its mutex, with and without a name, and over another one is no copy") {
    allot::bump_resource<64> arena;
    using arena_type = allot::bump_resource<64>;
    flag_mutex mutex;
    const char* const words = "rx";
    allot::synchronized_adaptor named{arena, words};
    allot::synchronized_adaptor literal{arena, "tx"};
    allot::synchronized_adaptor both{arena, mutex, "both"};
    allot::synchronized_adaptor again{named};
    allot::synchronized_adaptor again_named{named, "again"};

    CHECK(std::is_same_v<decltype(named), allot::synchronized_adaptor<arena_type, std::mutex>>);
    CHECK(std::is_same_v<decltype(literal), decltype(named)>);
    CHECK(std::is_same_v<decltype(both), allot::synchronized_adaptor<arena_type, flag_mutex&>>);
    CHECK(std::is_same_v<decltype(again), allot::synchronized_adaptor<decltype(named)>>);
    CHECK(std::is_same_v<decltype(again_named), decltype(again)>);
    CHECK(std::string_view{literal.name()} == "tx");
    CHECK(std::string_view{both.name()} == "both");
    CHECK(again.upstream_resource() == &named);
  }

  TEST_CASE("holds the mutex during every call of upstream, and at no other time") {
    flag_mutex mutex;
    watching up{mutex};
    allot::synchronized_adaptor shared{up, mutex};
    void* const p = shared.allocate(8, 1);
    CHECK(up.calls_with_lock == 1);
    CHECK_FALSE(mutex.held);
    (void)shared.try_allocate(8, 1);
    CHECK(up.calls_with_lock == 2);
    CHECK_FALSE(mutex.held);
    shared.deallocate(p, 8, 1);
    CHECK(up.calls_with_lock == 3);
    CHECK_FALSE(mutex.held);
    CHECK(shared.owns(p) == allot::ownership::yes);
    CHECK(decltype(shared)::owns_is_exact);
    CHECK(up.calls_with_lock == 4);
    CHECK_FALSE(mutex.held);
    CHECK(up.calls == 4);
    CHECK(mutex.locks == 4);
  }

  TEST_CASE("the mutex is free after a failure") {
    flag_mutex mutex;
    watching up{mutex};
    up.fails = true;
    allot::synchronized_adaptor shared{up, mutex};
    CHECK(shared.try_allocate(8, 1) == nullptr);
    CHECK_FALSE(mutex.held);
#if ALLOT_EXCEPTIONS
    CHECK_THROWS_AS((void)shared.allocate(8, 1), allot::out_of_memory);
    CHECK_FALSE(mutex.held);
#endif
    CHECK(up.calls == up.calls_with_lock);
  }

#if !ALLOT_EXCEPTIONS
  TEST_CASE("without exceptions the failure handler runs with the mutex held") {
    static flag_mutex mutex;
    CHECK(dies(
        [] {
          watching up{mutex};
          up.fails = true;
          allot::synchronized_adaptor shared{up, mutex};
          allot::set_failure_handler(
              [](const allot::failure&) noexcept { std::fputs(mutex.held ? "held" : "free", stderr); });
          (void)shared.allocate(8, 1);
        },
        "held"));
  }
#endif

  TEST_CASE("a null that is given back takes no lock") {
    flag_mutex mutex;
    watching up{mutex};
    allot::synchronized_adaptor shared{up, mutex};
    shared.deallocate(nullptr, 8, 1);
    CHECK(mutex.locks == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("where the mutex throws, allocate has done nothing, and the rest ends the program") {
    allot::checking_resource up;
    allot::synchronized_adaptor<allot::checking_resource, broken_mutex> broken{up};
    CHECK_THROWS_AS((void)broken.allocate(8, 8), std::runtime_error);
    CHECK(up.attempts() == 0);
    CHECK(dies([&] { (void)broken.try_allocate(8, 8); }));
    CHECK(dies([&] { broken.deallocate(&up, 8, 8); }));
    CHECK(dies([&] { (void)broken.owns(&up); }));
  }
#endif

  TEST_CASE("several threads share an upstream that is for one at a time") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up}; // its counters are plain
    allot::synchronized_adaptor shared{counted};
    race(4, 1, [&](unsigned thread, unsigned) { use_at_random(shared, thread); });
    CHECK(counted.used() == 0);
    CHECK(counted.snapshot().allocations == counted.snapshot().deallocations);
    CHECK(counted.snapshot().allocations > 1000);
  }

  TEST_CASE("two adaptors with one mutex share an upstream") {
    allot::checking_resource up;
    allot::counting_adaptor counted{up};
    std::mutex mutex;
    allot::synchronized_adaptor one{counted, mutex};
    allot::synchronized_adaptor other{counted, mutex};
    race(4, 1, [&](unsigned thread, unsigned) { use_at_random(thread % 2 == 0 ? one : other, thread); });
    CHECK(counted.used() == 0);
    CHECK(counted.snapshot().live_blocks == 0);
  }
}
