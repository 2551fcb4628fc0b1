#include "text_file.hpp"

#include "options.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tour {

text_file::text_file(std::string path) : path_{std::move(path)} {
  if (path_ == "-") throw usage_error{"standard input cannot be read twice: save it to a file first"};
  // Without O_NONBLOCK the open of a pipe would wait for its writer.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) throw usage_error{'"' + path_ + "\": " + std::strerror(errno)};
  struct ::stat status {};
  const int error = ::fstat(descriptor_, &status) == 0 ? 0 : errno;
  std::string reason;
  if (error != 0) {
    reason = std::strerror(error);
  } else if (S_ISDIR(status.st_mode)) {
    reason = "is a directory: name a file in it";
  } else if (!S_ISREG(status.st_mode)) {
    reason = "is a pipe or a device and cannot be read twice: save it to a file first";
  }
  if (!reason.empty()) {
    ::close(descriptor_);
    throw usage_error{'"' + path_ + "\": " + reason};
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

text_file::~text_file() { ::close(descriptor_); }

std::size_t text_file::read(std::uint64_t offset, std::span<char> piece) const {
  for (;;) {
    const ::ssize_t n = ::pread(descriptor_, piece.data(), piece.size(), static_cast<::off_t>(offset));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) throw usage_error{'"' + path_ + "\": " + std::strerror(errno)};
  }
}

} // namespace tour
