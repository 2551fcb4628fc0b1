#pragma once

#include <allot/core/layout.hpp>
#include <allot/core/resource_interface.hpp>

#include "input.hpp"
#include "require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory_resource>

#include "support/sanitizers.hpp"

#if ALLOT_TEST_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace fuzz {

/// The memory below what is tested. It keeps books of its own, delivers exactly the alignment asked for, refuses or misaligns
/// the calls that the input chose, and ends the program where a block comes back otherwise than it went out.
class upstream final : public allot::resource_interface<upstream> {
public:
  static constexpr const char* class_name = "fuzz_upstream";
  static constexpr bool owns_is_exact = true;
  static constexpr std::size_t most_bytes = std::size_t{1} << 21;
  static constexpr std::size_t most_alignment = std::size_t{1} << 16;

  ~upstream() override { FUZZ_REQUIRE(blocks_.empty()); }

  /// From the `after`-th request on, `count` requests in a row are refused or, where `misaligned`, get memory that is not
  /// aligned as they asked.
  void plan(std::size_t after, std::size_t count, bool misaligned = false) noexcept {
    refuse_from_ = requests_ + after;
    refuse_to_ = refuse_from_ + count;
    misaligns_ = misaligned;
  }

  /// Reads the plan from the input.
  void plan(input& in) noexcept {
    const std::size_t chosen = in.byte();
    plan(chosen % 16, chosen / 16 % 8, may_misalign_ && chosen >= 192);
  }

  /// Lets plans from the input misalign. Only for who calls this class by its type: what std's interface gives, a compiler
  /// takes for aligned.
  void let_misalign() noexcept { may_misalign_ = true; }

  [[nodiscard]] std::size_t requests() const noexcept { return requests_; }
  /// Requests that were refused, or got memory that is not aligned.
  [[nodiscard]] std::size_t refusals() const noexcept { return refusals_; }
  /// Whether a resource over this one may refuse: this one has, since there were `before` refusals, or would have.
  [[nodiscard]] bool excuses(const allot::layout& wanted, std::size_t before) const noexcept {
    return refusals_ != before || wanted.bytes > most_bytes || wanted.alignment > most_alignment;
  }
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
  friend resource_interface;

  static constexpr std::size_t guard = 32;
  static constexpr unsigned char guard_byte = 0xA7;

  struct record {
    std::byte* raw;
    allot::layout shape;
  };

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    FUZZ_REQUIRE(allot::is_alignment(alignment));
    const std::size_t number = requests_++;
    const bool planned = number >= refuse_from_ && number < refuse_to_;
    if ((planned && !misaligns_) || bytes > most_bytes || alignment > most_alignment) return refuse();
    const std::size_t raw_bytes = bytes + 3 * alignment + 2 * guard;
    auto* const raw = static_cast<std::byte*>(std::malloc(raw_bytes));
    if (raw == nullptr) return refuse();
    std::byte* p = raw + guard;
    p += (3 * alignment - reinterpret_cast<std::uintptr_t>(p) % (2 * alignment)) % (2 * alignment);
    if (planned && alignment > 1) {
      p += alignment / 2;
      ++refusals_;
    }
    std::memset(p - guard, guard_byte, guard);
    std::memset(p + bytes, guard_byte, guard);
    blocks_[p] = {raw, {bytes, alignment}};
    bytes_ += bytes;
    return p;
  }

  void* refuse() noexcept {
    ++refusals_;
    return nullptr;
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    const auto found = blocks_.find(static_cast<std::byte*>(p));
    FUZZ_REQUIRE(found != blocks_.end());
    const auto [raw, shape] = found->second;
    FUZZ_REQUIRE(shape == allot::layout{bytes, alignment});
    auto* const block = static_cast<std::byte*>(p);
#if ALLOT_TEST_ASAN
    FUZZ_REQUIRE(__asan_region_is_poisoned(block, bytes) == nullptr);
#endif
    const auto is_guard = [](std::byte x) { return x == std::byte{guard_byte}; };
    FUZZ_REQUIRE(std::all_of(block - guard, block, is_guard));
    FUZZ_REQUIRE(std::all_of(block + bytes, block + bytes + guard, is_guard));
    bytes_ -= bytes;
    blocks_.erase(found);
    std::free(raw);
  }

  [[nodiscard]] allot::ownership holds(const void* p) const noexcept {
    auto above = blocks_.upper_bound(const_cast<std::byte*>(static_cast<const std::byte*>(p)));
    if (above == blocks_.begin()) return allot::ownership::no;
    --above;
    return allot::within(p, above->first, std::max<std::size_t>(above->second.shape.bytes, 1));
  }

  std::map<std::byte*, record> blocks_;
  std::size_t bytes_ = 0;
  std::size_t requests_ = 0;
  std::size_t refusals_ = 0;
  std::size_t refuse_from_ = 0;
  std::size_t refuse_to_ = 0;
  bool misaligns_ = false;
  bool may_misalign_ = false;
};

/// The same as a foreign resource, which can refuse by an exception only.
class foreign_upstream final : public std::pmr::memory_resource {
public:
  explicit foreign_upstream(upstream& real) noexcept : real_{real} {}

private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return static_cast<std::pmr::memory_resource&>(real_).allocate(bytes, alignment);
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    real_.deallocate(p, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  upstream& real_;
};

} // namespace fuzz
