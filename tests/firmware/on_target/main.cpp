// The main of every test program on a target: runs the cases and ends as doctest does. A case also fails where the stack
// met the heap, of which nothing else would tell.

#include <doctest/doctest.h>

#include <allot/core/failure.hpp>

#include <board/board.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" {
extern std::byte board_heap_begin[], board_stack_top[];
void* _sbrk(std::ptrdiff_t);
}

namespace doctest {
namespace {

constinit test_case* first = nullptr;
constinit test_case** last = &first;
constinit const test_case* running = nullptr;
constinit bool is_named = false;       // whether the case that runs has failed and was named
constinit bool failed_outside = false; // a check of no case: in the initialiser of a static
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
  if (running == nullptr) failed_outside = true;
  if (!is_named) message{} << "TEST CASE: " << (running != nullptr ? running->name : "none has begun") << "\n";
  is_named = true;
  message{} << file << ":" << line << ": " << what << "( " << text << " ) is not so\n";
}

void leave() noexcept { std::longjmp(behind_the_case, 1); }

namespace {

/// The free memory between the heap and the stack, of which a case takes parts from either end.
class gap {
public:
  /// Paints it.
  [[gnu::noinline]] gap() noexcept {
    const auto* const stack = static_cast<const volatile unsigned*>(__builtin_frame_address(0)) - below_this_frame;
    for (volatile unsigned* word = heap_end(); word < stack; ++word)
      *word = paint;
  }

  /// Bytes next to the heap that still have their paint.
  [[nodiscard]] static std::size_t untouched() noexcept {
    const volatile unsigned* word = heap_end();
    while (reinterpret_cast<std::uintptr_t>(word) < top() && *word == paint)
      ++word;
    return reinterpret_cast<std::uintptr_t>(word) - reinterpret_cast<std::uintptr_t>(heap_end());
  }

  /// Bytes that the heap has ever had, and those that the stack reached down over since the paint was fresh.
  [[nodiscard]] static std::size_t heap() noexcept {
    return reinterpret_cast<std::uintptr_t>(heap_end()) - reinterpret_cast<std::uintptr_t>(board_heap_begin);
  }
  [[nodiscard]] static std::size_t stack() noexcept {
    return top() - reinterpret_cast<std::uintptr_t>(heap_end()) - untouched();
  }

private:
  static constexpr unsigned paint = 0xA5C35A3C;
  static constexpr std::ptrdiff_t below_this_frame = 16; // words, for the calls that paint

  static volatile unsigned* heap_end() noexcept { return static_cast<volatile unsigned*>(_sbrk(0)); }
  static std::uintptr_t top() noexcept { return reinterpret_cast<std::uintptr_t>(board_stack_top); }
};

/// Less than that is too near: a call may step over a few bytes that it does not write. One with a larger hole in its frame
/// goes unseen.
constexpr std::size_t least_gap = 256;

std::size_t most_stack = 0;

/// A failure that no case expects.
void take_unexpected(const allot::failure& what) noexcept {
  char text[256];
  allot::describe(what, text);
  failed(running->file, running->line, "halted", text);
  leave();
}

/// \return whether every check of the case held
bool holds(const test_case& one) {
  running = &one;
  is_named = false;
  allot::set_failure_handler(take_unexpected);
  const gap free;
  if (setjmp(behind_the_case) == 0) one.run();
  most_stack = std::max(most_stack, free.stack());
  if (free.untouched() < least_gap) failed(one.file, one.line, "stack", "clear of the heap");
  return !is_named;
}

} // namespace
} // namespace doctest

/// The C++ library ends by it where it would throw: most often a container that got no memory.
extern "C" void abort() {
  doctest::failed(doctest::running->file, doctest::running->line, "aborted", "the standard library");
  board::exit(board::exit_of_a_fault);
}

int main() {
  using namespace doctest;
  unsigned total = 0, bad = failed_outside ? 1 : 0;
  for (const test_case* one = first; one != nullptr; one = one->next) {
    ++total;
    if (!holds(*one)) ++bad;
  }
  if (total == 0) message{} << "no test case ran\n";
  message{} << "heap: " << gap::heap() << " bytes, stack: " << most_stack << " bytes\n";
  message{} << "[doctest] test cases: " << total << " | " << total - std::min(total, bad) << " passed | " << bad
            << " failed | 0 skipped\n";
  return total != 0 && bad == 0 ? 0 : 1;
}
