// The allocator that a firmware engineer writes by hand: a bump allocator as a template, over static bytes.

#include "sensor.hpp"

#include <cstddef>
#include <vector>

namespace {

alignas(8) constinit std::byte memory[256] = {};
constinit std::size_t used = 0;

template <class T>
struct bump_allocator {
  using value_type = T;

  bump_allocator() = default;
  template <class U>
  bump_allocator(const bump_allocator<U>&) noexcept {}

  T* allocate(std::size_t n) {
    const std::size_t at = (used + alignof(T) - 1) & ~(alignof(T) - 1);
    if (at > sizeof memory || n > (sizeof memory - at) / sizeof(T)) __builtin_trap();
    used = at + n * sizeof(T);
    return reinterpret_cast<T*>(memory + at);
  }
  void deallocate(T*, std::size_t) noexcept {}

  friend bool operator==(const bump_allocator&, const bump_allocator&) noexcept { return true; }
};

} // namespace

int main() {
  std::vector<unsigned, bump_allocator<unsigned>> samples;
  samples.reserve(sample_count);
  take_samples(samples);
  return checked(samples);
}
