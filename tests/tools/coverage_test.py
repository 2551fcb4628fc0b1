"""Tests of tools/coverage: how it sums counts up, and what it makes of its list of reasons."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "coverage"
sys.path.insert(0, str(TOOL))
sys.dont_write_bytecode = True

import exclusions  # noqa: E402
import measure  # noqa: E402

TEXT = """int pick(bool a, bool b) {
  if (a && b) {
    return 1;
  }
  return 2;
}
#if BARE
  return 3;
#endif
""".splitlines()


def segments(*rows):
    """As llvm-cov exports them: line, column, count, has a count, begins a region, is a gap."""
    return [[line, column, count, has_count, is_entry, False] for line, column, count, has_count, is_entry in rows]


def figures(taken, branches=()):
    """Those of TEXT, whose inner block ran `taken` times in a function that ran 5 times."""
    ran = segments((1, 26, 5, True, True), (2, 15, taken, True, True), (4, 4, 5, True, False), (6, 2, 0, False, False))
    return measure.read_file(TEXT, {"segments": ran, "branches": list(branches)})


def branch(column, yes, no):
    return [2, column, 2, column + 1, yes, no, 0, 0, 4]


class Counting(unittest.TestCase):
    def test_a_line_is_reached_where_what_begins_on_it_or_goes_on_there_ran(self):
        self.assertEqual(figures(1).lines, {1: True, 2: True, 3: True, 4: True, 5: True, 6: True, 8: False})

    def test_a_block_that_never_ran_is_a_gap_and_its_brace_is_none(self):
        self.assertEqual([gap for gap in figures(0).gaps if gap.kind == "never run"], [(3, "never run", "return 1;")])

    def test_a_statement_that_was_not_compiled_is_a_gap(self):
        self.assertIn((8, "no counter", "return 3;"), figures(1).gaps)

    def test_sides_are_summed_over_instantiations(self):
        found = figures(1, [branch(7, 3, 0), branch(7, 0, 2), branch(12, 3, 0)])
        self.assertEqual(sum(found.sides.values()), 3)
        self.assertEqual(len(found.sides), 4)
        self.assertIn((2, "never false", "b"), found.gaps)
        self.assertNotIn("a", [gap.text for gap in found.gaps])

    def test_a_condition_that_the_compiler_knows_has_no_sides(self):
        self.assertEqual(figures(1, [branch(7, 0, 0)]).sides, {})


class Reasons(unittest.TestCase):
    def entry(self, line):
        return exclusions.parse(1, line)

    def test_an_entry_excuses_what_it_names_and_nothing_else(self):
        entry = self.entry("src/a.cpp | never run | return 1; | because")
        gap = measure.Gap(3, "never run", "return 1;")
        self.assertFalse(exclusions.excuse([entry], "src/b.cpp", gap))
        self.assertFalse(exclusions.excuse([entry], "src/a.cpp", gap._replace(text="return 12;")))
        self.assertFalse(exclusions.excuse([entry], "src/a.cpp", gap._replace(kind="never true")))
        self.assertTrue(exclusions.is_stale(entry, ROOT))
        self.assertTrue(exclusions.excuse([entry], "src/a.cpp", gap))
        self.assertFalse(exclusions.is_stale(entry, ROOT))

    def test_what_is_a_race_may_be_reached_but_must_be_there(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "a.cpp").write_text("while (lost()) {\n", encoding="utf-8")
            self.assertFalse(exclusions.is_stale(self.entry("a.cpp | at times never true | lost() | a race"), root))
            self.assertTrue(exclusions.is_stale(self.entry("a.cpp | at times never true | won() | a race"), root))
            self.assertTrue(exclusions.is_stale(self.entry("b.cpp | at times never true | lost() | a race"), root))

    def test_an_entry_needs_a_reason_and_a_kind_that_is_known(self):
        for line in ("a.cpp | never run | x", "a.cpp | never run | x | ", "a.cpp | hardly ever | x | because",
                     "a.cpp | never run | * | because"):
            with self.assertRaises(exclusions.Broken):
                self.entry(line)

    def test_the_list_itself_can_be_read(self):
        self.assertGreater(len(exclusions.read()), 0)


class Usage(unittest.TestCase):
    def checked(self, *arguments):
        """(exit status, what is complained of) as `./dev coverage` asks before it builds anything."""
        run = subprocess.run([sys.executable, "-B", TOOL, *arguments], text=True, check=False, stderr=subprocess.PIPE)
        return run.returncode, run.stderr

    def test_what_is_right_is_told_without_a_build(self):
        self.assertEqual(self.checked("--check", "--html", "x", "--only", "src", "include/allot/pool"), (0, ""))

    def test_what_is_wrong_is_told_without_a_build(self):
        for arguments, says in [(["--no-such"], "--no-such"), (["no/build"], "no/build is no build directory"),
                                (["--write", "--only", "src"], "--write tells of all files"),
                                (["--only", "include/alot"], "include/alot is nothing of include/allot or src"),
                                (["--only", "tests"], "tests is nothing of include/allot or src")]:
            status, complaint = self.checked("--check", *arguments)
            self.assertEqual(status, 2, complaint)
            self.assertIn(says, complaint)

    def test_without_a_build_nothing_is_measured(self):
        status, complaint = self.checked("--keep")
        self.assertEqual((status, "BUILD_DIR is missing" in complaint), (2, True), complaint)


if __name__ == "__main__":
    unittest.main()
