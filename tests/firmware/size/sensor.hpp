#pragma once

/// What the programs of this directory read: 1, then 2, and so on; in a file of its own, so that the compiler knows nothing of
/// it.
unsigned read_sensor() noexcept;

/// How many samples each takes, and their sum.
constexpr unsigned sample_count = 8;
constexpr unsigned sum_of_samples = 36;

/// Reads into a container, or what looks like one.
template <class Samples>
void take_samples(Samples& samples) {
  for (unsigned i = 0; i < sample_count; ++i)
    samples.push_back(read_sensor());
}

/// The exit status: 0 where every sample is there.
template <class Samples>
int checked(const Samples& samples) {
  unsigned sum = 0;
  for (const unsigned one : samples)
    sum += one;
  return sum == sum_of_samples ? 0 : 1;
}
