#include <allot/report/json.hpp> // first: proves that the header stands alone

#include <allot/adaptor/limit_adaptor.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "report/stack.hpp"
#include "report/support.hpp"

namespace {

namespace report = allot::report;

template <class T>
std::string json_of(const T& what) {
  return support::whole([&](std::span<char> out) { return report::json(what, out); });
}

} // namespace

TEST_SUITE("json") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena;
    allot::limit_adaptor capped{arena, 2048, "request"};
    (void)capped.allocate(96, 1);

    char buffer[1024];
    const allot::report::result done = allot::report::json(capped, buffer);
    CHECK(std::string_view(buffer, done.written) ==
          R"({"class": "limit_adaptor", "name": "request", "used_bytes": 96, "peak_bytes": 96, "limit_bytes": 2048, )"
          R"("headroom_bytes": 1952, "refusals": 0, "upstream":)"
          "\n"
          R"(  {"class": "bump_resource", "name": null, "used_bytes": 96, "peak_bytes": 96, "capacity_bytes": 4096}})"
          "\n");
    // [example]
  }

  TEST_CASE("nests the branches of routers, and tags") {
    const support::stack s;
    const std::string json = json_of(s.process);
    CAPTURE(json);
    CHECK(
        json.find(
            "\"upstream\":\n"
            "      {\"class\": \"size_router\", \"name\": \"by size\", \"branches\": [\n"
            "        {\"up_to_bytes\": 64, \"class\": \"fallback_router\", \"name\": null, \"branches\": [\n"
            "          {\"role\": \"primary\", \"class\": \"bump_resource\", \"name\": \"first\", \"used_bytes\": ") !=
        std::string::npos);
    CHECK(json.find("},\n          {\"role\": \"secondary\", ") != std::string::npos);
    CHECK(json.ends_with("\"upstream\":\n"
                         "          {\"class\": \"memory_resource\", \"name\": null, \"opaque\": true}}]}}}}\n"));
    CHECK(json.find("\"tags\": [\n      {\"tag\": \"(untagged)\", \"used_bytes\": 40, ") != std::string::npos);
  }

  TEST_CASE("a snapshot is an object of its figures; a limit that is none is null") {
    CHECK(json_of(allot::limit_snapshot{.used_bytes = 3}) ==
          R"({"used_bytes": 3, "peak_bytes": 0, "limit_bytes": null, "headroom_bytes": null, "refusals": 0})"
          "\n");
    allot::limit_snapshot most{.limit_bytes = 0};
    most.used_bytes = std::numeric_limits<std::size_t>::max();
    const std::string_view digits = most.used_bytes > 0xFFFFFFFF ? "18446744073709551615" : "4294967295";
    CHECK(json_of(most).starts_with("{\"used_bytes\": " + std::string{digits} + ", "));
  }

  TEST_CASE("several sources are an array of objects with labels") {
    const allot::limit_snapshot a{.limit_bytes = 1};
    const report::source both[] = {a, {a, {{"tenant", "ac\"me"}, {"tier", "1"}}}};
    const std::string figures =
        R"("used_bytes": 0, "peak_bytes": 0, "limit_bytes": 1, "headroom_bytes": 1, "refusals": 0})";
    CHECK(json_of(std::span<const report::source>{both}) ==
          "[\n  {" + figures + ",\n  {" + R"("labels": {"tenant": "ac\"me", "tier": "1"}, )" + figures + "]\n");
    CHECK(json_of(std::span<const report::source>{}) == "[]\n");
  }

  TEST_CASE("in every buffer the output is the whole lines that fit") {
    const support::stack s;
    const report::source all[] = {s.process, {s.process, {{"copy", "1"}}}};
    support::check_every_truncation([&](std::span<char> out) { return report::json(all, out); });
    support::check_every_truncation([&](std::span<char> out) { return report::json(s.process, out); });
  }
}
