#include <allot/detail/write_whole.hpp>

#include <cerrno>

#if defined(__unix__) || defined(__APPLE__)
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
#else
std::size_t write_whole(int, std::string_view) noexcept { return 0; }
#endif

} // namespace allot::inline ALLOT_ABI::detail
