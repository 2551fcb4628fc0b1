#pragma once

#include "clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace schedule {

/// How a thread touches memory.
enum class access : unsigned char { read, write, atomic_read, atomic_write };

/// Who touched each byte last, and when, to find two that touch it, one of them to write, one of them not atomically, and
/// neither of which comes before the other: a data race.
class shadow {
public:
  struct finding {
    bool is_race = false;
    bool was_atomic = false; // a plain write of what was an atomic object until now
    access before = access::read;
    std::size_t thread = 0;
    const void* from = nullptr; // the code of that access
  };

  shadow() : granules_(size) {}

  /// Forgets everything.
  void clear() noexcept { ++generation_; }

  /// Forgets what was done to new memory before.
  void forget(const volatile void* p, std::size_t bytes) noexcept;

  /// Notes an access by `thread`, of which `seen` is the clock.
  finding touch(const volatile void* p, std::size_t bytes, access how, std::size_t thread, const clock& seen,
                const void* from) noexcept;

private:
  static constexpr std::size_t size = 1 << 13;
  using ticks = std::array<tick, most_threads>;

  struct cell {
    std::array<ticks, 4> last; // by access
    std::array<const void*, 4> from;
  };
  struct granule {
    std::uintptr_t number = 0;
    std::uint32_t generation = 0;
    std::array<cell, 8> cells;
  };

  granule& at(std::uintptr_t number) noexcept;
  static finding conflict(const cell& c, access how, const clock& seen) noexcept;

  std::vector<granule> granules_; // open addressing
  std::uint32_t generation_ = 1;
};

} // namespace schedule
