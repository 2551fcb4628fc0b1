#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

#if ALLOT_ASAN
#include <sanitizer/asan_interface.h>
#elif ALLOT_VALGRIND
#include <valgrind/memcheck.h>
#endif

namespace allot::inline ALLOT_ABI::detail {

/// Makes every access to the `bytes` bytes at `p` a report of AddressSanitizer or Memcheck, where one watches.
/// AddressSanitizer works in granules of 8 bytes: the ends of an unaligned range may stay accessible.
inline void poison([[maybe_unused]] const volatile void* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if ALLOT_ASAN
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas" // clang has no such warning to ignore
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // the parameter is const, and g++ thinks that it is read
  __asan_poison_memory_region(p, bytes);
#pragma GCC diagnostic pop
#elif ALLOT_VALGRIND
  VALGRIND_MAKE_MEM_NOACCESS(p, bytes);
#endif
}

/// Makes them accessible again, with contents that Memcheck takes for uninitialised. Owed before memory goes back to
/// where it came from.
inline void unpoison([[maybe_unused]] const volatile void* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if ALLOT_ASAN
  __asan_unpoison_memory_region(p, bytes);
#elif ALLOT_VALGRIND
  VALGRIND_MAKE_MEM_UNDEFINED(p, bytes);
#endif
}

} // namespace allot::inline ALLOT_ABI::detail
