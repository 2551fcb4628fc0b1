#pragma once

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/core/config.hpp>

#include <cstddef>

/// \file
/// What `operator new` gives out and `operator delete` takes back, in the whole program. Only programs that link
/// `allot_global_counter` (Meson: `allot_global_dep`; pkg-config: `allot_global_counter`) can call what is declared here,
/// and linking it is all that there is to do: it replaces each of the 20 forms of operator new and delete.
///
/// Not seen: malloc and its kin called directly (libstdc++ takes 72,704 bytes for exceptions that way before `main`, and
/// every stdio buffer is malloc's), mmap, a class's own `operator new`, what a compiler optimises away, and libraries whose
/// calls do not reach the program's operators. docs/global_counter.md has the list, and figures.
///
/// Guarantees
/// - Bytes are those that were asked for. A block of N bytes is one of N + `block_overhead` of malloc's, aligned as asked.
/// - Figures are right from the first allocation, before any constructor, to the last, after every destructor: nothing
///   here has a constructor or a destructor.
/// - A block that was not given out here, by malloc or by a library's own operator, can be deleted here: it is told from
///   the counter's own, is freed, and changes no figure but `foreign_deallocations()`.
/// - New-handlers are called as the standard says; `operator new` fails by `allot::out_of_memory`, a `std::bad_alloc`.
///
/// Costs: beside malloc, about 150 instructions for an allocation and its deallocation; seven are locked, on one cache line
/// that all threads share. `block_overhead` bytes a block.
/// Threads: any thread. Everything declared in this file but `is_counting` may also be called from a signal handler.
///
/// \snippet tests/global/counter_test.cpp example

namespace allot::inline ALLOT_ABI::global {

/// Bytes that each block takes beyond those asked for: at its end, where its size is kept.
inline constexpr std::size_t block_overhead = sizeof(std::size_t);

/// The figures of the process, since it started. In a child made by fork they go on from the parent's.
[[nodiscard]] counting_snapshot snapshot() noexcept;

/// What this thread did since it started. A block that it freed for another thread makes its live figures negative; peaks
/// are the most that it was ever ahead.
[[nodiscard]] counting_difference thread_snapshot() noexcept;

/// The figures of the process when the counter's own initialiser ran: it has the default priority, and so runs after
/// those of all shared libraries, of all objects before it on the link line, and of every explicit priority. Called
/// earlier, it gives the figures of now.
///
/// Initialisers after it are not in the figures: see `before_main_is_whole`. `snapshot()` as the first thing that `main`
/// does has them always.
[[nodiscard]] counting_snapshot before_main() noexcept;

/// False where initialisers of the program came after the figures of `before_main()` were taken, or where that cannot be
/// told (the counter is in a shared library).
[[nodiscard]] bool before_main_is_whole() noexcept;

/// Blocks that came to `operator delete` and that the counter did not give out. Null pointers are not among them.
[[nodiscard]] std::size_t foreign_deallocations() noexcept;

/// Whether `operator new`, called from here, reaches the counter. False under Valgrind's Memcheck, which puts its own
/// operators in front (`--soname-synonyms=somalloc=nouserintercepts` keeps it from doing so), and where a library loaded
/// before the program's own code does the same. Allocates and frees one byte, which is counted.
/// \pre no `no_allocation_scope` is open in this thread
[[nodiscard]] bool is_counting();

} // namespace allot::inline ALLOT_ABI::global
