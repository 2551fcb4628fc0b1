#pragma once

#include <allot/core/ownership.hpp>
#include <allot/core/resource.hpp>
#include <allot/core/upstream.hpp>
#include <allot/testing/conformance_subject.hpp>
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
