#include <allot/core/expects.hpp>
#include <allot/core/failure.hpp>
#include <allot/global/books.hpp>
#include <allot/global/no_allocation_scope.hpp>

namespace allot::inline ALLOT_ABI::global {

no_allocation_scope::no_allocation_scope(const char* name, on_allocation then) noexcept
    : name_{name}, then_{then}, outer_{detail::this_thread.innermost_scope} {
  detail::this_thread.innermost_scope = this;
}

no_allocation_scope::~no_allocation_scope() {
  ALLOT_EXPECTS(detail::this_thread.innermost_scope == this);
  detail::this_thread.innermost_scope = outer_;
}

void no_allocation_scope::heard_of(std::size_t bytes, std::size_t alignment) noexcept {
  for (no_allocation_scope* s = detail::this_thread.innermost_scope; s != nullptr; s = s->outer_)
    s->heard(bytes, alignment);
}

void no_allocation_scope::heard(std::size_t bytes, std::size_t alignment) noexcept {
  ++allocations_;
  bytes_ += bytes;
  if (then_ == on_allocation::count) return;
  detail::this_thread.innermost_scope = nullptr; // a failure handler that allocates must not come back here
  halt({.reason = failure_reason::budget_exceeded,
        .resource = "no_allocation_scope",
        .name = name_,
        .detail = "operator new was called where nothing may be allocated",
        .bytes = bytes,
        .alignment = alignment});
}

} // namespace allot::inline ALLOT_ABI::global
