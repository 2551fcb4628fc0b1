// A hook as a program writes one for a core whose interrupts are all that can come in between.

#include <allot/core/claim_flag.hpp>

[[gnu::section("watched_code")]] bool ALLOT_TEST_AND_SET(std::atomic<unsigned char>& flag) noexcept {
  unsigned primask;
  __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(primask) : : "memory");
  const bool was_set = flag.load(std::memory_order_relaxed) != 0;
  flag.store(1, std::memory_order_relaxed);
  __asm__ volatile("msr primask, %0" : : "r"(primask) : "memory");
  return was_set;
}
