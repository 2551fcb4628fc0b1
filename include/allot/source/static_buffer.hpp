#pragma once

#include <allot/core/claim_flag.hpp>
#include <allot/core/layout.hpp>
#include <allot/detail/one_shot.hpp>

#include <cstddef>
#include <span>

namespace allot::inline ALLOT_ABI {

/// N bytes of static memory whose exclusive handle goes to the first caller only.
///
///     constinit allot::static_buffer<4_KiB> frames;            // namespace scope, .bss
///     const std::span<std::byte, 4_KiB> mine = frames.claim("rx");
///
/// A claim lasts for the rest of the program: there is no way to give it back. `claim`, `claim_zeroed`, `try_claim`,
/// `is_claimed`, `owns` and `capacity` stand in detail/one_shot.hpp, once for all one-shot buffers.
///
/// Guarantees
/// - The extent survives in the type of the span, so that the compiler knows it.
/// - All zero bits, trivially destructible: it lies in `.bss`, nothing runs before `main` or at exit.
/// - The bytes are aligned to `Align`, and zero when they are claimed.
/// - The name is not stored.
///
/// N is at least 1: an exclusive handle to nothing would be no handle.
///
/// Costs: one byte beside the buffer, and padding. A claim is one atomic exchange, a lost claim a load.
/// Threads: any thread and interrupt handlers, lock-free.
///
/// \snippet tests/source/static_buffer_test.cpp example
template <std::size_t N, std::size_t Align = alignof(std::max_align_t)>
class static_buffer : public detail::one_shot<static_buffer<N, Align>, N> {
  static_assert(N > 0, "a buffer of no bytes has nothing to claim");
  static_assert(is_alignment(Align), "the alignment is a power of two");

public:
  static constexpr const char* class_name = "static_buffer";

  constexpr static_buffer() noexcept = default;

private:
  friend detail::one_shot<static_buffer, N>;

  [[nodiscard]] std::span<std::byte, N> bytes() noexcept { return bytes_; }
  [[nodiscard]] std::span<const std::byte, N> bytes() const noexcept { return bytes_; }

  alignas(Align) std::byte bytes_[N]{};
  claim_flag flag_;
};

} // namespace allot::inline ALLOT_ABI
