#pragma once

#include <chrono>
#include <cstdint>

namespace tour {

/// A bar on stderr, where that is a terminal and the work has taken longer than a second; otherwise silent.
class progress {
public:
  explicit progress(const char* what) noexcept;
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Draws at most ten times a second. A `total` of 0 means that it is not known.
  void show(std::uint64_t done, std::uint64_t total) noexcept;

private:
  using clock = std::chrono::steady_clock;

  const char* what_;
  bool terminal_;
  bool drawn_ = false;
  clock::time_point next_; // nothing is drawn before
};

} // namespace tour
