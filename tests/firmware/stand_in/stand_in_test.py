#!/usr/bin/env python3
"""A test program on a target that goes wrong says so, and does not end with 0.

Usage: stand_in_test.py SOURCE_ROOT BUILD_DIRECTORY BOARD
"""

import pathlib
import subprocess
import sys
import unittest


def run(name):
    """The exit status, and the lines of the console."""
    done = subprocess.run([sys.executable, IN_QEMU, BOARD.replace("_", "-"), BUILD / name],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


class StandIn(unittest.TestCase):
    def assert_one_of(self, cases, name, *texts):
        """One case failed, it was named, the others ran, and each text was written."""
        status, output = run(name)
        for text in "TEST CASE: the wrong one", f"{cases} | {cases - 1} passed | 1 failed", *texts:
            self.assertIn(text, output, name)
        self.assertEqual(status, 1, name)
        return output

    def test_a_check_that_fails(self):
        self.assert_one_of(3, "a_false_check", "CHECK( no ) is not so")
        self.assert_one_of(3, "a_true_check_false", "CHECK_FALSE( yes ) is not so")
        self.assert_one_of(3, "a_false_check_message", "CHECK( the text ) is not so")
        self.assert_one_of(3, "a_false_check_for_one_type", "CHECK( sizeof(T) == 1 ) is not so")

    def test_a_requirement_that_fails_ends_its_case(self):
        for name in "a_false_require", "a_true_require_false":
            self.assertNotIn("went on", self.assert_one_of(3, name, "REQUIRE( "))

    def test_a_case_that_fails_by_itself(self):
        self.assertNotIn("went on", self.assert_one_of(3, "a_fail", "the text 42"))
        self.assertIn("went on", self.assert_one_of(3, "a_fail_check", "the text 42"))

    def test_a_failure_that_no_case_expects(self):
        self.assert_one_of(3, "a_halt", "halted( allot: arena: no room for 8 bytes")

    def test_a_stack_that_comes_near_the_heap(self):
        self.assert_one_of(3, "a_deep_stack", "stack( clear of the heap ) is not so")

    def test_a_case_that_ends_the_program(self):
        status, output = run("an_exit")
        self.assertIn("a test case ended the program", output)
        self.assertEqual(status, 1)

    def test_a_program_without_a_case(self):
        status, output = run("no_case")
        self.assertIn("no test case ran", output)
        self.assertEqual(status, 1)


if __name__ == "__main__":
    IN_QEMU = pathlib.Path(sys.argv[1]) / "tools/firmware/in_qemu.py"
    BUILD, BOARD = pathlib.Path(sys.argv[2]), sys.argv[3]
    unittest.main(argv=sys.argv[:1])
