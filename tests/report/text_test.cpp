#include <allot/report/text.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/adaptor/limit_adaptor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "report/stack.hpp"
#include "report/support.hpp"

namespace {

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();

namespace report = allot::report;

template <class T>
std::string text_of(const T& what) {
  return support::whole([&](std::span<char> out) { return report::text(what, out); });
}

std::string line_of_used(std::size_t bytes) {
  const std::string text = text_of(allot::limit_snapshot{.used_bytes = bytes, .limit_bytes = 0});
  return text.substr(0, text.find('\n'));
}

/// A router that is not allot's.
struct by_turns final : allot::resource_interface<by_turns> {
  static constexpr const char* class_name = "by_turns";
  static constexpr std::size_t branch_count = 2;
  template <std::size_t I>
  [[nodiscard]] const allot::bump_resource<64>& branch() const noexcept {
    return branches[I];
  }
  void* place(std::size_t bytes, std::size_t alignment) noexcept { return branches[0].try_allocate(bytes, alignment); }
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    branches[0].deallocate(p, bytes, alignment);
  }
  allot::bump_resource<64> branches[2]{allot::bump_resource<64>{"even"}, allot::bump_resource<64>{"odd"}};
};

} // namespace

TEST_SUITE("text") {
  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena{"scratch"};
    allot::counting_adaptor counted{arena, "request"};
    (void)counted.allocate(1536, 1);

    char buffer[2048];
    const allot::report::result done = allot::report::text(counted, buffer);
    CHECK(std::string_view(buffer, done.written) == "counting_adaptor \"request\"\n"
                                                    "    used                       1,536 bytes     1.5 KiB\n"
                                                    "    peak                       1,536 bytes     1.5 KiB\n"
                                                    "    blocks                         1\n"
                                                    "    peak blocks                    1\n"
                                                    "    largest block              1,536 bytes     1.5 KiB\n"
                                                    "    allocated                  1,536 bytes     1.5 KiB\n"
                                                    "    allocations                    1\n"
                                                    "    deallocations                  0\n"
                                                    "    failures                       0\n"
                                                    "  bump_resource \"scratch\"\n"
                                                    "      used                     1,536 bytes     1.5 KiB\n"
                                                    "      peak                     1,536 bytes     1.5 KiB\n"
                                                    "      capacity                 4,096 bytes     4.0 KiB\n");
    // [example]
  }

  TEST_CASE("shows the branches of routers, tags, and where the type is not known") {
    const support::stack s;
    const std::string text = text_of(s.process);
    CAPTURE(text);
    CHECK(text.find("\n      size_router \"by size\"\n        up to 64 bytes: fallback_router\n"
                    "          primary: bump_resource \"first\"\n") != std::string::npos);
    CHECK(text.find("\n        otherwise: counting_adaptor \"big\"\n") != std::string::npos);
    CHECK(text.ends_with("          memory_resource (of unknown type)\n"));
    CHECK(text.find("\n        \"parse\"                    2,000    2.0 KiB          2,000    2.0 KiB"
                    "        1            2              1         1\n") != std::string::npos);
  }

  TEST_CASE("a branch of a router that says nothing of it is shown by its number") {
    const by_turns router;
    const std::string text = text_of(router);
    CHECK(text.find("branch 0: bump_resource \"even\"\n") != std::string::npos);
    CHECK(text.find("branch 1: bump_resource \"odd\"\n") != std::string::npos);
  }

  TEST_CASE("a snapshot stands alone, and so does a tag table") {
    CHECK(text_of(allot::limit_snapshot{}) == "used                               0 bytes\n"
                                              "peak                               0 bytes\n"
                                              "limit                      unlimited\n"
                                              "headroom                   unlimited\n"
                                              "refusals                           0\n");
    const support::stack s;
    CHECK(text_of(s.tags.tags()).starts_with("tag                                 used"));
  }

  TEST_CASE("several sources are told apart by their labels") {
    const allot::limit_snapshot a{.limit_bytes = 1};
    const report::source both[] = {a, {a, {{"tenant", "ac\"me"}, {"tier", "1"}}}};
    const std::string text = text_of(both[0]);
    CHECK(support::whole([&](std::span<char> out) { return report::text(both, out); }) ==
          text + "\ntenant=\"ac\\\"me\", tier=\"1\":\n" + text);
    CHECK(support::whole([&](std::span<char> out) { return report::text(std::span<const report::source>{}, out); }) ==
          "");
  }

  TEST_CASE("a size is exact, and rounded to a tenth of the largest unit that it has one of") {
    CHECK(line_of_used(1) == "used                               1 byte");
    CHECK(line_of_used(1023) == "used                           1,023 bytes");
    CHECK(line_of_used(1024) == "used                           1,024 bytes     1.0 KiB");
    CHECK(line_of_used(1075) == "used                           1,075 bytes     1.0 KiB");
    CHECK(line_of_used(1076) == "used                           1,076 bytes     1.1 KiB");
    CHECK(line_of_used((1 << 20) - 1) == "used                       1,048,575 bytes     1.0 MiB");
    if constexpr (most > 0xFFFFFFFF) {
      CHECK(line_of_used(std::size_t{10} << 30) == "used                  10,737,418,240 bytes    10.0 GiB");
      CHECK(line_of_used(most) == "used      18,446,744,073,709,551,615 bytes    16.0 EiB");
    } else {
      CHECK(line_of_used(most) == "used                   4,294,967,295 bytes     4.0 GiB");
    }
  }

  TEST_CASE("a figure that is too long for its column moves what follows") {
    allot::limit_snapshot s{.used_bytes = most, .limit_bytes = 0};
    s.refusals = most;
    allot::counting_snapshot c;
    c.largest_bytes = most;
    if constexpr (most > 0xFFFFFFFF) {
      CHECK(text_of(s).ends_with("refusals  18,446,744,073,709,551,615\n"));
      CHECK(text_of(c).find("\nlargest block 18,446,744,073,709,551,615 bytes 16.0 EiB\n") != std::string::npos);
    } else {
      CHECK(text_of(s).ends_with("refusals               4,294,967,295\n"));
      CHECK(text_of(c).find("\nlargest block          4,294,967,295 bytes     4.0 GiB\n") != std::string::npos);
    }
  }

  TEST_CASE("a name cannot break a line or command a terminal") {
    allot::bump_resource<8> arena{"a\n\"b\"\x1b[31m\xff"};
    CHECK(text_of(arena).starts_with("bump_resource \"a\\n\\\"b\\\"\\u001b[31m\xEF\xBF\xBD\"\n"));
    allot::bump_resource<8> nameless;
    CHECK(text_of(nameless).starts_with("bump_resource\n"));
  }

  TEST_CASE("in every buffer the output is the whole lines that fit") {
    const support::stack s;
    const report::source all[] = {s.process, {s.process, {{"copy", "1"}}}};
    support::check_every_truncation([&](std::span<char> out) { return report::text(all, out); });
  }
}
