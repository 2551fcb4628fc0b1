// A hook that is wrong: an interrupt can come between its load and its store.

#include <allot/core/claim_flag.hpp>

bool ALLOT_TEST_AND_SET(std::atomic<unsigned char>& flag) noexcept {
  const bool was_set = flag.load(std::memory_order_acquire) != 0;
  flag.store(1, std::memory_order_release);
  return was_set;
}
