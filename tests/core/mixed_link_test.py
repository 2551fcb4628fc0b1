#!/usr/bin/env python3
"""Links a program and a library that were built with different settings, and expects the linker to refuse and to say why.

Usage: mixed_link_test.py SETTING SOURCE_ROOT COMPILER [OPTION...]

SETTING is a key of SETTINGS. Each side is built with the setting and without; the matching pairs link and run, the two
mixed ones fail with the namespace of the program in the linker's message.
Exit status: 0 when all four do as they should, 77 when the setting cannot be built here.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

LIBRARY = ["src/core/claim_flag.cpp", "src/core/failure.cpp"]
PROGRAM = """
#include <allot/source/static_buffer.hpp>

#ifdef ALLOT_TEST_AND_SET
bool board(std::atomic<unsigned char>& flag) noexcept { return flag.exchange(1) != 0; }
#endif

constinit allot::static_buffer<64> buffer;

int main() { return buffer.claim("main").size() == 64 ? 0 : 1; }
"""

CHECKED = ["-DALLOT_CHECK_LEVEL=1"]
PLAIN = (CHECKED, "v0_1_checked_exceptions")

# Two sides for each setting: the options, and the namespace that they make.
SETTINGS = {
    "checks": (PLAIN, (["-DALLOT_CHECK_LEVEL=0"], "v0_1_unchecked_exceptions")),
    "exceptions": (PLAIN, ([*CHECKED, "-fno-exceptions"], "v0_1_checked_no_exceptions")),
    "asan": (PLAIN, ([*CHECKED, "-fsanitize=address"], "v0_1_checked_exceptions_asan")),
    "valgrind": (PLAIN, ([*CHECKED, "-DALLOT_VALGRIND=1"], "v0_1_checked_exceptions_valgrind")),
    "test_and_set": (PLAIN, ([*CHECKED, "-DALLOT_TEST_AND_SET=board"], "v0_1_checked_exceptions_own_test_and_set")),
    "version": (PLAIN, ([*CHECKED, "-Inext_version"], "v0_2_checked_exceptions")),
}


class Side:
    """The objects of a program and of a library, built with the same options."""

    def __init__(self, name, options, namespace):
        self.namespace = namespace
        self.program = built(pathlib.Path("program.cpp"), f"{name}_program.o", options)
        self.library = [built(ROOT / source, f"{name}_{pathlib.Path(source).stem}.o", options) for source in LIBRARY]


def built(source, target, options):
    subprocess.run([*COMMAND, "-std=c++20", *options, f"-I{ROOT / 'include'}", "-c", source, "-o", target], check=True)
    return target


def linked(program, library):
    """The linker's run, by the program's objects and the library's; the sanitizer's run-time serves both."""
    extra = ["-fsanitize=address"] if SETTING == "asan" else []
    return subprocess.run([*COMMAND, *extra, program, *library, "-o", "linked"], capture_output=True, text=True)


def write_next_version(directory):
    """A copy of the headers in which the minor version is one more."""
    shutil.copytree(ROOT / "include", directory)
    config = directory / "allot" / "core" / "config.hpp"
    text, count = re.subn(r"(#define ALLOT_VERSION_MINOR) 1\b", r"\1 2", config.read_text())
    assert count == 1, "config.hpp has another version than the one that this test expects"
    config.write_text(text)


class MixedLink(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pathlib.Path("program.cpp").write_text(PROGRAM)
        write_next_version(pathlib.Path("next_version"))
        cls.sides = [Side(str(n), *side) for n, side in enumerate(SETTINGS[SETTING])]

    def test_what_was_built_alike_links_and_runs(self):
        for side in self.sides:
            link = linked(side.program, side.library)
            self.assertEqual(link.returncode, 0, link.stderr)
            self.assertEqual(subprocess.run(["./linked"]).returncode, 0)

    def test_a_mix_does_not_link_and_the_message_names_the_setting(self):
        for mine, other in (self.sides, reversed(self.sides)):
            link = linked(mine.program, other.library)
            self.assertNotEqual(link.returncode, 0, f"a program of {mine.namespace} linked with {other.namespace}")
            self.assertIn(f"allot::{mine.namespace}::raise_already_claimed", link.stderr)
            self.assertNotIn(f"allot::{other.namespace}::raise_already_claimed", link.stderr)


def compiles(text, *options):
    return subprocess.run([*COMMAND, *options, "-x", "c++", "-", "-o", "tried"], input=text, capture_output=True,
                          text=True).returncode == 0


def can_be_built():
    if SETTING == "asan":
        return compiles("int main() {}", "-fsanitize=address")
    return SETTING != "valgrind" or compiles("#include <valgrind/memcheck.h>\nint main() {}")


if __name__ == "__main__":
    SETTING, ROOT, COMMAND = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        if not can_be_built():
            sys.exit(77)
        ended = unittest.main(argv=sys.argv[:1], exit=False)
        os.chdir("/")
    sys.exit(0 if ended.result.wasSuccessful() else 1)
