// What code that was compiled with -fsanitize=thread calls at each access of memory that threads could share, and what the
// linker puts in the place of the functions that wait. Linked in place of ThreadSanitizer's own library.

#include "machine.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <pthread.h>
#include <sched.h>

using schedule::access;
using schedule::the_machine;
using schedule::unwatched;

namespace {

template <class T>
std::uint64_t wide(T value) noexcept {
  return static_cast<std::uint64_t>(value);
}

template <class T>
T load(const volatile T* p, int order, const void* from) {
  const unwatched here;
  if (here.me == nullptr) return *p;
  the_machine.point(*here.me, {p, from});
  return static_cast<T>(the_machine.load(*here.me, {p, from}, sizeof(T), wide(*p), order));
}

template <class T>
void store(volatile T* p, T value, int order, const void* from) {
  const unwatched here;
  if (here.me != nullptr) {
    the_machine.point(*here.me, {p, from});
    the_machine.store(*here.me, {p, from}, sizeof(T), wide(*p), wide(value), order);
  }
  *p = value;
}

template <class T, class F>
T change(volatile T* p, int order, const void* from, F f) {
  const unwatched here;
  if (here.me != nullptr) the_machine.point(*here.me, {p, from});
  const T before = *p;
  const T after = static_cast<T>(f(before));
  if (here.me != nullptr) the_machine.change(*here.me, {p, from}, sizeof(T), wide(before), wide(after), order);
  *p = after;
  return before;
}

template <class T>
bool compare_exchange(volatile T* p, T* expected, T wanted, int order, int order_of_failure, bool is_weak,
                      const void* from) {
  const unwatched here;
  if (here.me != nullptr) {
    the_machine.point(*here.me, {p, from});
    std::uint64_t found = wide(*expected);
    if (the_machine.finds_other(*here.me, {p, from}, sizeof(T), wide(*p), found, order_of_failure, is_weak)) {
      *expected = static_cast<T>(found);
      return false;
    }
    the_machine.change(*here.me, {p, from}, sizeof(T), wide(*p), wide(wanted), order);
  } else if (*p != *expected) {
    *expected = *p;
    return false;
  }
  *p = wanted;
  return true;
}

void touch(const volatile void* p, std::size_t bytes, access how, const void* from) {
  const unwatched here;
  if (here.me != nullptr) the_machine.touch(*here.me, {p, from}, bytes, how);
}

template <class T>
T* fresh(T* p, std::size_t bytes) noexcept {
  const unwatched here;
  if (here.me != nullptr && p != nullptr) the_machine.allocated(p, bytes);
  return p;
}

} // namespace

#define FROM __builtin_return_address(0)

#define ATOMIC_CHANGE(bits, name, expression)                                                                          \
  std::uint##bits##_t __tsan_atomic##bits##_##name(volatile std::uint##bits##_t* p, std::uint##bits##_t n,             \
                                                   int order) {                                                        \
    return change(p, order, FROM, [n](std::uint##bits##_t before) { return expression; });                             \
  }

#define ATOMICS(bits)                                                                                                  \
  std::uint##bits##_t __tsan_atomic##bits##_load(const volatile std::uint##bits##_t* p, int order) {                   \
    return load(p, order, FROM);                                                                                       \
  }                                                                                                                    \
  void __tsan_atomic##bits##_store(volatile std::uint##bits##_t* p, std::uint##bits##_t value, int order) {            \
    store(p, value, order, FROM);                                                                                      \
  }                                                                                                                    \
  ATOMIC_CHANGE(bits, exchange, (static_cast<void>(before), n))                                                        \
  ATOMIC_CHANGE(bits, fetch_add, before + n)                                                                           \
  ATOMIC_CHANGE(bits, fetch_sub, before - n)                                                                           \
  ATOMIC_CHANGE(bits, fetch_and, before& n)                                                                            \
  ATOMIC_CHANGE(bits, fetch_or, before | n)                                                                            \
  ATOMIC_CHANGE(bits, fetch_xor, before ^ n)                                                                           \
  bool __tsan_atomic##bits##_compare_exchange_strong(volatile std::uint##bits##_t* p, std::uint##bits##_t* expected,   \
                                                     std::uint##bits##_t wanted, int order, int failure) {             \
    return compare_exchange(p, expected, wanted, order, failure, false, FROM);                                         \
  }                                                                                                                    \
  bool __tsan_atomic##bits##_compare_exchange_weak(volatile std::uint##bits##_t* p, std::uint##bits##_t* expected,     \
                                                   std::uint##bits##_t wanted, int order, int failure) {               \
    return compare_exchange(p, expected, wanted, order, failure, true, FROM);                                          \
  }

#define PLAIN(bytes)                                                                                                   \
  void __tsan_read##bytes(const void* p) { touch(p, bytes, access::read, FROM); }                                      \
  void __tsan_write##bytes(void* p) { touch(p, bytes, access::write, FROM); }                                          \
  void __tsan_unaligned_read##bytes(const void* p) { touch(p, bytes, access::read, FROM); }                            \
  void __tsan_unaligned_write##bytes(void* p) { touch(p, bytes, access::write, FROM); }

extern "C" {

ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)

void __tsan_atomic_signal_fence(int) {}

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(const void* p, std::size_t bytes) { touch(p, bytes, access::read, FROM); }
void __tsan_write_range(void* p, std::size_t bytes) { touch(p, bytes, access::write, FROM); }
void __tsan_vptr_update(void** p, void* value) {
  if (*p != value) touch(p, sizeof *p, access::write, FROM); // each destructor of a hierarchy sets it
}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

// The linker sends here whoever calls these (--wrap).

int __real_pthread_mutex_lock(pthread_mutex_t* mutex);
int __real_pthread_mutex_trylock(pthread_mutex_t* mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t* mutex);
int __real_sched_yield();
int __real___cxa_guard_acquire(char* guard);
void __real___cxa_guard_release(char* guard);
void __real___cxa_guard_abort(char* guard);
void* __real___cxa_allocate_exception(std::size_t bytes) noexcept;
void* __real_malloc(std::size_t bytes);
void* __real__Znwm(std::size_t bytes);

int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex) {
  const unwatched here;
  if (here.me == nullptr) return __real_pthread_mutex_lock(mutex);
  the_machine.lock(*here.me, {mutex, FROM});
  return 0;
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t* mutex) {
  const unwatched here;
  if (here.me == nullptr) return __real_pthread_mutex_trylock(mutex);
  return the_machine.try_lock(*here.me, {mutex, FROM}) ? 0 : EBUSY;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t* mutex) {
  const unwatched here;
  if (here.me == nullptr) return __real_pthread_mutex_unlock(mutex);
  the_machine.unlock(*here.me, {mutex, FROM});
  return 0;
}

int __wrap_sched_yield() {
  const unwatched here;
  if (here.me != nullptr) the_machine.give_way(*here.me, FROM);
  return 0;
}

/// Stands in for the processor's pause instruction.
void allot_schedule_pause() noexcept {
  const unwatched here;
  if (here.me != nullptr) the_machine.give_way(*here.me, FROM);
}

// A static variable of a function: its guard is a lock until the variable is made.

int __wrap___cxa_guard_acquire(char* guard) {
  const unwatched here;
  if (here.me == nullptr) return __real___cxa_guard_acquire(guard);
  the_machine.lock(*here.me, {guard, FROM});
  if (*guard == 0) return 1;
  the_machine.unlock(*here.me, {guard, FROM});
  return 0;
}

void __wrap___cxa_guard_release(char* guard) {
  const unwatched here;
  if (here.me == nullptr) return __real___cxa_guard_release(guard);
  the_machine.store(*here.me, {guard, FROM}, 1, 0, 1, __ATOMIC_RELEASE);
  *guard = 1;
  the_machine.unlock(*here.me, {guard, FROM});
}

void __wrap___cxa_guard_abort(char* guard) {
  const unwatched here;
  if (here.me == nullptr) return __real___cxa_guard_abort(guard);
  the_machine.unlock(*here.me, {guard, FROM});
}

void* __wrap___cxa_allocate_exception(std::size_t bytes) noexcept {
  return fresh(__real___cxa_allocate_exception(bytes), bytes);
}
void* __wrap_malloc(std::size_t bytes) { return fresh(__real_malloc(bytes), bytes); }
void* __wrap__Znwm(std::size_t bytes) { return fresh(__real__Znwm(bytes), bytes); }

} // extern "C"
