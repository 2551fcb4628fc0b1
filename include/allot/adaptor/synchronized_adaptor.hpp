#pragma once

#include <allot/core/adaptor_interface.hpp>
#include <allot/core/threads.hpp>

#include <concepts>
#include <cstddef>
#include <memory_resource>
#include <mutex>
#include <type_traits>

namespace allot::inline ALLOT_ABI {

/// What a `synchronized_adaptor` can lock: the standard's BasicLockable, or a reference to one.
template <class Mutex>
concept lockable = requires(Mutex& mutex) {
  mutex.lock();
  mutex.unlock();
};

namespace detail {

#if ALLOT_THREADS
using default_mutex = std::mutex;
#else
struct no_mutex_in_this_standard_library_so_name_one { // the assertion below refuses it, and nothing else
  void lock() noexcept;
  void unlock() noexcept;
};
using default_mutex = no_mutex_in_this_standard_library_so_name_one;
#endif

/// A mutex of one's own, or someone else's.
template <class Mutex>
class mutex_holder {
public:
  [[nodiscard]] Mutex& get() const noexcept { return mutex_; }

private:
  mutable Mutex mutex_;
};

template <class Mutex>
class mutex_holder<Mutex&> {
public:
  explicit mutex_holder(Mutex& mutex) noexcept : mutex_{mutex} {}
  [[nodiscard]] Mutex& get() const noexcept { return mutex_; }

private:
  Mutex& mutex_;
};

} // namespace detail

/// Passes each call on to its upstream under a mutex, so that several threads may share what one thread at a time may use.
///
///     thread --+                                          allot::synchronized_adaptor own{arena};
///     thread --+--> synchronized_adaptor --> upstream     allot::synchronized_adaptor<arena_type, spin_lock> spins{arena};
///     thread --+                                          allot::synchronized_adaptor both{arena, mutex}; // the caller's
///
/// Adaptors over one upstream, or code that uses it directly, share a mutex of the caller's.
///
/// Guarantees
/// - The mutex is held during the upstream call, `owns` included, and at no other time.
/// - Where upstream fails the mutex is free before the caller hears of it. Built without exceptions, the failure handler
///   runs inside of upstream's `allocate`, with the mutex held: it must not call this adaptor, nor wait for the mutex.
/// - A mutex whose `lock()` throws: `allocate` lets the exception through and has done nothing. `try_allocate`,
///   `deallocate` and `owns` are noexcept: it ends the program. (std::mutex does not throw where it is used as it should.)
///
/// The upstream must not call back into this adaptor, or `Mutex` is a recursive one.
///
/// Costs: one lock and one unlock for each call.
/// Threads: any thread, locked by `Mutex`.
///
/// \snippet tests/adaptor/synchronized_adaptor_test.cpp example
template <class Upstream = std::pmr::memory_resource, class Mutex = detail::default_mutex>
class synchronized_adaptor final : public adaptor_interface<synchronized_adaptor<Upstream, Mutex>, Upstream> {
  using base = adaptor_interface<synchronized_adaptor, Upstream>;
  static_assert(lockable<Mutex>,
                "a synchronized_adaptor needs a mutex with lock() and unlock(), or a reference to one");
#if !ALLOT_THREADS
  static_assert(!std::is_same_v<Mutex, detail::default_mutex>,
                "a synchronized_adaptor needs a mutex: this standard library has none, so name one of your own");
#endif

public:
  static constexpr const char* class_name = "synchronized_adaptor";

  /// \param upstream  outlives the adaptor
  /// \param name      for reports; static storage
  explicit synchronized_adaptor(Upstream& upstream, const char* name = nullptr) noexcept
      requires(!std::is_reference_v<Mutex>)
      : base{upstream, name} {}

  /// The same with a mutex of the caller's, which outlives the adaptor; `Mutex` is a reference.
  explicit synchronized_adaptor(Upstream& upstream, Mutex& mutex,
                                const char* name = nullptr) noexcept requires std::is_reference_v<Mutex> :
      base{upstream, name},
      holder_{mutex} {}

  /// The mutex, for what must be one step with calls of this adaptor, and for its upstream's queries.
  /// While the caller holds it, it must not call this adaptor.
  [[nodiscard]] std::remove_reference_t<Mutex>& mutex() const noexcept { return holder_.get(); }

private:
  friend base;
  friend resource_interface<synchronized_adaptor>;

  using guard = std::lock_guard<std::remove_reference_t<Mutex>>;

  // These hide those of adaptor_interface, which call upstream with no lock.

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    const guard held{mutex()};
    return this->upstream_resource()->allocate(bytes, alignment);
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    const guard held{mutex()};
    return try_allocate_from(*this->upstream_resource(), bytes, alignment);
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    const guard held{mutex()};
    this->upstream_resource()->deallocate(p, bytes, alignment);
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept {
    const guard held{mutex()};
    return owned_by(*this->upstream_resource(), p);
  }

  detail::mutex_holder<Mutex> holder_;
};

/// A mutex that is named is shared. One adaptor over another is no copy.
template <class Upstream, lockable Mutex>
synchronized_adaptor(Upstream&, Mutex&) -> synchronized_adaptor<Upstream, Mutex&>;
template <class Upstream, lockable Mutex>
synchronized_adaptor(Upstream&, Mutex&, const char*) -> synchronized_adaptor<Upstream, Mutex&>;
template <class Upstream, class Mutex>
synchronized_adaptor(synchronized_adaptor<Upstream, Mutex>&)
    -> synchronized_adaptor<synchronized_adaptor<Upstream, Mutex>>;
template <class Upstream, class Mutex>
synchronized_adaptor(synchronized_adaptor<Upstream, Mutex>&, const char*)
    -> synchronized_adaptor<synchronized_adaptor<Upstream, Mutex>>;

} // namespace allot::inline ALLOT_ABI
