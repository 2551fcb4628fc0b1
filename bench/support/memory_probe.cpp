#include "memory_probe.hpp"

#include <cstdio>
#include <cstring>

namespace bench {

namespace {

/// The figure of a line of /proc/self/status, which is in KiB.
std::size_t status_bytes(const char* field) noexcept {
  std::FILE* const status = std::fopen("/proc/self/status", "r");
  if (status == nullptr) return 0;
  char line[256];
  std::size_t kib = 0;
  while (std::fgets(line, sizeof line, status) != nullptr) {
    if (std::strncmp(line, field, std::strlen(field)) == 0 &&
        std::sscanf(line + std::strlen(field), ": %zu", &kib) == 1)
      break;
  }
  std::fclose(status);
  return kib * 1024;
}

} // namespace

std::size_t resident_bytes() noexcept { return status_bytes("VmRSS"); }

std::size_t peak_resident_bytes() noexcept { return status_bytes("VmHWM"); }

void forget_peak() noexcept {
  std::FILE* const clear = std::fopen("/proc/self/clear_refs", "w");
  if (clear == nullptr) return;
  std::fputs("5", clear);
  std::fclose(clear);
}

} // namespace bench
