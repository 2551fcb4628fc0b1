#include <allot/interop/boost.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/source/null_resource.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/container/pmr/memory_resource.hpp>
#include <boost/container/pmr/vector.hpp>

#include "support/conformance.hpp"
#include "support/death.hpp"

#if ALLOT_HAS_BOOST_CONTAINER
#include <boost/container/pmr/global_resource.hpp>
#include <boost/container/pmr/monotonic_buffer_resource.hpp>
#include <boost/container/pmr/synchronized_pool_resource.hpp>
#include <boost/container/pmr/unsynchronized_pool_resource.hpp>
#endif

namespace boost_interface = boost::container::pmr;

namespace {

/// Both adaptors, the types known all the way.
struct there_and_back_fixture {
  allot::probe_upstream up;
  allot::boost_adaptor<allot::probe_upstream> below{up};
  allot::std_adaptor<decltype(below)> r{below};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// The same over an arena: what a container of Boost in an arena gets.
struct arena_fixture {
  allot::bump_resource<20000> arena;
  allot::boost_adaptor<decltype(arena)> below{arena};
  allot::std_adaptor<decltype(below)> r{below};
  auto& resource() { return r; }
  static constexpr bool reuses_memory = false;
  static constexpr bool bounded = true;
};

#if ALLOT_EXCEPTIONS
/// Only the interfaces are known.
struct dynamic_fixture {
  allot::probe_upstream up;
  allot::boost_adaptor<> below{up};
  allot::std_adaptor<> r{below};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

/// A resource of Boost that does as the test says.
class scripted final : public boost_interface::memory_resource {
public:
  void* answer = nullptr;
  void (*failing)() = nullptr;
  void* given_back = nullptr;
  allot::layout given_as;

private:
  void* do_allocate(std::size_t, std::size_t) override {
    if (failing != nullptr) failing();
    return answer;
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    given_back = p;
    given_as = {bytes, alignment};
  }
  bool do_is_equal(const boost_interface::memory_resource& other) const noexcept override { return this == &other; }
};
#endif

/// Knows whether it was called by its type or through the interface.
class called_by_type final : public std::pmr::memory_resource {
public:
  std::size_t direct = 0;
  std::size_t virtual_calls = 0;
  std::byte block[8];

  void* allocate(std::size_t, std::size_t) { return ++direct, block; }
  void deallocate(void*, std::size_t, std::size_t) { ++direct; }

private:
  void* do_allocate(std::size_t, std::size_t) override { return ++virtual_calls, block; }
  void do_deallocate(void*, std::size_t, std::size_t) override { ++virtual_calls; }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }
};

/// Equal to every other of its kind, as a resource over one heap is.
class one_heap final : public std::pmr::memory_resource {
  void* do_allocate(std::size_t n, std::size_t a) override { return std::pmr::new_delete_resource()->allocate(n, a); }
  void do_deallocate(void* p, std::size_t n, std::size_t a) override {
    std::pmr::new_delete_resource()->deallocate(p, n, a);
  }
  bool do_is_equal(const std::pmr::memory_resource&) const noexcept override { return true; }
};

template <class R>
concept fits_as_boost = requires(R&& r) {
  allot::as_boost(static_cast<R&&>(r));
};
template <class R>
concept fits_as_std = requires(R&& r) {
  allot::as_std(static_cast<R&&>(r));
};

constexpr std::size_t sizes[] = {0, 1, 7, 8, 24, 100, 4096, 70000};
constexpr std::size_t alignments[] = {1, 2, 4, 8, 16, 32, 64, 128, 4096, 65536};

} // namespace

TEST_SUITE("boost") {
  TEST_CASE("as_std(as_boost(r)) keeps the contract of a memory resource") { check_contract<there_and_back_fixture>(); }
  TEST_CASE("and so it does over an arena") { check_contract<arena_fixture>(); }
#if ALLOT_EXCEPTIONS
  TEST_CASE("and so it does where only the interfaces are known") { check_contract<dynamic_fixture>(); }
#endif

  TEST_CASE("as_boost: an example") {
    // [as_boost]
    allot::bump_resource<4096> arena;
    auto for_boost = allot::as_boost(arena);

    boost::container::pmr::vector<int> v{&for_boost};
    v.resize(100);
    CHECK(arena.used() == 400);
    // [as_boost]
  }

#if ALLOT_EXCEPTIONS && ALLOT_HAS_BOOST_CONTAINER
  TEST_CASE("as_std: an example") {
    // [as_std]
    boost::container::pmr::unsynchronized_pool_resource pool;
    auto for_std = allot::as_std(pool, "pool");

    const std::pmr::vector<int> v(100, 7, &for_std);
    allot::counting_adaptor counted{for_std}; // it is a resource of allot: adaptors go on top
    // [as_std]
    CHECK(v.back() == 7);
    CHECK(counted.name() == nullptr);
    CHECK(for_std.name() == std::string_view{"pool"});
  }
#endif

  TEST_CASE("every size and alignment arrives as Boost's caller gave it, and comes back as it was") {
    allot::checking_resource memory;
    auto b = allot::as_boost(memory);
    boost_interface::memory_resource& interface = b;
    for (const std::size_t bytes : sizes) {
      for (const std::size_t alignment : alignments) {
        void* const p = interface.allocate(bytes, alignment);
        CHECK(memory.last_allocated() == allot::layout{bytes, alignment});
        interface.deallocate(p, bytes, alignment);
        CHECK(memory.last_deallocated() == allot::layout{bytes, alignment});
      }
    }
    CHECK(memory.live_blocks() == 0);
  }

  TEST_CASE("every size and alignment arrives at Boost's resource as std's caller gave it") {
    allot::checking_resource memory;
    auto b = allot::as_boost(memory);
    auto s = allot::as_std(b);
    std::pmr::memory_resource& interface = s;
    for (const std::size_t bytes : sizes) {
      for (const std::size_t alignment : alignments) {
        void* const p = interface.allocate(bytes, alignment);
        CHECK(memory.last_allocated() == allot::layout{bytes, alignment});
        interface.deallocate(p, bytes, alignment);
        CHECK(memory.last_deallocated() == allot::layout{bytes, alignment});
      }
    }
    CHECK(memory.live_blocks() == 0);
  }

  TEST_CASE("an upstream of a known type is called by its type") {
    called_by_type up;
    auto b = allot::as_boost(up);
    boost_interface::memory_resource& interface = b;
    interface.deallocate(interface.allocate(8, 1), 8, 1);
    CHECK(up.direct == 2);
    CHECK(up.virtual_calls == 0);

    std::pmr::memory_resource& unknown = up;
    auto dynamic = allot::as_boost(unknown);
    dynamic.deallocate(dynamic.allocate(8, 1), 8, 1);
    CHECK(up.virtual_calls == 2);
  }

  TEST_CASE("temporaries are refused, and so is what is no resource of the side in question") {
    using arena = allot::bump_resource<64>;
    static_assert(fits_as_boost<arena&> && !fits_as_boost<arena> && !fits_as_boost<const arena&>);
    static_assert(fits_as_std<allot::boost_adaptor<arena>&> && !fits_as_std<allot::boost_adaptor<arena>>);
    static_assert(!fits_as_boost<allot::boost_adaptor<arena>&> && !fits_as_std<arena&>);
    static_assert(!std::copy_constructible<allot::boost_adaptor<arena>>);
    static_assert(std::same_as<decltype(allot::as_boost(std::declval<arena&>())), allot::boost_adaptor<arena>>);
    arena a;
    const auto b = allot::as_boost(a);
    CHECK(b.upstream_resource() == &a);
  }

#if defined(__cpp_rtti)
  TEST_CASE("on Boost's side adaptors of one resource are equal, whatever their static types") {
    allot::bump_resource<64> arena, other;
    const auto a = allot::as_boost(arena), again = allot::as_boost(arena), different = allot::as_boost(other);
    std::pmr::memory_resource& unknown = arena;
    const auto dynamic = allot::as_boost(unknown);

    CHECK(a.is_equal(again));
    CHECK(a.is_equal(dynamic));
    CHECK(dynamic.is_equal(a));
    CHECK(!a.is_equal(different));
  }

  TEST_CASE("on Boost's side adaptors are equal where their upstreams say that they are") {
    one_heap first, second;
    CHECK(allot::as_boost(first).is_equal(allot::as_boost(second)));
  }

  TEST_CASE("a block of one adaptor can be given back to an equal one: a container moves without a copy") {
    allot::checking_resource memory;
    auto first = allot::as_boost(memory);
    auto second = allot::as_boost(memory);
    boost_interface::vector<int> from(100, 1, &first);
    const int* const data = from.data();

    const boost_interface::vector<int> to(boost::move(from), &second);
    CHECK(to.data() == data);
    CHECK(memory.allocations() == 1);
  }
#endif

  TEST_CASE("an adaptor is equal to itself, and not to another resource of Boost") {
    allot::bump_resource<64> arena;
    const auto a = allot::as_boost(arena);
    CHECK(a.is_equal(a));
#if ALLOT_EXCEPTIONS
    const scripted foreign;
    CHECK(!a.is_equal(foreign));
#endif
  }

  TEST_CASE("on std's side an adaptor is equal only to itself") {
    allot::bump_resource<64> arena;
    auto b = allot::as_boost(arena);
    const auto first = allot::as_std(b), second = allot::as_std(b);
    CHECK(first.is_equal(first));
    CHECK(!first.is_equal(second));
    CHECK(!first.is_equal(arena));
  }

  TEST_CASE("owns and try_allocate pass through both") {
    allot::bump_resource<64> arena;
    auto b = allot::as_boost(arena);
    auto s = allot::as_std(b);
    static_assert(decltype(b)::owns_is_exact && decltype(s)::owns_is_exact);
    static_assert(allot::tries<decltype(b)> && allot::tries<decltype(s)>);
    const int outside = 0;

    void* const p = s.try_allocate(64, 1);
    CHECK(arena.owns(p) == allot::ownership::yes);
    CHECK(b.owns(p) == allot::ownership::yes);
    CHECK(s.owns(p) == allot::ownership::yes);
    CHECK(s.owns(&outside) == allot::ownership::no);
    CHECK(b.try_allocate(1, 1) == nullptr);
    CHECK(s.try_allocate(1, 1) == nullptr);
    CHECK(s.try_allocate(std::numeric_limits<std::size_t>::max(), 1) == nullptr);
  }

  TEST_CASE("null given back to the adaptor itself is ignored") {
    called_by_type up;
    auto b = allot::as_boost(up);
    b.deallocate(nullptr, 8, 8);
    CHECK(up.direct == 0);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("an alignment of 0 or 24 is a broken precondition on Boost's side too") {
    allot::bump_resource<64> arena;
    auto b = allot::as_boost(arena);
    boost_interface::memory_resource& interface = b;
    CHECK(dies([&] { (void)interface.allocate(8, 0); }, "is_alignment"));
    CHECK(dies([&] { interface.deallocate(&arena, 8, 24); }, "is_alignment"));
  }
#endif

#if ALLOT_EXCEPTIONS
  TEST_CASE("allot's failures reach Boost's caller as they are") {
    allot::null_resource nothing;
    auto b = allot::as_boost(nothing);
    boost_interface::vector<int> v{&b};
    CHECK_THROWS_AS(v.resize(1), allot::out_of_memory);
    try {
      v.resize(25);
    } catch (const allot::out_of_memory& e) {
      CHECK(e.record().bytes == 100);
      CHECK(e.record().resource == std::string_view{"null_resource"});
    }
    CHECK(v.empty());
  }

  TEST_CASE("null from a resource of Boost is a failure, also through the interface") {
    scripted up;
    auto s = allot::as_std(up, "boost's");
    std::pmr::memory_resource& interface = s;
    CHECK_THROWS_AS((void)s.allocate(10, 2), allot::out_of_memory);
    CHECK_THROWS_AS((void)interface.allocate(10, 2), allot::out_of_memory);
    CHECK(s.try_allocate(10, 2) == nullptr);
    try {
      (void)interface.allocate(10, 2);
    } catch (const allot::out_of_memory& e) {
      CHECK(e.record().resource == std::string_view{"std_adaptor"});
      CHECK(e.record().name == std::string_view{"boost's"});
      CHECK(e.record().bytes == 10);
      CHECK(e.record().alignment == 2);
    }
    CHECK(up.given_back == nullptr);
  }

  TEST_CASE("a block that is not aligned as it was asked for goes back, and is a failure") {
    alignas(64) std::byte memory[128];
    scripted up;
    up.answer = memory + 16;
    auto s = allot::as_std(up);
    CHECK(s.allocate(8, 16) == memory + 16);
    CHECK(up.given_back == nullptr);

    CHECK(s.try_allocate(8, 32) == nullptr);
    CHECK(up.given_back == memory + 16);
    CHECK(up.given_as == allot::layout{8, 32});

    up.given_back = nullptr;
    CHECK_THROWS_AS((void)s.allocate(9, 64), allot::out_of_memory);
    CHECK(up.given_back == memory + 16);
    CHECK(up.given_as == allot::layout{9, 64});
  }

  TEST_CASE("boost::container::bad_alloc, which is no std::bad_alloc, becomes out_of_memory") {
    static_assert(!std::derived_from<boost::container::bad_alloc, std::bad_alloc>);
    scripted up;
    up.failing = [] { boost::container::throw_bad_alloc(); };
    auto s = allot::as_std(up);
    CHECK_THROWS_AS((void)s.allocate(1, 1), allot::out_of_memory);
    CHECK(s.try_allocate(1, 1) == nullptr);
  }

  TEST_CASE("any other exception of a resource of Boost goes on, a std::bad_alloc with its own type") {
    scripted up;
    auto s = allot::as_std(up);
    up.failing = [] { throw allot::budget_exceeded{{.reason = allot::failure_reason::budget_exceeded}}; };
    CHECK_THROWS_AS((void)s.allocate(1, 1), allot::budget_exceeded);
    CHECK(s.try_allocate(1, 1) == nullptr);
    up.failing = [] { throw 7; };
    CHECK_THROWS_AS((void)s.allocate(1, 1), int);
  }

  TEST_CASE("nobody gets a size near SIZE_MAX, and a vector's arithmetic is not fooled") {
    allot::checking_resource memory;
    auto b = allot::as_boost(memory);
    boost_interface::memory_resource& interface = b;
    for (const std::size_t alignment : alignments) {
      CHECK_THROWS_AS((void)interface.allocate(std::numeric_limits<std::size_t>::max(), alignment), std::bad_alloc);
      CHECK_THROWS_AS((void)interface.allocate(std::numeric_limits<std::size_t>::max() - alignment, alignment),
                      std::bad_alloc);
    }
    boost_interface::vector<long> v{&b};
    CHECK_THROWS((void)v.reserve(std::numeric_limits<std::size_t>::max() / 8 + 1));
    CHECK(memory.allocations() == 0);
  }

  TEST_CASE("over a foreign std resource try_allocate turns std::bad_alloc into null") {
    std::pmr::memory_resource& nothing = *std::pmr::null_memory_resource();
    auto b = allot::as_boost(nothing);
    CHECK(b.try_allocate(8, 8) == nullptr);
    CHECK(b.owns(&b) == allot::ownership::unknown);
    CHECK_THROWS_AS((void)b.allocate(8, 8), std::bad_alloc);
  }
#endif

#if ALLOT_HAS_BOOST_CONTAINER && ALLOT_EXCEPTIONS
  TEST_CASE("resources of Boost over as_boost give everything back with the right sizes") {
    allot::checking_resource memory;
    auto below = allot::as_boost(memory);
    {
      boost_interface::monotonic_buffer_resource monotonic{&below};
      boost_interface::unsynchronized_pool_resource pool{&below};
      for (std::size_t bytes = 1; bytes < 5000; bytes += 97) {
        (void)monotonic.allocate(bytes, 8);
        pool.deallocate(pool.allocate(bytes, 8), bytes, 8);
      }
      CHECK(memory.allocations() > 2);
    }
    CHECK(memory.status() == 0);
  }

  TEST_CASE("resources of Boost that ignore alignments above max_align give no block that is misaligned") {
    const auto refusals = [](boost_interface::memory_resource& boosts) {
      auto s = allot::as_std(boosts);
      std::size_t refused = 0;
      std::vector<void*> blocks;
      for (int i = 0; i < 64; ++i) {
        if (void* const p = s.try_allocate(48, 1024)) {
          CHECK(reinterpret_cast<std::uintptr_t>(p) % 1024 == 0);
          blocks.push_back(p);
        } else {
          ++refused;
        }
      }
      for (void* const p : blocks)
        s.deallocate(p, 48, 1024);
      return refused;
    };
    allot::checking_resource memory;
    auto below = allot::as_boost(memory);
    {
      boost_interface::unsynchronized_pool_resource pool{&below};
      boost_interface::synchronized_pool_resource shared_pool{&below};
      // 64 blocks of 48 bytes do not all lie at multiples of 1024 by chance.
      CHECK(refusals(*boost_interface::new_delete_resource()) > 0);
      CHECK(refusals(pool) > 0);
      CHECK(refusals(shared_pool) > 0);
    }
    CHECK(memory.status() == 0);
  }
#endif
}
