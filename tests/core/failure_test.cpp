#include <allot/core/failure.hpp>

#include <support/death.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <unistd.h>

namespace {

using allot::failure;
using allot::failure_reason;

static_assert(std::is_nothrow_copy_constructible_v<allot::out_of_memory>);
static_assert(std::is_nothrow_copy_assignable_v<allot::out_of_memory>);
static_assert(std::is_nothrow_copy_constructible_v<allot::already_claimed>);
static_assert(std::is_nothrow_copy_constructible_v<allot::budget_exceeded>);
static_assert(std::is_nothrow_copy_constructible_v<allot::not_ready>);
static_assert(std::is_nothrow_constructible_v<allot::out_of_memory, const failure&>);
static_assert(std::is_base_of_v<std::bad_alloc, allot::out_of_memory>);
static_assert(std::is_base_of_v<allot::out_of_memory, allot::already_claimed>);
static_assert(std::is_base_of_v<allot::out_of_memory, allot::budget_exceeded>);
static_assert(!std::is_base_of_v<std::bad_alloc, allot::not_ready>); // no memory is missing

const failure full{.reason = failure_reason::out_of_memory,
                   .resource = "bump_resource",
                   .name = "rx",
                   .detail = "the last chunk",
                   .bytes = 41,
                   .alignment = 8,
                   .used = 60,
                   .capacity = 100};
constexpr std::string_view full_line =
    R"(allot: bump_resource "rx": no room for 41 bytes aligned to 8: 60 of 100 bytes in use: the last chunk)";

std::string described(const failure& what) {
  char text[512];
  const std::size_t length = allot::describe(what, text);
  CHECK(length == std::strlen(text));
  return text;
}

void do_nothing(const failure&) noexcept {}

#if !ALLOT_BARE_METAL
void print_and_return(const failure& what) noexcept {
  std::fprintf(stderr, "handled %s %zu\n", allot::to_string(what.reason), what.bytes);
}

void leave_with_7(const failure&) noexcept { _exit(7); }
#endif

/// Leaves with 0 where an exception comes out.
void raise_and_catch(failure_reason reason) {
#if ALLOT_EXCEPTIONS
  try {
    allot::raise({.reason = reason, .resource = "r"});
  } catch (...) {
    _exit(0);
  }
#else
  allot::raise({.reason = reason, .resource = "r"});
#endif
}

/// The handler of before comes back at the end of a test.
class handler_guard {
public:
  explicit handler_guard(allot::failure_handler handler) noexcept : before_{allot::set_failure_handler(handler)} {}
  handler_guard(const handler_guard&) = delete;
  handler_guard& operator=(const handler_guard&) = delete;
  ~handler_guard() { allot::set_failure_handler(before_); }

private:
  allot::failure_handler before_;
};

} // namespace

TEST_SUITE("failure") {
  TEST_CASE("each reason bears the name that it has in the enumeration") {
    using enum failure_reason;
    CHECK(allot::to_string(out_of_memory) == std::string_view{"out_of_memory"});
    CHECK(allot::to_string(budget_exceeded) == std::string_view{"budget_exceeded"});
    CHECK(allot::to_string(already_claimed) == std::string_view{"already_claimed"});
    CHECK(allot::to_string(uninitialised) == std::string_view{"uninitialised"});
    CHECK(allot::to_string(poisoned) == std::string_view{"poisoned"});
    CHECK(allot::to_string(wrong_deallocation) == std::string_view{"wrong_deallocation"});
    CHECK(allot::to_string(precondition) == std::string_view{"precondition"});
    CHECK(allot::to_string(leak) == std::string_view{"leak"});
    CHECK(allot::to_string(static_cast<failure_reason>(200)) == std::string_view{"unknown"});
  }

  TEST_CASE("a missing block is described by who, what and how full") {
    CHECK(described(full) == full_line);
    CHECK(described({.resource = "r", .bytes = 1}) == "allot: r: no room for 1 byte");
    CHECK(described({.resource = nullptr, .bytes = 1}) == "allot: ?: no room for 1 byte");
    CHECK(described({.resource = "r", .bytes = 0, .alignment = 1}) == "allot: r: no room for 0 bytes aligned to 1");
    CHECK(described({.resource = "r", .bytes = 2, .used = 5}) == "allot: r: no room for 2 bytes: 5 bytes in use");
    CHECK(described({.resource = "r", .bytes = 2, .capacity = 5}) ==
          "allot: r: no room for 2 bytes: 0 of 5 bytes in use");
    CHECK(
        described({.reason = failure_reason::budget_exceeded, .resource = "r", .bytes = 2, .used = 4, .capacity = 5}) ==
        "allot: r: over budget by a request for 2 bytes: 4 of 5 bytes in use");
  }

  TEST_CASE("every other reason has its own line") {
    CHECK(described({.reason = failure_reason::already_claimed, .resource = "s", .name = "rx", .capacity = 64}) ==
          R"(allot: s "rx": already claimed, and can be claimed only once (64 bytes))");
    CHECK(described({.reason = failure_reason::already_claimed, .resource = "s"}) ==
          "allot: s: already claimed, and can be claimed only once");
    CHECK(described({.reason = failure_reason::uninitialised, .resource = "once"}) ==
          "allot: once: read before it was initialised");
    CHECK(described({.reason = failure_reason::poisoned, .resource = "once"}) ==
          "allot: once: read after its initialiser threw");
    CHECK(described({.reason = failure_reason::precondition, .resource = "f.cpp:3", .detail = "n > 0"}) ==
          "allot: f.cpp:3: precondition violated: n > 0");
    const auto block = reinterpret_cast<const void*>(std::uintptr_t{0xbeef0});
    CHECK(described({.reason = failure_reason::wrong_deallocation, .resource = "r", .pointer = block, .bytes = 8}) ==
          "allot: r: wrong deallocation of 8 bytes at 0xbeef0");
    CHECK(described({.reason = failure_reason::leak, .resource = "r", .pointer = block, .bytes = 8, .alignment = 4}) ==
          "allot: r: never given back: 8 bytes aligned to 4 at 0xbeef0");
  }

#if !ALLOT_BARE_METAL // no system is there to fail
  TEST_CASE("the system's error is named where it is one that calls for memory give") {
    CHECK(described({.resource = "r", .detail = "mapping", .bytes = 2, .system_error = ENOMEM}) ==
          "allot: r: no room for 2 bytes: mapping: system error " + std::to_string(ENOMEM) +
              " (ENOMEM: no memory or address space left, or too many mappings)");
    for (const int error : {EACCES, EAGAIN, EBUSY, EEXIST, EINVAL, ENODEV, ENOSYS, EPERM})
      CHECK(described({.resource = "r", .system_error = error}).find(std::to_string(error) + " (E") !=
            std::string::npos);
  }
#endif

  TEST_CASE("a system's error without a name is a number") {
    CHECK(described({.resource = "r", .bytes = 2, .system_error = 99'999}) ==
          "allot: r: no room for 2 bytes: system error 99999");
    constexpr int least = std::numeric_limits<int>::min();
    CHECK(described({.resource = "r", .bytes = 2, .system_error = least}) ==
          "allot: r: no room for 2 bytes: system error " + std::to_string(least));
  }

  TEST_CASE("the greatest figures are written in full") {
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    const std::string digits = std::to_string(most);
    CHECK(described({.resource = "r", .bytes = most, .alignment = most, .used = most, .capacity = most}) ==
          "allot: r: no room for " + digits + " bytes aligned to " + digits + ": " + digits + " of " + digits +
              " bytes in use");
  }

  TEST_CASE("a line is cut at every length, terminated, and nothing is written behind it") {
    for (std::size_t room = 1; room <= full_line.size() + 2; ++room) {
      CAPTURE(room);
      std::string text(full_line.size() + 8, '#');
      CHECK(allot::describe(full, std::span{text}.first(room)) == full_line.size());

      const std::size_t length = std::min(room - 1, full_line.size());
      CHECK(text.substr(0, length) == full_line.substr(0, length));
      CHECK(text[length] == '\0');
      CHECK(text.find_first_not_of('#', length + 1) == std::string::npos);
    }
  }

  TEST_CASE("without room not even the terminator is written, and the length is told all the same") {
    char text = '#';
    CHECK(allot::describe(full, std::span<char>{&text, 0}) == full_line.size());
    CHECK(allot::describe(full, std::span<char>{}) == full_line.size());
    CHECK(text == '#');
  }

  TEST_CASE("an exception carries the record and its line, and so does a copy") {
    allot::out_of_memory copy{failure{}};
    {
      const allot::budget_exceeded first{full};
      copy = first;
      CHECK(first.what() == full_line);
      CHECK(first.what() != copy.what()); // each has its own text
    }
    CHECK(copy.what() == full_line);
    CHECK(copy.record().resource == std::string_view{"bump_resource"});
    CHECK(copy.record().bytes == 41);
    CHECK(copy.record().alignment == 8);
    CHECK(copy.record().used == 60);
    CHECK(copy.record().capacity == 100);
  }

  TEST_CASE("the line of an exception is cut, not run over, by a long name") {
    const std::string name(600, 'n');
    const allot::out_of_memory raised{{.resource = "r", .name = name.c_str(), .bytes = 1}};
    CHECK(std::strlen(raised.what()) == 255);
    CHECK(std::string_view{raised.what()}.starts_with(R"(allot: r "nnn)"));
  }

  TEST_CASE("setting a handler gives the one of before") {
    const handler_guard none{nullptr};
    CHECK((allot::get_failure_handler() == nullptr));
    CHECK((allot::set_failure_handler(do_nothing) == nullptr));
    CHECK((allot::get_failure_handler() == do_nothing));
    CHECK((allot::set_failure_handler(nullptr) == do_nothing));
    CHECK((allot::get_failure_handler() == nullptr));
  }

#if !ALLOT_BARE_METAL // there are no processes; tests/firmware shows how a target ends
  TEST_CASE("without a handler a halt prints the line and aborts") {
    const auto end = support::ending_of([] { allot::halt(full); });
    CHECK(end.was_killed_by(SIGABRT));
    CHECK(end.output == std::string{full_line} + "\n");
  }

  TEST_CASE("a handler is called once, in place of the line, and its return is an abort") {
    const handler_guard set{print_and_return};
    const auto end = support::ending_of([] { allot::halt(full); });
    CHECK(end.was_killed_by(SIGABRT));
    CHECK(end.output == "handled out_of_memory 41\n");
  }

  TEST_CASE("a handler may end the program in its own way") {
    const handler_guard set{leave_with_7};
    CHECK(support::ending_of([] { allot::halt(full); }).exited(7));
  }
#endif

  TEST_CASE("a wrong deallocation, a broken precondition and a leak are never thrown") {
    const handler_guard none{nullptr};
    CHECK(dies([] { raise_and_catch(failure_reason::wrong_deallocation); }, "allot: r: wrong deallocation"));
    CHECK(dies([] { raise_and_catch(failure_reason::precondition); }, "allot: r: precondition violated"));
    CHECK(dies([] { raise_and_catch(failure_reason::leak); }, "allot: r: never given back"));
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("each reason is thrown as the class that stands for it") {
    using enum failure_reason;
    CHECK_THROWS_AS(allot::raise({.reason = out_of_memory}), allot::out_of_memory);
    CHECK_THROWS_AS(allot::raise({.reason = budget_exceeded}), allot::budget_exceeded);
    CHECK_THROWS_AS(allot::raise({.reason = already_claimed}), allot::already_claimed);
    CHECK_THROWS_AS(allot::raise({.reason = uninitialised}), allot::not_ready);
    CHECK_THROWS_AS(allot::raise({.reason = poisoned}), allot::not_ready);
  }

  TEST_CASE("a handler does not see what is thrown") {
    const handler_guard set{leave_with_7};
    CHECK_THROWS_AS(allot::raise(full), allot::out_of_memory);
  }

  TEST_CASE("code that knows only std::bad_alloc catches them, with the line in what()") {
    try {
      allot::raise({.reason = failure_reason::already_claimed, .resource = "static_buffer", .name = "rx"});
      FAIL("raise returned");
    } catch (const std::bad_alloc& caught) {
      CHECK(caught.what() ==
            std::string_view{R"(allot: static_buffer "rx": already claimed, and can be claimed only once)"});
    }
  }

  TEST_CASE("the base class of allot's failures catches a claim, with its record") {
    try {
      allot::raise({.reason = failure_reason::already_claimed, .resource = "s", .capacity = 9});
      FAIL("raise returned");
    } catch (const allot::out_of_memory& caught) {
      CHECK(caught.record().reason == failure_reason::already_claimed);
      CHECK(caught.record().capacity == 9);
    }
  }
#else
#if !ALLOT_BARE_METAL
  TEST_CASE("without exceptions every failure goes to the handler") {
    const handler_guard set{leave_with_7};
    for (int i = 0; i <= static_cast<int>(failure_reason::leak); ++i) {
      CHECK(support::ending_of([&] { allot::raise({.reason = static_cast<failure_reason>(i)}); }).exited(7));
    }
  }
#endif

  TEST_CASE("without exceptions every failure leaves its line") {
    for (int i = 0; i <= static_cast<int>(failure_reason::leak); ++i) {
      const failure one{.reason = static_cast<failure_reason>(i), .resource = "r", .bytes = 8};
      CHECK(support::last_words([&] { allot::raise(one); }) == described(one) + "\n");
    }
  }

  TEST_CASE("without exceptions and without a handler a failure is printed, and aborts") {
    CHECK(dies([] { allot::raise(full); }, full_line));
  }
#endif
}
