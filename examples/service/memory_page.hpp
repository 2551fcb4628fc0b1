#pragma once

#include "server.hpp"

#include <span>
#include <string_view>

namespace service {

/// The page at /memory: it draws what /memory.json says, and asks for it twice a second.
extern const std::string_view memory_page;

/// The levels with their figures now, as JSON in `buffer`.
[[nodiscard]] std::string_view write_memory_json(std::span<char> buffer, const server& s) noexcept;

} // namespace service
