#include "final_report.hpp"

#include "worker.hpp"

#include <cstdio>

namespace service {
namespace {

void print_level(const char* name, std::size_t used, std::size_t peak, std::size_t limit, std::size_t refusals) {
  std::printf("  %-24s %12zu live %12zu peak %12zu limit %10zu refused\n", name, used, peak, limit, refusals);
}

void print_requests(const server& s) {
  for (std::size_t i = 0; i < status_codes.size(); ++i) {
    const auto n = sum(s.threads, [i](const statistics& t) -> const counter& { return t.answers[i]; });
    if (n != 0) std::printf("  answered %u: %llu\n", status_codes[i], static_cast<unsigned long long>(n));
  }
}

} // namespace

bool print_final_report(const server& s) {
  std::printf("service: drained\n");
  print_requests(s);
  const auto process = s.memory.process().layer<0>().snapshot();
  print_level("process", process.used_bytes, process.peak_bytes, process.limit_bytes, process.refusals);
  for (const tenant& t : s.memory.tenants()) {
    const auto level = t.level->snapshot();
    print_level(t.level->name(), level.used_bytes, level.peak_bytes, level.limit_bytes, level.refusals);
  }
  const auto counted = s.memory.process().layer<1>().snapshot();
  std::printf("  %zu chunks taken, %zu given back, %zu bytes in all\n", counted.allocations, counted.deallocations,
              counted.total_bytes);
  const std::size_t live = s.memory.live_bytes();
  const std::size_t pages = s.memory.pages().used();
  const std::size_t connections = connection_bytes_in_use();
  std::printf("service: live %zu bytes (requests %zu, pages %zu, connections %zu)\n", live + pages + connections, live,
              pages, connections);
  return live + pages + connections == 0;
}

} // namespace service
