#!/usr/bin/env python3
"""Tests of tools/fuzz.py, with programs that only behave like fuzzers."""

import importlib.util
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "fuzz.py"

# What libFuzzer prints, writes and returns, as far as the tool looks at it.
PRETENDER = """#!{python}
import pathlib, sys
options = dict(a[1:].split("=", 1) for a in sys.argv[1:] if a.startswith("-"))
if "minimize_crash" in options:
    pathlib.Path(options["exact_artifact_path"]).write_bytes(b"x")
    sys.exit(0)
kind = {kind!r}
if kind == "dead":
    sys.exit(3)
print("#64\\tNEW    cov: 12 ft: 20 corp: 3/9b")
print("#128\\tDONE   cov: 17 ft: 29 corp: 4/9b")
print("stat::number_of_executed_units: 128")
if kind == "bad":
    print("some_fuzz.cpp:7: not so: a == b")
    pathlib.Path(options["artifact_prefix"] + "crash-1").write_bytes(b"xyz")
    sys.exit(77)
if kind == "slow":
    pathlib.Path(options["artifact_prefix"] + "slow-unit-1").write_bytes(b"xyz")
"""


def module():
    spec = importlib.util.spec_from_file_location("fuzz", TOOL)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


class FuzzTool(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.build = pathlib.Path(self.folder.name)
        (self.build / "tests" / "fuzz").mkdir(parents=True)

    def pretend(self, *kinds):
        for kind in kinds:
            program = self.build / "tests" / "fuzz" / f"fuzz_{kind}"
            program.write_text(PRETENDER.format(python=sys.executable, kind=kind), encoding="utf-8")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def run_tool(self, *arguments):
        done = subprocess.run([sys.executable, TOOL, self.build, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def test_a_folder_without_fuzzers_is_wrong_usage(self):
        status, _, complaint = self.run_tool("--seconds", "1")
        self.assertEqual(status, 2)
        self.assertIn("no fuzzers in", complaint)

    def test_a_target_that_is_not_there_is_wrong_usage(self):
        self.pretend("good")
        status, _, complaint = self.run_tool("--target", "better")
        self.assertEqual(status, 2)
        self.assertIn("no target is called better", complaint)

    def test_lists_what_was_built(self):
        self.pretend("slow", "good")
        self.assertEqual(self.run_tool("--list")[:2], (0, ["good", "slow"]))

    def test_lists_all_targets_where_no_build_is_named(self):
        done = subprocess.run([sys.executable, "-B", TOOL, "--list"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertIn("size_classes", done.stdout.split())

    def test_counts_targets_and_shows_their_figures(self):
        self.pretend("good", "slow")
        status, lines, _ = self.run_tool("--seconds", "1")
        self.assertEqual((status, lines[-1]), (0, "2 passed, 0 failed"))
        row = next(line.split() for line in lines if line.startswith("good"))
        self.assertEqual(row[2:], ["128", "17", "0", "ok"])

    def test_a_finding_fails_and_is_kept_small_with_the_command_that_shows_it(self):
        self.pretend("good", "bad")
        status, lines, _ = self.run_tool("--seconds", "1")
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed"))
        self.assertIn("  some_fuzz.cpp:7: not so: a == b", lines)
        again = next(line for line in lines if line.startswith("  again: ")).split()
        self.assertEqual(pathlib.Path(again[1]).name, "fuzz_bad")
        self.assertEqual(pathlib.Path(again[2]).read_bytes(), b"x")

    def test_what_is_found_again_is_a_finding_again(self):
        self.pretend("bad")
        for _ in range(2):
            status, lines, _ = self.run_tool("--seconds", "1")
            self.assertEqual((status, lines[-1]), (1, "0 passed, 1 failed"))
            self.assertIn("  some_fuzz.cpp:7: not so: a == b", lines)

    def test_a_fuzzer_that_runs_nothing_fails(self):
        self.pretend("dead")
        status, lines, _ = self.run_tool("--seconds", "1")
        self.assertEqual((status, lines[-1]), (1, "0 passed, 1 failed"))

    def test_keeps_the_inputs_that_reach_most_and_drops_what_adds_nothing(self):
        names = [self.build / name for name in ("little", "much", "same")]
        for name in names:
            name.write_bytes(name.name.encode())
        control = self.build / "control"
        control.write_text("3\n0\n" + "".join(f"{name}\n" for name in names) +
                           "STARTED 0 6\nFT 0 1 2\nCOV 0 1\nSTARTED 1 4\nFT 1 2 3 4\nCOV 1 1 2 3\n"
                           "STARTED 2 4\nFT 2 3 4\nCOV 2 2 3\n", encoding="utf-8")
        tool = module()
        self.assertEqual([f.name for f in tool.chosen(tool.reached(control))], ["much", "little"])


if __name__ == "__main__":
    unittest.main()
