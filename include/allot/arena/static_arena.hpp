#pragma once

#include <allot/arena/bump_resource.hpp>
#include <allot/core/static_slot.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// An arena of N bytes in static storage, for its first claimant alone.
///
///     constinit allot::static_arena<64 * 1024> scratch;   // namespace scope: .bss, nothing before main or at exit
///     auto& arena = scratch.claim("scratch");              // a bump_resource<> over the N bytes; a second claim fails
///
/// It is a `static_slot`, whose page says the rest. `bump_resource<N>` itself as a static would not do: a full cursor is
/// not zero, so that all N bytes would lie in the image, and g++ registers the destructor for exit.
///
/// \snippet tests/arena/static_arena_test.cpp example
template <std::size_t N>
using static_arena = static_slot<bump_resource<>, N>;

} // namespace allot::inline ALLOT_ABI
