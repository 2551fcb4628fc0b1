#pragma once

#include <allot/arena/bump_resource.hpp>
#include <allot/core/static_slot.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// An arena over N static bytes, for the first caller only: `constinit allot::static_arena<64_KiB> memory;` at namespace
/// scope, and `bump_resource<>& arena = memory.claim("rx");` where it is used.
///
///     .bss: | N bytes | the arena, once it is claimed | flags |
///
/// Guarantees
/// - What `static_slot` and `bump_resource<>` guarantee: nothing before `main`, nothing at exit, a second claim fails. The
///   bytes are zero at first; Memcheck takes them for uninitialised in every block all the same.
/// - `bump_resource<N>` as a static has none of this: a full cursor is not zero, so that N bytes lie in the image, and g++
///   registers its destructor for exit.
/// - Too large for the memory of the target: the linker says so, and not the program at run time.
///
/// Costs: 96 bytes beside the N on a 64-bit machine, 48 on a Cortex-M.
/// Threads: the claim any thread and interrupt handlers; the arena one thread at a time.
///
/// \snippet tests/arena/static_arena_test.cpp example
template <std::size_t N, std::size_t Align = alignof(std::max_align_t)>
using static_arena = static_slot<bump_resource<>, N, Align>;

} // namespace allot::inline ALLOT_ABI
