"""Tests of tools/mutate: on a tiny project with a bug of each kind."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "mutate"
sys.path.insert(0, str(TOOL))
sys.dont_write_bytecode = True

import bugs  # noqa: E402: found by the line above
import nearest  # noqa: E402

PROJECT = {
    "meson.build": """
project('tiny', 'cpp', default_options: ['cpp_std=c++17'])
inc = include_directories('include')
lib = static_library('tiny', 'src/box/box.cpp', include_directories: inc)
foreach name : ['box', 'lid', 'sick']
  test(name, executable(name + '_test', 'tests' / name + '_test.cpp', link_with: lib, include_directories: inc))
endforeach
""",
    "include/tiny/box.hpp": """
#pragma once
constexpr int doubled(int n) { return 2 * n; }
inline int halved(int n) { return n / 2; }
inline int squared(int n) { return n * n; }
inline int counted(int n) {
  int count = 0;
  while (count < n)
    ++count;
  return count;
}
int stored();
""",
    "include/tiny/sick.hpp": "#pragma once\ninline int one() { return 1; }\n",
    "src/box/box.cpp": "#include <tiny/box.hpp>\nint stored() { return 7; }\n",
    "tests/box_test.cpp": """
#include <tiny/box.hpp>
static_assert(doubled(2) == 4);
int main() { return halved(8) == 4 && squared(2) == 4 && counted(3) == 3 ? 0 : 1; }
""",
    "tests/lid_test.cpp": "#include <tiny/box.hpp>\nint main() { return stored() == 7 ? 0 : 1; }\n",
    "tests/sick_test.cpp": "#include <tiny/sick.hpp>\nint main() { return one(); }\n",
    "tools/mutate/cells.ini": "[plain]\ncompiler = c++\noptions = -Dbuildtype=debug -Ddebug=false\n",
    "tools/mutate/bugs/box.txt": """
bug near
in include/tiny/box.hpp
costs Half is too much.
- return n / 2;
+ return n / 2 + 1;

bug same-length
in include/tiny/box.hpp
costs A third is no half.
- return n / 2;
+ return n / 3;

bug far
in src/box/box.cpp
costs What was stored is lost.
- return 7;
+ return 8;

bug asserted
in include/tiny/box.hpp
costs Twice is three times.
- return 2 * n;
+ return 3 * n;

bug hung
in include/tiny/box.hpp
costs It counts for ever.
- ++count;
+ count = 0;

bug untested
in include/tiny/box.hpp
costs No square is square.
- return n * n;
+ return n + n;

bug missing
in include/tiny/box.hpp
costs The text is not there.
- return n / 3;
+ return n / 4;

bug ambiguous
in include/tiny/box.hpp
costs The text is there several times.
- return
+ return 1 +

bug broken
in include/tiny/box.hpp
costs No compiler takes it.
- return n * n;
+ return n * nobody;

bug equal
in include/tiny/box.hpp
costs Nothing at all.
- return n * n;
+ return (n * n);
""",
}


def write(folder, files):
    """Puts a project under git into a folder."""
    for path, text in files.items():
        file = pathlib.Path(folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for command in ["init", "-q"], ["add", "."]:
        subprocess.run(["git", "-C", folder, *command], check=True)


def mutate(*arguments):
    """(exit status, all output) of the tool."""
    run = subprocess.run([sys.executable, "-B", TOOL, *arguments], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False)
    return run.returncode, run.stdout


@unittest.skipUnless(shutil.which("git"), "it copies what is under git")
class Verdicts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = pathlib.Path(cls.folder.name) / "tiny"
        cls.build = pathlib.Path(cls.folder.name) / "build"
        write(cls.root, PROJECT)
        cls.status, cls.output = cls.hunt()

    @classmethod
    def hunt(cls, *arguments):
        return mutate("--root", cls.root, "--build", cls.build, "--jobs", "2", "--patience", "2", *arguments)

    def line(self, name, output=None):
        """The line of the table about a bug."""
        lines = [line for line in (output or self.output).splitlines() if line.split()[1:2] == [name]]
        self.assertEqual(len(lines), 1, self.output)
        return lines[0]

    def test_a_bug_is_caught_by_the_test_of_its_name(self):
        self.assertRegex(self.line("near"), r"^caught .* box: ended with 1")

    def test_a_bug_is_gone_before_the_next_though_it_has_the_length_of_what_it_replaced(self):
        status, output = self.hunt("--only", "^(same-length|untested)$", "--jobs", "1")
        self.assertRegex(self.line("same-length", output), r"^caught")
        self.assertRegex(self.line("untested", output), r"^survived")

    def test_a_bug_that_the_nearest_test_misses_is_caught_by_the_next(self):
        self.assertRegex(self.line("far"), r"^caught .* lid: ended with 1")

    def test_a_static_assertion_of_a_test_catches(self):
        self.assertRegex(self.line("asserted"), r"^caught .* does not compile")

    def test_a_test_that_hangs_has_failed(self):
        self.assertRegex(self.line("hung"), r"^caught .* ran longer than")

    def test_a_survivor_is_shown_with_its_cost_and_its_diff(self):
        self.assertRegex(self.line("untested"), r"^survived .* 2 tests passed: box, lid")
        self.assertIn("No square is square.", self.output)
        self.assertIn("+inline int squared(int n) { return n + n; }", self.output)

    def test_a_text_that_is_not_there_once_is_an_error(self):
        self.assertRegex(self.line("missing"), r"^error .* 0 times")
        self.assertRegex(self.line("ambiguous"), r"^error .* 4 times")

    def test_a_bug_that_does_not_compile_is_an_error(self):
        self.assertRegex(self.line("broken"), r"^error .* does not compile")
        self.assertIn("nobody", self.output)

    def test_a_bug_of_equal_code_is_an_error(self):
        self.assertRegex(self.line("equal"), r"^error .* the code of no test differs")

    def test_the_last_line_counts_errors_and_survivors_as_failed(self):
        self.assertEqual((self.status, self.output.splitlines()[-1]), (1, "5 passed, 5 failed"))

    def test_the_sources_are_left_as_they_are(self):
        for path, text in PROJECT.items():
            self.assertEqual((self.root / path).read_text(encoding="utf-8"), text)

    def test_a_second_time_only_what_is_asked_for_is_hunted_and_none_is_left_in_the_tree(self):
        status, output = self.hunt("--only", "^(near|far|hung)$")
        self.assertEqual((status, output.splitlines()[-1]), (0, "3 passed, 0 failed"))

    def test_a_seed_chooses_the_same_sample_again(self):
        samples = [mutate("--root", self.root, "--list", "--sample", "3", "--seed", seed) for seed in "778"]
        self.assertEqual(samples[0], samples[1])
        self.assertNotEqual(samples[0], samples[2])
        self.assertIn("3 bugs in", samples[0][1])


@unittest.skipUnless(shutil.which("git"), "it copies what is under git")
class SickTree(unittest.TestCase):
    def test_a_test_that_fails_without_a_bug_catches_none(self):
        bug = "bug one\nin include/tiny/sick.hpp\ncosts One is two.\n- return 1;\n+ return 2;\n"
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder) / "tiny"
            write(root, {**PROJECT, "tools/mutate/bugs/box.txt": bug})
            status, output = mutate("--root", root, "--build", pathlib.Path(folder) / "build")
        self.assertEqual((status, output.splitlines()[-1]), (1, "0 passed, 2 failed"))
        self.assertIn("sick (plain) fails without a bug", output)


class WrongUsage(unittest.TestCase):
    def wrong(self, *arguments, says):
        status, output = mutate(*arguments)
        self.assertEqual(status, 2, output)
        self.assertIn(says, output)

    def test_is_told_in_one_line(self):
        self.wrong(says="--build is needed")
        self.wrong("--list", "--only", "no such bug", says="no bug is chosen")
        self.wrong("--list", "--only", "(", says="error: ")
        self.wrong("--build", "x", "--jobs", "0", says="at least 1")
        self.wrong("--build", TOOL.parents[1], says="a directory of its own")


class List(unittest.TestCase):
    def parsed(self, text):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "room.txt").write_text(text, encoding="utf-8")
            return bugs.read(folder)

    def test_an_entry_that_is_not_whole_is_refused_with_its_line(self):
        for text in ["bug a\nin b\n- c\n", "\nbug a\nin b\ncosts c\n", "bug a\nin b\ncosts c\nwhat d\n- e\n"]:
            with self.assertRaisesRegex(bugs.ListError, "room.txt:[12]: "):
                self.parsed(text)

    def test_two_bugs_of_one_name_are_refused(self):
        with self.assertRaisesRegex(bugs.ListError, "two bugs are called a"):
            self.parsed("bug a\nin b\ncosts c\n- d\n\nbug a\nin b\ncosts c\n- d\n")

    def test_a_line_break_may_be_anywhere_and_no_line_moves(self):
        bug = bugs.Bug("a", "b", "plain", "c", "one two\n  three", "four\n+ five\n+ six\n+ seven")
        text = bugs.applied(bug, "0\none\n\n two three\n9\n")
        self.assertEqual(text.split("\n")[-2:], ["9", ""])
        self.assertEqual(text.count("\n"), 5)
        self.assertEqual(text.split(), ["0", *bug.new.split(), "9"])

    def test_the_bugs_of_this_tree_apply(self):
        root = TOOL.parents[1]
        for bug in bugs.read(TOOL / "bugs"):
            with self.subTest(bug.name):
                bugs.applied(bug, (root / bug.path).read_text(encoding="utf-8"))


class Nearest(unittest.TestCase):
    FILES = {
        "include/a/limit.hpp": "", "include/a/limit_ledger.hpp": "", "include/a/other.hpp": "#include <a/limit.hpp>\n",
        "src/a/limit.cpp": "#include <a/limit.hpp>\n",
        "tests/a/limit_test.cpp": "#include <a/limit.hpp>\n", "tests/a/other_test.cpp": "#include <a/other.hpp>\n",
        "tests/b/far_test.cpp": "#include <a/limit.hpp>\n", "tests/a/none_test.cpp": "#include <vector>\n",
    }

    def ranked(self, path):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in self.FILES.items():
                file = pathlib.Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            tests = {name: (f"tests/{name}_test.cpp",) for name in ["b/far", "a/none", "a/other", "a/limit"]}
            return nearest.ranked(path, tests, nearest.Includes(folder))

    def test_the_test_of_the_name_is_first_and_who_includes_it_by_another_last(self):
        self.assertEqual(self.ranked("include/a/limit.hpp"), ["a/limit", "b/far", "a/other"])

    def test_a_source_has_the_tests_of_its_header(self):
        self.assertEqual(self.ranked("src/a/limit.cpp"), ["a/limit", "b/far", "a/other"])

    def test_what_no_test_includes_is_looked_for_by_all_those_of_a_like_name_first(self):
        self.assertEqual(self.ranked("include/a/limit_ledger.hpp"), ["a/limit", "a/none", "a/other", "b/far"])


if __name__ == "__main__":
    unittest.main()
