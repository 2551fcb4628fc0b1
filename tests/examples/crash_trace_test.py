#!/usr/bin/env python3
"""Runs the example that crashes, reads what it leaves on stderr, and parses its trace as CSV.

Usage: crash_trace_test.py CRASH_TRACE [unittest arguments]
"""

import csv
import io
import re
import signal
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "crash_trace"
LINE = re.compile(r"\d+ thread 1 (allocate|deallocate) (\d+) bytes aligned to 8 (failed|at 0x[0-9a-f]+)")


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False)


class CrashTrace(unittest.TestCase):
    def test_a_crash_leaves_the_last_eight_events_on_stderr_and_ends_by_its_signal(self):
        crashed = run()
        # A sanitizer that handles the signal itself, after the dump, ends the program in its own way.
        if "Sanitizer" not in crashed.stderr:
            self.assertEqual(crashed.returncode, -signal.SIGSEGV)
        title, *lines = crashed.stderr.splitlines()[:9]
        self.assertEqual(title, "allot: the last 8 of 14 events, 0 dropped")
        events = [LINE.fullmatch(line) for line in lines]
        self.assertTrue(all(events), crashed.stderr)
        self.assertEqual([(e[1], int(e[2])) for e in events],
                         [("allocate", 10 * n) for n in range(7, 13)] + [("allocate", 1000000), ("deallocate", 120)])
        self.assertEqual([e[3] == "failed" for e in events], [False] * 6 + [True, False])
        self.assertEqual(events[5][3], events[7][3])  # the block that was taken last is given back

    def test_the_trace_parses_as_csv(self):
        done = run("csv")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = list(csv.DictReader(io.StringIO(done.stdout), strict=True))
        self.assertEqual(list(rows[0]), ["time", "thread", "operation", "pointer", "bytes", "alignment", "outcome"])
        self.assertEqual([int(row["bytes"]) for row in rows], [10 * n for n in range(1, 13)] + [1000000, 120])
        self.assertEqual([row["outcome"] for row in rows], ["ok"] * 12 + ["failed", "ok"])
        self.assertEqual(rows[12]["pointer"], "0x0")
        self.assertEqual(rows[13]["operation"], "deallocate")
        self.assertEqual(int(rows[13]["pointer"], 16), int(rows[11]["pointer"], 16))
        self.assertTrue(all(int(row["pointer"], 16) % int(row["alignment"]) == 0 for row in rows))
        times = [int(row["time"]) for row in rows]
        self.assertEqual(times, sorted(times))

    def test_an_unknown_argument_is_refused(self):
        refused = run("what")
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main()
