#pragma once

#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory_resource>

namespace bench {

/// Bytes that are live at once, and the most that ever were. Any thread.
class live_bytes {
public:
  void add(std::size_t bytes) noexcept {
    const std::size_t now = live_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::size_t peak = peak_.load(std::memory_order_relaxed);
    while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
  }
  void remove(std::size_t bytes) noexcept { live_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::size_t live() const noexcept { return live_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t peak() const noexcept { return peak_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::size_t> live_{0};
  std::atomic<std::size_t> peak_{0};
};

/// Stands between a workload and its subject, or between the subject and new and delete, and counts.
class counted_hop final : public std::pmr::memory_resource {
public:
  enum class blocks { left_alone, written };

  explicit counted_hop(std::pmr::memory_resource& upstream, blocks what = blocks::left_alone) noexcept
      : upstream_{&upstream}, what_{what} {}

  [[nodiscard]] live_bytes& bytes() noexcept { return bytes_; }

private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    void* const p = upstream_->allocate(bytes, alignment);
    bytes_.add(bytes);
    if (what_ == blocks::written) std::memset(p, 1, bytes); // what is never written is never resident
    return p;
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    bytes_.remove(bytes);
    upstream_->deallocate(p, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::pmr::memory_resource* upstream_;
  blocks what_;
  live_bytes bytes_;
};

/// What a workload took.
struct footprint {
  std::size_t requested = 0; ///< the most bytes of blocks that were live at once
  std::size_t reserved = 0;  ///< the most bytes that the subject had from its upstream at once
  bool reserved_is_known = true;
  std::size_t base_resident = 0; ///< of the process, before the subject was made
  std::size_t peak_resident = 0;
};

/// Bytes of this process that are in memory now; zero where the system does not tell.
[[nodiscard]] std::size_t resident_bytes() noexcept;

/// The most since `forget_peak`, or since the start where that cannot be forgotten.
[[nodiscard]] std::size_t peak_resident_bytes() noexcept;
void forget_peak() noexcept;

} // namespace bench
