#pragma once

#include <allot/core/ownership.hpp>
#include <allot/core/resource.hpp>
#include <allot/core/upstream.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <concepts>
#include <cstddef>
#include <memory_resource>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

/// \file
/// The contracts that every memory resource keeps, as a list of checks that any one can be put through: one of allot's
/// by its concrete type, a foreign one through `std::pmr::memory_resource`. No test framework is needed.
///
/// What is to be checked comes as a fixture, a default-constructible class that holds one fresh resource:
///
///     struct counting_fixture {
///       allot::probe_upstream up;                     // optional: the checks make it fail, and ask it what it saw
///       allot::counting_adaptor<allot::probe_upstream> r{up};
///       auto& resource() { return r; }                // the concrete type
///       auto& upstream() { return up; }
///       static constexpr bool reuses_memory = true;   // optional traits: see conformance_traits
///     };
///
///     for (const auto& check : allot::conformance_checks()) {
///       const allot::finding found = allot::run_check<counting_fixture>(check);
///       if (found.result == allot::verdict::failed) std::printf("%s: %s\n", found.check, found.reason);
///     }
///
/// Built without exceptions only `try_allocate` is called, since `allocate` could not fail and return.
///
/// Of docs/contracts.md these are not checked: the order of an adaptor's ledger and the number of upstream calls, as long
/// as none is made twice (4); that nothing is copied (9) and that lifetimes start (10), which a compiler sees; threads
/// (11); what `reserved` means (13). Equality is tried against a second resource over the same upstream only where the
/// type can be made from a `probe_upstream` alone. Memory that is written outside of a resource's own, or is lost, is
/// seen where the fixture offers an upstream, or by a sanitizer. And a fault can hide in a size that no check asks for,
/// or behind more requests than one makes: a few thousand of them.
///
/// On a small machine `malloc`, from which a `probe_upstream` takes its memory, is soon spent. A request that fails for
/// that is held against nobody, and counted in `finding::starved`.

namespace allot::inline ALLOT_ABI {

/// How a check ended.
enum class verdict : unsigned char {
  passed,         ///< it kept the contract
  failed,         ///< `finding::reason` says how
  not_applicable, ///< the resource has nothing to which the check applies; `finding::reason` says what is missing
};

/// What a check found: the first thing that was wrong, in one line.
struct finding {
  const char* check = "";           ///< the check's name
  verdict result = verdict::passed; ///< how the check ended
  char reason[256] = {};            ///< empty where it passed
  std::size_t requests = 0;         ///< for which the check asked the resource
  std::size_t starved = 0; ///< of them, those for which `malloc` had no memory; more than half make it `not_applicable`
};

/// What a fixture says of its resource (by static constants of these names), and what its types say.
struct conformance_traits {
  /// May refuse an ordinary request: a buffer of fixed size. By default true where the resource has a `capacity()`.
  bool bounded = false;
  /// A block that came back can be given out again. False for arenas and one-shot memory.
  bool reuses_memory = true;
  /// Refuses every request, as `null_resource` does.
  bool refuses_everything = false;
  /// Only one resource of the kind can live at a time: another fixture would hold the same one, or none.
  bool single_instance = false;
  /// May ask its upstream again for what was refused, within one request: a resource that retries.
  bool asks_again = false;

  bool is_allots = false;        ///< derives from `allot::resource`
  bool tries = false;            ///< has a `try_allocate` that is noexcept
  bool tries_but_throws = false; ///< has one that is not
  bool owns = false;             ///< can be asked `owns`
  bool owns_is_exact = false;    ///< and says that it always knows
  bool has_upstream = false;     ///< the fixture offers one
};

/// What a resource says of itself; empty where it has no such query.
struct conformance_figures {
  std::optional<std::size_t> used;       ///< of `used()`
  std::optional<std::size_t> capacity;   ///< of `capacity()`
  std::optional<std::size_t> high_water; ///< of `high_water()`
};

/// How many requests a check has made.
struct conformance_tally {
  std::size_t requests = 0; ///< all of them
  std::size_t starved = 0;  ///< those that got no block
};

/// One fresh resource as the checks see it: each call in the ways in which a user can make it.
class conformance_subject {
public:
  /// For the adaptor from a fixture: what may be null is said at the queries of the same names.
  conformance_subject(std::pmr::memory_resource& base, resource* allots, probe_upstream* upstream) noexcept
      : base_{base}, allots_{allots}, upstream_{upstream} {}
  conformance_subject(const conformance_subject&) = delete;
  conformance_subject& operator=(const conformance_subject&) = delete;

  /// \name Calls on the concrete type
  /// \{
  virtual void* allocate(std::size_t bytes, std::size_t alignment) = 0;           ///< as the type has it
  virtual void* try_allocate(std::size_t bytes, std::size_t alignment) = 0;       ///< null where the type has none
  virtual void deallocate(void* p, std::size_t bytes, std::size_t alignment) = 0; ///< as the type has it
  [[nodiscard]] virtual ownership owns(const void* p) const = 0;                  ///< unknown where the type has none
  [[nodiscard]] virtual conformance_figures figures() const = 0;                  ///< what it says now
  [[nodiscard]] virtual std::optional<std::size_t>
  remaining(std::size_t alignment) const = 0; ///< empty where it has none
  /// \}

  /// Whether it is equal to a second one over the same upstream; empty where no such one can be made.
  [[nodiscard]] virtual std::optional<bool> equals_a_twin() const = 0;

  /// The resource by its standard interface.
  [[nodiscard]] std::pmr::memory_resource& base() const noexcept { return base_; }
  /// The same, or null where it is not one of allot's.
  [[nodiscard]] resource* allots() const noexcept { return allots_; }
  /// Null where the fixture offers none.
  [[nodiscard]] probe_upstream* upstream() const noexcept { return upstream_; }

  /// Requests are counted there from now on.
  void count_in(conformance_tally& tally) noexcept { tally_ = &tally; }

  /// Counts a request. \param is_starved  it got no block
  void count(bool is_starved) const noexcept {
    ++tally_->requests;
    if (is_starved) ++tally_->starved;
  }

protected:
  ~conformance_subject() = default;

private:
  std::pmr::memory_resource& base_;
  resource* allots_;
  probe_upstream* upstream_;
  conformance_tally* tally_ = nullptr;
};

/// Makes fresh subjects, one after the other.
class conformance_source {
public:
  using use = void (*)(conformance_subject&, void* user); ///< what a check does with a subject

  /// \param traits  what its subjects are, and what they are said to do
  explicit conformance_source(const conformance_traits& traits) noexcept : traits_{traits} {}
  conformance_source(const conformance_source&) = delete;
  conformance_source& operator=(const conformance_source&) = delete;

  /// Calls `f` with a fresh subject, which ends when `f` returns.
  virtual void with_fresh(use f, void* user) const = 0;

  /// What its subjects are, and what they are said to do.
  [[nodiscard]] const conformance_traits& traits() const noexcept { return traits_; }

  /// Of all its subjects.
  [[nodiscard]] conformance_tally& tally() const noexcept { return tally_; }

protected:
  ~conformance_source() = default;

private:
  conformance_traits traits_;
  mutable conformance_tally tally_;
};

/// A contract, and the function that tries to break it.
struct conformance_check {
  const char* name;                                 ///< for example "never_null"
  const char* claim;                                ///< what a resource that passes does
  void (*run)(const conformance_source&, finding&); ///< writes its finding where it is told
};

/// All checks, the simple ones first. Each stands alone.
[[nodiscard]] std::span<const conformance_check> conformance_checks() noexcept;

/// Runs one check. A resource that is broken enough may end the program: fork first where that is to be survived.
[[nodiscard]] finding run_check(const conformance_check& check, const conformance_source& source);

namespace detail {

/// The resource type of a fixture.
template <class Fixture>
using subject_type = std::remove_reference_t<decltype(std::declval<Fixture&>().resource())>;

template <class Fixture>
constexpr conformance_traits traits_of() noexcept {
  using type = subject_type<Fixture>;
  conformance_traits t;
  t.bounded = requires(const type& r) { r.capacity(); };
  if constexpr (requires { Fixture::bounded; }) t.bounded = Fixture::bounded;
  if constexpr (requires { Fixture::reuses_memory; }) t.reuses_memory = Fixture::reuses_memory;
  if constexpr (requires { Fixture::refuses_everything; }) t.refuses_everything = Fixture::refuses_everything;
  if constexpr (requires { Fixture::single_instance; }) t.single_instance = Fixture::single_instance;
  if constexpr (requires { Fixture::asks_again; }) t.asks_again = Fixture::asks_again;
  t.is_allots = std::derived_from<type, resource>;
  t.tries = tries<type>;
  t.tries_but_throws = !tries<type> && requires(type & r, std::size_t n) { r.try_allocate(n, n); };
  t.owns = requires(const type& r, const void* p) {
    { r.owns(p) } -> std::same_as<ownership>;
  };
  t.owns_is_exact = knows_its_own<type>;
  t.has_upstream = requires(Fixture & f) {
    { f.upstream() } -> std::same_as<probe_upstream&>;
  };
  return t;
}

template <class Resource>
class subject_of final : public conformance_subject {
public:
  subject_of(Resource& r, probe_upstream* upstream) noexcept
      : conformance_subject{r, allots_of(r), upstream}, resource_{r} {}

  void* allocate(std::size_t bytes, std::size_t alignment) override { return resource_.allocate(bytes, alignment); }

  void* try_allocate([[maybe_unused]] std::size_t bytes, [[maybe_unused]] std::size_t alignment) override {
    if constexpr (requires { resource_.try_allocate(bytes, alignment); }) {
      return resource_.try_allocate(bytes, alignment);
    } else {
      return nullptr;
    }
  }

  void deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    resource_.deallocate(p, bytes, alignment);
  }

  [[nodiscard]] ownership owns(const void* p) const override { return owned_by(resource_, p); }

  [[nodiscard]] conformance_figures figures() const override {
    conformance_figures all;
    const Resource& r = resource_;
    if constexpr (requires { std::size_t{r.used()}; }) all.used = r.used();
    if constexpr (requires { std::size_t{r.capacity()}; }) all.capacity = r.capacity();
    if constexpr (requires { std::size_t{r.high_water()}; }) all.high_water = r.high_water();
    return all;
  }

  [[nodiscard]] std::optional<std::size_t> remaining([[maybe_unused]] std::size_t alignment) const override {
    if constexpr (requires(const Resource& r) { std::size_t{r.remaining(alignment)}; }) {
      return resource_.remaining(alignment);
    } else {
      return std::nullopt;
    }
  }

  [[nodiscard]] std::optional<bool> equals_a_twin() const override {
    if constexpr (std::is_constructible_v<Resource, probe_upstream&>) {
      if (this->upstream() != nullptr) return is_equal_to(Resource(*this->upstream()));
    } else if constexpr (std::is_constructible_v<Resource, probe_upstream*>) {
      if (this->upstream() != nullptr) return is_equal_to(Resource(this->upstream()));
    }
    return std::nullopt;
  }

private:
  [[nodiscard]] bool is_equal_to(const std::pmr::memory_resource& twin) const {
    return this->base().is_equal(twin) || twin.is_equal(this->base());
  }

  static resource* allots_of([[maybe_unused]] Resource& r) noexcept {
    if constexpr (std::derived_from<Resource, resource>) {
      return &r;
    } else {
      return nullptr;
    }
  }

  Resource& resource_;
};

template <class Fixture>
class source_of final : public conformance_source {
public:
  source_of() noexcept : conformance_source{traits_of<Fixture>()} {}

  void with_fresh(use f, void* user) const override {
    Fixture fixture;
    probe_upstream* upstream = nullptr;
    if constexpr (requires { fixture.upstream(); }) {
      static_assert(std::same_as<decltype(fixture.upstream()), probe_upstream&>,
                    "upstream() of a conformance fixture returns an allot::probe_upstream&");
      upstream = &fixture.upstream();
    }
    subject_of<subject_type<Fixture>> subject{fixture.resource(), upstream};
    f(subject, user);
  }
};

} // namespace detail

/// Runs one check on resources of a fixture.
template <class Fixture>
[[nodiscard]] finding run_check(const conformance_check& check) {
  return run_check(check, detail::source_of<Fixture>{});
}

} // namespace allot::inline ALLOT_ABI
