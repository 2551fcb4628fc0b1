#pragma once

#include <allot/core/config.hpp>
#include <allot/testing/stack_source.hpp>

#include <cstddef>
#include <span>

namespace allot::inline ALLOT_ABI {

/// What `checking_resource` finds.
enum class memory_fault : unsigned char {
  leak,             ///< a block was live when the resource ended
  double_free,      ///< a block came back a second time, while it was in quarantine; later it is a foreign pointer
  foreign_pointer,  ///< an address came back that is not the start of a block
  wrong_size,       ///< a block came back with another size than it was asked for
  wrong_alignment,  ///< a block came back with another alignment than it was asked for
  underrun,         ///< a byte in front of a block was overwritten
  overrun,          ///< a byte behind a block was overwritten
  write_after_free, ///< a byte of a block was overwritten after the block had come back
  poisoned,         ///< a block came back with bytes that AddressSanitizer or Memcheck forbids to touch
};

/// The name of a fault as it stands in the enumeration, for example "double_free".
[[nodiscard]] const char* to_string(memory_fault fault) noexcept;

/// One finding: what, where, and at which block. Values only, so that it outlives the resource and the block; but for the
/// stacks, which a `checking_resource` with `checking_options::stacks` shows to its handler, and which are null in what it
/// keeps.
struct memory_report {
  memory_fault fault = memory_fault::leak; ///< what
  const char* name = nullptr;              ///< the name of the resource that found it
  std::size_t serial = 0;                  ///< which block: 1 for the first one given out; 0 where no block is involved
  const void* block = nullptr;             ///< where the block starts
  std::size_t bytes = 0;                   ///< as it was asked for
  std::size_t alignment = 0;               ///< as it was asked for
  const void* pointer = nullptr;           ///< the address that came back
  std::size_t given_bytes = 0;             ///< the size that came back with it
  std::size_t given_alignment = 0;         ///< the alignment that came back with it
  std::ptrdiff_t offset = 0; ///< the first overwritten byte (or `pointer`), counted from the start of the block
  unsigned char found = 0;   ///< the value of the overwritten byte

  const call_stack* asked_by = nullptr; ///< who asked for the block; as the two below, gone when the handler returns
  const call_stack* freed_by = nullptr; ///< who gave it back, while it is in quarantine
  const call_stack* found_by = nullptr; ///< who gave it back wrongly, just now
};

/// Writes one line about `what` into `text`, terminated and cut as by `std::snprintf`. Allocates nothing.
/// \return the length of the whole line without the null
std::size_t describe(const memory_report& what, std::span<char> text) noexcept;

/// The same, and below it the stacks that the finding has, a line for each frame.
std::size_t describe(const memory_report& what, const stack_source& stacks, std::span<char> text) noexcept;

/// Called with each finding, under the resource's lock; it may ask that resource for its counts.
using memory_fault_handler = void (*)(const memory_report&, void* user) noexcept;

} // namespace allot::inline ALLOT_ABI
