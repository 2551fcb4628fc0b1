#pragma once

#include <allot/core/config.hpp>

#include <cstddef>
#include <string_view>

namespace allot::inline ALLOT_ABI::detail {

/// Writes `text` to a file descriptor by as many calls of POSIX `write` as it takes; goes on after EINTR and after a part.
/// Leaves errno as it was. Gives up at any other error, EAGAIN among them, and where the system has no `write`.
/// Threads: any thread and signal handlers.
/// \return the bytes written: `text.size()` unless it gave up
std::size_t write_whole(int fd, std::string_view text) noexcept;

} // namespace allot::inline ALLOT_ABI::detail
