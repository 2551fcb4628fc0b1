#pragma once

#include <allot/core/config.hpp>
#include <allot/report/line_writer.hpp>

#include <string_view>

namespace allot::inline ALLOT_ABI::report {

/// \file
/// How strings of users get into a report. They may hold any byte. What is not UTF-8 (a stray byte, a sequence cut short,
/// an overlong form, a surrogate, anything above U+10FFFF) is replaced by U+FFFD, one for each maximal part of a sequence,
/// as browsers and Python do. Strings that differ in nothing but such bytes are therefore written alike.

/// `text` in double quotes, as a JSON string. Quotes, backslashes and control characters are escaped, and beyond what JSON
/// asks for: DEL, the controls U+0080 to U+009F, the separators U+2028 and U+2029, and the marks that turn the direction
/// of writing. So it is also safe to show in a terminal.
line_writer& put_quoted(line_writer& line, std::string_view text) noexcept;

/// `text` as the value of an OpenMetrics label or as a help text of OpenMetrics, without quotes around it: newlines, double
/// quotes and backslashes are escaped. Everything else stands as it is, control characters too, as the format has it.
line_writer& put_escaped(line_writer& line, std::string_view text) noexcept;

/// `text` as a help text of Prometheus' text format 0.0.4, which knows no escaped quote.
line_writer& put_help(line_writer& line, std::string_view text) noexcept;

} // namespace allot::inline ALLOT_ABI::report
