#include "memory_page.hpp"

#include "memory_sources.hpp"
#include "text_writer.hpp"

#include <allot/report/json.hpp>

#include <chrono>

namespace service {
namespace {

void write_service(text_writer& text, const server& s) noexcept {
  const auto total = [&s](counter statistics::*member) {
    return sum(s.threads, [member](const statistics& t) -> const counter& { return t.*member; });
  };
  const auto up = std::chrono::steady_clock::now() - s.started;
  text << "{\"uptime_ms\":"
       << static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(up).count())
       << ",\"memory\":" << (s.chosen.memory == memory_mode::allot ? "\"allot\"" : "\"new\"")
       << ",\"draining\":" << (s.draining ? "true" : "false") << ",\"threads\":" << s.threads.size()
       << ",\"in_flight\":" << total(&statistics::in_flight) << ",\"connections\":" << total(&statistics::connections)
       << ",\"max_connections\":" << s.chosen.max_connections << ",\"request_limit_bytes\":" << s.chosen.request_budget
       << ",\"answers\":{";
  for (std::size_t i = 0; i < status_codes.size(); ++i) {
    text << (i == 0 ? "\"" : ",\"") << status_codes[i]
         << "\":" << sum(s.threads, [i](const statistics& t) -> const counter& { return t.answers[i]; });
  }
  text << "}}";
}

} // namespace

std::string_view write_memory_json(std::span<char> buffer, const server& s) noexcept {
  text_writer text{buffer};
  text << "{\"service\":";
  write_service(text, s);
  text << ",\"memory\":";
  const auto levels = allot::report::json(memory_sources{s.memory}.all(), text.room());
  text.add(levels.written);
  text << "}\n";
  return text.fits() && !levels.truncated() ? text.text() : std::string_view{};
}

} // namespace service
