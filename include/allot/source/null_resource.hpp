#pragma once

#include <allot/core/resource_interface.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// Refuses every request: the end of a stack that must never reach further.
///
/// Guarantees
/// - `allocate` always fails, `try_allocate` always gives null.
/// - A deallocation stops the program: nothing was ever given out.
///
/// Costs: no memory.
/// Threads: any thread and interrupt handlers (it has no state).
class null_resource final : public resource_interface<null_resource> {
public:
  static constexpr const char* class_name = "null_resource";
  static constexpr bool owns_is_exact = true;

  constexpr null_resource() noexcept = default;

private:
  friend resource_interface;

  void* place(std::size_t, std::size_t) noexcept { return nullptr; }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    halt({.reason = failure_reason::wrong_deallocation,
          .resource = class_name,
          .detail = "it never gave out a block",
          .pointer = p,
          .bytes = bytes,
          .alignment = alignment});
  }

  [[nodiscard]] ownership holds(const void*) const noexcept { return ownership::no; }
};

} // namespace allot::inline ALLOT_ABI
