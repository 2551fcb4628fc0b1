#pragma once

#include "memory.hpp"
#include "options.hpp"
#include "statistics.hpp"

#include <atomic>
#include <chrono>
#include <span>

namespace service {

/// What all threads share.
struct server {
  const options& chosen;
  service::memory& memory;
  std::span<statistics> threads; ///< each written by its own thread
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::atomic<bool> draining{false};
};

} // namespace service
