#pragma once

// ALLOT_TEST_ASAN and ALLOT_TEST_TSAN: 1 in a program that was compiled for AddressSanitizer or for ThreadSanitizer, else 0.

#if defined(__has_feature)
#define ALLOT_TEST_HAS_FEATURE(feature) __has_feature(feature)
#else
#define ALLOT_TEST_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || ALLOT_TEST_HAS_FEATURE(address_sanitizer)
#define ALLOT_TEST_ASAN 1
#else
#define ALLOT_TEST_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || ALLOT_TEST_HAS_FEATURE(thread_sanitizer)
#define ALLOT_TEST_TSAN 1
#else
#define ALLOT_TEST_TSAN 0
#endif
