#include <allot/detail/magazine_owner.hpp>

#include <allot/detail/thread_end.hpp>

#include <new>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#if ALLOT_THREADS

namespace allot::inline ALLOT_ABI::detail {

constinit thread_local magazine_table magazine_table::current_;

pool_number take_pool_number() noexcept {
  static constinit std::atomic<pool_number> last{0};
  pool_number seen = last.load(std::memory_order_relaxed);
  while (seen != magazine_table::untabled && !last.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) {
  }
  return seen == magazine_table::untabled ? seen : seen + 1;
}

magazines* magazines::make(void* memory, std::span<const std::uint32_t> capacities) noexcept {
  auto* const made = ::new (memory) magazines{capacities.size()};
  for (std::size_t i = 0; i < capacities.size(); ++i) {
    ::new (made->in_use_begin() + i) magazine{capacities[i]};
    ::new (made->spare_begin() + i) spare_chain{nullptr};
  }
  return made;
}

/// The one of the process: the lock, the pools that have magazines, and what happens when threads end and fork.
class magazine_registry {
public:
  static constinit std::mutex lock;
  static constinit magazine_owner* first;

  /// Has the end of this thread told. \return false where it cannot be
  static bool announce() noexcept {
    static const thread_end end{[](void*) { thread_ends(); }};
    static const bool forks = watch_forks();
    return end.announce() && forks;
  }

private:
  static void thread_ends() noexcept {
    magazine_table& mine = magazine_table::current_;
    const std::lock_guard held{lock};
    for (magazine_owner* owner = first; owner != nullptr; owner = owner->next_) {
      magazines* const m = owner->of_thread(mine);
      if (m == nullptr) continue;
      owner->empty(*m);
      owner->leave(*m);
    }
    mine.slots_ = {};
    mine.state_ = magazine_table::state::refused;
  }

  static bool watch_forks() noexcept {
#if defined(__unix__) || defined(__APPLE__)
    return pthread_atfork([] { lock.lock(); }, [] { lock.unlock(); }, [] { in_child(); }) == 0;
#else
    return true;
#endif
  }

  /// The other threads' tables are memory that new threads will have.
  static void in_child() noexcept {
    for (magazine_owner* owner = first; owner != nullptr; owner = owner->next_) {
      for (magazines* const head : owner->by_thread_)
        for (magazines* m = head; m != nullptr; m = m->next)
          if (m->thread_ != &magazine_table::current_) m->thread_ = nullptr;
    }
    lock.unlock();
  }
};

constinit std::mutex magazine_registry::lock;
constinit magazine_owner* magazine_registry::first = nullptr;

std::size_t magazine_owner::list_of(const magazine_table& thread) noexcept {
  // Thread-local objects of different threads often differ in their upper bits only.
  const auto spread = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&thread)) * 0x9E3779B97F4A7C15u;
  return static_cast<std::size_t>(spread >> 32) % lists;
}

bool magazine_owner::can_have() noexcept {
  magazine_table& mine = magazine_table::current_;
  if (mine.state_ == magazine_table::state::fresh) {
    mine.state_ = magazine_registry::announce() ? magazine_table::state::announced : magazine_table::state::refused;
  }
  return mine.state_ == magazine_table::state::announced;
}

magazines* magazine_owner::find() const noexcept {
  const std::lock_guard held{lock_};
  return of_thread(magazine_table::current_);
}

magazines* magazine_owner::of_thread(const magazine_table& thread) const noexcept {
  magazines* m = by_thread_[list_of(thread)];
  while (m != nullptr && m->thread_ != &thread)
    m = m->next;
  return m;
}

magazines* magazine_owner::find_or_adopt() noexcept {
  if (is_own(slot())) return slot().found;
  if (!can_have()) return nullptr;
  magazine_table& mine = magazine_table::current_;
  magazines* found = find();
  if (found == nullptr && idle_.load(std::memory_order_relaxed) != nullptr) found = adopt_idle(mine);
  return found == nullptr ? nullptr : mine.note(number_, found);
}

magazines* magazine_owner::adopt_idle(const magazine_table& thread) noexcept {
  const std::lock_guard registry{magazine_registry::lock};
  const std::lock_guard held{lock_};
  magazines* const m = idle_.load(std::memory_order_relaxed);
  if (m == nullptr) return nullptr;
  idle_.store(m->next, std::memory_order_relaxed);
  m->next = std::exchange(by_thread_[list_of(thread)], m);
  m->thread_ = &thread;
  return m;
}

void magazine_owner::add_idle(magazines* fresh) noexcept {
  const std::lock_guard registry{magazine_registry::lock};
  const std::lock_guard held{lock_};
  fresh->next = idle_.load(std::memory_order_relaxed);
  idle_.store(fresh, std::memory_order_relaxed);
  if (link_ != nullptr) return;
  link_ = &magazine_registry::first;
  next_ = magazine_registry::first;
  if (next_ != nullptr) next_->link_ = &next_;
  magazine_registry::first = this;
}

magazines* magazine_owner::remove_idle() noexcept {
  const std::lock_guard registry{magazine_registry::lock};
  const std::lock_guard held{lock_};
  return idle_.exchange(nullptr, std::memory_order_relaxed);
}

magazines* magazine_owner::remove_magazines() noexcept {
  const std::lock_guard registry{magazine_registry::lock};
  const std::lock_guard held{lock_};
  if (link_ == nullptr) return nullptr; // there never were any
  magazines* all = idle_.exchange(nullptr, std::memory_order_relaxed);
  for (magazines*& list : by_thread_) {
    while (list != nullptr) {
      magazines* const m = list;
      list = m->next;
      m->next = std::exchange(all, m);
    }
  }
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
  take_number();
  return all;
}

/// What a thread that ends does with its magazines, when they are empty.
void magazine_owner::leave(magazines& m) noexcept {
  const std::lock_guard held{lock_};
  magazines** link = &by_thread_[list_of(*m.thread_)];
  while (*link != &m)
    link = &(*link)->next;
  *link = m.next;
  m.thread_ = nullptr;
  m.next = idle_.load(std::memory_order_relaxed);
  idle_.store(&m, std::memory_order_relaxed);
}

} // namespace allot::inline ALLOT_ABI::detail

#endif
