#!/usr/bin/env python3
"""Holds the pages in docs/ to their programs: what a page shows is compiled and run, and prints what the page says.

Usage: pages_test.py [--figures-differ] ROOT [PROGRAM...]

docs/PAGE.md belongs to tests/docs/PAGE.cpp and PAGE_*.cpp, whose programs end in the stem of their source. A block of ```cpp
is a region between two comments `//! [name]` there; the block of ```text that follows it is what the section of that name
prints, to stdout and stderr. A line or a part of one that differs from run to run stands as ... in the page.

With --figures-differ (another standard library, or 32 bits) the sections are run, and their output is not compared.
"""

import difflib
import os
import pathlib
import re
import signal
import subprocess
import sys
import textwrap
import unittest

MARK = re.compile(r"^\s*//! \[(\w+)\]\n", re.MULTILINE)
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENDS = {"well": 0, "abort": -signal.SIGABRT}


def regions_of(source):
    """{name: text}, as the page is to show it."""
    parts = MARK.split(source.read_text(encoding="utf-8"))
    names = parts[1::2]
    if names[0::2] != names[1::2] or len(set(names)) * 2 != len(names):
        raise ValueError(f"{source}: a marker without its second, or a name used twice: {names}")
    return {name: textwrap.dedent(text).strip("\n") + "\n" for name, text in zip(names[0::2], parts[2::4])}


def shown_by(page):
    """[(code, output or "")] of each block of C++ in the page."""
    shown = []
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "cpp":
            shown.append((text, ""))
        elif language == "text":
            if not shown or shown[-1][1]:
                raise ValueError(f"{page}: no code before this output:\n{text}")
            shown[-1] = (shown[-1][0], text)
    return shown


def sections_of(program):
    """{name: how it ends}, as the program lists them."""
    run = subprocess.run([program], capture_output=True, text=True, timeout=60, check=True)
    return dict(line.split() for line in run.stdout.splitlines())


def matches(pattern, text):
    """Whether the text is the pattern, in which ... stands for anything within a line."""
    return re.fullmatch("[^\n]*".join(map(re.escape, pattern.split("..."))), text) is not None


def difference(page, program):
    return "".join(difflib.unified_diff(page.splitlines(True), program.splitlines(True), "page", "program"))


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sources = {}
        for source in sorted((ROOT / "tests/docs").glob("*.cpp")):
            if MARK.search(source.read_text(encoding="utf-8")):
                cls.sources.setdefault(source.stem.split("_")[0], []).append(source)

    def pages(self):
        """(name, [(code, output)], {region: text}) of each."""
        for name, sources in self.sources.items():
            regions = {}
            for source in sources:
                for region, text in regions_of(source).items():
                    self.assertNotIn(region, regions, f"{source}: the page has two regions of this name")
                    regions[region] = text
            yield name, shown_by(ROOT / "docs" / f"{name}.md"), regions

    def test_each_block_of_code_is_a_region_of_the_page_s_program(self):
        for name, shown, regions in self.pages():
            for code, _ in shown:
                with self.subTest(page=name, block=code.split("\n", 1)[0]):
                    nearest = max(regions.values(), key=lambda text: difflib.SequenceMatcher(None, code, text).ratio())
                    self.assertEqual(code, nearest, "\n" + difference(code, nearest))

    def test_each_region_is_shown(self):
        for name, shown, regions in self.pages():
            for region, text in regions.items():
                with self.subTest(page=name, region=region):
                    self.assertIn(text, [code for code, _ in shown])

    def test_each_region_is_run_and_prints_what_the_page_says(self):
        for name, shown, regions in self.pages():
            programs = [p for p in PROGRAMS if p.name.split("_", 1)[1].split("_")[0] == name]
            known = {section: (program, how) for program in programs for section, how in sections_of(program).items()}
            built = {p.name.split("_", 1)[1] for p in programs}
            for source in self.sources[name]:
                if source.stem not in built:
                    continue  # its library is not here
                own = regions_of(source)
                self.assertLessEqual(set(own), set(known), f"{source}: a region that nothing runs")
                for region, text in own.items():
                    with self.subTest(page=name, region=region):
                        self.check_section(region, *known[region], dict(shown).get(text, ""))

    def check_section(self, region, program, how, output):
        # Meson has malloc fill its blocks, those of a gigabyte too.
        run = subprocess.run([program, region], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                             check=False, env={**os.environ, "MALLOC_PERTURB_": "0"})
        self.assertEqual(run.returncode, ENDS[how], run.stdout)
        if not FIGURES_DIFFER:
            self.assertTrue(matches(output, run.stdout), "\n" + difference(output, run.stdout))


class Pictures(unittest.TestCase):
    def test_each_is_shown_with_words_for_those_who_do_not_see_it(self):
        shown = {}
        for page in sorted((ROOT / "docs").glob("*.md")):
            for words, target in IMAGE.findall(page.read_text(encoding="utf-8")):
                shown[(page.parent / target).resolve()] = words
        for picture in sorted((ROOT / "docs/pictures").glob("*.svg")):
            with self.subTest(picture=picture.name):
                self.assertGreater(len(shown.get(picture.resolve(), "")), 40)


class Threads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        page = (ROOT / "docs/threads.md").read_text(encoding="utf-8")
        cls.words = {name: words for names, words in re.findall(r"^\| (.*?) \| (.*?) \|", page, re.MULTILINE)
                     for name in re.findall(r"`(\w+)", names)}

    def classes(self):
        """(name, what its comment says of threads, or "") of each."""
        for header in sorted((ROOT / "include/allot").glob("[!di]*/*.hpp")):  # not detail, not interop
            text = header.read_text(encoding="utf-8")
            said = re.search(r"^/// Threads: (.*\n(?:/// \S.*\n)*)", text, re.MULTILINE)
            for name in set(re.findall(r'^  static constexpr.* class_name = "(\w+)"', text, re.MULTILINE)):
                yield name, " ".join(said[1].replace("///", "").split()) if said else ""

    def test_the_page_has_a_row_for_each_class(self):
        for name, _ in self.classes():
            with self.subTest(name):
                self.assertIn(name, self.words)

    def test_a_row_says_what_the_class_says(self):
        for name, said in self.classes():
            mine, row = (re.split("[;.]", words)[0] for words in (said, self.words[name]))
            if mine.startswith(("one", "any")):
                with self.subTest(name, said=mine, row=row):
                    self.assertEqual(mine[:3], row[:3])
                    self.assertEqual("handlers" in mine, "handlers" in row)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    FIGURES_DIFFER = arguments[:1] == ["--figures-differ"]
    arguments = arguments[FIGURES_DIFFER:]
    if not arguments or arguments[0].startswith("-"):
        sys.exit(__doc__) if arguments[:1] in (["--help"], ["-h"]) else None
        print("usage: pages_test.py [--figures-differ] ROOT [PROGRAM...]", file=sys.stderr)
        sys.exit(2)
    ROOT = pathlib.Path(arguments[0])
    PROGRAMS = [pathlib.Path(program) for program in arguments[1:]]
    unittest.main(argv=sys.argv[:1])
