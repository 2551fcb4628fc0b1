#pragma once

#include "server.hpp"

namespace service {

/// Prints what was served and what memory is still out, to stdout.
/// \return whether all memory came back
bool print_final_report(const server& s);

} // namespace service
