"""Tests of tools/test_summary.py."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "test_summary.py"


def doctest_entry(passed, failed, result="OK"):
    total = passed + failed
    line = f"[doctest] test cases: {total} | {passed} passed | {failed} failed | 0 skipped\n"
    return {"name": "bump", "result": result, "returncode": 0, "stdout": line,
            "command": ["build/bump_test"]}


def script_entry(result, **more):
    return {"name": "script", "result": result, "returncode": 0, "stdout": "",
            "command": ["python3", "reads_objects.py"], **more}


def summarise(*entries):
    """(exit status, all output, last line) of the tool for a log with these entries."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "testlog.json"
        log.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
        run = subprocess.run([sys.executable, TOOL, log], text=True, capture_output=True, check=False)
    return run.returncode, run.stdout, run.stdout.splitlines()[-1]


class Summary(unittest.TestCase):
    def test_sums_cases_and_counts_a_script_as_one(self):
        status, _, last = summarise(doctest_entry(3, 0), doctest_entry(4, 0), script_entry("OK"))
        self.assertEqual((status, last), (0, "8 passed, 0 failed"))

    def test_counts_the_failed_cases_of_a_program(self):
        status, _, last = summarise(doctest_entry(3, 2, "FAIL"))
        self.assertEqual((status, last), (1, "3 passed, 2 failed"))

    def test_shows_the_output_of_a_failure(self):
        _, output, _ = summarise(script_entry("FAIL", stdout="out", stderr="why"))
        self.assertIn("why", output)
        self.assertIn("out", output)

    def test_a_program_with_no_case_fails(self):
        status, _, last = summarise(doctest_entry(1, 0), doctest_entry(0, 0))
        self.assertEqual((status, last), (1, "1 passed, 1 failed"))

    def test_a_program_that_ends_before_its_summary_fails(self):
        entry = doctest_entry(1, 0)
        entry["stdout"] = "left by way of exit(0)"
        self.assertEqual(summarise(entry)[2], "0 passed, 1 failed")

    def test_a_program_under_valgrind_is_still_one(self):
        entry = script_entry("OK", command=["valgrind", "-q", "--error-exitcode=99", "build/bump_test"])
        self.assertEqual(summarise(entry)[2], "0 passed, 1 failed")

    def test_a_program_that_an_emulator_runs_is_that_program(self):
        for runner in ["qemu-system-arm", "-kernel"], ["python3", "tools/firmware/in_qemu.py", "--single-step", "microbit"]:
            entry = script_entry("OK", command=[*runner, "build/claim_test"])
            self.assertEqual(summarise(entry)[2], "0 passed, 1 failed", "it ended without having run a case")

    def test_a_script_that_reads_a_program_is_a_script(self):
        entry = script_entry("OK", command=["python3", "reads_objects.py", "build/bump_test"])
        self.assertEqual(summarise(entry)[2], "1 passed, 0 failed")

    def test_a_bad_exit_after_cases_that_passed_is_a_failure(self):
        self.assertEqual(summarise(doctest_entry(3, 0, "FAIL"))[2], "3 passed, 1 failed")

    def test_reads_past_terminal_colours(self):
        entry = doctest_entry(2, 0)
        entry["stdout"] = "\x1b[0;36m[doctest] \x1b[0mtest cases: 2 | \x1b[0;32m2 passed\x1b[0m | 0 failed |"
        self.assertEqual(summarise(entry)[2], "2 passed, 0 failed")

    def test_a_time_out_is_a_failure(self):
        self.assertEqual(summarise(script_entry("TIMEOUT"))[2], "0 passed, 1 failed")

    def test_a_skipped_test_is_named_and_not_counted(self):
        status, output, last = summarise(script_entry("OK"), script_entry("SKIP"))
        self.assertEqual((status, last), (0, "1 passed, 0 failed"))
        self.assertIn("skipped", output)

    def test_no_test_is_no_success(self):
        status, _, last = summarise()
        self.assertEqual((status, last), (1, "0 passed, 0 failed"))

    def test_a_missing_log_is_no_success(self):
        run = subprocess.run([sys.executable, TOOL, "no/such/testlog.json"],
                             text=True, capture_output=True, check=False)
        self.assertEqual((run.returncode, run.stdout), (1, "0 passed, 0 failed\n"))


if __name__ == "__main__":
    unittest.main()
