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

/// Whether a `write` of one line would not have to wait: looks again until then, for so many milliseconds at most. False
/// also where it could only fail, as for a pipe whose reader is gone (there `write` sends SIGPIPE).
/// Threads: any thread and signal handlers; errno is as it was.
bool takes_a_line(int fd, int milliseconds) noexcept;

} // namespace allot::inline ALLOT_ABI::detail
