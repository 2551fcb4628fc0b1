#include "sensor.hpp"

#include <allot/arena/static_arena.hpp>

#include <memory_resource>
#include <vector>

namespace {

constinit allot::static_arena<256> memory;

} // namespace

int main() {
  std::pmr::vector<unsigned> samples{&memory.claim()};
  samples.reserve(sample_count);
  take_samples(samples);
  return checked(samples);
}
