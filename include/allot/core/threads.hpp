#pragma once

#include <cstddef> // any header of the standard library says which one it is

/// 1 where the standard library has threads and mutexes, 0 on bare metal.
#if defined(_GLIBCXX_HAS_GTHREADS) || (defined(_LIBCPP_VERSION) && !defined(_LIBCPP_HAS_NO_THREADS)) ||                \
    defined(_MSC_VER)
#define ALLOT_THREADS 1
#else
#define ALLOT_THREADS 0
#endif

/// `thread_local` where there are threads. Elsewhere there is one of it, and no code to find it.
#if ALLOT_THREADS
#define ALLOT_DETAIL_THREAD_LOCAL thread_local
#else
#define ALLOT_DETAIL_THREAD_LOCAL
#endif

/// For a `constinit thread_local` of a few bytes: its first use in a thread, which may be in a signal handler, then
/// allocates nothing, also in a library that was loaded by dlopen. glibc keeps room for such; elsewhere it changes nothing.
#if defined(__GLIBC__)
#define ALLOT_DETAIL_STATIC_TLS [[gnu::tls_model("initial-exec")]]
#else
#define ALLOT_DETAIL_STATIC_TLS
#endif
