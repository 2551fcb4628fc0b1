#pragma once

#include <allot/core/claim_flag.hpp>
#include <allot/core/config.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI {

/// How a `once` waits by default: a few dozen turns with a pause instruction, then by giving up the time slice where there
/// are threads. A relax policy has the same static members; `current` may be missing.
struct pause_then_yield {
  /// Called between two looks at the state. \param turn  how often before in this wait
  static void relax(unsigned turn) noexcept;

  /// An address that stands for the running thread. It serves to notice, at check level 1, that a `once` waits on itself.
  /// Where the standard library has no threads it is one for all, interrupts included: tasks of an RTOS or a second core
  /// that are to wait for each other need a policy of their own.
  [[nodiscard]] static const void* current() noexcept;
};

namespace detail {

/// The state of a `once`, without its value.
///
///     uninit --claim--> running --publish--> ready
///                        |   |
///           <--give_up---+   +--poison--> poisoned
///
/// Two bytes, both 0 at first. `running` is a claimed flag with no outcome yet: so no core needs a compare-and-swap, and
/// whoever has the claim can trust that there was no outcome before.
class once_state {
public:
  constexpr once_state() noexcept = default;

  [[nodiscard]] bool is_ready() const noexcept { return outcome() == made; }
  [[nodiscard]] bool is_poisoned() const noexcept { return outcome() == lost; }
  [[nodiscard]] bool is_running() const noexcept { return running_.is_claimed() && outcome() == none; }

  /// True for the caller that is to run the initialiser. It ends by `publish`, `give_up` or `poison`.
  [[nodiscard]] bool claim(const void* current) noexcept {
    if (!running_.claim()) return false;
    set_runner(current);
    return true;
  }

  void publish() noexcept { outcome_.store(made, std::memory_order_release); }
  void poison() noexcept { outcome_.store(lost, std::memory_order_release); }
  void give_up() noexcept {
    set_runner(nullptr); // before the next one has the claim: this one may be the first to wait for it
    running_.give_up();
  }

  /// Called by who is about to wait. \pre `current` does not stand for what runs the initialiser
  void expect_other_runner([[maybe_unused]] const void* current) const noexcept {
#if ALLOT_CHECK_LEVEL > 0
    if (current != nullptr && current == runner_.load(std::memory_order_relaxed)) halt_waiting_on_itself();
#endif
  }

  /// Fails as a read of a value that is not there.
  [[noreturn]] void raise_not_ready() const;

private:
  [[noreturn]] static void halt_waiting_on_itself() noexcept;

  enum : unsigned char { none, made, lost };

  [[nodiscard]] unsigned char outcome() const noexcept { return outcome_.load(std::memory_order_acquire); }

#if ALLOT_CHECK_LEVEL > 0
  void set_runner(const void* current) noexcept { runner_.store(current, std::memory_order_relaxed); }
  std::atomic<const void*> runner_{nullptr}; // what has run it last: with an outcome nobody waits
#else
  void set_runner(const void*) noexcept {}
#endif
  std::atomic<unsigned char> outcome_{none};
  claim_flag running_; // stays claimed when the outcome is in
};

/// What a `once` makes of an initialiser's result: `*result` where it is true, and nothing where it is not.
template <class Result, class T>
concept maybe_a = requires(Result&& result) {
  result ? 0 : 1;
  T(*std::forward<Result>(result));
};

} // namespace detail

/// A static value that is made once, by the first that asks for it, and read by all.
///
///     constinit allot::once<config> settings;                  // namespace scope, .bss
///     settings.call_once([] { return read_config(); });        // in whatever thread comes first
///     use(settings->baud_rate);                                // anywhere, from then on
///
/// The value is uninit, running, ready or poisoned. Those who come while the initialiser runs wait for it, but for `get()`.
///
/// Guarantees
/// - One initialiser runs at a time, and none after one has succeeded. All it did is seen by whoever gets the value.
/// - `*` and `->` of a value that is not there fail as `not_ready`, with reason uninitialised or poisoned: never half a value.
/// - An initialiser that throws poisons the value for good, since nobody knows what it left behind; `try_call_once` has one
///   that says no and lets the next caller try.
/// - All zero bits at first, and T's destructor never runs: it lies in `.bss`, with nothing before `main` or at exit.
///
/// Waiting on oneself (in the initialiser, or in an interrupt or signal handler that came into the middle of it) is a
/// precondition violation, found at check level 1. Waiting is busy (see `pause_then_yield`): for short initialisers.
///
/// Costs: sizeof(T) + 2 bytes and padding, at check level 1 a pointer more. A read is an acquire load of one byte and a branch.
/// Threads: any thread; interrupt handlers may call `get()` and `is_ready()`.
///
/// States and names are those of `spin::Once` of the Rust crate spin, which also has the poisoning.
///
/// \snippet tests/core/once_test.cpp example
/// \tparam Relax  how to wait: see `pause_then_yield`
template <class T, class Relax = pause_then_yield>
class once {
  static_assert(std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T>, "the value is an object, no array");

public:
  static constexpr const char* class_name = "once";

  constexpr once() noexcept = default;
  once(const once&) = delete;
  once& operator=(const once&) = delete;

  /// The value, made by `f(args...)` if nobody has made it. It is built in place: T need not be movable. While another
  /// initialiser runs, waits for it, and runs `f` after all if that one gives up.
  /// \pre not called from an initialiser of this value
  /// \throws what `f` throws, and the value is poisoned; not_ready where it was poisoned before
  template <class F, class... Args>
  requires std::same_as<std::invoke_result_t<F, Args...>, T> || std::convertible_to<std::invoke_result_t<F, Args...>, T>
      T& call_once(F&& f, Args&&... args) {
    if (!is_ready() && claimed()) {
      run_guard guard{state_};
      ::new (static_cast<void*>(place_)) T(std::invoke(std::forward<F>(f), std::forward<Args>(args)...));
      guard.succeed();
    }
    return value();
  }

  /// As `call_once`, with an initialiser that can say no: it returns something like an optional, a pointer or an expected,
  /// which is true and gives, by `*`, what a T is made from, or is false. Then the value is uninit as before, and the next
  /// caller, or one that waits already, runs its own.
  /// \return the value, or null where this caller's `f` said no
  template <class F, class... Args>
  requires detail::maybe_a<std::invoke_result_t<F, Args...>, T> T* try_call_once(F&& f, Args&&... args) {
    if (!is_ready() && claimed()) {
      run_guard guard{state_};
      auto&& result = std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
      if (!result) {
        guard.give_up();
        return nullptr;
      }
      ::new (static_cast<void*>(place_)) T(*std::forward<decltype(result)>(result));
      guard.succeed();
    }
    return std::addressof(value());
  }

  /// The value. Waits while its initialiser runs.
  /// \pre not called from an initialiser of this value
  /// \throws not_ready where there is none: uninitialised, or poisoned
  [[nodiscard]] T& operator*() {
    if (!state_.is_ready()) [[unlikely]]
      wait();
    return value();
  }
  [[nodiscard]] const T& operator*() const {
    if (!state_.is_ready()) [[unlikely]]
      wait();
    return value();
  }
  [[nodiscard]] T* operator->() { return std::addressof(**this); }
  [[nodiscard]] const T* operator->() const { return std::addressof(**this); }

  /// The value, or null where it is not ready. Never waits: also for interrupt handlers.
  [[nodiscard]] T* get() noexcept { return is_ready() ? std::addressof(value()) : nullptr; }
  [[nodiscard]] const T* get() const noexcept { return is_ready() ? std::addressof(value()) : nullptr; }

  /// Whether the value is there. Never waits.
  [[nodiscard]] bool is_ready() const noexcept { return state_.is_ready(); }

private:
  /// Poisons on the way out, by whatever exception, unless the initialiser came to an end.
  class run_guard {
  public:
    explicit run_guard(detail::once_state& state) noexcept : state_{&state} {}
    run_guard(const run_guard&) = delete;
    run_guard& operator=(const run_guard&) = delete;
    ~run_guard() {
      if (state_ != nullptr) state_->poison();
    }
    void succeed() noexcept { std::exchange(state_, nullptr)->publish(); }
    void give_up() noexcept { std::exchange(state_, nullptr)->give_up(); }

  private:
    detail::once_state* state_;
  };

  static const void* current() noexcept {
    if constexpr (ALLOT_CHECK_LEVEL > 0 && requires { Relax::current(); }) {
      return Relax::current();
    } else {
      return nullptr;
    }
  }

  /// True where the caller is the one to make the value, false where it is ready; waits until it can tell.
  [[nodiscard, gnu::noinline]] bool claimed() {
    for (unsigned turn = 0;; ++turn) {
      if (state_.claim(current())) return true;
      if (state_.is_ready()) return false;
      if (state_.is_poisoned()) state_.raise_not_ready();
      relax(turn);
    }
  }

  [[gnu::noinline, gnu::cold]] void wait() const {
    for (unsigned turn = 0; state_.is_running(); ++turn)
      relax(turn);
    if (!state_.is_ready()) state_.raise_not_ready();
  }

  void relax(unsigned turn) const noexcept {
    state_.expect_other_runner(current());
    Relax::relax(turn);
  }

  [[nodiscard]] T& value() noexcept { return *std::launder(reinterpret_cast<T*>(place_)); }
  [[nodiscard]] const T& value() const noexcept { return *std::launder(reinterpret_cast<const T*>(place_)); }

  alignas(T) std::byte place_[sizeof(T)]{}; // raw: g++ registers a union with a T for exit
  detail::once_state state_;
};

} // namespace allot::inline ALLOT_ABI
