#include "arena_work.hpp"

namespace bench {

std::span<std::byte> arena_memory() noexcept {
  alignas(4096) static std::byte memory[arena_bytes];
  return memory;
}

} // namespace bench
