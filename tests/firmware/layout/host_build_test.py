#!/usr/bin/env python3
"""The files that docs/firmware.md lists for a target also compile for the machine that builds, so that they can be tried there.

Usage: host_build_test.py SOURCE_ROOT

The compiler is g++. Exit status: 77 where there is none.
"""

import pathlib
import shutil
import subprocess
import sys
import unittest

import page

SOURCE_ROOT = pathlib.Path(sys.argv[1])
COMMAND = ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion",
           "-Wshadow", "-Werror", f"-I{SOURCE_ROOT / 'include'}"]


class HostBuild(unittest.TestCase):
    def test_every_listed_file_compiles_without_a_warning(self):
        for options in [[], ["-fno-exceptions", "-fno-rtti"]]:
            for source in page.sources(SOURCE_ROOT):
                with self.subTest(source=source, options=options):
                    done = subprocess.run([*COMMAND, *options, SOURCE_ROOT / source], stderr=subprocess.PIPE, text=True,
                                          check=False)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    if not shutil.which(COMMAND[0]):
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
