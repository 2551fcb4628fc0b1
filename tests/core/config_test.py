"""Tests of core/config.hpp: what is named, what is refused; and of ALLOT_EXPECTS at each check level."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from compiling import ROOT, compile_text, errors_in, output_of, with_each_compiler  # noqa: E402

COMPARE_NAMESPACE = """
#include <allot/core/config.hpp>
#include <string_view>
#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)
static_assert(std::string_view{TEXT_OF(ALLOT_ABI)} == std::string_view{TEXT_OF(EXPECTED)});
"""

NAMESPACES = [
    ("v0_1_checked_exceptions", []),
    ("v0_1_unchecked_exceptions", ["-DNDEBUG"]),
    ("v0_1_checked_exceptions", ["-DNDEBUG", "-DALLOT_CHECK_LEVEL=1"]),
    ("v0_1_unchecked_exceptions", ["-DALLOT_CHECK_LEVEL=0"]),
    ("v0_1_checked_no_exceptions", ["-fno-exceptions"]),
    ("v0_1_unchecked_no_exceptions", ["-fno-exceptions", "-DALLOT_CHECK_LEVEL=0"]),
    ("v0_1_checked_exceptions_asan", ["-fsanitize=address"]),
    ("v0_1_checked_exceptions", ["-fsanitize=undefined"]),
    ("v0_1_checked_exceptions_valgrind", ["-DALLOT_VALGRIND=1"]),
    ("v0_1_checked_exceptions", ["-DALLOT_VALGRIND=0"]),
    ("v0_1_checked_exceptions_own_test_and_set", ["-DALLOT_TEST_AND_SET=mask_and_set"]),
    ("v0_1_unchecked_no_exceptions_asan_own_test_and_set",
     ["-DNDEBUG", "-fno-exceptions", "-fsanitize=address", "-DALLOT_TEST_AND_SET=mask_and_set"]),
]

ANY_HEADER = "#include <allot/core/failure.hpp>\n"


class Config(unittest.TestCase):
    @with_each_compiler
    def test_each_setting_has_its_namespace(self, compiler):
        for name, flags in NAMESPACES:
            with self.subTest(flags=flags):
                self.assertEqual(compile_text(compiler, COMPARE_NAMESPACE, f"-DEXPECTED={name}", *flags), (0, ""))

    @with_each_compiler
    def test_the_namespace_is_inline(self, compiler):
        text = """
        #include <allot/core/failure.hpp>
        static_assert(sizeof(allot::failure) == sizeof(allot::v0_1_checked_exceptions::failure));
        namespace allot { inline const failure seen_from_within{}; }
        """
        self.assertEqual(compile_text(compiler, text, "-UNDEBUG"), (0, ""))

    @with_each_compiler
    def test_the_version_is_that_of_the_project(self, compiler):
        version = re.search(r"\bversion: '(\d+)\.(\d+)\.(\d+)'", (ROOT / "meson.build").read_text(encoding="utf-8"))
        major, minor, patch = (int(part) for part in version.groups())
        text = f"""
        #include <allot/core/config.hpp>
        #if ALLOT_VERSION != {10000 * major + 100 * minor + patch}
        #error "another version"
        #endif
        static_assert(ALLOT_VERSION_MAJOR == {major} && ALLOT_VERSION_MINOR == {minor});
        static_assert(ALLOT_VERSION_PATCH == {patch});
        """
        self.assertEqual(compile_text(compiler, text), (0, ""))

    @with_each_compiler
    def test_an_older_standard_is_one_error_that_says_what_to_do(self, compiler):
        for std in ("c++17", "gnu++14"):
            status, messages = compile_text(compiler, ANY_HEADER, std=std)
            self.assertNotEqual(status, 0)
            self.assertEqual(len(errors_in(messages)), 1, messages)
            self.assertIn("allot needs C++20: compile with -std=c++20 or later", messages)

    @with_each_compiler
    def test_a_check_level_that_does_not_exist_is_refused(self, compiler):
        for level in ("2", "-1"):
            status, messages = compile_text(compiler, ANY_HEADER, f"-DALLOT_CHECK_LEVEL={level}")
            self.assertNotEqual(status, 0)
            self.assertIn("ALLOT_CHECK_LEVEL is 0 (no checks) or 1 (preconditions)", errors_in(messages)[0])

    @with_each_compiler
    def test_two_watchers_of_memory_are_refused(self, compiler):
        status, messages = compile_text(compiler, ANY_HEADER, "-fsanitize=address", "-DALLOT_VALGRIND=1")
        self.assertNotEqual(status, 0)
        self.assertIn("exclude each other", errors_in(messages)[0])


class Expects(unittest.TestCase):
    BREAKS_A_PROMISE = """
    #include <allot/core/expects.hpp>
    #include <cstdio>
    int main() {
      int evaluated = 0;
      ALLOT_EXPECTS(++evaluated > 1);
      std::printf("went on, evaluated %d times", evaluated);
    }
    """
    FAILURE = (ROOT / "src" / "core" / "failure.cpp",)

    @with_each_compiler
    def test_level_0_does_not_evaluate_the_condition(self, compiler):
        self.assertEqual(output_of(compiler, self.BREAKS_A_PROMISE, "-DALLOT_CHECK_LEVEL=0"),
                         (0, "went on, evaluated 0 times"))  # nor does it need the library

    @with_each_compiler
    def test_level_1_names_the_condition_and_the_line(self, compiler):
        status, output = output_of(compiler, self.BREAKS_A_PROMISE, "-DALLOT_CHECK_LEVEL=1", sources=self.FAILURE)
        self.assertLess(status, 0, output)  # a signal
        self.assertRegex(output, r"text\.cpp:6: precondition violated: \+\+evaluated > 1\n")

    @with_each_compiler
    def test_a_condition_has_to_compile_at_both_levels(self, compiler):
        text = "#include <allot/core/expects.hpp>\nvoid f() { ALLOT_EXPECTS(no_such_name > 1); }\n"
        for level in (0, 1):
            status, messages = compile_text(compiler, text, f"-DALLOT_CHECK_LEVEL={level}")
            self.assertNotEqual(status, 0)
            self.assertIn("no_such_name", errors_in(messages)[0])

    @with_each_compiler
    def test_what_only_a_condition_uses_is_used_at_both_levels(self, compiler):
        text = "#include <allot/core/expects.hpp>\nvoid f(int n) { ALLOT_EXPECTS(n > 1); }\n"
        for level in (0, 1):
            flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-DALLOT_CHECK_LEVEL={level}"]
            self.assertEqual(compile_text(compiler, text, *flags), (0, ""))


if __name__ == "__main__":
    unittest.main()
