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

  /// Whether memory that goes back is still in use by who does not come before that: as a write of all of it.
  [[nodiscard]] finding end(const volatile void* p, std::size_t bytes, const clock& seen) noexcept;

private:
  static constexpr std::size_t size = 1 << 13;
  using ticks = std::array<tick, most_threads>;

  struct cell {
    std::array<ticks, 4> last; // by access
    std::array<const void*, 4> from;
  };
  struct byte {
    std::uint8_t touched_by = 0; // a bit for each thread; 0: the cell says nothing
    bool is_atomic = false;
  };
  struct granule {
    std::uintptr_t number = 0;
    std::uint32_t generation = 0;
    std::array<byte, 8> bytes;
    std::array<cell, 8> cells;
  };

  granule* find(std::uintptr_t number) noexcept;
  granule& at(std::uintptr_t number) noexcept;
  static finding conflict(const granule& g, std::size_t i, access how, const clock& seen) noexcept;
  static finding touch(granule& g, std::size_t i, access how, std::size_t thread, const clock& seen,
                       const void* from) noexcept;

  std::vector<granule> granules_; // open addressing
  std::uint32_t generation_ = 1;
};

} // namespace schedule
