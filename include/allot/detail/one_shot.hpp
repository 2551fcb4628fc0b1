#pragma once

#include <allot/core/claim_flag.hpp>
#include <allot/core/ownership.hpp>

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

namespace allot::inline ALLOT_ABI::detail {

/// What one-shot buffers of N bytes have in common: the ways to claim. `Derived` names its class by `class_name`, its
/// memory by `bytes()`, and has the `flag_`, behind the memory: in front it would cost a whole alignment. A temporary cannot
/// be claimed: its bytes would be gone.
template <class Derived, std::size_t N>
class one_shot {
public:
  constexpr one_shot() noexcept = default;
  one_shot(const one_shot&) = delete;
  one_shot& operator=(const one_shot&) = delete;

  /// The bytes, for the first caller.
  /// \param name  for the record where the claim fails; static storage, and not kept
  /// \throws already_claimed for everyone else
  [[nodiscard]] std::span<std::byte, N> claim(const char* name = nullptr) & {
    if (!self().flag_.claim()) [[unlikely]]
      raise_already_claimed(Derived::class_name, name, N);
    return self().bytes();
  }

  /// `claim`, and writes zeros over the bytes: for memory that nobody else zeroes.
  [[nodiscard]] std::span<std::byte, N> claim_zeroed(const char* name = nullptr) & {
    const std::span<std::byte, N> bytes = claim(name);
    std::memset(bytes.data(), 0, N);
    return bytes;
  }

  /// The bytes for the first caller, nothing for everyone else.
  [[nodiscard]] std::optional<std::span<std::byte, N>> try_claim() & noexcept {
    if (!self().flag_.claim()) return std::nullopt;
    return self().bytes();
  }

  /// Whether a claim would fail now.
  [[nodiscard]] bool is_claimed() const noexcept { return self().flag_.is_claimed(); }

  /// Whether `p` points into the bytes, claimed or not.
  [[nodiscard]] ownership owns(const void* p) const noexcept { return within(p, self().bytes().data(), N); }

  /// Bytes that a claim gives.
  [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }

private:
  [[nodiscard]] Derived& self() noexcept { return static_cast<Derived&>(*this); }
  [[nodiscard]] const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }
};

} // namespace allot::inline ALLOT_ABI::detail
