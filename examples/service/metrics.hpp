#pragma once

#include "server.hpp"

#include <allot/report/exposition.hpp>

#include <span>
#include <string_view>

namespace service {

/// All figures for Prometheus, in `buffer`: what the service counts, and the levels of its memory. Empty where they do not
/// fit: a part of them must not be served.
[[nodiscard]] std::string_view write_metrics(std::span<char> buffer, allot::report::metrics_format format,
                                             const server& s) noexcept;

} // namespace service
