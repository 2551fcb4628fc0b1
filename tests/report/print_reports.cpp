// Prints one report of fixed sources, for report_formats_test.py to read: print_reports WHAT.
//
//   text, json, json_list, open_metrics, prometheus   the report
//   facts       what the figures in it must be, taken from the layers themselves: a line `NAME FIGURE VALUE` for each
//   allocations how often any report calls malloc and its kin, with the default resource out of bounds
//   quoted, escaped, help                             each line of hexadecimal digits from stdin, written as such a text

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/construct/no_default_resource_guard.hpp>
#include <allot/core/chain.hpp>
#include <allot/report/escape.hpp>
#include <allot/report/exposition.hpp>
#include <allot/report/json.hpp>
#include <allot/report/text.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "report/stack.hpp"

#if ALLOT_COUNTS_MALLOC
#include "support/malloc_counter.hpp"
#endif

namespace {

namespace report = allot::report;

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();

constexpr const char* hostile_name =
    "a\"b\\c\nd\re\tf\x01\x1b[31m\x7f{}=,# \xC2\x85\xE2\x80\xA8\xFF\xED\xA0\x80\xE2\x82\xAC";

/// What is reported: every kind of layer, names that no format likes, the greatest figures, no limit.
struct sources {
  support::stack process;
  allot::chain<allot::layers<allot::limit_adaptor<allot::bump_resource<64>>, allot::bump_resource<64>>> tenant{
      allot::layer<allot::limit_adaptor>(std::size_t{48}, hostile_name), allot::source<allot::bump_resource<64>>("")};
  allot::counting_snapshot greatest{.live_bytes = most,
                                    .peak_bytes = most,
                                    .total_bytes = most,
                                    .live_blocks = most,
                                    .peak_blocks = most,
                                    .allocations = most,
                                    .deallocations = most,
                                    .failures = most,
                                    .largest_bytes = most};
  allot::limit_snapshot without_limit{.used_bytes = 7, .peak_bytes = 9};

  const report::source all[4] = {process.process,
                                 {tenant, {{"tenant", hostile_name}, {"tier", "gold"}}},
                                 {greatest, {{"tenant", "greatest"}}},
                                 {without_limit, {{"tenant", "free"}}}};
};

void add_families(report::exposition& page) {
  page.family({.name = "http_requests", .type = report::metric_type::counter, .help = "Requests \"served\" \\ \n."});
  page.sample({{"code", "200"}}, 17);
  page.sample({{"code", "503"}, {"why", hostile_name}}, most);
  page.family({.name = "build", .type = report::metric_type::info, .help = "The build."});
  page.sample({{"version", "1"}}, 1);
  page.family({.name = "temperature_celsius", .unit = "celsius", .help = "Of the air."});
  page.sample({{"room", "cellar"}}, -4);
  page.sample({{"room", "attic"}}, 21.5);
  page.family({.name = "unused_seconds", .unit = "seconds", .help = "Never seen."});
}

report::result write(std::string_view what, const sources& from, std::span<char> out) {
  if (what == "text") return report::text(from.all, out);
  if (what == "json_list") return report::json(from.all, out);
  if (what == "json") return report::json(from.process.process, out);
  if (what == "tags") return report::json(from.process.tags.tags(), out);
  const bool is_open = what == "open_metrics";
  report::exposition page{out, is_open ? report::metrics_format::open_metrics : report::metrics_format::prometheus};
  add_families(page);
  page.layers(from.all);
  return page.finish();
}

void fact(const char* name, const char* figure, std::size_t value) { std::printf("%s %s %zu\n", name, figure, value); }

void facts_of(const char* name, const allot::counting_snapshot& s) {
  fact(name, "used_bytes", s.live_bytes);
  fact(name, "peak_bytes", s.peak_bytes);
  fact(name, "used_blocks", s.live_blocks);
  fact(name, "peak_blocks", s.peak_blocks);
  fact(name, "largest_block_bytes", s.largest_bytes);
  fact(name, "allocated_bytes", s.total_bytes);
  fact(name, "allocations", s.allocations);
  fact(name, "deallocations", s.deallocations);
  fact(name, "failures", s.failures);
}

void print_facts(const support::stack& s) {
  const allot::limit_snapshot limits = s.process.snapshot();
  fact("process", "used_bytes", limits.used_bytes);
  fact("process", "peak_bytes", limits.peak_bytes);
  fact("process", "limit_bytes", limits.limit_bytes);
  fact("process", "headroom_bytes", s.process.headroom());
  fact("process", "used_blocks", limits.used_blocks);
  fact("process", "peak_blocks", limits.peak_blocks);
  fact("process", "limit_blocks", limits.limit_blocks);
  fact("process", "refusals", limits.refusals);
  facts_of("all", s.all.snapshot());
  facts_of("big", s.big.snapshot());
  fact("tags", "used_bytes", s.tags.used());
  fact("tags", "reserved_bytes", s.tags.reserved());
  fact("first", "used_bytes", s.first.used());
  fact("first", "peak_bytes", s.first.high_water());
  fact("first", "capacity_bytes", s.first.capacity());
  for (const allot::tag_snapshot& row : s.tags.tags()) {
    const std::string name = std::string{"tag:"} + row.tag;
    facts_of(name.c_str(), row);
    fact(name.c_str(), "reserved_bytes", row.reserved_bytes);
  }
}

#if ALLOT_COUNTS_MALLOC
int print_allocations(const sources& from, std::span<char> out) {
  const allot::no_default_resource_guard guard{allot::default_use::count};
  const auto calls = [] {
    const support::malloc_counts now = support::read_malloc_counts();
    return now.malloc + now.calloc + now.realloc + now.aligned_alloc + now.posix_memalign + now.memalign;
  };
  const auto before = calls();
  std::size_t written = 0;
  for (const char* const what : {"text", "json", "json_list", "tags", "open_metrics", "prometheus"})
    written += write(what, from, out).written + write(what, from, out.first(100)).written;
  const auto after = calls();
  void* volatile one = std::malloc(1); // volatile: else a compiler takes out the pair
  std::free(one);
  std::printf("%zu of the default resource, %llu calls of malloc, %llu where there is one, %s\n", guard.allocations(),
              static_cast<unsigned long long>(after - before), static_cast<unsigned long long>(calls() - after),
              written > 1000 ? "written" : "not written");
  return 0;
}
#endif

std::string bytes_of(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

template <class Put>
int print_lines(Put put, std::span<char> out) {
  for (std::string digits; std::getline(std::cin, digits);) {
    report::line_writer line{out};
    put(line, bytes_of(digits)).end_line();
    std::fwrite(out.data(), 1, line.written().written, stdout);
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  static char buffer[1 << 16];
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "quoted") return print_lines(report::put_quoted, buffer);
  if (what == "escaped") return print_lines(report::put_escaped, buffer);
  if (what == "help") return print_lines(report::put_help, buffer);
  static const sources from;
  if (what == "facts") return print_facts(from.process), 0;
#if ALLOT_COUNTS_MALLOC
  if (what == "allocations") return print_allocations(from, buffer);
#endif
  const report::result done = write(what, from, buffer);
  std::fwrite(buffer, 1, done.written, stdout);
  return done.truncated() ? 1 : 0;
}
