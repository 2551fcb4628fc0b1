#pragma once

#include "refusal.hpp"

#include <span>
#include <string_view>

namespace service {

/// An answer before it is written.
struct answer {
  unsigned status = 200;
  std::string_view content_type = "application/json";
  std::string_view body;
  std::string_view allow;   ///< for 405
  unsigned retry_after = 0; ///< seconds; 0: does not say
  bool close = false;       ///< the connection ends after it
};

/// Status line and fields.
[[nodiscard]] std::string_view write_head(std::span<char> buffer, const answer& a, int version,
                                          std::string_view date) noexcept;

/// `{"status":400,"error":"...","detail":"..."}`, without `detail` where that is empty.
[[nodiscard]] std::string_view write_error(std::span<char> buffer, unsigned status, std::string_view error,
                                           std::string_view detail = {}) noexcept;

/// The same for a refusal, with the level and its figures.
[[nodiscard]] std::string_view write_refusal(std::span<char> buffer, const refusal& r) noexcept;

} // namespace service
