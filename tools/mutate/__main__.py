#!/usr/bin/env python3
"""Puts one seeded bug after the other into a copy of the library, and demands that a test fails.

The bugs are in ROOT/tools/mutate/bugs/*.txt, an entry each, parted by empty lines:

  bug NAME
  in FILE            the file that it is in, from the root
  run CELL           the build that shows it, a section of cells.ini (plain, if there is no such line)
  costs SENTENCE     what a user would notice
  - OLD TEXT         in the file exactly once; any white space stands for any other
  + NEW TEXT         none: the old text is taken out

A bug is caught when one of the tests nearest to its file fails: those of its name first, then those that include it
directly, then the others that include it. A test that runs three times as long as without the bug, and longer than
--patience, has failed; so has one of whose own static_assert the compiler says that it does not hold. What does not
apply, does not compile, or has the same code as without it is an error of the list. Each test that is asked is first run
without a bug.
A header's bug is first compiled into the tests alone, and into the library where they do not see it: it is not one that
changes what the objects of a class that both know look like.

The last line is `N passed, M failed`: one for each bug, and a failure for each test or build that fails without a bug.
Exit status: 0 every bug was caught, 1 one survived or is an error, or a test fails without a bug, 2 wrong usage, or
ROOT is not under git.
"""

import argparse
import configparser
import os
import pathlib
import queue
import random
import re
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bugs  # noqa: E402: found by the line above
import hunt  # noqa: E402
import trees  # noqa: E402


def parse(arguments):
    parser = argparse.ArgumentParser(prog="mutate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", metavar="DIR", help="where to copy and build; kept for the next time")
    parser.add_argument("--sample", metavar="N", type=int, help="only so many, chosen by the seed")
    parser.add_argument("--seed", metavar="S", type=int, default=1, help="of the sample (1)")
    parser.add_argument("--only", metavar="REGEX", help="only those whose name or file matches")
    parser.add_argument("--cell", metavar="NAME", help="only those that this cell shows")
    parser.add_argument("--list", action="store_true", help="print the bugs, and do nothing else")
    parser.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help="bugs at the same time")
    parser.add_argument("--tests", metavar="N", type=int, default=12, help="at most so many tests for a bug (12)")
    parser.add_argument("--patience", metavar="SECONDS", type=float, default=20,
                        help="that a test has at the least before it is hung (20)")
    parser.add_argument("--verbose", action="store_true", help="show what the test said that caught a bug")
    parser.add_argument("--root", metavar="DIR", type=pathlib.Path, default=HERE.parents[1], help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.jobs < 1 or chosen.tests < 1 or (chosen.sample is not None and chosen.sample < 1):
        parser.error("--jobs, --tests and --sample are at least 1")
    if not chosen.list and chosen.build is None:
        parser.error("--build is needed: a directory outside of the sources")
    return parser, chosen


def choose(all_bugs, chosen):
    """The bugs to look for, in the order of the list."""
    if chosen.cell:
        all_bugs = [bug for bug in all_bugs if bug.cell == chosen.cell]
    if chosen.only:
        all_bugs = [bug for bug in all_bugs if re.search(chosen.only, bug.name) or re.search(chosen.only, bug.path)]
    if chosen.sample is not None and chosen.sample < len(all_bugs):
        kept = random.Random(chosen.seed).sample(range(len(all_bugs)), chosen.sample)
        all_bugs = [all_bugs[i] for i in sorted(kept)]
    return all_bugs


def read_cells(file):
    sections = configparser.ConfigParser(interpolation=None)
    sections.read(file, encoding="utf-8")
    return {name: hunt.Cell.read(name, sections[name]) for name in sections.sections()}


class Table:
    """The lines that are printed, one for each bug, and what is told at the end."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.lock = threading.Lock()
        self.verdicts = {}

    def add(self, bug, verdict):
        first, _, rest = verdict.text.partition("\n")
        with self.lock:
            self.verdicts[bug] = verdict
            print(f"{verdict.kind:8}  {bug.name:28}  {bug.path:50}  {verdict.seconds:5.0f} s  {first}", flush=True)
            if rest and (self.verbose or verdict.kind == "error"):
                print(rest.rstrip(), flush=True)

    def of(self, kind):
        return [bug for bug, verdict in self.verdicts.items() if verdict.kind == kind]


def hunt_in_cell(ground, found, chosen, table):
    """Judges all bugs of a cell, by as many workers as there are jobs."""
    waiting = queue.Queue()
    for bug in found:
        waiting.put(bug)

    def work(number):
        worker = hunt.Worker(ground, number, 1 if chosen.jobs > 1 else os.cpu_count() or 1, chosen.patience)
        while True:
            try:
                bug = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                table.add(bug, worker.judge(bug, chosen.tests))
            except Exception as error:  # of the tool's own: the others are still looked for
                table.add(bug, hunt.Verdict("error", f"{type(error).__name__}: {error}"))

    count = min(chosen.jobs, len(found))
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def show_survivor(bug, verdict, root):
    print(f"\n{bug.name} survived: {verdict.text}\n{bug.costs}")
    print(bugs.diff(bug, (root / bug.path).read_text(encoding="utf-8")))


def print_list(found):
    for bug in found:
        print(f"{bug.name}  {bug.path}  {bug.cell}\n  {bug.costs}")
    print(f"{len(found)} bugs in {len({bug.path for bug in found})} files")


def main(arguments):
    parser, chosen = parse(arguments)
    folder = chosen.root / "tools" / "mutate"
    try:
        cells = read_cells(folder / "cells.ini")
        found = choose(bugs.read(folder / "bugs"), chosen)
        unknown = sorted({bug.cell for bug in found} - set(cells))
        if unknown:
            raise bugs.ListError(f"cells.ini has no {', '.join(unknown)}")
    except (bugs.ListError, re.error) as error:
        parser.error(str(error))
    if not found:
        parser.error("no bug is chosen")
    if chosen.list:
        print_list(found)
        return 0

    started = time.monotonic()
    root = chosen.root.resolve()
    build = pathlib.Path(chosen.build).resolve()
    if root == build or build in root.parents:
        parser.error("--build is a directory of its own")
    try:
        files = trees.tracked_files(root)
    except (OSError, subprocess.CalledProcessError) as error:
        parser.error(f"git does not list the files of {root}: {error}")
    table = Table(chosen.verbose)
    broken = {}
    for cell in [cells[name] for name in cells if any(bug.cell == name for bug in found)]:
        try:
            ground = hunt.Ground(build, cell, root, files)
        except trees.BuildError as error:
            print(f"{cell.name}: meson fails:\n{error}")
            broken[cell.name] = "meson fails"
            continue
        hunt_in_cell(ground, [bug for bug in found if bug.cell == cell.name], chosen, table)
        broken.update({f"{name} ({cell.name})": text for name, text in ground.broken().items()})

    for bug in table.of("survived"):
        show_survivor(bug, table.verdicts[bug], ground.clean.source)
    for name, text in broken.items():
        print(f"\n{name} fails without a bug: {text}")
    caught = len(table.of("caught"))
    print(f"\n{len(found)} bugs in {time.monotonic() - started:.0f} s: {caught} caught, "
          f"{len(table.of('survived'))} survived, {len(found) - caught - len(table.of('survived'))} errors")
    failed = len(found) - caught + len(broken)
    print(f"{caught} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
