#include "sensor.hpp"

#include <cstddef>

namespace {

constinit unsigned samples[sample_count] = {};
constinit std::size_t count = 0;

} // namespace

int main() {
  while (count < sample_count)
    samples[count++] = read_sensor();
  return checked(samples);
}
