#pragma once

#include <allot/core/resource_interface.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <limits>

namespace allot::inline ALLOT_ABI {

/// Takes every block from `std::malloc`, and gives it back to `std::free`: no `operator new`, no new-handler.
///
/// Where `std::pmr::new_delete_resource()` throws `std::bad_alloc` to say no, `try_allocate` here says no by a branch.
///
/// Guarantees
/// - Any alignment, whatever the C library in the program: a block is asked for at least as large as it is aligned, since
///   jemalloc and tcmalloc align small blocks to 8; above `alignof(std::max_align_t)` by `posix_memalign` or `aligned_alloc`.
/// - More than PTRDIFF_MAX bytes are refused before the C library is asked.
/// - Zero bytes are a block of their own.
///
/// It has no state, yet two of them are not equal, as no two resources of allot are: use one, such as `instance()`,
/// where containers are to be swapped or moved into each other.
///
/// Costs: malloc's, and two compares.
/// Threads: any thread, as malloc; no interrupt handlers.
///
/// \snippet tests/source/malloc_resource_test.cpp example
class malloc_resource final : public resource_interface<malloc_resource> {
public:
  static constexpr const char* class_name = "malloc_resource";

  constexpr malloc_resource() noexcept = default;

  /// One for the whole program, never destroyed: made at the first call, with no memory but its own static.
  [[nodiscard]] static malloc_resource& instance() noexcept;

private:
  friend resource_interface;

  static constexpr std::size_t most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if (alignment > alignof(std::max_align_t)) [[unlikely]]
      return place_over_aligned(bytes, alignment);
    return bytes <= most ? std::malloc(std::max(bytes, alignment)) : nullptr;
  }

  static void* place_over_aligned(std::size_t bytes, std::size_t alignment) noexcept;

  void give_back(void* p, std::size_t, std::size_t) noexcept { std::free(p); }
};

} // namespace allot::inline ALLOT_ABI
