#include "progress.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace tour {

progress::progress(const char* what) noexcept
    : what_{what}, terminal_{::isatty(STDERR_FILENO) == 1}, next_{clock::now() + std::chrono::seconds{1}} {}

progress::~progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void progress::show(std::uint64_t done, std::uint64_t total) noexcept {
  if (!terminal_ || clock::now() < next_) return;
  next_ = clock::now() + std::chrono::milliseconds{100};
  drawn_ = true;
  constexpr int width = 40;
  if (total == 0) {
    std::fprintf(stderr, "\r%s: %.1f MiB\033[K", what_, static_cast<double>(done) / (1 << 20));
    return;
  }
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const int filled = static_cast<int>(share * width);
  std::fprintf(stderr, "\r%s [%.*s%*s] %3d %%\033[K", what_, filled, "########################################",
               width - filled, "", static_cast<int>(share * 100));
}

} // namespace tour
