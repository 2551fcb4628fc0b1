#pragma once

/// \file
/// The version, the check level, and the inline namespace that carries every setting on which an inline body of allot
/// depends. Two parts of one program that were built with different settings do not link: the linker names the
/// missing symbol, and the symbol's namespace names the setting (`allot::v0_1_checked_exceptions::...`).

#if !((defined(_MSVC_LANG) && _MSVC_LANG >= 202002L) || __cplusplus >= 202002L)
// A missing include is the one error after which both g++ and clang stop at once.
#include "allot needs C++20: compile with -std=c++20 or later"
#endif

#define ALLOT_VERSION_MAJOR 0 ///< raised when programs have to be changed
#define ALLOT_VERSION_MINOR 1 ///< raised for new parts; before 1.0 also when programs have to be changed
#define ALLOT_VERSION_PATCH 0 ///< raised when something was mended, and nothing else

/// 10000 * major + 100 * minor + patch.
#define ALLOT_VERSION (10000 * ALLOT_VERSION_MAJOR + 100 * ALLOT_VERSION_MINOR + ALLOT_VERSION_PATCH)

/// How much allot checks of what its caller promised.
///
/// - 0: nothing (the default with NDEBUG). A broken precondition is undefined behaviour.
/// - 1: every precondition that can be tested in constant time (the default without NDEBUG). A broken one goes to the
///   failure handler as `failure_reason::precondition`, and the program aborts.
///
/// Failures that a correct program can meet (no memory left, a second claim) are reported at both levels.
#ifndef ALLOT_CHECK_LEVEL
#ifdef NDEBUG
#define ALLOT_CHECK_LEVEL 0
#else
#define ALLOT_CHECK_LEVEL 1
#endif
#endif

#if ALLOT_CHECK_LEVEL == 0
#define ALLOT_ABI_CHECKS unchecked
#elif ALLOT_CHECK_LEVEL == 1
#define ALLOT_ABI_CHECKS checked
#else
#error "ALLOT_CHECK_LEVEL is 0 (no checks) or 1 (preconditions)"
#endif

/// 1 where failures are exceptions, 0 where they go to the failure handler (`-fno-exceptions`).
#if defined(__cpp_exceptions)
#define ALLOT_EXCEPTIONS 1
#define ALLOT_ABI_EXCEPTIONS exceptions
#else
#define ALLOT_EXCEPTIONS 0
#define ALLOT_ABI_EXCEPTIONS no_exceptions
#endif

/// 1 where AddressSanitizer watches: free memory of an arena is poisoned, so that a use after reset is a report.
#if defined(__SANITIZE_ADDRESS__)
#define ALLOT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOT_ASAN 1
#endif
#endif
#ifndef ALLOT_ASAN
#define ALLOT_ASAN 0
#endif

/// 1 to tell Valgrind's Memcheck the same (needs valgrind/memcheck.h; costs a few instructions a call outside of
/// Valgrind, so it is off by default; the Meson option is `valgrind`).
#ifndef ALLOT_VALGRIND
#define ALLOT_VALGRIND 0
#endif

#if ALLOT_ASAN && ALLOT_VALGRIND
#error "ALLOT_VALGRIND and AddressSanitizer exclude each other"
#elif ALLOT_ASAN
#define ALLOT_ABI_MEMORY _asan
#elif ALLOT_VALGRIND
#define ALLOT_ABI_MEMORY _valgrind
#else
#define ALLOT_ABI_MEMORY
#endif

/// 1 where no operating system is below: a failure that nobody handles then has no stderr to be printed to, and the
/// program ends by `allot_trap()`.
#ifndef ALLOT_BARE_METAL
#if defined(__unix__) || defined(__APPLE__) || defined(_WIN32)
#define ALLOT_BARE_METAL 0
#else
#define ALLOT_BARE_METAL 1
#endif
#endif

/// Not defined, or the name of a function that stands in where the core has no atomic exchange: see `claim_flag`.
#ifdef ALLOT_TEST_AND_SET
#define ALLOT_ABI_CLAIM _own_test_and_set
#else
#define ALLOT_ABI_CLAIM
#endif

#define ALLOT_DETAIL_JOIN(major, minor, checks, exceptions, memory, claim)                                             \
  v##major##_##minor##_##checks##_##exceptions##memory##claim
#define ALLOT_DETAIL_EXPAND(major, minor, checks, exceptions, memory, claim)                                           \
  ALLOT_DETAIL_JOIN(major, minor, checks, exceptions, memory, claim)

/// The name of the inline namespace, for example `v0_1_checked_exceptions`.
#define ALLOT_ABI                                                                                                      \
  ALLOT_DETAIL_EXPAND(ALLOT_VERSION_MAJOR, ALLOT_VERSION_MINOR, ALLOT_ABI_CHECKS, ALLOT_ABI_EXCEPTIONS,                \
                      ALLOT_ABI_MEMORY, ALLOT_ABI_CLAIM)
