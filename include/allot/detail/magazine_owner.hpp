#pragma once

#include <allot/core/config.hpp>
#include <allot/core/threads.hpp>
#include <allot/detail/magazine_table.hpp>
#include <allot/detail/magazines.hpp>
#include <allot/detail/short_lock.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

#if ALLOT_THREADS

namespace allot::inline ALLOT_ABI::detail {

/// A pool's side of the magazines: which thread has which, and which nobody has.
///
///     registry --> pool --> pool ...        pool --> by thread: magazines, magazines ...
///                                                --> idle:      magazines ...
///
/// A thread that ends looks through all pools, empties its magazines and leaves them idle, for the next thread that needs
/// some. A pool that ends, or gives everything back, forgets all of its magazines. One lock for the process, the
/// registry's, orders the two; under it no upstream is called, and no other lock is held when it is waited for but those
/// of pools further up, around calls of their upstreams.
///
/// Nothing of a pool's points into a thread's memory to write there: the end of a thread may go untold, where its first
/// call of a pool is in the last round of the destructors of thread-specific data. Its magazines then go to the next
/// thread at that address.
///
/// In the child of a fork the registry's lock is free, and the magazines of the threads that are no more are nobody's:
/// their blocks stay lost until the pool gives everything back.
class magazine_owner {
public:
  magazine_owner(const magazine_owner&) = delete;
  magazine_owner& operator=(const magazine_owner&) = delete;

protected:
  magazine_owner() noexcept { take_number(); }
  virtual ~magazine_owner() = default; // of a class that has called `remove_magazines`

  /// What this thread's table has at the place of the pool. It is the pool's own if `is_own`.
  [[nodiscard]] const magazine_table::slot& slot() const noexcept { return magazine_table::at(slot_); }
  [[nodiscard]] bool is_own(const magazine_table::slot& s) const noexcept { return s.pool == number_; }

  /// This thread's magazines, by a look through those of all threads, or null.
  [[nodiscard]] magazines* find() const noexcept;

  /// The same, by its table first; a thread that has none takes idle ones.
  /// \return null: there are none, or the thread can have none
  [[nodiscard]] magazines* find_or_adopt() noexcept;

  /// Whether this thread could have magazines.
  [[nodiscard]] static bool can_have() noexcept;

  /// Makes magazines that no thread has yet.
  void add_idle(magazines* fresh) noexcept;

  /// Takes those out that no thread has. \return linked by `next`
  [[nodiscard]] magazines* remove_idle() noexcept;

  /// Takes all magazines away from all threads, with the blocks in them. The pool has another number from now on.
  /// \return linked by `next`  \pre no other thread uses the pool; threads may begin and end
  [[nodiscard]] magazines* remove_magazines() noexcept;

  /// Calls `f(magazines&)` for those that threads have, with the lock held.
  template <class F>
  void for_each(F f) const noexcept {
    const std::lock_guard held{lock_};
    for (magazines* const first : by_thread_)
      for (magazines* m = first; m != nullptr; m = m->next)
        f(*m);
  }

private:
  friend magazine_registry;

  static constexpr std::size_t lists = 16;

  /// Takes the blocks out of the magazines of a thread that ends. Called under the registry's lock.
  virtual void empty(magazines& m) noexcept = 0;

  [[nodiscard]] static std::size_t list_of(const magazine_table& thread) noexcept;
  /// \pre the pool's lock is held, or the registry's
  [[nodiscard]] magazines* of_thread(const magazine_table& thread) const noexcept;
  [[nodiscard]] magazines* adopt_idle(const magazine_table& thread) noexcept;
  void leave(magazines& m) noexcept;

  void take_number() noexcept {
    number_ = take_pool_number();
    slot_ = magazine_table::offset_of(number_);
  }

  mutable short_lock lock_; // of what follows; changed under the registry's lock, too
  std::array<magazines*, lists> by_thread_{};
  std::atomic<magazines*> idle_{nullptr};
  magazine_owner* next_ = nullptr; // of all that have magazines; under the registry's lock
  magazine_owner** link_ = nullptr;

  pool_number number_; // these two change only while no other thread uses the pool
  std::size_t slot_;   // its offset in the tables
};

} // namespace allot::inline ALLOT_ABI::detail

#endif
