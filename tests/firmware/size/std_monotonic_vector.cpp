#include "sensor.hpp"

#include <cstddef>
#include <memory_resource>
#include <vector>

namespace {

alignas(8) constinit std::byte memory[256] = {};

} // namespace

int main() {
  std::pmr::monotonic_buffer_resource arena{memory, sizeof memory, std::pmr::null_memory_resource()};
  std::pmr::vector<unsigned> samples{&arena};
  samples.reserve(sample_count);
  take_samples(samples);
  return checked(samples);
}
