#!/usr/bin/env python3
"""Runs the tour as a person would, with files that are fine and with files and arguments that are not.

Usage: tour_test.py TOUR [unittest arguments]
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

TOUR = sys.argv.pop(1) if len(sys.argv) > 1 else "tour"


def tour(*arguments, **options):
    return subprocess.run([TOUR, *map(str, arguments)], capture_output=True, timeout=120, check=False, **options)


class TourTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, content, name="words.txt"):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def report_of(self, content, *arguments):
        run = tour(self.file(content), *arguments)
        self.assertEqual(run.returncode, 0, run.stderr.decode())
        self.assertEqual(run.stderr, b"")
        return run.stdout.decode()

    def refused(self, status, *arguments, **options):
        """Demands that exit status, nothing on stdout, and returns what stderr says."""
        run = tour(*arguments, **options)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        self.assertEqual(run.stdout, b"")
        return run.stderr.decode()

    def one_line(self, *arguments, **options):
        text = self.refused(2, *arguments, **options)
        self.assertRegex(text, r"\Atour: [^\n]+\n\Z")
        return text


class Counting(TourTest):
    def test_counts_words_in_any_case_and_orders_ties_by_alphabet(self):
        report = self.report_of(b"The cat; the dog. THE END, cat!\nzebra")
        self.assertIn("8 words, 5 of them distinct", report)
        rows = re.findall(r"^ +(\d+)  (\w+)$", report, re.MULTILINE)
        self.assertEqual(rows, [("3", "the"), ("2", "cat"), ("1", "dog"), ("1", "end"), ("1", "zebra")])

    def test_a_word_across_two_pieces_of_the_stream_is_one_word(self):
        report = self.report_of(b" " * (64 * 1024 - 3) + b"abcdef")
        self.assertIn("1 words, 1 of them distinct", report)
        self.assertIn("abcdef", report)

    def test_shows_at_most_ten_words(self):
        report = self.report_of(b" ".join(b"w%d" % i for i in range(1000)))
        self.assertEqual(len(re.findall(r"^ +1  w\d+$", report, re.MULTILINE)), 10)

    def test_an_empty_file_has_a_report(self):
        report = self.report_of(b"")
        self.assertIn("0 words, 0 of them distinct", report)
        self.assertIn("asks for no memory", report)

    def test_a_binary_file_is_shown_without_control_characters_or_broken_utf8(self):
        report = self.report_of(bytes(range(256)) * 300 + b"\xc2\x9b31m \xff\xfe" * 900)
        self.assertNotRegex(report, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")
        self.assertIn("\\xff\\xfe", report)

    def test_a_file_that_is_one_word_needs_no_memory_of_its_length(self):
        report = self.report_of(b"x" * 3_000_000, "--budget", "64KiB")
        self.assertIn("733 words, 2 of them distinct", report)  # 732 pieces of 4096 bytes and a rest

    def test_the_default_file_is_the_readme(self):
        run = tour()
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(b"README.md: ", run.stdout)


class Report(TourTest):
    TEXT = b" ".join(b"word%d" % (i % 5000) for i in range(40_000))

    def test_every_row_of_the_table_is_measured(self):
        report = self.report_of(self.TEXT)
        rows = re.findall(r"^  (new/delete|std::pmr::monotonic|allot, counted) +(.+)$", report, re.MULTILINE)
        self.assertEqual([name for name, _ in rows], ["new/delete", "std::pmr::monotonic", "allot, counted"])
        self.assertEqual(rows[0][1].count("n/a"), 2)  # what malloc reserves cannot be asked
        self.assertNotIn("n/a", rows[1][1] + rows[2][1])
        requested = {re.split(r" {2,}", cells)[3] for _, cells in rows}
        self.assertEqual(len(requested), 1, "the three do the same work: " + report)

    def test_a_row_that_runs_out_says_so_and_the_others_go_on(self):
        # The least that is enough for allot is too little for the last chunk of std's, which grow in larger steps.
        words = self.file(self.TEXT)
        enough = next(b for b in range(360_000, 600_000, 20_000) if tour(words, "--budget", b).returncode == 0)
        report = self.report_of(self.TEXT, "--budget", enough)
        rows = dict(re.findall(r"^  (std::pmr::monotonic|allot, counted) +(.+)$", report, re.MULTILINE))
        self.assertEqual(rows["std::pmr::monotonic"].split(), ["n/a"] * 7)
        self.assertNotIn("n/a", rows["allot, counted"])

    def test_the_size_that_it_recommends_is_enough_and_ends_in_the_same_report(self):
        recommended = re.search(r"static_arena<(\d+)>", self.report_of(self.TEXT)).group(1)
        report = self.report_of(self.TEXT, "--budget", recommended)
        self.assertIn("40,000 words, 5,000 of them distinct", report)

    def test_both_failures_show_their_record(self):
        report = self.report_of(self.TEXT)
        self.assertRegex(report, r'"second claim": already claimed')
        self.assertRegex(report, r'bump_resource "an eighth": no room for \d+ bytes? aligned to \d+: \d+ of \d+ bytes')


class Refusals(TourTest):
    def test_a_missing_file(self):
        self.assertIn("No such file", self.one_line(self.folder / "none"))

    def test_a_directory(self):
        self.assertIn("is a directory", self.one_line(self.folder))

    def test_a_file_that_may_not_be_read(self):
        path = self.file(b"secret")
        path.chmod(0)
        # Root may read everything, but for what these two capabilities allow.
        as_anybody = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        run = subprocess.run([*as_anybody, TOUR, path], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertRegex(run.stderr, r"\Atour: [^\n]+: Permission denied\n\Z")

    def test_a_pipe_cannot_be_read_twice(self):
        self.assertIn("cannot be read twice", self.one_line("/dev/stdin", input=b"words"))
        self.assertIn("cannot be read twice", self.one_line("-", input=b"words"))

    def test_a_fifo_without_a_writer_does_not_hang(self):
        path = self.folder / "fifo"
        os.mkfifo(path)
        self.assertIn("cannot be read twice", self.one_line(path))

    def test_a_budget_that_is_no_size(self):
        for text in ["", "many", "-1", "1.5MiB", "12Q", "0x10", "1 MiB", "99999999999999999999", "18446744073709551615G"]:
            with self.subTest(text=text):
                self.assertIn("is no size", self.one_line("--budget", text))

    def test_a_budget_over_the_arena(self):
        self.assertIn("at most 64MiB", self.one_line("--budget", "65MiB"))
        self.assertIn("at most 64MiB", self.one_line("--budget=67108865"))

    def test_a_budget_without_a_size(self):
        self.assertIn("needs a size", self.one_line("--budget"))

    def test_an_unknown_option_and_a_second_file(self):
        self.assertIn("unknown option --frob", self.one_line("--frob"))
        self.assertIn("one file", self.one_line("a", "b"))

    def test_a_budget_that_runs_out_shows_the_record(self):
        text = self.refused(3, self.file(Report.TEXT), "--budget", "10000")
        self.assertRegex(text, r'bump_resource "budget": no room for \d+ bytes? aligned to \d+: \d+ of 10000 bytes in use')
        self.assertIn("--budget SIZE", text)

    def test_a_budget_of_nothing_runs_out(self):
        self.refused(3, self.file(b"word"), "--budget", "0")

    def test_a_report_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            run = subprocess.run([TOUR, str(self.file(b"word"))], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"could not be written", run.stderr)

    def test_help(self):
        run = tour("--help")
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        self.assertIn(b"exit status", run.stdout)


if __name__ == "__main__":
    unittest.main()
