#include <allot/core/chain.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/tag_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/arena/sizing_resource.hpp>
#include <allot/core/static_slot.hpp>
#include <allot/source/malloc_resource.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/failing_adaptor.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>
#include <support/race.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace allot::literals;

namespace {

using allot::layer;
using allot::over;
using allot::ownership;
using allot::source;

struct owning_fixture {
  allot::chain<allot::layers<allot::counting_adaptor<allot::counting_adaptor<allot::probe_upstream>>,
                             allot::counting_adaptor<allot::probe_upstream>, allot::probe_upstream>>
      r{layer<allot::counting_adaptor>(), layer<allot::counting_adaptor>(), source<allot::probe_upstream>()};
  auto& resource() { return r; }
  auto& upstream() { return r.layer<allot::probe_upstream>(); }
};

auto counting_over(allot::probe_upstream& up) {
  return allot::chain{layer<allot::counting_adaptor>(), layer<allot::failing_adaptor>(), over(up)};
}

struct shared_fixture {
  allot::probe_upstream up;
  decltype(counting_over(up)) r{counting_over(up)};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct chain_over_chain_fixture {
  allot::probe_upstream up;
  decltype(counting_over(up)) inner{counting_over(up)};
  decltype(allot::chain{layer<allot::counting_adaptor>(), over(inner)}) r{layer<allot::counting_adaptor>(),
                                                                          over(inner)};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct source_alone_fixture {
  decltype(allot::chain{source<allot::probe_upstream>()}) r{source<allot::probe_upstream>()};
  auto& resource() { return r; }
  auto& upstream() { return r.layer<0>(); }
};

struct throws_at_birth {};

/// Writes down its birth and its end, and each call; throws at its birth where that is asked for.
template <class Upstream>
class traced final : public allot::adaptor_interface<traced<Upstream>, Upstream> {
  using base = allot::adaptor_interface<traced, Upstream>;
  friend base;
  friend allot::resource_interface<traced>;

public:
  static constexpr const char* class_name = "traced";

  traced(Upstream& up, std::string& journal, const char* name, bool throws = false)
      : base{up, name}, journal_{journal} {
#if ALLOT_EXCEPTIONS
    if (throws) throw throws_at_birth{};
#else
    static_cast<void>(throws);
#endif
    journal_.append("+").append(name);
  }
  ~traced() override { journal_.append("-").append(this->name()); }

private:
  void allocated(void*, std::size_t, std::size_t) noexcept { journal_.append("!").append(this->name()); }

  std::string& journal_;
};

/// Has a value among its template parameters, and one without a default.
template <class Upstream, std::size_t Most, std::size_t Times = 1>
class small_only final : public allot::adaptor_interface<small_only<Upstream, Most, Times>, Upstream> {
  using base = allot::adaptor_interface<small_only, Upstream>;
  friend base;
  friend allot::resource_interface<small_only>;

public:
  static constexpr const char* class_name = "small_only";
  explicit small_only(Upstream& up, const char* name = nullptr) noexcept : base{up, name} {}

private:
  bool admit(std::size_t bytes, std::size_t) noexcept { return bytes <= Most * Times; }
};

template <class Upstream, std::size_t Most = 10>
class with_default final : public allot::adaptor_interface<with_default<Upstream, Most>, Upstream> {
public:
  static constexpr const char* class_name = "with_default";
  static constexpr std::size_t most = Most;
  explicit with_default(Upstream& up) noexcept : with_default::adaptor_interface{up, nullptr} {}
};

/// An argument that knows how often it was copied and moved.
struct travelled {
  travelled() = default;
  travelled(const travelled& other) : copies{other.copies + 1}, moves{other.moves} {}
  travelled(travelled&& other) noexcept : copies{other.copies}, moves{other.moves + 1} {}
  int copies = 0;
  int moves = 0;
};

template <class Upstream>
class keeper final : public allot::adaptor_interface<keeper<Upstream>, Upstream> {
public:
  static constexpr const char* class_name = "keeper";
  keeper(Upstream& up, travelled given, std::unique_ptr<int> own, int& seen)
      : keeper::adaptor_interface{up, nullptr}, kept{std::move(given)}, owned{std::move(own)}, referred{seen} {}

  travelled kept;
  std::unique_ptr<int> owned;
  int& referred;
};

#if ALLOT_EXCEPTIONS // without them a chain over this does not compile
/// Someone else's adaptor: it can be copied, and has no deduction guide against that.
template <class Upstream>
class foreign_adaptor : public std::pmr::memory_resource {
public:
  explicit foreign_adaptor(Upstream& up) : up_{&up} {}

private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override { return up_->allocate(bytes, alignment); }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    up_->deallocate(p, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  Upstream* up_;
};
#endif

} // namespace

// [example]
using tenant_budget = allot::limit_adaptor<allot::malloc_resource>;

auto make_request_memory(tenant_budget& tenant) {
  return allot::chain{allot::layer<allot::limit_adaptor>(16_KiB, "request"), // outermost: what containers call
                      allot::layer<allot::counting_adaptor>(),
                      allot::over(tenant)}; // shared with other requests, and outlives them
}

struct request {
  explicit request(tenant_budget& tenant) : memory(make_request_memory(tenant)) {} // built here, and never moved

  decltype(make_request_memory(std::declval<tenant_budget&>())) memory;
  std::pmr::vector<int> words{&memory};
};

std::size_t bytes_of_a_request() {
  allot::malloc_resource heap;
  tenant_budget tenant{heap, 1_MiB, "tenant"};
  request r{tenant};
  r.words.assign({1, 2, 3});
  return r.memory.layer<allot::counting_adaptor>().used();
}
// [example]

// [static]
auto make_receive_memory(std::span<std::byte> bytes) noexcept {
  return allot::chain{allot::layer<allot::counting_adaptor>("rx"), allot::source<allot::bump_resource<>>(bytes)};
}

constinit allot::static_slot<decltype(make_receive_memory({})), 4_KiB> receive_memory; // .bss, no code before main

auto& receive_memory_once() { return receive_memory.claim(make_receive_memory, "rx"); }
// [static]

TEST_SUITE("chain") {
  TEST_CASE("the example keeps its promise") { CHECK(bytes_of_a_request() == 3 * sizeof(int)); }

  TEST_CASE_TEMPLATE("keeps the contract of a memory resource", Fixture, owning_fixture, shared_fixture,
                     chain_over_chain_fixture, source_alone_fixture) {
    check_contract<Fixture>();
  }

  TEST_CASE("reads as data: a budget over counters over an arena, in one object") {
    allot::chain request{layer<allot::limit_adaptor>(16_KiB), layer<allot::counting_adaptor>(),
                         source<allot::bump_resource<64_KiB>>()};
    std::pmr::vector<char> v(10_KiB, &request);
    CHECK(request.layer<allot::limit_adaptor>().headroom() == 6_KiB);
    CHECK(request.layer<allot::counting_adaptor>().used() == 10_KiB);
    CHECK(request.layer<allot::bump_resource<64_KiB>>().used() == 10_KiB);
    CHECK(request.try_allocate(6_KiB + 1, 1) == nullptr);
    CHECK(request.layer<allot::counting_adaptor>().snapshot().failures == 0); // refused above it
  }

  TEST_CASE("is built from the source outwards, called from the outside inwards, and destroyed the other way round") {
    std::string journal;
    {
      allot::chain c{layer<traced>(std::ref(journal), "a"), layer<traced>(std::ref(journal), "b"),
                     layer<traced>(std::ref(journal), "c"), source<allot::bump_resource<64>>()};
      CHECK(journal == "+c+b+a");
      (void)c.allocate(8, 8);
      CHECK(journal == "+c+b+a!c!b!a"); // observers record on the way back
    }
    CHECK(journal == "+c+b+a!c!b!a-a-b-c");
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("where a layer cannot be built, those below it are destroyed and its exception goes on") {
    std::string journal;
    const auto make = [&](bool a, bool b, bool c) {
      return allot::chain{layer<traced>(std::ref(journal), "a", a), layer<traced>(std::ref(journal), "b", b),
                          layer<traced>(std::ref(journal), "c", c), source<allot::bump_resource<64>>()};
    };
    CHECK_THROWS_AS(make(true, false, false), throws_at_birth);
    CHECK(std::exchange(journal, "") == "+c+b-b-c");
    CHECK_THROWS_AS(make(false, true, false), throws_at_birth);
    CHECK(std::exchange(journal, "") == "+c-c");
    CHECK_THROWS_AS(make(false, false, true), throws_at_birth);
    CHECK(journal.empty());
  }
#endif

  TEST_CASE("every layer's type is known, and deduced as if it were written by hand") {
    using arena = allot::bump_resource<64>;
    using inner = allot::counting_adaptor<arena, allot::shared_counters_t>;
    using outer = allot::counting_adaptor<inner>;
    allot::chain c{layer<allot::counting_adaptor>(), layer<allot::counting_adaptor>(allot::shared_counters, "rx"),
                   source<arena>("memory")};
    CHECK(std::is_same_v<decltype(c), allot::chain<allot::layers<outer, inner, arena>>>);
    CHECK(decltype(c)::depth == 3);
    CHECK(c.layer<0>().name() == nullptr);
    CHECK(std::string_view{c.layer<1>().name()} == "rx");
    CHECK(std::string_view{c.layer<2>().name()} == "memory");
  }

  TEST_CASE("a type named in full is taken as it is, over a base class too") {
    allot::chain c{layer<allot::counting_adaptor<allot::resource>>("any"), layer<allot::failing_adaptor>(),
                   source<allot::bump_resource<64>>()};
    CHECK(std::is_same_v<decltype(c.layer<0>()), allot::counting_adaptor<allot::resource>&>);
    CHECK(c.layer<0>().upstream_resource() == &c.layer<1>());
    CHECK(c.try_allocate(65, 1) == nullptr);
    CHECK(c.layer<0>().snapshot().failures == 1);
  }

  TEST_CASE("a layer over one of its own type stands over it, and is no copy") {
    using erased = allot::counting_adaptor<allot::resource>;
    allot::chain c{layer<erased>(), layer<erased>(), source<allot::bump_resource<64>>()};
    CHECK(c.layer<0>().upstream_resource() == &c.layer<1>());
    (void)c.allocate(8, 8);
    CHECK(c.layer<1>().used() == 8);
  }

  TEST_CASE("values among the parameters of an adaptor are its defaults, or given with it") {
    allot::chain c{layer<small_only, 4, 2>("small"), layer<with_default, 3>(), layer<with_default>(),
                   source<allot::bump_resource<64>>()};
    CHECK(c.layer<1>().most == 3);
    CHECK(c.layer<2>().most == 10);
    CHECK(&c.layer<small_only>() == &c.layer<0>());
    CHECK(&std::as_const(c).layer<small_only>() == &c.layer<0>());
    CHECK(c.try_allocate(8, 1) != nullptr);
    CHECK(c.try_allocate(9, 1) == nullptr);
  }

  TEST_CASE("an arena that takes chunks from below is a layer by its name alone") {
    allot::chain c{layer<allot::monotonic_resource>(), layer<allot::sizing_resource>(),
                   source<allot::bump_resource<4096>>()};
    CHECK(c.layer<allot::monotonic_resource>().upstream_resource() == &c.layer<1>());
    (void)c.allocate(8, 8);
    CHECK(c.layer<allot::sizing_resource>().requests() == 1);
  }

  TEST_CASE("a layer is found by its index, its class or its type, and is const where the chain is") {
    allot::chain c{layer<allot::counting_adaptor>(), layer<allot::failing_adaptor>(),
                   source<allot::bump_resource<64>>()};
    CHECK(static_cast<void*>(&c.layer<allot::counting_adaptor>()) == &c.layer<0>());
    CHECK(&c.layer<allot::failing_adaptor<allot::bump_resource<64>>>() == &c.layer<1>());
    CHECK(&c.layer<allot::bump_resource<64>>() == &c.layer<2>());

    const auto& same = c;
    CHECK(&same.layer<0>() == &c.layer<0>());
    CHECK(&same.layer<allot::failing_adaptor>() == &c.layer<1>());
    CHECK(&same.layer<allot::bump_resource<64>>() == &c.layer<2>());
    CHECK(std::is_same_v<decltype(same.layer<2>()), const allot::bump_resource<64>&>);
    CHECK(std::is_same_v<decltype(c.layer<2>()), allot::bump_resource<64>&>);
    CHECK(std::is_const_v<std::remove_reference_t<decltype(same.layer<allot::failing_adaptor>())>>);
  }

  TEST_CASE("a layer of a template that has values among its parameters is found by it, in a const chain too") {
    allot::bump_resource<64> elsewhere;
    allot::chain c{layer<allot::counting_adaptor>(), layer<allot::tag_adaptor>(), over(elsewhere)};
    const auto& same = c;
    CHECK(&c.layer<allot::tag_adaptor>() == &c.layer<1>());
    CHECK(&same.layer<allot::tag_adaptor>() == &c.layer<1>());
    CHECK(std::is_const_v<std::remove_reference_t<decltype(same.layer<allot::tag_adaptor>())>>);
  }

  TEST_CASE("a reference to a source is found like a source, and is const in a const chain") {
    allot::bump_resource<64> elsewhere;
    const allot::chain c{layer<allot::counting_adaptor>(), over(elsewhere)};
    CHECK(&c.layer<1>() == &elsewhere);
    CHECK(&c.layer<allot::bump_resource<64>>() == &elsewhere);
    CHECK(std::is_same_v<decltype(c.layer<1>()), const allot::bump_resource<64>&>);
  }

  TEST_CASE("a report reaches every layer, and what is below a reference, by upstream_resource") {
    allot::checking_resource memory;
    allot::counting_adaptor tenant{memory, "tenant"};
    allot::chain c{layer<allot::counting_adaptor>("request"), layer<allot::failing_adaptor>(), over(tenant)};
    CHECK(c.upstream_resource() == &c.layer<0>());
    CHECK(std::as_const(c).upstream_resource() == &c.layer<0>());
    CHECK(c.upstream_resource()->upstream_resource() == &c.layer<1>());
    CHECK(c.layer<1>().upstream_resource() == &tenant);
    CHECK(c.layer<2>().upstream_resource() == &memory);
  }

  TEST_CASE("arguments reach the layer by moves alone, and by reference where std::ref says so") {
    int seen = 1;
    const travelled mine;
    allot::chain c{layer<keeper>(travelled{}, std::make_unique<int>(42), std::ref(seen)),
                   layer<keeper>(mine, std::make_unique<int>(43), std::ref(seen)), source<allot::bump_resource<64>>()};
    CHECK(c.layer<0>().kept.copies == 0);
    CHECK(c.layer<1>().kept.copies == 1);
    CHECK(*c.layer<0>().owned == 42);
    CHECK(&c.layer<0>().referred == &seen);
    CHECK(&c.layer<1>().referred == &seen);
  }

  TEST_CASE("a recipe that is kept builds more than one chain") {
    const auto counted = layer<allot::counting_adaptor>("kept");
    allot::chain c{counted, source<allot::bump_resource<64>>()};
    allot::chain d{counted, source<allot::bump_resource<64>>()};
    CHECK(std::string_view{c.layer<0>().name()} == "kept");
    CHECK(std::string_view{d.layer<0>().name()} == "kept");
  }

  TEST_CASE("is built without a throw where all its layers are, and says so") {
    allot::bump_resource<64> elsewhere;
    std::string journal;
    CHECK(noexcept(allot::chain{layer<allot::counting_adaptor>("rx"), source<allot::bump_resource<64>>()}));
    CHECK(noexcept(allot::chain{layer<allot::counting_adaptor>(), over(elsewhere)}));
    CHECK_FALSE(noexcept(allot::chain{layer<traced>(std::ref(journal), "a"), over(elsewhere)}));
    CHECK_FALSE(noexcept(
        allot::chain{layer<allot::counting_adaptor>(), layer<traced>(std::ref(journal), "a"), over(elsewhere)}));
    CHECK_FALSE(noexcept(layer<keeper>(std::declval<const travelled&>()))); // to copy it may throw
  }

  TEST_CASE("several chains stand on one shared resource, and give back all that they took") {
    allot::checking_resource memory;
    allot::counting_adaptor tenant{memory, "tenant"};
    {
      allot::chain first{layer<allot::counting_adaptor>(), over(tenant)};
      allot::chain second{layer<allot::counting_adaptor>(), over(tenant)};
      void* const p = first.allocate(10, 2);
      std::pmr::vector<char> v(20, &second);
      CHECK(first.layer<0>().used() == 10);
      CHECK(second.layer<0>().used() == 20);
      CHECK(tenant.used() == 30);
      first.deallocate(p, 10, 2);
    }
    CHECK(tenant.used() == 0);
    CHECK(tenant.snapshot().peak_bytes == 30);
  }

  TEST_CASE("chains of two threads stand on one budget, which admits what it can hold and no more") {
    allot::malloc_resource heap;
    allot::limit_adaptor tenant{heap, 3000, "tenant"};
    allot::counting_adaptor<decltype(tenant), allot::shared_counters_t> counted{tenant};
    std::atomic<std::size_t> refused{0};
    std::atomic<std::size_t> wrong{0};
    support::race(2, 500, [&](unsigned, unsigned) {
      allot::chain mine{layer<allot::limit_adaptor>(2000_B), layer<allot::counting_adaptor>(), over(counted)};
      void* const p = mine.try_allocate(2000, 8);
      if (p == nullptr) ++refused;
      if (mine.layer<1>().used() != (p == nullptr ? 0 : 2000)) ++wrong;
      mine.deallocate(p, 2000, 8);
    });
    CHECK(wrong == 0);
    CHECK(refused < 1000);
    CHECK(tenant.used() == 0);
    CHECK(tenant.peak() <= 3000);
    CHECK(counted.snapshot().failures == refused);
  }

  TEST_CASE("a chain is the source of a chain, owned or by reference") {
    using arena = allot::bump_resource<64_KiB>;
    using inner_type = decltype(allot::chain{layer<allot::counting_adaptor>(), source<arena>()});
    allot::chain outer{layer<allot::counting_adaptor>(),
                       source<inner_type>(layer<allot::counting_adaptor>("inner"), source<arena>())};
    allot::chain outermost{layer<allot::counting_adaptor>(), over(outer)};
    void* const p = outermost.allocate(24, 8);
    CHECK(outermost.layer<0>().used() == 24);
    CHECK(outer.layer<0>().used() == 24);
    CHECK(outer.layer<inner_type>().layer<0>().used() == 24);
    CHECK(std::string_view{outer.layer<1>().layer<0>().name()} == "inner");
    CHECK(outermost.owns(p) == ownership::yes);
    outermost.deallocate(p, 24, 8);
    CHECK(outer.layer<1>().layer<0>().used() == 0);
  }

  TEST_CASE("ownership is the source's own answer, known where that is known") {
    allot::chain known{layer<allot::counting_adaptor>(), source<allot::bump_resource<64>>()};
    CHECK(decltype(known)::owns_is_exact);
    CHECK(known.owns(known.allocate(8, 1)) == ownership::yes);
    CHECK(known.owns(&known + 1) == ownership::no);
#if ALLOT_EXCEPTIONS
    allot::chain unknown{layer<allot::counting_adaptor>(), over(*std::pmr::new_delete_resource())};
    CHECK_FALSE(decltype(unknown)::owns_is_exact);
    CHECK(unknown.owns(&unknown) == ownership::unknown);
#endif
  }

  TEST_CASE("static: claimed once over the slot's bytes, with nothing made before and nothing destroyed after") {
    CHECK(receive_memory.get() == nullptr);
    auto& memory = receive_memory_once();
    CHECK(receive_memory.get() == &memory);
    CHECK(memory.layer<1>().capacity() == 4_KiB);
    CHECK(memory.try_allocate(4_KiB, 1) != nullptr);
    CHECK(memory.layer<allot::counting_adaptor>().used() == 4_KiB);
    CHECK(receive_memory.try_claim(make_receive_memory) == nullptr);
    CHECK(std::is_trivially_destructible_v<decltype(receive_memory)>);
#if ALLOT_EXCEPTIONS
    try {
      receive_memory_once();
      FAIL("it was claimed before");
    } catch (const allot::already_claimed& refused) {
      CHECK(refused.record().name == std::string_view{"rx"});
    }
#endif
  }

  TEST_CASE("fails as its layers fail: null, and the record of the layer that refused") {
    allot::chain c{layer<allot::counting_adaptor>(), layer<small_only, 100>("small"),
                   source<allot::bump_resource<64>>("arena")};
    CHECK(c.try_allocate(101, 1) == nullptr);
    CHECK(c.try_allocate(65, 1) == nullptr);
    CHECK(c.try_allocate(std::numeric_limits<std::size_t>::max(), std::size_t{1} << 30) == nullptr);
    CHECK(c.layer<0>().snapshot().failures == 3);
#if ALLOT_EXCEPTIONS
    const auto refuser = [&](std::size_t bytes) -> std::string_view {
      try {
        (void)c.allocate(bytes, 1);
      } catch (const allot::out_of_memory& refused) {
        return refused.record().name;
      }
      return "nobody";
    };
    CHECK(refuser(101) == "small");
    CHECK(refuser(65) == "arena");
    CHECK(refuser(64) == "nobody");
#else
    CHECK(dies([&] { (void)c.allocate(101, 1); }, "allot: small_only"));
    CHECK(dies([&] { (void)c.allocate(65, 1); }, "allot: bump_resource"));
#endif
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("an adaptor that knows nothing of allot is a layer, over one of its own kind too") {
    using arena = allot::bump_resource<64>;
    allot::chain c{layer<foreign_adaptor>(), layer<foreign_adaptor>(), source<arena>()};
    CHECK(std::is_same_v<decltype(c.layer<0>()), foreign_adaptor<foreign_adaptor<arena>>&>);
    CHECK(c.try_allocate(64, 1) != nullptr);
    CHECK(c.try_allocate(1, 1) == nullptr);
    CHECK(c.layer<arena>().used() == 64);
  }

  TEST_CASE("over a foreign resource it fails by null and by that resource's own exception") {
    allot::chain alone{over(*std::pmr::null_memory_resource())};
    CHECK(alone.try_allocate(8, 8) == nullptr);
    CHECK_THROWS_AS((void)alone.allocate(8, 8), std::bad_alloc);

    allot::chain c{layer<allot::counting_adaptor>(), over(*std::pmr::null_memory_resource())};
    CHECK(c.try_allocate(8, 8) == nullptr);
    CHECK_THROWS_AS((void)c.allocate(8, 8), std::bad_alloc);
    CHECK(c.layer<0>().snapshot() == allot::counting_snapshot{.failures = 2});
  }
#endif

  TEST_CASE("through the failure of each allocation no layer's books lose a byte") {
    allot::probe_upstream up;
    auto c = counting_over(up);
    const auto result = allot::allocation_failure_loop(up, [&] {
      void* const p = c.try_allocate(100, 8);
      void* const q = c.try_allocate(0, 1);
      const bool well = p != nullptr && q != nullptr;
      c.deallocate(p, 100, 8);
      c.deallocate(q, 0, 1);
      return well;
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.failures_injected == 2);
    CHECK(c.layer<0>().used() == 0);
    CHECK(c.layer<1>().live_blocks() == 0);
  }

  TEST_CASE("adds no more to the size of its layers than a pointer, and what aligns them") {
    allot::chain c{layer<allot::counting_adaptor>(), layer<allot::failing_adaptor>(),
                   source<allot::bump_resource<64>>()};
    CHECK(sizeof c <= sizeof c.layer<0>() + sizeof c.layer<1>() + sizeof c.layer<2>() + 2 * alignof(std::max_align_t));
  }
}
