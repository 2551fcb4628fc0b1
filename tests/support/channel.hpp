#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace support {

/// A pipe whose reader never waits.
class channel {
public:
  channel() {
    REQUIRE(pipe(ends_) == 0);
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel() {
    close(ends_[0]);
    close(ends_[1]);
  }

  /// Where it is written to.
  [[nodiscard]] int in() const { return ends_[1]; }

  /// What is in it now.
  [[nodiscard]] std::string read_all() const {
    std::string all;
    char text[4096];
    for (ssize_t n; (n = read(ends_[0], text, sizeof text)) > 0;)
      all.append(text, static_cast<std::size_t>(n));
    return all;
  }

  /// Leaves room for no line; who writes then waits.
  void fill() const {
    fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::string page(4096, '#');
    while (write(ends_[1], page.data(), page.size()) > 0) {
    }
    fcntl(ends_[1], F_SETFL, 0);
  }

private:
  int ends_[2] = {-1, -1};
};

} // namespace support
