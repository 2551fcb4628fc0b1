#pragma once

#include <allot/core/layout.hpp>
#include <allot/core/upstream.hpp>

#include <new>

namespace allot::inline ALLOT_ABI::detail {

/// Memory from `upstream`, or null where it fails by `std::bad_alloc`. With exceptions it is asked by `allocate` even where
/// it could be asked by `try_allocate`: that is noexcept, and what a foreign resource below throws beside would end the
/// program.
template <class Upstream>
[[nodiscard]] void* attempt_from(Upstream& upstream, const layout& shape) {
#if ALLOT_EXCEPTIONS
  try {
    return upstream.allocate(shape.bytes, shape.alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
#else
  return try_allocate_from(upstream, shape.bytes, shape.alignment);
#endif
}

/// `memory`, or null in place of memory that is not aligned as it was asked for, which goes back: the pools of libstdc++ 12
/// give such memory.
template <class Upstream>
[[nodiscard]] void* if_aligned(Upstream& upstream, void* memory, const layout& shape) noexcept {
  void* const volatile seen = memory; // a compiler may take what std gives for aligned, and drop the test
  if (is_aligned(seen, shape.alignment)) return memory; // null is
  upstream.deallocate(memory, shape.bytes, shape.alignment);
  return nullptr;
}

/// Three ways to ask for memory that is null where it is not aligned: null too where `upstream` fails, and never a throw;
/// null too where it fails by `std::bad_alloc`; and as `upstream` fails itself.
template <class Upstream>
[[nodiscard]] void* try_aligned_from(Upstream& upstream, const layout& shape) noexcept {
  return if_aligned(upstream, try_allocate_from(upstream, shape.bytes, shape.alignment), shape);
}
template <class Upstream>
[[nodiscard]] void* attempt_aligned_from(Upstream& upstream, const layout& shape) {
  return if_aligned(upstream, attempt_from(upstream, shape), shape);
}
template <class Upstream>
[[nodiscard]] void* aligned_from(Upstream& upstream, const layout& shape) {
  return if_aligned(upstream, upstream.allocate(shape.bytes, shape.alignment), shape);
}

} // namespace allot::inline ALLOT_ABI::detail
