#pragma once

#include <allot/core/config.hpp>
#include <allot/core/expects.hpp>

namespace allot::inline ALLOT_ABI {

/// Rewinds an arena at the end of a block to where it was at the beginning.
///
///     { arena_scope turn{arena};  ...scratch... }     everything allocated from `arena` in the braces is free again
///
/// Guarantees
/// - What was allocated before the scope stays, and what the scope's end frees is freed however the block is left.
/// - Scopes of one arena end in the reverse of the order in which they began, and no mark made in one outlives it without
///   being rewound. Where that is not so, or where the arena was reset in between, a checked build ends the program.
/// - Objects are not destroyed: those that need their destructor must end before the scope does.
///
/// Costs: one `mark`, one `rewind`; five words, six over a `monotonic_resource`.
/// Threads: those of the arena.
///
/// \snippet tests/arena/arena_scope_test.cpp example
template <class Arena>
class [[nodiscard]] arena_scope final {
public:
  /// Marks where the arena stands. \param arena  outlives the scope
  explicit arena_scope(Arena& arena) noexcept : arena_{arena}, start_{arena.mark()} {}

  ~arena_scope() {
    ALLOT_EXPECTS(arena_.is_latest(start_));
    arena_.rewind(start_);
  }

  arena_scope(const arena_scope&) = delete;
  arena_scope& operator=(const arena_scope&) = delete;

private:
  Arena& arena_;
  typename Arena::mark_type start_;
};

} // namespace allot::inline ALLOT_ABI
