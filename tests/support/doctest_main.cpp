// The main of every doctest program. doctest exits 0 when a filter, or a forgotten file, leaves no
// case to run; here that is a failure.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <iostream>

namespace {

bool no_case_ran = false;

struct case_counter final : doctest::IReporter {
  explicit case_counter(doctest::ContextOptions const&) {}

  void test_run_end(doctest::TestRunStats const& run) override { no_case_ran = run.numTestCasesPassingFilters == 0; }

  void report_query(doctest::QueryData const&) override {}
  void test_run_start() override {}
  void test_case_start(doctest::TestCaseData const&) override {}
  void test_case_reenter(doctest::TestCaseData const&) override {}
  void test_case_end(doctest::CurrentTestCaseStats const&) override {}
  void test_case_exception(doctest::TestCaseException const&) override {}
  void subcase_start(doctest::SubcaseSignature const&) override {}
  void subcase_end() override {}
  void log_assert(doctest::AssertData const&) override {}
  void log_message(doctest::MessageData const&) override {}
  void test_case_skipped(doctest::TestCaseData const&) override {}
};

DOCTEST_REGISTER_LISTENER("case_counter", 1, case_counter);

} // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  int const status = context.run();
  if (context.shouldExit()) {
    return status;
  }
  if (no_case_ran) {
    std::cerr << "no test case ran\n";
    return 1;
  }
  return status;
}
