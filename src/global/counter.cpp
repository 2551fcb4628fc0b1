#include <allot/adaptor/shared_counters.hpp>
#include <allot/global/books.hpp>
#include <allot/global/counter.hpp>
#include <allot/global/no_allocation_scope.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

extern "C" {

extern const char allot_global_counter; // in operators.cpp

// The program's own initialisers, as the linker of an ELF system lays them out; null in a shared library.
// NOLINTBEGIN(bugprone-reserved-identifier): the linker chose the names
using allot_initialiser = void (*)();
[[gnu::weak, gnu::visibility("hidden")]] extern const allot_initialiser __init_array_start[];
[[gnu::weak, gnu::visibility("hidden")]] extern const allot_initialiser __init_array_end[];
// NOLINTEND(bugprone-reserved-identifier)
}

namespace allot::inline ALLOT_ABI::global {

constinit thread_local detail::thread_ledger detail::this_thread;

namespace {

constinit shared_counters_t::ledger process;
constinit std::atomic<std::size_t> foreign{0};

// Whoever links these figures from a static library gets the operators that feed them.
[[gnu::used]] constinit const char* const operators = &allot_global_counter;

constinit counting_snapshot at_main;
constinit bool all_before_main = false;
constinit std::atomic<bool> at_main_is_taken{false}; // when true, the two above do not change any more

/// Whether `function` is the last of the program's initialisers.
bool is_last_initialiser(allot_initialiser function) noexcept {
  const auto end = reinterpret_cast<std::uintptr_t>(__init_array_end); // no pointer: nothing lies at an array's end
  if (end == reinterpret_cast<std::uintptr_t>(__init_array_start)) return false;
  return *reinterpret_cast<const allot_initialiser*>(end - sizeof(allot_initialiser)) == function;
}

[[gnu::constructor]] void take_before_main() noexcept {
  at_main = snapshot();
  all_before_main = is_last_initialiser(&take_before_main);
  at_main_is_taken.store(true, std::memory_order_release);
}

} // namespace

counting_snapshot snapshot() noexcept { return process.read(); }

counting_snapshot before_main() noexcept {
  return at_main_is_taken.load(std::memory_order_acquire) ? at_main : snapshot();
}

bool before_main_is_whole() noexcept { return at_main_is_taken.load(std::memory_order_acquire) && all_before_main; }

std::size_t foreign_deallocations() noexcept { return foreign.load(std::memory_order_relaxed); }

bool is_counting() {
  const std::size_t before = thread_snapshot().allocations;
  void* const volatile p = ::operator new(1); // volatile: else compilers drop the pair
  ::operator delete(p);
  return thread_snapshot().allocations != before;
}

void detail::requested(std::size_t bytes, std::size_t alignment) noexcept {
  if (this_thread.innermost_scope != nullptr) [[unlikely]]
    no_allocation_scope::heard_of(bytes, alignment);
}

void detail::allocated(std::size_t bytes) noexcept {
  process.allocated(bytes);
  this_thread.allocated(bytes);
}

void detail::failed() noexcept {
  process.failed();
  this_thread.failed();
}

void detail::deallocating(std::size_t bytes) noexcept {
  process.deallocating(bytes);
  this_thread.deallocating(bytes);
}

void detail::deallocating_foreign() noexcept { foreign.fetch_add(1, std::memory_order_relaxed); }

} // namespace allot::inline ALLOT_ABI::global
