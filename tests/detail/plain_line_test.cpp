#include <allot/detail/plain_line.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

using allot::detail::plain_line;

TEST_SUITE("plain_line") {
  TEST_CASE("puts characters, texts and numbers one behind the other") {
    char out[40];
    plain_line line{out};
    line.put('a').put("bc ").number(0).put(' ').number(1234567890).put(' ').hex(0xbeef01).put(' ').hex(0);
    CHECK(line.text() == "abc 0 1234567890 0xbeef01 0x0");
    CHECK(line.size() == line.text().size());
  }

  TEST_CASE("the largest number has all its digits") {
    constexpr std::size_t largest = std::numeric_limits<std::size_t>::max();
    char out[80];
    CHECK(plain_line{out}.number(largest).text() == std::to_string(largest));
    CHECK(plain_line{out}.hex(largest).text() == "0x" + std::string(2 * sizeof largest, 'f'));
  }

  TEST_CASE("what does not fit is left out, and nothing is written behind the end") {
    char out[6] = {'.', '.', '.', '.', '.', '#'};
    plain_line line{std::span{out, 5}};
    line.put("abc").number(123).put('z').hex(7);
    CHECK(line.text() == "abc12");
    CHECK(out[5] == '#');
    CHECK(plain_line{std::span<char>{}}.put('a').number(1).size() == 0);
  }
}
