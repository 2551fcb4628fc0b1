#pragma once

#include <allot/core/claim_flag.hpp>
#include <allot/core/resource_interface.hpp>
#include <allot/source/static_buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace allot::inline ALLOT_ABI {

namespace detail {

/// The memory of a `static_resource` that refers to a `static_buffer`.
template <std::size_t N, std::size_t Align>
class one_block {
public:
  explicit one_block(static_buffer<N, Align>& buffer) noexcept : buffer_{buffer} {}

  [[nodiscard]] void* try_claim() noexcept {
    const auto bytes = buffer_.try_claim();
    return bytes ? bytes->data() : nullptr;
  }
  [[nodiscard]] bool is_claimed() const noexcept { return buffer_.is_claimed(); }
  [[nodiscard]] static bool is_aligned_to(std::size_t alignment) noexcept { return alignment <= Align; }
  [[nodiscard]] ownership owns(const void* p) const noexcept { return buffer_.owns(p); }
  [[nodiscard]] static std::size_t size() noexcept { return N; }

private:
  static_buffer<N, Align>& buffer_;
};

/// The memory of one that sees a span: the flag is its own.
template <std::size_t Align>
class one_block<std::dynamic_extent, Align> {
public:
  explicit one_block(std::span<std::byte> bytes) noexcept : bytes_{bytes} {}

  [[nodiscard]] void* try_claim() noexcept { return flag_.claim() ? bytes_.data() : nullptr; }
  [[nodiscard]] bool is_claimed() const noexcept { return flag_.is_claimed(); }
  [[nodiscard]] bool is_aligned_to(std::size_t alignment) const noexcept {
    return bytes_.data() != nullptr && is_aligned(bytes_.data(), alignment);
  }
  [[nodiscard]] ownership owns(const void* p) const noexcept { return within(p, bytes_.data(), bytes_.size()); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

private:
  std::span<std::byte> bytes_;
  claim_flag flag_;
};

} // namespace detail

/// Serves one request, with one block of memory that it is given; every later request is `already_claimed`.
///
///     constinit allot::static_buffer<4_KiB> buffer;
///     allot::static_resource once{buffer, "table"};   // static_resource<4096, 16>: refers to the buffer, claims nothing yet
///     std::pmr::vector<int> table{&once};
///     table.reserve(1024);                            // claims it; the next growth fails
///
/// `static_resource<>` sees a span, as `static_slot<static_resource<>, N>` does for a resource that is itself a static.
///
/// Guarantees
/// - The first request that fits gets the block, one of zero bytes too. One that is too large or too strictly aligned is
///   `out_of_memory` and spends nothing.
/// - There is no free: `deallocate` takes its block and forgets it. The block stays spent.
/// - Through a `static_buffer`, all resources and claims over one buffer have that one block between them.
///
/// It refers to its memory since one that held N bytes could lie in no `.bss`: a pointer to its virtual functions is not zero.
///
/// Costs: 24 bytes over a `static_buffer`, 40 over a span. An allocation is one atomic exchange, a later one a load.
/// Threads: any thread and interrupt handlers, lock-free.
///
/// \snippet tests/source/static_resource_test.cpp example
template <std::size_t N = std::dynamic_extent, std::size_t Align = alignof(std::max_align_t)>
class static_resource final : public resource_interface<static_resource<N, Align>> {
public:
  static constexpr const char* class_name = "static_resource";
  static constexpr bool owns_is_exact = true;

  /// \param buffer  outlives the resource
  /// \param name    for records and reports; static storage
  explicit static_resource(static_buffer<N, Align>& buffer, const char* name = nullptr) noexcept
      requires(N != std::dynamic_extent)
      : block_{buffer}, name_{name} {}

  /// \param memory  outlives the resource, which is its only user
  /// \param name    for records and reports; static storage
  explicit static_resource(std::span<std::byte> memory, const char* name = nullptr) noexcept
      requires(N == std::dynamic_extent)
      : block_{memory}, name_{name} {}

  /// Whether the block is spent.
  [[nodiscard]] bool is_claimed() const noexcept { return block_.is_claimed(); }

  /// All of the bytes once the block is spent, none before.
  [[nodiscard]] std::size_t used() const noexcept { return is_claimed() ? capacity() : 0; }

  /// The most bytes that a request aligned to `alignment` can have now.
  /// \pre `alignment` is a power of two
  [[nodiscard]] std::size_t remaining(std::size_t alignment = alignof(std::max_align_t)) const noexcept {
    ALLOT_EXPECTS(is_alignment(alignment));
    return !is_claimed() && block_.is_aligned_to(alignment) ? capacity() : 0;
  }

  /// Bytes of the block.
  [[nodiscard]] std::size_t capacity() const noexcept { return block_.size(); }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

private:
  friend resource_interface<static_resource>;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    return std::max<std::size_t>(bytes, 1) <= capacity() && block_.is_aligned_to(alignment) ? block_.try_claim()
                                                                                            : nullptr;
  }

  void give_back(void* p, std::size_t bytes, std::size_t) noexcept {
    ALLOT_EXPECTS(is_claimed() && holds(p) == ownership::yes && bytes <= capacity());
  }

  [[nodiscard]] failure refusal(std::size_t bytes, std::size_t alignment) const noexcept {
    return {.reason = is_claimed() ? failure_reason::already_claimed : failure_reason::out_of_memory,
            .resource = class_name,
            .name = name_,
            .bytes = bytes,
            .alignment = alignment,
            .used = used(),
            .capacity = capacity()};
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return block_.owns(p); }

  detail::one_block<N, Align> block_;
  const char* name_;
};

/// A span gives the form that sees a span.
static_resource(std::span<std::byte>, const char* = nullptr)->static_resource<>;

} // namespace allot::inline ALLOT_ABI
