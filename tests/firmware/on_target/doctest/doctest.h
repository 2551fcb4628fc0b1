#pragma once

/// \file
/// As much of doctest as the tests use that also run on a target: doctest itself needs streams, strings and 200 KiB of
/// flash, and a micro:bit has 16 KiB of RAM. It stands before doctest in the include path, so that the sources are the
/// same. A check prints its own text and not the values; a REQUIRE that fails ends the case by a jump, which runs no
/// destructors, and so the run is a failed one.

#include <csetjmp>
#include <cstddef>
#include <string_view>

namespace doctest {

/// A registered test case.
struct test_case {
  test_case(const char* name, void (*run)(), const char* file, int line) noexcept;

  const char* name;
  void (*run)();
  const char* file;
  int line;
  test_case* next = nullptr;
};

/// Registers a case, or leaves it, with all that only it uses, to another image of the same source.
template <bool is_here>
struct registration : test_case {
  using test_case::test_case;
};
template <>
struct registration<false> {
  constexpr registration(const char*, void (*)(), const char*, int) noexcept {}
};

/// What a check writes, and what stands behind MESSAGE, FAIL and INFO.
class message {
public:
  message& operator<<(std::string_view text) noexcept;
  message& operator<<(const char* text) noexcept { return *this << std::string_view{text}; }
  template <class T>
  requires requires(T value) { static_cast<long long>(value); }
  message& operator<<(T value) noexcept {
    return number(static_cast<unsigned long>(value < T{} ? T{} - value : value), value < T{});
  }

private:
  message& number(unsigned long size, bool is_negative) noexcept;
};

/// Notes a failed check, and where it is.
void failed(const char* file, int line, const char* what, std::string_view text) noexcept;

/// Leaves the case that runs.
[[noreturn]] void leave() noexcept;

inline bool check(bool ok, const char* file, int line, const char* what, std::string_view text) noexcept {
  if (!ok) failed(file, line, what, text);
  return ok;
}

} // namespace doctest

#define DOCTEST_JOIN_(a, b) a##b
#define DOCTEST_JOIN(a, b) DOCTEST_JOIN_(a, b)
#define DOCTEST_NAME(stem) DOCTEST_JOIN(stem, __LINE__)

#define TEST_SUITE(name) namespace

/// A source whose statics are too many for a machine's RAM is built as several images, and each takes every so many'th case.
#ifndef ALLOT_TEST_IMAGES
#define ALLOT_TEST_IMAGES 1
#define ALLOT_TEST_IMAGE 0
#endif
#define DOCTEST_REGISTER(function, name, run)                                                                          \
  [[maybe_unused]] static ::doctest::registration<__COUNTER__ % ALLOT_TEST_IMAGES == ALLOT_TEST_IMAGE> DOCTEST_JOIN(   \
      function, _registered) {                                                                                         \
    name, run, __FILE__, __LINE__                                                                                      \
  }

#define DOCTEST_CASE(function, name)                                                                                   \
  static void function();                                                                                              \
  DOCTEST_REGISTER(function, name, function);                                                                          \
  static void function()
#define TEST_CASE(name) DOCTEST_CASE(DOCTEST_NAME(doctest_case_), name)

#define DOCTEST_TEMPLATE(function, name, T, ...)                                                                       \
  template <class T>                                                                                                   \
  static void function();                                                                                              \
  template <class... Types>                                                                                            \
  static void DOCTEST_JOIN(function, _all)() {                                                                         \
    (function<Types>(), ...);                                                                                          \
  }                                                                                                                    \
  DOCTEST_REGISTER(function, name, (DOCTEST_JOIN(function, _all) < __VA_ARGS__ >));                                    \
  template <class T>                                                                                                   \
  static void function()
#define TEST_CASE_TEMPLATE(name, T, ...) DOCTEST_TEMPLATE(DOCTEST_NAME(doctest_template_), name, T, __VA_ARGS__)

#define CHECK(...)                                                                                                     \
  static_cast<void>(::doctest::check(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, "CHECK", #__VA_ARGS__))
#define CHECK_FALSE(...)                                                                                               \
  static_cast<void>(::doctest::check(!static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, "CHECK_FALSE", #__VA_ARGS__))
#define REQUIRE(...)                                                                                                   \
  (::doctest::check(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, "REQUIRE", #__VA_ARGS__) ? void()              \
                                                                                                 : ::doctest::leave())
#define REQUIRE_FALSE(...) REQUIRE(!static_cast<bool>(__VA_ARGS__))
#define CHECK_MESSAGE(condition, text)                                                                                 \
  static_cast<void>(::doctest::check(static_cast<bool>(condition), __FILE__, __LINE__, "CHECK", text))
#define MESSAGE(...) static_cast<void>(::doctest::message{} << "  " << __VA_ARGS__ << "\n")
#define FAIL(...) (::doctest::failed(__FILE__, __LINE__, "FAIL", ""), MESSAGE(__VA_ARGS__), ::doctest::leave())
#define FAIL_CHECK(...) (::doctest::failed(__FILE__, __LINE__, "FAIL", ""), MESSAGE(__VA_ARGS__))
#define CAPTURE(value) static_cast<void>(value)
#define INFO(...) static_cast<void>(0)
