#pragma once

#include <allot/core/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace allot::inline ALLOT_ABI {

/// Where `checking_resource` gets the call stacks from that its reports show: two functions, so that it needs no library
/// that knows how. `boost_stacks()` is one over Boost.Stacktrace.
///
/// Guarantees asked of it
/// - `capture` takes no memory from the resource that asks; it runs at every allocation, under the resource's lock.
/// - `describe` is called for reports alone. What it allocates elsewhere is its own affair.
struct stack_source {
  /// Writes the return addresses of the running call into `frames`, innermost first. \return how many it wrote
  std::size_t (*capture)(std::span<const void*> frames, void* user) noexcept = nullptr;

  /// Writes what lies at a return address ("parse(int) at parser.cpp:12") into `text`, terminated and cut as by
  /// `std::snprintf`. \return the length of the whole text without the null; 0 where nothing is known
  std::size_t (*describe)(const void* frame, std::span<char> text, void* user) noexcept = nullptr;

  void* user = nullptr; ///< goes to both
};

/// The stack of one call, as addresses.
struct call_stack {
  static constexpr std::size_t most_frames = 32; ///< outer ones beyond that are left out

  std::size_t depth = 0;                ///< frames that are there
  const void* frames[most_frames] = {}; ///< return addresses, innermost first

  /// The stack of the running call.
  [[nodiscard]] static call_stack of_caller(const stack_source& source) noexcept {
    call_stack now;
    now.depth = std::min(source.capture(std::span{now.frames}, source.user), most_frames);
    return now;
  }

  /// Those of `frames` that are there.
  [[nodiscard]] std::span<const void* const> addresses() const noexcept { return {frames, depth}; }

  /// Equal for equal stacks.
  [[nodiscard]] std::size_t hash() const noexcept {
    std::uint64_t sum = depth;
    for (const void* const frame : addresses())
      sum = (sum ^ reinterpret_cast<std::uintptr_t>(frame)) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(sum >> 32);
  }

  /// Equal where the addresses are.
  friend bool operator==(const call_stack& a, const call_stack& b) noexcept {
    return std::ranges::equal(a.addresses(), b.addresses());
  }
};

/// Writes a line for each frame of `stack` into `text`, innermost first, terminated and cut where it does not fit. The
/// innermost ones, as long as they are allot's own, are left out: they say how the stack was taken. A frame of which
/// `source` knows nothing is an address.
/// \return the length of all lines without the null
std::size_t describe(const call_stack& stack, const stack_source& source, std::span<char> text) noexcept;

} // namespace allot::inline ALLOT_ABI
