#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail {

/// Calls a function in each thread that asks for it, when that thread ends. Thread-specific data of POSIX and no
/// `thread_local` with a destructor: it comes behind all of those, and glibc allocates nothing for it, as long as the key
/// is one of its first 32. Destructors of other such data may come later still.
///
/// Not every end is told: that of the main thread, where it returns from `main`; of a thread that asks in the last round of
/// the destructors of thread-specific data; of those that end after the program has begun to exit, or the library that
/// has this code was unloaded. One for each process, never destroyed.
class thread_end {
public:
  explicit thread_end(void (*call)(void*)) noexcept;

  /// Has the function called at the end of this thread. \return false where that cannot be: the system has no POSIX
  /// threads, or too many keys are in use, or the program exits
  [[nodiscard]] bool announce() const noexcept;

private:
  std::size_t key_ = 0;
  bool works_ = false;
};

} // namespace allot::inline ALLOT_ABI::detail
