#pragma once

#include "machine.hpp"

#include <cstddef>
#include <memory_resource>

namespace schedule {

/// Memory for the schedule that runs: the same addresses each time, none of them twice. What is touched after it came back
/// is a failure, and so is a block that does not come back, or as another size. Its calls are no steps and order nothing.
/// One heap at a time.
/// Threads: as told; where one at a time, two calls that nothing orders are a data race.
class heap final : public std::pmr::memory_resource {
public:
  enum class threads : unsigned char { one_at_a_time, any };

  explicit heap(threads who = threads::one_at_a_time) noexcept;
  ~heap() override;

  [[nodiscard]] std::size_t live() const noexcept { return live_; }

  /// Refuses from the call after `calls` more.
  void refuse_after(std::size_t calls) noexcept { calls_left_ = calls; }

private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override;
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  struct block {
    void* p;
    std::size_t bytes;
  };
  static constexpr std::size_t most_blocks = 64;

  void called(actor* by, const void* from);

  threads who_;
  block blocks_[most_blocks]{};
  std::size_t used_ = 0;
  std::size_t live_ = 0;
  std::size_t calls_left_ = ~std::size_t{0};
};

} // namespace schedule
