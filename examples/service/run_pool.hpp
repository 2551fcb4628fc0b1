#pragma once

#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>
#include <allot/core/resource_interface.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <span>

namespace service {

/// Hands out runs of whole units over a span: what is larger than one arena of the `block_pool`.
///
///     span: | unit | unit | ...        a byte for each says whether it is out; the first run that fits is taken
///
/// Guarantees
/// - A request gets as many units in a row as it needs, or is refused.
/// - Nothing is written into free units.
///
/// Costs: a lock, and a search that looks at each unit once at most.
/// Threads: any thread, by a mutex.
template <std::size_t UnitBytes, std::size_t Count>
class run_pool final : public allot::resource_interface<run_pool<UnitBytes, Count>> {
public:
  static constexpr const char* class_name = "run_pool";
  static constexpr bool owns_is_exact = true;
  static constexpr std::size_t bytes = UnitBytes * Count; ///< of the span that it is made over

  /// \pre `memory` has `bytes` bytes
  /// \param name  for records and reports; static storage
  explicit run_pool(std::span<std::byte> memory, const char* name = nullptr) noexcept
      : begin_{memory.data()}, name_{name} {
    ALLOT_EXPECTS(memory.size() == bytes);
  }

  [[nodiscard]] const char* name() const noexcept { return name_; }

  /// Bytes of the units that are out.
  [[nodiscard]] std::size_t used() const noexcept { return out_.load(std::memory_order_relaxed) * UnitBytes; }
  [[nodiscard]] static constexpr std::size_t capacity() noexcept { return bytes; }

  /// The most bytes of units that were out at once.
  [[nodiscard]] std::size_t high_water() const noexcept {
    return most_out_.load(std::memory_order_relaxed) * UnitBytes;
  }

private:
  friend allot::resource_interface<run_pool>;

  static constexpr std::size_t units_of(std::size_t asked) noexcept {
    return asked == 0 ? 1 : (asked - 1) / UnitBytes + 1;
  }

  void* place(std::size_t asked, std::size_t alignment) noexcept {
    const std::size_t units = units_of(asked);
    if (units > Count || !allot::is_aligned(begin_, alignment) || UnitBytes % alignment != 0) return nullptr;
    const std::lock_guard lock{mutex_};
    const std::size_t first = find(units);
    if (first == Count) return nullptr;
    std::memset(&taken_[first], 1, units);
    const std::size_t out = out_.load(std::memory_order_relaxed) + units;
    out_.store(out, std::memory_order_relaxed);
    most_out_.store(std::max(out, most_out_.load(std::memory_order_relaxed)), std::memory_order_relaxed);
    return begin_ + first * UnitBytes;
  }

  void give_back(void* p, std::size_t asked, std::size_t) noexcept {
    const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(p) - begin_);
    ALLOT_EXPECTS(offset < bytes && offset % UnitBytes == 0);
    const std::size_t first = offset / UnitBytes;
    const std::size_t units = units_of(asked);
    ALLOT_EXPECTS(units <= Count - first);
    const std::lock_guard lock{mutex_};
    ALLOT_EXPECTS(std::memchr(&taken_[first], 0, units) == nullptr); // each of them is out
    std::memset(&taken_[first], 0, units);
    out_.store(out_.load(std::memory_order_relaxed) - units, std::memory_order_relaxed);
  }

  [[nodiscard]] allot::ownership holds(const void* p) const noexcept { return allot::within(p, begin_, bytes); }

  /// The start of the first run of free units that is long enough, or `Count`.
  [[nodiscard]] std::size_t find(std::size_t units) const noexcept {
    const auto begin = taken_.begin();
    for (auto at = begin; static_cast<std::size_t>(taken_.end() - at) >= units;) {
      const auto end = at + static_cast<std::ptrdiff_t>(units);
      const auto in_the_way = std::find(at, end, 1);
      if (in_the_way == end) return static_cast<std::size_t>(at - begin);
      at = std::find(in_the_way, taken_.end(), 0);
    }
    return Count;
  }

  std::byte* begin_;
  const char* name_;
  std::mutex mutex_;
  std::array<unsigned char, Count> taken_{}; // 1 where a unit is out; under the mutex
  std::atomic<std::size_t> out_{0};          // written under the mutex, as is the next one
  std::atomic<std::size_t> most_out_{0};
};

} // namespace service
