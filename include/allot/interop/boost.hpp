#pragma once

#include <allot/interop/as_boost.hpp>
#include <allot/interop/as_std.hpp>
#include <allot/interop/boost_pmr.hpp>

/// \file
/// Boost.Container (1.81 or later) has a `memory_resource` of its own, with the same functions as the standard's and no
/// relation to it. `as_boost` and `as_std` make one look like the other. `boost_pmr` has Boost's containers in a
/// resource of the standard. No library of Boost is needed for them.
