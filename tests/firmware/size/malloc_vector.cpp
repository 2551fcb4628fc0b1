#include "sensor.hpp"

#include <vector>

int main() {
  std::vector<unsigned> samples;
  samples.reserve(sample_count);
  take_samples(samples);
  return checked(samples);
}
