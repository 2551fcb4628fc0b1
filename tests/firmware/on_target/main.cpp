// The main of every test program on a target: runs the cases and ends as doctest does.

#include <doctest/doctest.h>

#include <board/board.hpp>

#include <charconv>
#include <string_view>

namespace doctest {
namespace {

constinit test_case* first = nullptr;
constinit test_case** last = &first;
constinit const test_case* running = nullptr;
constinit bool is_named = false; // whether the case that runs has failed and was named
std::jmp_buf behind_the_case;

} // namespace

test_case::test_case(const char* case_name, void (*f)(), const char* in, int at) noexcept
    : name{case_name}, run{f}, file{in}, line{at} {
  *last = this;
  last = &next;
}

message& message::operator<<(std::string_view text) noexcept {
  board::write(text);
  return *this;
}

message& message::number(unsigned long size, bool is_negative) noexcept {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, size).ptr;
  return *this << (is_negative ? "-" : "") << std::string_view{digits, static_cast<std::size_t>(end - digits)};
}

void failed(const char* file, int line, const char* what, std::string_view text) noexcept {
  if (!is_named) message{} << "TEST CASE: " << running->name << "\n";
  is_named = true;
  message{} << file << ":" << line << ": " << what << "( " << text << " ) is not so\n";
}

void leave() noexcept { std::longjmp(behind_the_case, 1); }

namespace {

/// \return whether every check of the case held
bool holds(const test_case& one) {
  running = &one;
  is_named = false;
  if (setjmp(behind_the_case) == 0) one.run();
  return !is_named;
}

} // namespace
} // namespace doctest

int main() {
  using namespace doctest;
  unsigned total = 0, bad = 0;
  for (const test_case* one = first; one != nullptr; one = one->next) {
    ++total;
    if (!holds(*one)) ++bad;
  }
  if (total == 0) message{} << "no test case ran\n";
  message{} << "[doctest] test cases: " << total << " | " << total - bad << " passed | " << bad
            << " failed | 0 skipped\n";
  return total != 0 && bad == 0 ? 0 : 1;
}
