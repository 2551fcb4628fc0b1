#include <allot/core/adaptor_interface.hpp>

#include <support/death.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <memory_resource>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace {

using allot::ownership;

/// What adaptors and upstreams did, in order: "admit(8,4) allocate(8,4) allocated(@,8,4)". `@` is the upstream's block.
class journal {
public:
  void write(std::string_view who, std::string_view what, std::size_t bytes, std::size_t alignment) {
    start(who, what) += std::to_string(bytes) + "," + std::to_string(alignment) + ")";
  }
  void write(std::string_view who, std::string_view what, const void* p, std::size_t bytes, std::size_t alignment) {
    start(who, what) += p == block ? "@," : "?,";
    text_ += std::to_string(bytes) + "," + std::to_string(alignment) + ")";
  }

  /// All since the last call.
  std::string read() { return std::exchange(text_, {}); }

  alignas(64) std::byte block[64];

private:
  std::string& start(std::string_view who, std::string_view what) {
    if (!text_.empty()) text_ += ' ';
    return text_.append(who).append(what) += "(";
  }

  std::string text_;
};

enum class answer {
  a_block,
  no_memory,
  another_exception, // that is no std::bad_alloc
};

/// A resource of allot that writes down each call.
class upstream final : public allot::resource_interface<upstream> {
public:
  static constexpr const char* class_name = "upstream";
  static constexpr bool owns_is_exact = true;

  explicit upstream(journal& j) noexcept : journal_{j} {}
  answer next = answer::a_block;

private:
  friend resource_interface;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    journal_.write("", "try_allocate", bytes, alignment);
    return next == answer::a_block ? journal_.block : nullptr;
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    journal_.write("", "allocate", bytes, alignment);
#if ALLOT_EXCEPTIONS
    if (next == answer::another_exception) throw std::length_error{"not my size"};
#endif
    if (next != answer::a_block) fail(bytes, alignment);
    return journal_.block;
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    journal_.write("", "deallocate", p, bytes, alignment);
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return allot::within(p, journal_.block, 64); }

  journal& journal_;
};

#if ALLOT_EXCEPTIONS // without them an adaptor over this does not compile
/// Someone else's resource: knows neither `try_allocate` nor `owns`.
class foreign final : public std::pmr::memory_resource {
public:
  explicit foreign(journal& j) noexcept : journal_{j} {}
  answer next = answer::a_block;

private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    journal_.write("", "allocate", bytes, alignment);
    if (next == answer::no_memory) throw std::bad_alloc{};
    if (next == answer::another_exception) throw std::length_error{"not my size"};
    return journal_.block;
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    journal_.write("", "deallocate", p, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  journal& journal_;
};
#endif

/// Has every hook, and writes down each. Refuses requests above `most`.
template <class Upstream = std::pmr::memory_resource>
class recorder final : public allot::adaptor_interface<recorder<Upstream>, Upstream> {
  using base = allot::adaptor_interface<recorder, Upstream>;

public:
  static constexpr const char* class_name = "recorder";

  recorder(Upstream& up, journal& j, const char* name = nullptr) noexcept
      : base{up, name}, journal_{j}, who_{name == nullptr ? "" : std::string{name} + "."} {}

  std::size_t most = 1000;
  std::size_t charged = 0;

private:
  friend base;
  friend allot::resource_interface<recorder>;

  bool admit(std::size_t bytes, std::size_t alignment) noexcept {
    journal_.write(who_, "admit", bytes, alignment);
    if (bytes > most) return false;
    charged += bytes;
    return true;
  }
  void allocated(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    journal_.write(who_, "allocated", p, bytes, alignment);
  }
  void refused(std::size_t bytes, std::size_t alignment) noexcept {
    journal_.write(who_, "refused", bytes, alignment);
    charged -= bytes;
  }
  void releasing(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    journal_.write(who_, "releasing", p, bytes, alignment);
  }
  void released(std::size_t bytes, std::size_t alignment) noexcept {
    journal_.write(who_, "released", bytes, alignment);
    charged -= bytes;
  }

  journal& journal_;
  std::string who_;
};

template <class Upstream>
recorder(Upstream&, journal&) -> recorder<Upstream>;
template <class Upstream>
recorder(Upstream&, journal&, const char*) -> recorder<Upstream>;

/// Has no hook at all.
class bare final : public allot::adaptor_interface<bare, upstream> {
public:
  static constexpr const char* class_name = "bare";
  explicit bare(upstream& up) noexcept : adaptor_interface{up, nullptr} {}
};

static_assert(recorder<upstream>::owns_is_exact && recorder<recorder<upstream>>::owns_is_exact);
static_assert(!recorder<allot::resource>::owns_is_exact && !recorder<>::owns_is_exact);

} // namespace

TEST_SUITE("adaptor_interface") {
  TEST_CASE("allocate is admitted, asked upstream by allocate, and recorded, in this order and once") {
    journal j;
    upstream up{j};
    recorder r{up, j};
    CHECK(r.allocate(24, 8) == j.block);
    CHECK(j.read() == "admit(24,8) allocate(24,8) allocated(@,24,8)");
    CHECK(static_cast<std::pmr::memory_resource&>(r).allocate(3, 2) == j.block);
    CHECK(j.read() == "admit(3,2) allocate(3,2) allocated(@,3,2)");
    CHECK(r.charged == 27);
  }

  TEST_CASE("try_allocate is admitted, asked upstream by try_allocate, and recorded, in this order and once") {
    journal j;
    upstream up{j};
    recorder r{up, j};
    CHECK(r.try_allocate(24, 8) == j.block);
    CHECK(j.read() == "admit(24,8) try_allocate(24,8) allocated(@,24,8)");
    CHECK(static_cast<allot::resource&>(r).try_allocate(3, 2) == j.block);
    CHECK(j.read() == "admit(3,2) try_allocate(3,2) allocated(@,3,2)");
    CHECK(r.charged == 27);
  }

  TEST_CASE("a block is off the books before it goes back, and its charge lasts until it is there") {
    journal j;
    upstream up{j};
    recorder r{up, j};
    (void)r.allocate(24, 8);
    j.read();
    r.deallocate(j.block, 24, 8);
    CHECK(j.read() == "releasing(@,24,8) deallocate(@,24,8) released(24,8)");
    CHECK(r.charged == 0);
  }

  TEST_CASE("null that comes back touches neither the books nor upstream") {
    journal j;
    upstream up{j};
    recorder r{up, j};
    r.deallocate(nullptr, 24, 8);
    CHECK(j.read().empty());
  }

  TEST_CASE("zero bytes and the greatest size pass through like any other") {
    journal j;
    upstream up{j};
    recorder r{up, j};
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    r.most = most;
    CHECK(r.allocate(0, 1) == j.block);
    CHECK(j.read() == "admit(0,1) allocate(0,1) allocated(@,0,1)");
    up.next = answer::no_memory;
    CHECK(r.try_allocate(most, std::size_t{1} << 30) == nullptr);
    const std::string request = "(" + std::to_string(most) + ",1073741824)";
    CHECK(j.read() == "admit" + request + " try_allocate" + request + " refused" + request);
    CHECK(r.charged == 0);
  }

  TEST_CASE("where upstream has nothing, try_allocate undoes the charge and asks no second time") {
    journal j;
    upstream up{j};
    recorder r{up, j};
    up.next = answer::no_memory;
    CHECK(r.try_allocate(24, 8) == nullptr);
    CHECK(j.read() == "admit(24,8) try_allocate(24,8) refused(24,8)");
    CHECK(r.charged == 0);
  }

  TEST_CASE("what the layer itself refuses never reaches upstream, and there is nothing to undo") {
    journal j;
    upstream up{j};
    recorder r{up, j};
    CHECK(r.try_allocate(1001, 8) == nullptr);
    CHECK(j.read() == "admit(1001,8)");
    CHECK(r.charged == 0);
#if ALLOT_EXCEPTIONS
    CHECK_THROWS_AS((void)r.allocate(1001, 8), allot::out_of_memory);
    CHECK(j.read() == "admit(1001,8)");
#else
    CHECK(dies([&] { (void)r.allocate(1001, 8); }, "allot: recorder: no room for 1001 bytes aligned to 8"));
#endif
  }

  TEST_CASE("a hook that is left out does nothing") {
    journal j;
    upstream up{j};
    bare r{up};
    r.deallocate(r.allocate(24, 8), 24, 8);
    CHECK(r.try_allocate(3, 2) == j.block);
    up.next = answer::no_memory;
    CHECK(r.try_allocate(3, 2) == nullptr);
    CHECK(j.read() == "allocate(24,8) deallocate(@,24,8) try_allocate(3,2) try_allocate(3,2)");
  }

  TEST_CASE("over allot::resource, try_allocate stays try_allocate and ownership is known") {
    journal j;
    upstream up{j};
    recorder<allot::resource> r{up, j};
    CHECK(r.try_allocate(24, 8) == j.block);
    CHECK(j.read() == "admit(24,8) try_allocate(24,8) allocated(@,24,8)");
    CHECK(r.allocate(24, 8) == j.block);
    CHECK(j.read() == "admit(24,8) allocate(24,8) allocated(@,24,8)");
    CHECK(r.owns(j.block) == ownership::yes);
    CHECK(r.owns(&up) == ownership::no);
  }

  TEST_CASE("three deep, each layer keeps the order around the one below") {
    journal j;
    upstream up{j};
    recorder c{up, j, "c"};
    recorder b{c, j, "b"};
    recorder a{b, j, "a"};

    CHECK(a.allocate(8, 4) == j.block);
    CHECK(j.read() == "a.admit(8,4) b.admit(8,4) c.admit(8,4) allocate(8,4) "
                      "c.allocated(@,8,4) b.allocated(@,8,4) a.allocated(@,8,4)");
    a.deallocate(j.block, 8, 4);
    CHECK(j.read() == "a.releasing(@,8,4) b.releasing(@,8,4) c.releasing(@,8,4) deallocate(@,8,4) "
                      "c.released(8,4) b.released(8,4) a.released(8,4)");
    up.next = answer::no_memory;
    CHECK(a.try_allocate(8, 4) == nullptr);
    CHECK(j.read() == "a.admit(8,4) b.admit(8,4) c.admit(8,4) try_allocate(8,4) "
                      "c.refused(8,4) b.refused(8,4) a.refused(8,4)");
    CHECK(a.charged + b.charged + c.charged == 0);
  }

  TEST_CASE("three deep, a layer that refuses is where the request ends") {
    journal j;
    upstream up{j};
    recorder c{up, j, "c"};
    recorder b{c, j, "b"};
    recorder a{b, j, "a"};
    b.most = 7;
    CHECK(a.try_allocate(8, 4) == nullptr);
    CHECK(j.read() == "a.admit(8,4) b.admit(8,4) a.refused(8,4)");
#if ALLOT_EXCEPTIONS
    try {
      (void)a.allocate(8, 4);
      FAIL("b admits no more than 7 bytes");
    } catch (const allot::out_of_memory& refused) {
      CHECK(refused.record().resource == std::string_view{"recorder"});
      CHECK(refused.record().name == std::string_view{"b"}); // who refused, not who was asked
    }
    CHECK(j.read() == "a.admit(8,4) b.admit(8,4) a.refused(8,4)");
    CHECK(a.charged + b.charged + c.charged == 0);
#endif
  }

  TEST_CASE("ownership is upstream's own answer, and unknown where it cannot be asked") {
    journal j;
    upstream up{j};
    const recorder over_known{up, j};
    CHECK(over_known.owns(j.block + 63) == ownership::yes);
    CHECK(over_known.owns(j.block + 64) == ownership::no);
    CHECK(static_cast<const allot::resource&>(over_known).owns(j.block) == ownership::yes);
#if ALLOT_EXCEPTIONS
    foreign other{j};
    const recorder over_foreign{other, j};
    CHECK(over_foreign.owns(j.block) == ownership::unknown);
#endif
  }

  TEST_CASE("it tells its upstream and its name") {
    journal j;
    upstream up{j};
    const recorder named{up, j, "rx"};
    const recorder nameless{up, j};
    CHECK(named.upstream_resource() == &up);
    CHECK(named.name() == std::string_view{"rx"});
    CHECK(nameless.name() == nullptr);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("over a foreign resource the order is the same, and a block is asked for once") {
    journal j;
    foreign up{j};
    recorder r{up, j};
    CHECK(r.allocate(24, 8) == j.block);
    CHECK(j.read() == "admit(24,8) allocate(24,8) allocated(@,24,8)");
    r.deallocate(j.block, 24, 8);
    CHECK(j.read() == "releasing(@,24,8) deallocate(@,24,8) released(24,8)");
    CHECK(r.try_allocate(24, 8) == j.block);
    CHECK(j.read() == "admit(24,8) allocate(24,8) allocated(@,24,8)");
    up.next = answer::no_memory;
    CHECK(r.try_allocate(24, 8) == nullptr);
    CHECK(j.read() == "admit(24,8) allocate(24,8) refused(24,8)");
  }

  TEST_CASE("where upstream fails, allocate undoes the charge and passes upstream's own exception on") {
    journal j;
    upstream up{j};
    recorder r{up, j, "rx"};
    up.next = answer::no_memory;
    try {
      (void)r.allocate(24, 8);
      FAIL("upstream had nothing");
    } catch (const allot::out_of_memory& refused) {
      CHECK(refused.record().resource == std::string_view{"upstream"});
    }
    CHECK(j.read() == "rx.admit(24,8) allocate(24,8) rx.refused(24,8)");
    CHECK(r.charged == 0);
  }

  TEST_CASE("an upstream's exception that is no bad_alloc undoes the charge in the same way") {
    journal j;
    upstream up{j};
    foreign other{j};
    recorder r{up, j};
    recorder s{other, j};
    up.next = other.next = answer::another_exception;
    CHECK_THROWS_AS((void)r.allocate(24, 8), std::length_error);
    CHECK(j.read() == "admit(24,8) allocate(24,8) refused(24,8)");
    CHECK_THROWS_AS((void)s.allocate(24, 8), std::length_error);
    CHECK(j.read() == "admit(24,8) allocate(24,8) refused(24,8)");
    CHECK(r.charged + s.charged == 0);
  }

  TEST_CASE("three deep, an exception undoes every charge, innermost first") {
    journal j;
    upstream up{j};
    recorder c{up, j, "c"};
    recorder b{c, j, "b"};
    recorder a{b, j, "a"};
    up.next = answer::another_exception;
    CHECK_THROWS_AS((void)a.allocate(8, 4), std::length_error);
    CHECK(j.read() == "a.admit(8,4) b.admit(8,4) c.admit(8,4) allocate(8,4) c.refused(8,4) b.refused(8,4) "
                      "a.refused(8,4)");
    CHECK(a.charged + b.charged + c.charged == 0);
  }

  TEST_CASE("a failed request can be repeated") {
    journal j;
    upstream up{j};
    recorder r{up, j};
    up.next = answer::no_memory;
    CHECK_THROWS_AS((void)r.allocate(24, 8), std::bad_alloc);
    up.next = answer::a_block;
    CHECK(r.allocate(24, 8) == j.block);
    CHECK(r.charged == 24);
  }
#else
  TEST_CASE("without exceptions the handler sees upstream's own record") {
    journal j;
    upstream up{j};
    recorder r{up, j, "rx"};
    up.next = answer::no_memory;
    CHECK(dies([&] { (void)r.allocate(24, 8); }, "allot: upstream: no room for 24 bytes aligned to 8"));
  }
#endif
}
