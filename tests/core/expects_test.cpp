#include <allot/core/expects.hpp>

#include <allot/core/failure.hpp>

#include <support/death.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

namespace {

int evaluations = 0;

[[maybe_unused]] bool evaluated(bool answer) {
  ++evaluations;
  return answer;
}

[[maybe_unused]] constexpr int halved(int n) {
  ALLOT_EXPECTS(n % 2 == 0);
  return n / 2;
}
static_assert(halved(4) == 2); // a promise is allowed where constants are made

template <class A, class B>
constexpr bool both = true;

#if ALLOT_CHECK_LEVEL > 0 && !ALLOT_BARE_METAL
void print_record(const allot::failure& what) noexcept {
  std::fprintf(stderr, "%s|%s|%s", allot::to_string(what.reason), what.resource, what.detail);
}
#endif

} // namespace

TEST_SUITE("expects") {
  TEST_CASE("a promise that is kept is evaluated as often as the check level says") {
    evaluations = 0;
    ALLOT_EXPECTS(evaluated(true));
    CHECK(evaluations == (ALLOT_CHECK_LEVEL > 0 ? 1 : 0));
  }

  TEST_CASE("a condition may have commas, and be a pointer") {
    const int n = 1;
    ALLOT_EXPECTS(both<int, long>);
    ALLOT_EXPECTS(&n);
  }

  TEST_CASE("the macro is one expression, which an if without braces can hold") {
    if (evaluations > 1000)
      ALLOT_EXPECTS(false);
    else
      evaluations = 0;
    CHECK(evaluations == 0);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("a broken promise names the condition and the place, and aborts") {
    const std::string here = std::string{__FILE__} + ":" + std::to_string(__LINE__ + 1);
    const std::string words = support::last_words([] { ALLOT_EXPECTS(evaluated(false) && 1 < 2); });
    CHECK(words == "allot: " + here + ": precondition violated: evaluated(false) && 1 < 2\n");
  }

#if !ALLOT_BARE_METAL // it ends in a process of its own
  TEST_CASE("a broken promise reaches the handler as a precondition") {
    allot::set_failure_handler(print_record);
    const auto end = support::ending_of([] { ALLOT_EXPECTS(1 > 2); });
    allot::set_failure_handler(nullptr);
    CHECK(end.was_killed_by(SIGABRT));
    CHECK(end.output.starts_with("precondition|" __FILE__ ":"));
    CHECK(end.output.ends_with("|1 > 2"));
  }
#endif
#else
  TEST_CASE("without checks a broken promise is not looked at") {
    evaluations = 0;
    ALLOT_EXPECTS(evaluated(false));
    CHECK(evaluations == 0);
  }
#endif
}
