#include <allot/report/line_writer.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "report/support.hpp"

namespace {

using allot::report::line_writer;

allot::report::result three_lines(std::span<char> out) {
  line_writer lines{out};
  lines.put("a long line, ").number(12).fill(3, '.').end_line();
  lines.end_line();
  lines.put("x").end_line();
  return lines.written();
}

} // namespace

TEST_SUITE("line_writer") {
  TEST_CASE("example") {
    // [example]
    char buffer[16];
    allot::report::line_writer lines{buffer};
    lines.put("used ").number(96).end_line();
    lines.put("capacity ").number(4096).end_line();

    const allot::report::result done = lines.written();
    CHECK(std::string_view(buffer, done.written) == "used 96\n");
    CHECK(done.needed == 22);
    CHECK(done.truncated());
    // [example]
  }

  TEST_CASE("in every buffer the output is the whole lines that fit") { support::check_every_truncation(three_lines); }

  TEST_CASE("a short line that would fit does not follow a long one that did not") {
    char buffer[8];
    line_writer lines{buffer};
    lines.put("a").end_line();
    lines.put("this one is long").end_line();
    lines.put("b").end_line();
    CHECK(lines.written() == allot::report::result{2, 21});
    CHECK(std::string_view(buffer, 2) == "a\n");
  }

  TEST_CASE("a part that would fit does not follow one that did not, in the same line") {
    char buffer[4] = {'-', '-', '-', '-'};
    line_writer lines{buffer};
    lines.put("12345").put("6").end_line();
    CHECK(lines.written() == allot::report::result{0, 7});
    CHECK(std::string_view(buffer, 4) == "----");
  }

  TEST_CASE("a line is in no figure until it is ended, and knows its column") {
    char buffer[8];
    line_writer lines{buffer};
    lines.put("abc");
    CHECK(lines.column() == 3);
    CHECK(lines.written() == allot::report::result{0, 0});
    lines.end_line();
    CHECK(lines.column() == 0);
    CHECK(lines.written() == allot::report::result{4, 4});
  }

  TEST_CASE("writes the smallest and the greatest number, and a text of nothing") {
    const std::string text = support::whole([](std::span<char> out) {
      line_writer lines{out};
      lines.number(0).put(std::string_view{}).put(" ").number(std::numeric_limits<std::uint64_t>::max()).end_line();
      return lines.written();
    });
    CHECK(text == "0 18446744073709551615\n");
  }

  TEST_CASE("counts without a buffer") { CHECK(three_lines({}) == allot::report::result{0, 22}); }
}
