#include <allot/detail/write_whole.hpp>

#include <cerrno>

#if defined(__unix__) || defined(__APPLE__)
#include <poll.h>
#include <unistd.h>
#endif

namespace allot::inline ALLOT_ABI::detail {

#if defined(__unix__) || defined(__APPLE__)
std::size_t write_whole(int fd, std::string_view text) noexcept {
  const int errno_before = errno;
  std::size_t done = 0;
  while (done < text.size()) {
    const auto n = ::write(fd, text.data() + done, text.size() - done);
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  errno = errno_before;
  return done;
}

bool takes_a_line(int fd, int milliseconds) noexcept {
  if (fd < 0) return false; // poll would wait for it
  const int errno_before = errno;
  pollfd asked{.fd = fd, .events = POLLOUT, .revents = 0};
  int answers = ::poll(&asked, 1, 0);
  // By single milliseconds: signals cut a wait short, and must not make it a new one.
  for (int i = 0; i < milliseconds && (answers == 0 || (answers < 0 && errno == EINTR)); ++i)
    answers = ::poll(&asked, 1, 1);
  errno = errno_before;
  return answers == 1 && (asked.revents & (POLLOUT | POLLERR | POLLHUP | POLLNVAL)) == POLLOUT;
}
#else
std::size_t write_whole(int, std::string_view) noexcept { return 0; }
bool takes_a_line(int, int) noexcept { return false; }
#endif

} // namespace allot::inline ALLOT_ABI::detail
