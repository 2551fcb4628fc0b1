#pragma once

#include <allot/core/ownership.hpp>
#include <allot/core/resource.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <cstddef>
#include <memory_resource>
#include <optional>

/// \file
/// What the checks of conformance.hpp work with: fresh resources as they see them, and what they say of them. A fixture
/// is made into these by `run_check`; a program that has its resources from elsewhere derives from `conformance_source`.

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

} // namespace allot::inline ALLOT_ABI
