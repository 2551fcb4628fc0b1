#pragma once

#include <allot/adaptor/trace_event.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace allot::inline ALLOT_ABI {

/// How an event stands in a line.
///
/// text, for people; the time, then who did what:
///
///     1714310 thread 1 allocate 64 bytes aligned to 8 at 0x55d0c8a2e2c0
///     1714902 thread 1 allocate 4096 bytes aligned to 16 failed
///     1715043 thread 2 deallocate 64 bytes aligned to 8 at 0x55d0c8a2e2c0
///
/// csv, for programs; `trace_csv_header` names the columns. No field needs quotes:
///
///     1714310,1,allocate,0x55d0c8a2e2c0,64,8,ok
///     1714902,1,allocate,0x0,4096,16,failed
enum class trace_format : unsigned char { text, csv };

/// The first line of a CSV trace, with its newline.
inline constexpr std::string_view trace_csv_header = "time,thread,operation,pointer,bytes,alignment,outcome\n";

/// No line, with its newline, is longer.
inline constexpr std::size_t longest_trace_line = 160;

/// Writes one line, its newline included, into `out`; what does not fit is left out.
/// Threads: any thread and signal handlers: it calls nothing.
/// \return the characters written
std::size_t format_trace(const trace_event& event, trace_format format, std::span<char> out) noexcept;

} // namespace allot::inline ALLOT_ABI
