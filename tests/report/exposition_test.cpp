#include <allot/report/exposition.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/adaptor/limit_adaptor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "report/stack.hpp"
#include "report/support.hpp"
#include "support/death.hpp"

namespace {

namespace report = allot::report;
using report::metric_type;
using report::metrics_format;

std::string page_of(metrics_format format, auto write) {
  return support::whole([&](std::span<char> out) {
    report::exposition page{out, format};
    write(page);
    return page.finish();
  });
}

template <class T>
std::string open_metrics_of(const T& what) {
  return support::whole([&](std::span<char> out) { return report::open_metrics(what, out); });
}

} // namespace

TEST_SUITE("exposition") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena{"request"};
    (void)arena.allocate(96, 1);
    const allot::report::source sources[] = {{arena, {{"tenant", "acme"}}}};

    using namespace allot::report;
    char buffer[4096];
    exposition page{buffer, metrics_format::open_metrics};
    page.family({.name = "http_requests", .type = metric_type::counter, .help = "Requests served."});
    page.sample({{"code", "200"}}, 17);
    page.sample({{"code", "503"}}, 1);
    page.layers(sources);
    const result done = page.finish();

    CHECK(std::string_view(buffer, done.written) ==
          R"(# TYPE http_requests counter
# HELP http_requests Requests served.
http_requests_total{code="200"} 17
http_requests_total{code="503"} 1
# TYPE allot_layer info
# HELP allot_layer A layer of a stack of resources.
allot_layer_info{tenant="acme",level="0",layer="bump_resource",name="request"} 1
# TYPE allot_used_bytes gauge
# UNIT allot_used_bytes bytes
# HELP allot_used_bytes Bytes in use.
allot_used_bytes{tenant="acme",level="0",layer="bump_resource",name="request"} 96
# TYPE allot_peak_bytes gauge
# UNIT allot_peak_bytes bytes
# HELP allot_peak_bytes The most bytes that were in use at once.
allot_peak_bytes{tenant="acme",level="0",layer="bump_resource",name="request"} 96
# TYPE allot_capacity_bytes gauge
# UNIT allot_capacity_bytes bytes
# HELP allot_capacity_bytes Bytes of memory that the resource has.
allot_capacity_bytes{tenant="acme",level="0",layer="bump_resource",name="request"} 4096
# EOF
)");
    // [example]
  }

  TEST_CASE("the text format has the suffix in the metadata, no unit, no info and no end") {
    const std::string page = page_of(metrics_format::prometheus, [](report::exposition& p) {
      p.family({.name = "io_bytes", .type = metric_type::counter, .unit = "bytes", .help = "A \"b\" \\ \n."});
      p.sample(1);
      p.family({.name = "build", .type = metric_type::info});
      p.sample({{"version", "1"}}, 1);
    });
    CHECK(page == "# TYPE io_bytes_total counter\n# HELP io_bytes_total A \"b\" \\\\ \\n.\nio_bytes_total 1\n"
                  "# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n");
  }

  TEST_CASE("OpenMetrics escapes the quotes of a help text too") {
    const std::string page = page_of(metrics_format::open_metrics, [](report::exposition& p) {
      p.family({.name = "io_bytes", .type = metric_type::counter, .unit = "bytes", .help = "A \"b\" \\ \n."});
      p.sample(1);
    });
    CHECK(page == "# TYPE io_bytes counter\n# UNIT io_bytes bytes\n# HELP io_bytes A \\\"b\\\" \\\\ \\n.\n"
                  "io_bytes_total 1\n# EOF\n");
  }

  TEST_CASE("a family without a sample leaves no line, and a label without a value is none") {
    const std::string page = page_of(metrics_format::open_metrics, [](report::exposition& p) {
      p.family({.name = "nothing", .help = "Never seen."});
      p.family({.name = "x"});
      p.sample({{"a", ""}, {"b", "1"}, {"c", ""}}, 2);
      p.sample({{"a", ""}}, 3);
    });
    CHECK(page == "# TYPE x gauge\nx{b=\"1\"} 2\nx 3\n# EOF\n");
    CHECK(page_of(metrics_format::open_metrics, [](auto&) {}) == "# EOF\n");
    CHECK(page_of(metrics_format::prometheus, [](auto&) {}) == "");
  }

  TEST_CASE("the samples of a family stand together, whichever source they are of") {
    const allot::counting_snapshot a{.live_bytes = 1};
    const allot::counting_snapshot b{.live_bytes = 2};
    const report::source both[] = {{a, {{"tenant", "a"}}}, {b, {{"tenant", "b"}}}};
    const std::string page = support::whole([&](std::span<char> out) { return report::prometheus(both, out); });
    CHECK(page.find("\nallot_used_bytes{tenant=\"a\"} 1\nallot_used_bytes{tenant=\"b\"} 2\n# TYPE") !=
          std::string::npos);
  }

  TEST_CASE("levels, branches and tags tell the samples of one source apart") {
    const support::stack s;
    const std::string page = open_metrics_of(s.process);
    CAPTURE(page);
    CHECK(page.find("\nallot_used_bytes{level=\"5\",branch=\"0.0\",layer=\"bump_resource\",name=\"first\"} ") !=
          std::string::npos);
    CHECK(
        page.find("\nallot_capacity_bytes{level=\"5\",branch=\"0.1\",layer=\"bump_resource\",name=\"second\"} 512\n") !=
        std::string::npos);
    CHECK(page.find("\nallot_layer_info{level=\"5\",branch=\"1\",layer=\"memory_resource\"} 1\n") != std::string::npos);
    CHECK(page.find("\nallot_tag_used_bytes{level=\"2\",layer=\"tag_adaptor\",name=\"tags\",tag=\"parse\"} 2000\n") !=
          std::string::npos);
    CHECK(open_metrics_of(s.tags.tags()).find("\nallot_tag_used_bytes{tag=\"parse\"} 2000\n") != std::string::npos);
  }

  TEST_CASE("what only rises is a counter, and all else a gauge") {
    const auto counters_of = [](const auto& snapshot) {
      constexpr std::string_view begin = "# TYPE allot_";
      constexpr std::string_view end = " counter\n";
      const std::string page = open_metrics_of(snapshot);
      std::string names;
      for (std::size_t at = 0; (at = page.find(begin, at)) != std::string::npos; ++at) {
        const std::string line = page.substr(at, page.find('\n', at) + 1 - at);
        if (line.ends_with(end)) names += line.substr(begin.size(), line.size() - begin.size() - end.size()) + ' ';
      }
      return names;
    };
    CHECK(counters_of(allot::counting_snapshot{}) == "allocated_bytes allocations deallocations failures ");
    CHECK(counters_of(allot::limit_snapshot{}) == "refusals ");
  }

  TEST_CASE("a limit that is none is +Inf, and any other figure is exact") {
    allot::limit_snapshot s;
    CHECK(open_metrics_of(s).find("\nallot_limit_bytes +Inf\n") != std::string::npos);
    CHECK(open_metrics_of(s).find("\nallot_headroom_bytes +Inf\n") != std::string::npos);
    s.used_bytes = std::numeric_limits<std::size_t>::max();
    s.refusals = std::numeric_limits<std::size_t>::max();
    CHECK(open_metrics_of(s).find("\nallot_used_bytes 18446744073709551615\n") != std::string::npos);
    CHECK(open_metrics_of(s).find("\nallot_refusals_total 18446744073709551615\n") != std::string::npos);
  }

  TEST_CASE("a sample is any number: integers exactly, others with a point or an exponent") {
    using limits = std::numeric_limits<double>;
    const std::string page = page_of(metrics_format::open_metrics, [](report::exposition& p) {
      p.family({.name = "x"});
      p.sample(-5);
      p.sample({{"of", "least"}}, std::numeric_limits<std::int64_t>::min());
      p.sample({{"of", "most"}}, std::numeric_limits<std::uint64_t>::max());
      p.sample({{"of", "bool"}}, true);
      p.sample({{"of", "half"}}, 0.5F);
      p.sample({{"of", "whole"}}, -3.0);
      p.sample({{"of", "long"}}, -limits::denorm_min());
      p.sample({{"of", "longest"}}, -1.7976931348623157e308);
      p.sample({{"of", "infinity"}}, limits::infinity());
      p.sample({{"of", "minus infinity"}}, -limits::infinity());
      p.sample({{"of", "nothing"}}, limits::quiet_NaN());
      p.family({.name = "y_seconds", .type = metric_type::counter});
      p.sample(0.25);
    });
    CHECK(page == "# TYPE x gauge\nx -5\nx{of=\"least\"} -9223372036854775808\nx{of=\"most\"} 18446744073709551615\n"
                  "x{of=\"bool\"} 1\nx{of=\"half\"} 0.5\nx{of=\"whole\"} -3.0\nx{of=\"long\"} -5e-324\n"
                  "x{of=\"longest\"} -1.7976931348623157e+308\nx{of=\"infinity\"} +Inf\nx{of=\"minus infinity\"} -Inf\n"
                  "x{of=\"nothing\"} NaN\n# TYPE y_seconds counter\ny_seconds_total 0.25\n# EOF\n");
  }

  TEST_CASE("a name stays one label, whatever is in it; none is no label") {
    allot::bump_resource<8> arena{"a\n\"b\"\\\xff"};
    CHECK(open_metrics_of(arena).find(
              "{level=\"0\",layer=\"bump_resource\",name=\"a\\n\\\"b\\\"\\\\\xEF\xBF\xBD\"} 0\n") != std::string::npos);
    allot::bump_resource<8> empty{""};
    CHECK(open_metrics_of(empty).find("{level=\"0\",layer=\"bump_resource\"} 0\n") != std::string::npos);
  }

  TEST_CASE("takes every name that the formats know, and sources that differ in one label") {
    const std::string page = page_of(metrics_format::open_metrics, [](report::exposition& p) {
      p.family({.name = "Nx_2_seconds", .unit = "seconds"});
      p.sample({{"a_1Z", "x"}}, 1);
    });
    CHECK(page.find("\nNx_2_seconds{a_1Z=\"x\"} 1\n") != std::string::npos);
    const allot::counting_snapshot figures;
    const report::source all[] = {figures, {figures, {{"a", "1"}}}, {figures, {{"a", "2"}}}, {figures, {{"b", "1"}}}};
    CHECK(open_metrics_of(std::span<const report::source>{all}).ends_with("# EOF\n"));
  }

  TEST_CASE("the content types are those of the formats") {
    CHECK(std::string_view{report::content_type(metrics_format::open_metrics)} ==
          "application/openmetrics-text; version=1.0.0; charset=utf-8");
    CHECK(std::string_view{report::content_type(metrics_format::prometheus)} ==
          "text/plain; version=0.0.4; charset=utf-8");
  }

  TEST_CASE("in every buffer the output is the whole lines that fit") {
    const support::stack s;
    const report::source all[] = {s.process, {s.process, {{"copy", "1"}}}};
    support::check_every_truncation([&](std::span<char> out) { return report::open_metrics(all, out); });
    support::check_every_truncation([&](std::span<char> out) { return report::prometheus(all, out); });
  }

  TEST_CASE("one source, and what one is made of, give the page that a list of it gives") {
    const allot::counting_snapshot figures{.live_bytes = 7};
    const auto page = [](const auto& what) {
      return support::whole([&](std::span<char> out) { return report::prometheus(what, out); });
    };
    const report::source one{figures};
    const std::string listed = page(std::span<const report::source>{&one, 1});
    CHECK(listed.find(" 7\n") != std::string::npos);
    CHECK(page(one) == listed);
    CHECK(page(figures) == listed);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops at names that no format knows, at values that a type cannot have, and at sources that cannot be "
            "told apart") {
    const auto dies_with = [](const report::metric_family& family, const report::label_set& labels) {
      return dies([&] {
        report::exposition page{{}, metrics_format::open_metrics};
        page.family(family);
        page.sample(labels, 1);
      });
    };
    CHECK(dies_with({.name = ""}, {}));
    CHECK(dies_with({.name = "2x"}, {}));
    CHECK(dies_with({.name = "a-b"}, {}));
    CHECK(dies_with({.name = "x_total", .type = metric_type::counter}, {}));
    CHECK(dies_with({.name = "x", .unit = "seconds"}, {}));
    CHECK(dies_with({.name = "seconds", .unit = "seconds"}, {}));
    CHECK(dies_with({.name = "x_info", .type = metric_type::info}, {}));
    CHECK(dies_with({.name = "the_bytes", .unit = "seconds"}, {}));
    CHECK(dies_with({.name = "xseconds", .unit = "seconds"}, {}));
    CHECK(dies_with({.name = "x{y"}, {}));
    CHECK(dies_with({.name = "x_bytes", .type = metric_type::info, .unit = "bytes"}, {}));
    CHECK(dies_with({.name = "x"}, {{"a:b", "x"}}));
    CHECK(dies_with({.name = "x"}, {{"_a", "x"}}));
    CHECK(dies_with({.name = "x"}, {{"1a", "x"}}));
    CHECK(dies_with({.name = "x"}, {{"a", "x"}, {"a", "y"}}));
    CHECK(dies_with({.name = "_x"}, {}));
    CHECK(dies_with({.name = "a:x"}, {}));

    CHECK(dies([] {
      report::exposition page{{}, metrics_format::open_metrics};
      page.family({.name = "x"});
      page.layers({});
      page.sample(1); // of which family?
    }));

    const auto dies_of = [](metric_type type, auto value) {
      return dies([&] {
        report::exposition page{{}, metrics_format::open_metrics};
        page.family({.name = "x", .type = type});
        page.sample(value);
      });
    };
    CHECK(dies_of(metric_type::counter, -1));
    CHECK(dies_of(metric_type::counter, -0.5));
    CHECK(dies_of(metric_type::counter, std::numeric_limits<double>::quiet_NaN()));
    CHECK(dies_of(metric_type::info, 2));
    CHECK(dies_of(metric_type::info, 0.5));

    const allot::counting_snapshot figures;
    const auto page_dies = [&](const report::label_set& a, const report::label_set& b) {
      return dies(
          [&] {
            const report::source both[] = {{figures, a}, {figures, b}};
            static_cast<void>(report::open_metrics(both, {}));
          },
          "can_be_told_apart");
    };
    CHECK(page_dies({}, {}));
    CHECK(page_dies({{"a", "1"}, {"b", "2"}}, {{"b", "2"}, {"a", "1"}}));
    CHECK(page_dies({}, {{"a", ""}}));
    for (const char* const own : {"level", "branch", "layer", "name", "tag"})
      CHECK(page_dies({}, {{own, "1"}}));
    CHECK(page_dies({}, {{"no name", "1"}}));
  }
#endif
}
