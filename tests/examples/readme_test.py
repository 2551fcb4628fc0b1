#!/usr/bin/env python3
"""Holds the README to its word: its program is examples/first_steps.cpp, and prints what it says.

Usage: readme_test.py [--figures-differ] README.md FIRST_STEPS.cpp FIRST_STEPS_PROGRAM

With --figures-differ any number does for a number: the sizes of objects are another library's.
"""

import pathlib
import re
import subprocess
import sys
import unittest

figures_differ = sys.argv[1] == "--figures-differ"
README, SOURCE, PROGRAM = sys.argv[1 + figures_differ :]
del sys.argv[1:]


def block(language):
    """The README's first block in that language."""
    text = pathlib.Path(README).read_text(encoding="utf-8")
    return re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL).group(1)


def figures(text):
    return re.sub(r"\d+", "N", text) if figures_differ else text


class Readme(unittest.TestCase):
    maxDiff = None

    def test_its_program_is_the_example(self):
        self.assertEqual(block("cpp"), pathlib.Path(SOURCE).read_text(encoding="utf-8"))

    def test_the_program_prints_what_it_says(self):
        run = subprocess.run([PROGRAM], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(figures(block("text")), figures(run.stdout))

    def test_its_links_lead_somewhere(self):
        text = pathlib.Path(README).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            with self.subTest(link=link):
                self.assertTrue((pathlib.Path(README).parent / link).exists())


if __name__ == "__main__":
    unittest.main()
