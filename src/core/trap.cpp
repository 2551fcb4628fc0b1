#include <allot/core/failure.hpp>

#if ALLOT_BARE_METAL

// Weak, so that a program's own takes its place also where this file is compiled into the program.
[[gnu::weak]] void allot_trap() noexcept { __builtin_trap(); }

#endif
