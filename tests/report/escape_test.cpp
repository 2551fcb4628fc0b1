#include <allot/report/escape.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "report/support.hpp"

namespace {

using namespace std::string_view_literals;

template <class Put>
std::string written(Put put, std::string_view text) {
  std::string line = support::whole([&](std::span<char> out) {
    allot::report::line_writer lines{out};
    put(lines, text).end_line();
    return lines.written();
  });
  line.pop_back();
  return line;
}

std::string quoted(std::string_view text) { return written(allot::report::put_quoted, text); }
std::string escaped(std::string_view text) { return written(allot::report::put_escaped, text); }
std::string help(std::string_view text) { return written(allot::report::put_help, text); }

} // namespace

TEST_SUITE("escape") {
  TEST_CASE("plain text stands as it is") {
    CHECK(quoted("tenant 7, größe €\xF0\x9F\x98\x80") == "\"tenant 7, größe €\xF0\x9F\x98\x80\"");
    CHECK(escaped("größe €\xF0\x9F\x98\x80") == "größe €\xF0\x9F\x98\x80");
    CHECK(quoted("") == "\"\"");
    CHECK(escaped("") == "");
  }

  TEST_CASE("quotes, backslashes and line ends are escaped as each format has it") {
    CHECK(quoted("a\"b\\c\nd\re\tf") == R"("a\"b\\c\nd\re\tf")");
    CHECK(escaped("a\"b\\c\nd") == R"(a\"b\\c\nd)");
    CHECK(help("a\"b\\c\nd") == R"(a"b\\c\nd)");
  }

  TEST_CASE("no control character reaches a terminal or a JSON string") {
    CHECK(quoted("\0\x01\x1b\x1f\x7f"sv) == R"("\u0000\u0001\u001b\u001f\u007f")");
    CHECK(quoted("\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0") == "\"\\u0080\\u009b\\u009f\xC2\xA0\"");
    CHECK(quoted("\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xAE\xE2\x80\xAF") == "\"\xE2\x80\xA7\\u2028\\u202e\xE2\x80\xAF\"");
    CHECK(quoted("\xE2\x81\xA6\xE2\x81\xA9\xE2\x81\xAA") == "\"\\u2066\\u2069\xE2\x81\xAA\"");
    CHECK(quoted("\xE2\x80\x8D\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C") == "\"\xE2\x80\x8D\\u200e\\u200f\\u061c\"");
  }

  TEST_CASE("a label keeps control characters, as OpenMetrics has it") { CHECK(escaped("\0\x1b\r"sv) == "\0\x1b\r"sv); }

  TEST_CASE("what is not UTF-8 is replaced, one for each maximal part") {
    const std::string_view one = "\xEF\xBF\xBD";
    const std::string two = std::string{one} + std::string{one};
    CHECK(escaped("\xFF") == one);
    CHECK(escaped("\x80") == one);
    CHECK(escaped("a\xC3") == std::string{"a"}.append(one)); // cut short
    CHECK(escaped("\xE2\x82z") == std::string{one} + "z");   // cut short, and what follows stays
    CHECK(escaped("\xF0\x9F\x98") == one);                   // three bytes of four
    CHECK(escaped("\xC0\x80") == two);                       // overlong
    CHECK(escaped("\xE0\x9F\xBF") == two + std::string{one});
    CHECK(escaped("\xED\xA0\x80") == two + std::string{one}); // a surrogate
    CHECK(escaped("\xF4\x90\x80\x80") == two + two);          // above U+10FFFF
    CHECK(escaped("\xF5\x80") == two);
  }

  TEST_CASE("a text ends where it ends, not where its bytes do") {
    CHECK(escaped(std::string_view{"\xE2\x82\xAC"}.substr(0, 2)) == "\xEF\xBF\xBD");
    CHECK(quoted(std::string_view{"\xC3\xA4"}.substr(0, 1)) == "\"\xEF\xBF\xBD\"");
  }

  TEST_CASE("a line that ends in the middle of a sequence swallows nothing") {
    CHECK(escaped("\xE2\n\"") == "\xEF\xBF\xBD\\n\\\"");
    CHECK(quoted("\xF0\x9F\"") == "\"\xEF\xBF\xBD\\\"\"");
  }
}
