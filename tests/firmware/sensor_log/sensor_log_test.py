#!/usr/bin/env python3
"""Runs the firmware example, and its work in an arena of the size that it says it needs and in one of a byte less.

Usage: sensor_log_test.py SOURCE_ROOT BOARD NEEDED_BYTES EXAMPLE JUST_ENOUGH ONE_BYTE_LESS
"""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT, BOARD, NEEDED, EXAMPLE, JUST_ENOUGH, ONE_BYTE_LESS = sys.argv[1:7]
del sys.argv[1:7]
TOOLS = pathlib.Path(ROOT) / "tools" / "firmware"

ROUND = re.compile(
    r"^ +(\d+) samples +(\d+\.\d) to +(\d+\.\d), mean +(\d+\.\d)  \[([ .:=+*#-]{24})\] +(\d+) bytes$", re.MULTILINE)
EXIT_OF_A_FAILURE = 3


def run(image):
    """(exit status, output); QEMU may have words of its own in it."""
    done = subprocess.run([sys.executable, TOOLS / "in_qemu.py", BOARD.replace("_", "-"), image],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


class SensorLog(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.status, cls.output = run(EXAMPLE)
        cls.rounds = ROUND.findall(cls.output)

    def test_it_ends_by_itself(self):
        self.assertEqual(self.status, 0, self.output)

    def test_each_round_is_a_line(self):
        self.assertEqual([int(count) for count, *_ in self.rounds], [60, 240, 720, 30, 480], self.output)
        for _, lowest, highest, mean, curve, _ in self.rounds:
            self.assertLess(float(lowest), float(mean))
            self.assertLess(float(mean), float(highest))
            self.assertIn("#", curve, "the warmest")

    def test_a_round_needs_room_for_its_samples_and_its_line_and_leaves_nothing_behind(self):
        for count, *_, used in self.rounds:
            self.assertIn(int(used) - 2 * int(count), range(97, 99), "a line of 96 characters, its end, padding")
        self.assertIn("kept from round to round: 0\n", self.output)

    def test_the_high_water_is_the_largest_round(self):
        largest = max(int(used) for *_, used in self.rounds)
        self.assertIn(f"high water {largest} of 2048 bytes", self.output)

    def test_it_has_no_heap(self):
        done = subprocess.run([sys.executable, TOOLS / "heap_free.py", EXAMPLE, EXAMPLE + ".map"],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_the_size_that_it_recommends_is_the_one_tried_here(self):
        self.assertIn(f"it would fit into: constinit allot::static_arena<{NEEDED}, 2> log_memory;\n", self.output)

    def test_an_arena_of_the_recommended_size_is_enough(self):
        status, output = run(JUST_ENOUGH)
        self.assertEqual(status, 0, output)
        self.assertEqual(len(ROUND.findall(output)), 5)

    def test_an_arena_of_a_byte_less_runs_out_and_the_failure_handler_says_where(self):
        status, output = run(ONE_BYTE_LESS)
        self.assertEqual(status, EXIT_OF_A_FAILURE, output)
        self.assertEqual(len(ROUND.findall(output)), 2)
        used = 2 * 720 + 1  # the samples, below the odd end of the arena
        self.assertIn(f'\nallot: bump_resource "log": no room for 97 bytes aligned to 1: {used} of {int(NEEDED) - 1} '
                      "bytes in use\n", output)


if __name__ == "__main__":
    unittest.main()
