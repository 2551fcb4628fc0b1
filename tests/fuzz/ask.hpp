#pragma once

#include <allot/core/config.hpp>
#include <allot/core/layout.hpp>
#include <allot/core/resource.hpp>

#include "input.hpp"
#include "require.hpp"

#include <memory_resource>
#include <new>

namespace fuzz {

/// What `allocate` gave, which is never null; compilers believe that, and must not here.
[[nodiscard]] inline void* given(void* p) noexcept {
  __asm__ volatile("" : "+r"(p));
  FUZZ_REQUIRE(p != nullptr);
  return p;
}

/// A block of `resource`, or null, by one of the four ways that there are; `way` says which.
template <class Resource>
[[nodiscard]] void* ask(Resource& resource, const allot::layout& wanted, std::size_t way) {
  if (way % 4 == 0) return resource.try_allocate(wanted.bytes, wanted.alignment);
  if (way % 4 == 1) return static_cast<allot::resource&>(resource).try_allocate(wanted.bytes, wanted.alignment);
#if ALLOT_EXCEPTIONS
  try {
    if (way % 4 == 2) return given(resource.allocate(wanted.bytes, wanted.alignment));
    return given(static_cast<std::pmr::memory_resource&>(resource).allocate(wanted.bytes, wanted.alignment));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
#else
  return resource.try_allocate(wanted.bytes, wanted.alignment);
#endif
}

/// Gives a block back by one of the two ways.
template <class Resource>
void give_back(Resource& resource, void* p, const allot::layout& shape, std::size_t way) {
  if (way % 2 == 0) return resource.deallocate(p, shape.bytes, shape.alignment);
  static_cast<std::pmr::memory_resource&>(resource).deallocate(p, shape.bytes, shape.alignment);
}

} // namespace fuzz
