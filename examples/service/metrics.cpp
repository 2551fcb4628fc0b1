#include "metrics.hpp"

#include "memory_sources.hpp"
#include "new_figures.hpp"

#include <allot/report/exposition.hpp>

#include <array>
#include <charconv>
#include <chrono>

namespace service {
namespace {

namespace report = allot::report;

/// What the service itself counts; allot's families follow.
void write_http(report::exposition& page, const server& s) noexcept {
  using report::metric_type;
  const auto total = [&s](counter statistics::*member) {
    return sum(s.threads, [member](const statistics& t) -> const counter& { return t.*member; });
  };
  page.family(
      {.name = "service_requests", .type = metric_type::counter, .unit = {}, .help = "Requests answered, by status."});
  for (std::size_t i = 0; i < status_codes.size(); ++i) {
    std::array<char, 4> code{};
    std::to_chars(code.data(), code.data() + code.size(), status_codes[i]);
    page.sample({{"code", {code.data(), 3}}},
                sum(s.threads, [i](const statistics& t) -> const counter& { return t.answers[i]; }));
  }
  page.family({.name = "service_requests_in_flight",
               .type = metric_type::gauge,
               .unit = {},
               .help = "Requests whose header is here and whose answer is not yet sent."});
  page.sample(total(&statistics::in_flight));
  page.family({.name = "service_connections", .type = metric_type::gauge, .unit = {}, .help = "Connections open now."});
  page.sample(total(&statistics::connections));
  page.family({.name = "service_connections_accepted",
               .type = metric_type::counter,
               .unit = {},
               .help = "Connections ever accepted."});
  page.sample(total(&statistics::accepted));
  page.family({.name = "service_connections_timed_out",
               .type = metric_type::counter,
               .unit = {},
               .help = "Connections ended since they took longer than a timeout."});
  page.sample(total(&statistics::timeouts));
  page.family({.name = "service_connections_broken",
               .type = metric_type::counter,
               .unit = {},
               .help = "Connections that the client ended in the middle of a request or an answer."});
  page.sample(total(&statistics::broken));
  page.family({.name = "service_uptime_seconds",
               .type = metric_type::gauge,
               .unit = "seconds",
               .help = "Since the service started."});
  const auto up = std::chrono::steady_clock::now() - s.started;
  page.sample(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(up).count()));
}

/// Beside them what the rest of the program takes, where it is counted.
void write_new(report::exposition& page) noexcept {
  const auto figures = new_figures();
  if (!figures) return;
  page.family({.name = "service_new_allocations",
               .type = report::metric_type::counter,
               .unit = {},
               .help = "Calls of operator new in the whole process."});
  page.sample(figures->allocations);
  page.family({.name = "service_new_bytes",
               .type = report::metric_type::gauge,
               .unit = "bytes",
               .help = "Bytes live from operator new."});
  page.sample(figures->live_bytes);
}

} // namespace

std::string_view write_metrics(std::span<char> buffer, report::metrics_format format, const server& s) noexcept {
  report::exposition page{buffer, format};
  write_http(page, s);
  write_new(page);
  page.layers(memory_sources{s.memory}.all());
  const report::result done = page.finish();
  return {buffer.data(), done.truncated() ? 0 : done.written};
}

} // namespace service
