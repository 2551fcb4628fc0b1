#include <allot/adaptor/trace_format.hpp>
#include <allot/detail/plain_line.hpp>

#include <cstdint>

namespace allot::inline ALLOT_ABI {
namespace {

std::size_t address(const trace_event& event) noexcept {
  return static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(event.pointer));
}

void put_text(detail::plain_line& line, const trace_event& event) noexcept {
  line.number(event.time).put(" thread ").number(event.thread).put(' ').put(to_string(event.operation)).put(' ');
  line.number(event.bytes).put(" bytes aligned to ").number(event.alignment);
  if (event.outcome == trace_outcome::ok) {
    line.put(" at ").hex(address(event));
  } else {
    line.put(' ').put(to_string(event.outcome));
  }
}

void put_csv(detail::plain_line& line, const trace_event& event) noexcept {
  line.number(event.time).put(',').number(event.thread).put(',').put(to_string(event.operation)).put(',');
  line.hex(address(event)).put(',').number(event.bytes).put(',').number(event.alignment).put(',');
  line.put(to_string(event.outcome));
}

} // namespace

std::size_t format_trace(const trace_event& event, trace_format format, std::span<char> out) noexcept {
  detail::plain_line line{out};
  if (format == trace_format::csv) {
    put_csv(line, event);
  } else {
    put_text(line, event);
  }
  return line.put('\n').size();
}

} // namespace allot::inline ALLOT_ABI
