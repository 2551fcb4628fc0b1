#include <allot/detail/line_pattern.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace {

using allot::detail::write_line;

} // namespace

TEST_SUITE("line_pattern") {
  TEST_CASE("values stand in the places of the braces, in order") {
    char text[100];
    const std::size_t length = write_line(text, "{} of {} bytes: {}", std::size_t{3}, 40u, "full");
    CHECK(std::string_view{text} == "3 of 40 bytes: full");
    CHECK(length == 19);
    CHECK(write_line(text, "no value") == 8);
    CHECK(std::string_view{text} == "no value");
    CHECK(write_line(text, "{}", std::string_view{""}) == 0);
  }

  TEST_CASE("a value that looks like a place is a text") {
    char text[100];
    write_line(text, "{} {}", "{}", "b");
    CHECK(std::string_view{text} == "{} b");
  }

  TEST_CASE("numbers are whole at both ends of their types") {
    char text[100];
    write_line(text, "{} {} {}", 0, std::numeric_limits<std::int64_t>::min(),
               std::numeric_limits<std::uint64_t>::max());
    CHECK(std::string_view{text} == "0 -9223372036854775808 18446744073709551615");
    write_line(text, "{} {} {}", -1, std::numeric_limits<std::int8_t>::min(), std::numeric_limits<std::size_t>::min());
    CHECK(std::string_view{text} == "-1 -128 0");
  }

  TEST_CASE("a byte has two digits, an address as many as it needs") {
    char text[100];
    write_line(text, "{} {} {}", std::byte{0xCD}, std::byte{5}, reinterpret_cast<void*>(std::uintptr_t{0xab0}));
    CHECK(std::string_view{text} == "0xCD 0x05 0xab0");
    write_line(text, "{}", static_cast<const void*>(nullptr));
    CHECK(std::string_view{text} == "0x0");
  }

  TEST_CASE("what does not fit is cut, counted and terminated") {
    char text[8] = "1234567";
    CHECK(write_line(std::span{text}.first(6), "ab{}ef", "cd") == 6);
    CHECK(std::string_view{text} == "abcde");
    CHECK(text[6] == '7');
    CHECK(write_line(std::span{text}.first(3), "{}{}", 12345, "x") == 6);
    CHECK(std::string_view{text} == "12");
    CHECK(write_line(std::span{text}.first(0), "{}", 12345) == 5);
    CHECK(text[0] == '1');
  }
}
