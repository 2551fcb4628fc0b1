#pragma once

#include <allot/adaptor/aligned_adaptor.hpp>
#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/chain.hpp>

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <span>

namespace bench {

constexpr std::size_t budget = std::size_t{1} << 20;

/// A budget over counters over a minimum alignment over an arena, in one class: the work of `static_stack` with the same
/// ledgers and the same step of the arena, but with no layer, so that nothing has to be undone by an exception.
class hand_written final : public std::pmr::memory_resource {
public:
  explicit hand_written(std::span<std::byte> bytes) noexcept
      : limit_{{.bytes = budget}}, begin_{bytes.data()}, end_{begin_ + bytes.size()}, cursor_{end_}, lowest_{end_} {}
  hand_written(const hand_written&) = delete;
  hand_written& operator=(const hand_written&) = delete;

  [[nodiscard]] void* allocate(std::size_t bytes, std::size_t alignment) {
    if (!limit_.admit(bytes)) [[unlikely]]
      refuse(bytes, alignment, allot::failure_reason::budget_exceeded);
    if (!step(bytes, std::max(alignment, minimum_))) [[unlikely]]
      undo(bytes, alignment);
    counters_.allocated(bytes);
    limit_.delivered();
    return ::operator new(bytes, static_cast<void*>(cursor_));
  }

  void deallocate(void* p, std::size_t bytes, std::size_t) noexcept {
    if (p == nullptr) return;
    counters_.deallocating(bytes);
    auto* const block = static_cast<std::byte*>(p);
    if (block == cursor_ && block < floor_) {
      lowest_ = std::min(lowest_, cursor_);
      cursor_ = block + (bytes == 0 ? 1 : bytes);
    }
    limit_.give_back(bytes);
  }

private:
  bool step(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t mask = allot::detail::negated(alignment);
    if (!allot::detail::is_step(bytes)) [[unlikely]]
      return step_slow(bytes, alignment);
    return allot::detail::step_down<1>(cursor_, begin_, bytes, mask);
  }

  [[gnu::noinline, gnu::cold]] bool step_slow(std::size_t bytes, std::size_t alignment) noexcept {
    return allot::detail::step_down_slow(cursor_, begin_, bytes, alignment);
  }

  [[noreturn, gnu::noinline, gnu::cold]] void undo(std::size_t bytes, std::size_t alignment) {
    counters_.failed();
    limit_.give_back(bytes);
    refuse(bytes, alignment, allot::failure_reason::out_of_memory);
  }

  [[noreturn, gnu::noinline, gnu::cold]] static void refuse(std::size_t bytes, std::size_t alignment,
                                                            allot::failure_reason why) {
    allot::raise({.reason = why, .resource = "hand_written", .bytes = bytes, .alignment = alignment});
  }

  void* do_allocate(std::size_t bytes, std::size_t alignment) override { return allocate(bytes, alignment); }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) noexcept override {
    deallocate(p, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  allot::limit_ledger limit_;
  allot::plain_counters_t::ledger counters_;
  std::size_t minimum_ = 16;
  std::byte* begin_;
  std::byte* end_;
  std::byte* cursor_;
  std::byte* lowest_;
  std::byte* floor_ = end_;
};

/// The same as a chain whose types are all known.
inline auto static_stack(std::span<std::byte> bytes) noexcept {
  return allot::chain{allot::layer<allot::limit_adaptor>(budget), allot::layer<allot::counting_adaptor>(),
                      allot::layer<allot::aligned_adaptor>(std::size_t{16}),
                      allot::source<allot::bump_resource<>>(bytes)};
}

/// The same where each layer knows no more of the one below than `std::pmr::memory_resource`.
inline auto dynamic_stack(std::span<std::byte> bytes) noexcept {
  using any = std::pmr::memory_resource;
  return allot::chain{allot::layer<allot::limit_adaptor<any>>(budget), allot::layer<allot::counting_adaptor<any>>(),
                      allot::layer<allot::aligned_adaptor<any>>(std::size_t{16}),
                      allot::source<allot::bump_resource<>>(bytes)};
}

} // namespace bench
