#pragma once

#include <cstdint>

/// \file
/// Before which instructions of the section `watched_code` an interrupt came.

namespace interrupts {

/// Notes an interrupt before the instruction at `at`, wherever that is.
void watch(std::uintptr_t at) noexcept;

/// What `watch` has seen of the section until now, as counts of instructions.
struct watched_code {
  unsigned met = 0;            ///< an interrupt came before it
  unsigned missed = 0;         ///< none came, though one could have
  unsigned masked = 0;         ///< none can come: it stands behind a `cpsid i`, up to the write of PRIMASK
  unsigned met_and_masked = 0; ///< one came where none can
};
[[nodiscard]] watched_code look_at_watched_code() noexcept;

} // namespace interrupts
