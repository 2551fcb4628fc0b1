#pragma once

#include "memory.hpp"

#include <allot/core/failure.hpp>

#include <cstddef>
#include <string_view>

namespace service {

/// Why a request was not served, as the client is told: 413 where it alone is too much, 429 where its tenant has too much
/// in flight, 503 where the process has.
struct refusal {
  unsigned status = 503;
  std::string_view error{};    ///< one clause for a person
  std::string_view level{};    ///< "request", "tenant", "process", "arenas", "pages" or "system"
  std::string_view tenant{};   ///< where the level is one
  std::size_t asked_bytes = 0; ///< of the chunk that was refused
  std::size_t used_bytes = 0;  ///< of the level then
  std::size_t limit_bytes = 0; ///< of the level
};

/// What the record of a failure means to the client whose request met it.
[[nodiscard]] refusal refusal_for(const allot::failure& record, const tenant& whose) noexcept;

/// The same where plain new found no memory.
[[nodiscard]] refusal refusal_by_system() noexcept;

/// The pages' own memory is in use.
[[nodiscard]] refusal refusal_of_page() noexcept;

} // namespace service
