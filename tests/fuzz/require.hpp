#pragma once

#include <cstdio>
#include <cstdlib>

namespace fuzz {

/// Says what is wrong and ends the program, which is how a fuzzer learns of a finding.
[[noreturn]] inline void found(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
  std::abort();
}

} // namespace fuzz

/// What must hold whatever the input is. Never compiled out.
#define FUZZ_REQUIRE(...)                                                                                              \
  (static_cast<bool>(__VA_ARGS__) ? static_cast<void>(0) : ::fuzz::found(#__VA_ARGS__, __FILE__, __LINE__))
