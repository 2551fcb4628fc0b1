#pragma once

#include <allot/core/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace allot::inline ALLOT_ABI {

/// True for the powers of two: 1, 2, 4, ... Everything else is no alignment.
[[nodiscard]] constexpr bool is_alignment(std::size_t n) noexcept { return std::has_single_bit(n); }

/// `a + b`, or nothing where that does not fit.
[[nodiscard]] constexpr std::optional<std::size_t> checked_add(std::size_t a, std::size_t b) noexcept {
  if (b > std::numeric_limits<std::size_t>::max() - a) return std::nullopt;
  return a + b;
}

/// `a * b`, or nothing where that does not fit.
[[nodiscard]] constexpr std::optional<std::size_t> checked_multiply(std::size_t a, std::size_t b) noexcept {
  if (a != 0 && b > std::numeric_limits<std::size_t>::max() / a) return std::nullopt;
  return a * b;
}

/// The greatest multiple of `alignment` that is not above `n`.
/// \pre `is_alignment(alignment)`
[[nodiscard]] constexpr std::size_t align_down(std::size_t n, std::size_t alignment) noexcept {
  return n & ~(alignment - 1);
}

/// The least multiple of `alignment` that is not below `n`, or nothing where that does not fit.
/// \pre `is_alignment(alignment)`
[[nodiscard]] constexpr std::optional<std::size_t> align_up(std::size_t n, std::size_t alignment) noexcept {
  const auto raised = checked_add(n, alignment - 1);
  if (!raised) return std::nullopt;
  return align_down(*raised, alignment);
}

/// Bytes from `p` up to the next address that is a multiple of `alignment`; 0 where `p` is one.
/// \pre `is_alignment(alignment)`
[[nodiscard]] inline std::size_t padding_to(const void* p, std::size_t alignment) noexcept {
  return static_cast<std::size_t>((~reinterpret_cast<std::uintptr_t>(p) + 1) & (alignment - 1));
}

/// True where `p` is a multiple of `alignment`.
/// \pre `is_alignment(alignment)`
[[nodiscard]] inline bool is_aligned(const void* p, std::size_t alignment) noexcept {
  return padding_to(p, alignment) == 0;
}

/// A size and an alignment: what a request asks for and what a deallocation has to say again.
struct layout {
  std::size_t bytes = 0;     ///< any size
  std::size_t alignment = 1; ///< a power of two

  /// The layout of one T.
  template <class T>
  [[nodiscard]] static constexpr layout of() noexcept {
    return {sizeof(T), alignof(T)};
  }

  /// The layout of `count` Ts in a row, or nothing where their size does not fit a `std::size_t`.
  template <class T>
  [[nodiscard]] static constexpr std::optional<layout> array_of(std::size_t count) noexcept {
    const auto bytes = checked_multiply(count, sizeof(T));
    if (!bytes) return std::nullopt;
    return layout{*bytes, alignof(T)};
  }

  friend constexpr bool operator==(const layout&, const layout&) noexcept = default;
};

inline namespace literals {

namespace detail_literals {

/// Not constexpr: reaching it in a constant expression is the compile error that names the reason.
void size_does_not_fit_in_size_t();

consteval std::size_t scaled(unsigned long long n, unsigned shift) {
  if (n > (std::numeric_limits<std::size_t>::max() >> shift)) size_does_not_fit_in_size_t();
  return static_cast<std::size_t>(n) << shift;
}

} // namespace detail_literals

/// `64_B`: 64 bytes.
consteval std::size_t operator""_B(unsigned long long n) { return detail_literals::scaled(n, 0); }
/// `64_KiB`: 64 * 1024 bytes. A value that does not fit `std::size_t` does not compile.
consteval std::size_t operator""_KiB(unsigned long long n) { return detail_literals::scaled(n, 10); }
/// `64_MiB`: 64 * 1024 * 1024 bytes.
consteval std::size_t operator""_MiB(unsigned long long n) { return detail_literals::scaled(n, 20); }
/// `1_GiB`: 1024 * 1024 * 1024 bytes.
consteval std::size_t operator""_GiB(unsigned long long n) { return detail_literals::scaled(n, 30); }

} // namespace literals

} // namespace allot::inline ALLOT_ABI
