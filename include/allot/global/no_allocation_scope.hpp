#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::global {

/// What a `no_allocation_scope` does when `operator new` is called in it.
enum class on_allocation : unsigned char {
  abort, ///< the request goes to the failure handler as `failure_reason::budget_exceeded`; then the program aborts
  count, ///< the request is counted, and served
};

/// From here to the end of the block this thread calls no `operator new`: it aborts, or counts.
/// `global::no_allocation_scope hot{"audio callback"};`
///
/// Only `operator new` is seen: not malloc, as `printf` or `std::thread` may call it, and no allocator that has memory of
/// its own. Deletes are free to happen. A failure handler may allocate: the scope ends for the thread before it is called.
///
/// Guarantees
/// - The record names the scope, the bytes and the alignment, and is made without allocating.
/// - Scopes nest, and each hears of every request inside it: one that counts does not hide it from one around it that aborts.
/// - A request is judged before it is served: one that fails counts too.
///
/// Costs: two stores; for each allocation of the thread one load and branch, and a walk over the scopes that are open.
/// Threads: each is of the thread that made it, which ends them in the reverse order. Not seen: other threads.
///
/// \snippet tests/global/no_allocation_scope_test.cpp example
class no_allocation_scope {
public:
  /// \param name  for the record of a refusal; static storage, or null
  explicit no_allocation_scope(const char* name = nullptr, on_allocation then = on_allocation::abort) noexcept;

  no_allocation_scope(const no_allocation_scope&) = delete;
  no_allocation_scope& operator=(const no_allocation_scope&) = delete;

  ~no_allocation_scope();

  /// Requests in this scope so far.
  [[nodiscard]] std::size_t allocations() const noexcept { return allocations_; }

  /// Bytes that they asked for, in sum.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// Tells the scopes of this thread of a request. For the counter's own operators.
  static void heard_of(std::size_t bytes, std::size_t alignment) noexcept;

private:
  void heard(std::size_t bytes, std::size_t alignment) noexcept;

  const char* name_;
  on_allocation then_;
  no_allocation_scope* outer_; // opened before this one and still open; null for the outermost
  std::size_t allocations_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace allot::inline ALLOT_ABI::global
