#pragma once

#include <allot/core/config.hpp>

#include <concepts>
#include <type_traits>

#include <boost/container/pmr/memory_resource.hpp>

namespace allot::inline ALLOT_ABI::detail_boost {

/// A resource that an adaptor may hold: one of `Interface`, the standard's or Boost's, that can be allocated from.
template <class Resource, class Interface>
concept can_serve_as = std::derived_from<Resource, Interface> && !std::is_const_v<Resource>;

} // namespace allot::inline ALLOT_ABI::detail_boost
