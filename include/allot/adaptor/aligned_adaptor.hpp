#pragma once

#include <allot/core/adaptor_interface.hpp>
#include <allot/core/layout.hpp>

#include <algorithm>
#include <cstddef>
#include <memory_resource>

namespace allot::inline ALLOT_ABI {

/// Passes each call on to its upstream with at least a minimum alignment: for vector registers, cache lines, DMA.
///
///     allocate(100, 8) -> aligned_adaptor of 64 -> upstream: allocate(100, 64)
///
/// Guarantees
/// - Every block starts at a multiple of `minimum_alignment()`, and of what was asked for.
/// - Upstream is given back the alignment that it was asked for. Sizes pass unchanged: a block need not end at a multiple.
/// - The failure of a request is upstream's own: its record has the alignment that upstream was asked for.
///
/// Costs: one compare a call.
/// Threads: as upstream.
///
/// \snippet tests/adaptor/aligned_adaptor_test.cpp example
template <class Upstream = std::pmr::memory_resource>
class aligned_adaptor final : public adaptor_interface<aligned_adaptor<Upstream>, Upstream> {
  using base = adaptor_interface<aligned_adaptor, Upstream>;

public:
  static constexpr const char* class_name = "aligned_adaptor";

  /// \param upstream  outlives the adaptor
  /// \param minimum   the least alignment of a block in bytes; a power of two
  /// \param name      for reports; static storage
  explicit aligned_adaptor(Upstream& upstream, std::size_t minimum, const char* name = nullptr) noexcept
      : base{upstream, name}, minimum_{minimum} {
    ALLOT_EXPECTS(is_alignment(minimum));
  }

  /// The least alignment of a block in bytes.
  [[nodiscard]] std::size_t minimum_alignment() const noexcept { return minimum_; }

private:
  friend base;
  friend resource_interface<aligned_adaptor>;

  // These hide those of adaptor_interface, which pass the alignment unchanged.

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    return this->upstream_resource()->allocate(bytes, raised(alignment));
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    return try_allocate_from(*this->upstream_resource(), bytes, raised(alignment));
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    this->upstream_resource()->deallocate(p, bytes, raised(alignment));
  }

  /// Both are powers of two: a multiple of the larger is one of the smaller.
  [[nodiscard]] std::size_t raised(std::size_t alignment) const noexcept { return std::max(alignment, minimum_); }

  std::size_t minimum_;
};

} // namespace allot::inline ALLOT_ABI
