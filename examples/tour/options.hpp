#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tour {

/// What the command line asks for.
struct options {
  std::string file;
  std::size_t budget = 0; ///< bytes of the static arena that are handed on
  bool help = false;
};

/// A command line or an input that cannot be used: `what` is one line for the person who typed it.
struct usage_error {
  std::string what;
};

inline constexpr std::string_view usage_text =
    "usage: tour [FILE] [--budget SIZE]\n"
    "\n"
    "Counts the words of FILE (default: the README of allot) in standard containers that live in static memory,\n"
    "and reports what they cost.\n"
    "\n"
    "  --budget SIZE  bytes of the 64 MiB static arena that the containers get (default: all of it), for example\n"
    "                 1048576, 512KiB or 4MiB\n"
    "\n"
    "exit status: 0 done, 1 the report could not be written, 2 unusable arguments or input, 3 the budget ran out\n";

/// \throws usage_error
[[nodiscard]] options parse_options(int argc, const char* const* argv, std::string default_file, std::size_t capacity);

} // namespace tour
