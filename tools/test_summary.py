#!/usr/bin/env python3
"""Sums the results of a Meson test run, and shows the output of what failed.

Usage: test_summary.py BUILD_DIR/meson-logs/testlog.json

The last line is `N passed, N failed`. Each test case of a doctest program counts as one, and every
other test as one. A doctest program (an executable whose name ends in _test) that ran no case, or
ended without doctest's own summary, counts as a failure. Exit status: 0 when something passed and
nothing failed, else 1.
"""

import json
import pathlib
import re
import sys

DOCTEST_CASES = re.compile(
    r"^\[doctest\] test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BAD_RESULTS = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}


def is_doctest_program(entry):
    """By name, as tests/meson.build gives them, and not handed to a script that reads it, or starts it in its own way."""
    words = [pathlib.PurePath(word) for word in entry.get("command", [])]
    scripts = [word for word in words[1:] if word.suffix and word.name != "in_qemu.py"]
    return any(word.name.endswith("_test") for word in words) and not scripts


def count(entry):
    """(passed, failed) of one line of Meson's testlog.json; (0, 0) for a skipped test."""
    if entry["result"] == "SKIP":
        return 0, 0
    bad = entry["result"] in BAD_RESULTS
    cases = DOCTEST_CASES.search(COLOUR.sub("", entry.get("stdout", "")))
    if cases:
        total, passed, failed = (int(number) for number in cases.groups())
        if failed == 0 and (bad or total == 0):
            failed = 1
        return passed, failed
    if bad or is_doctest_program(entry):
        return 0, 1
    return 1, 0


def read_log(path):
    """The entries of a testlog.json, which holds one JSON object a line; none when it is missing."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def describe(entry):
    """What a person needs to see of a failed test."""
    lines = [f"--- {entry['name']}: {entry['result']}, exit status {entry.get('returncode')}"]
    for stream in ("stdout", "stderr"):
        text = entry.get(stream, "").rstrip()
        if text:
            lines.append(text)
    if entry["result"] not in BAD_RESULTS:
        lines.append("it ran no test case")
    return "\n".join(lines)


def main(arguments):
    if len(arguments) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    passed = failed = 0
    for entry in read_log(arguments[0]):
        more_passed, more_failed = count(entry)
        passed += more_passed
        failed += more_failed
        if more_failed:
            print(describe(entry))
        elif entry["result"] == "SKIP":
            print(f"--- {entry['name']}: skipped")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
