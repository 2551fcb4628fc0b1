#!/usr/bin/env python3
"""Holds the table of who_allocates to what is known without it.

Usage: who_allocates_test.py PROGRAM | --libc++

With --libc++ the program is built first, by clang and with libc++, from the sources that the counter needs and no others.
Exit status: 77 where that cannot be built here.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = [*sorted((ROOT / "src/global").glob("*.cpp")), ROOT / "src/core/failure.cpp",
           ROOT / "tests/support/malloc_counter.cpp", ROOT / "examples/who_allocates/who_allocates.cpp"]
DOCS = ROOT / "docs/global_counter.md"
COLUMNS = ["new_blocks", "new_bytes", "new_live", "malloc_blocks", "malloc_bytes", "malloc_live"]
CONSTRUCTS = ["std::cout << 42", "std::cerr << 42", 'printf("%d", 42)', "std::to_string(42)",
              "std::to_string(LLONG_MIN)", "std::thread, joined", 'std::regex{"[a-z]+@[a-z]+"}',
              "std::function, captures 8", "std::function, captures 100"]
ROW = re.compile(r"(.*?)\s+(first |later )?" + r"\s+(-?\d+|-)" * 6)


def build_with_libcxx(folder):
    """The program, built with libc++; None where there is none to build with."""
    command = ["clang++", "-stdlib=libc++", "-std=c++20", "-O2", "-pthread", "-Wall", "-Wextra", "-Werror"]
    probe = subprocess.run([*command, "-x", "c++", "-", "-o", "/dev/null"], input="#include <string>\nint main() {}\n",
                           text=True, capture_output=True, check=False) if shutil.which("clang++") else None
    if probe is None or probe.returncode != 0:
        return None
    program = pathlib.Path(folder) / "who_allocates"
    subprocess.run([*command, "-DWHO_ALLOCATES_COUNTS_MALLOC=1", f"-I{ROOT}/include", f"-I{ROOT}/tests",
                    *map(str, SOURCES), "-o", str(program)], check=True)
    return program


def rows_of(text):
    """{(construct, call): {column: figure}}; figures are None where there is a dash."""
    rows, name = {}, ""
    for line in text.splitlines():
        found = ROW.fullmatch(line)
        if found:
            name = found.group(1) or name
            figures = [None if figure == "-" else int(figure) for figure in found.groups()[2:]]
            rows[name, (found.group(2) or "").strip()] = dict(zip(COLUMNS, figures))
    return rows


class Table(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run = subprocess.run([PROGRAM], capture_output=True, text=True, timeout=60, check=True)
        cls.text, cls.rows = run.stdout, rows_of(run.stdout)
        cls.with_malloc = cls.rows["before main", ""]["malloc_blocks"] is not None
        cls.libcxx = "libc++ " in run.stdout

    def test_has_a_row_for_each_construct_and_one_for_what_comes_before_main(self):
        wanted = {("before main", ""), *((name, call) for name in CONSTRUCTS for call in ("first", "later"))}
        self.assertEqual(set(self.rows), wanted, self.text)

    def test_every_construct_gives_back_what_it_took_from_new(self):
        for row, figures in self.rows.items():
            self.assertEqual(figures["new_live"], 0, row)

    def test_what_fits_into_the_object_is_not_allocated(self):
        for name in ("std::to_string(42)", "std::function, captures 8"):
            for call in ("first", "later"):
                self.assertEqual([self.rows[name, call][c] for c in COLUMNS if self.rows[name, call][c]], [], name)

    def test_a_large_capture_is_one_block_of_its_size(self):
        for call in ("first", "later"):
            figures = self.rows["std::function, captures 100", call]
            self.assertEqual(figures["new_blocks"], 1)
            # libc++ keeps a table of functions in front of it.
            self.assertEqual(figures["new_bytes"], 112 if self.libcxx else 100)

    def test_what_does_not_fit_into_a_string_is_one_block(self):
        figures = self.rows["std::to_string(LLONG_MIN)", "later"]
        if not self.libcxx:  # whose strings have room for 22
            self.assertEqual((figures["new_blocks"], figures["new_bytes"]), (1, 21))

    def test_a_thread_and_a_regex_allocate_each_time(self):
        for name in ("std::thread, joined", 'std::regex{"[a-z]+@[a-z]+"}'):
            for call in ("first", "later"):
                self.assertGreater(self.rows[name, call]["new_bytes"], 0, name)

    def test_output_takes_a_buffer_from_malloc_once_and_nothing_from_new(self):
        for name in ("std::cout << 42", 'printf("%d", 42)'):
            first, later = self.rows[name, "first"], self.rows[name, "later"]
            self.assertEqual((first["new_blocks"], later["new_blocks"]), (0, 0))
            if self.with_malloc:
                self.assertEqual((first["malloc_blocks"], first["malloc_live"]), (1, 1))
                self.assertGreaterEqual(first["malloc_bytes"], 1024)
                self.assertEqual((later["malloc_blocks"], later["malloc_bytes"]), (0, 0))

    def test_nothing_comes_from_new_before_main_and_libstdcxx_has_its_exception_pool_from_malloc(self):
        before = self.rows["before main", ""]
        self.assertEqual(before["new_blocks"], 0)
        if self.with_malloc and not self.libcxx:
            self.assertGreaterEqual(before["malloc_bytes"], 70_000)

    def test_the_docs_show_the_same_for_operator_new(self):
        head = self.text.splitlines()[0]
        documented = re.search(rf"^{re.escape(head)}\n\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.M | re.S)
        if not documented:
            self.skipTest(f"the docs have no table for {head}")
        by_new = lambda rows: {row: [figures[c] for c in COLUMNS[:3]] for row, figures in rows.items()}
        self.assertEqual(by_new(self.rows), by_new(rows_of(documented.group(1))))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as scratch:
        if PROGRAM == "--libc++":
            PROGRAM = build_with_libcxx(scratch)
            if PROGRAM is None:
                print("no clang++ with libc++ here")
                sys.exit(77)
        unittest.main()
