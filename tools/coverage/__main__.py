"""Runs the tests of an instrumented build, and says what of include/ and src/ they never reach.

Usage: coverage BUILD_DIR... [--keep] [--html DIR] [--write] [--only PATH...]

BUILD_DIR is a build of the tests as `./dev coverage` makes it (which names it itself): by clang 14, with
-fprofile-instr-generate, -fcoverage-mapping, atomic increments (-fprofile-update=atomic, so that no thread loses
another's counts), the counters mapped to their file (-mllvm -runtime-counter-relocation, so that a child that aborts
keeps its own), and the library static. With several, each is run, and what any of them reaches is reached.

Each line and each side of a condition that no test reaches is a failure, unless exclusions.txt beside this file names
it with a reason; so is an entry there that fits nothing, and a total below 97 % of the lines or 90 % of the sides.

--keep    takes the counts of the last run, and runs no test
--html    writes llvm-cov's pages to DIR too
--write   writes docs/coverage.md
--only    reports these files, or the files below these directories, and judges no total and no entry elsewhere

The last line is `N passed, M failed`: one for the tests of each build, one for each file, one for each entry of
exclusions.txt, one for each total.
Exit status: 0 all is well; 1 something failed; 2 wrong usage, or no such build.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import exclusions
import measure
import page

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAST = {"lines": 97.0, "sides": 90.0}


def say(text):
    print(f"coverage: {text}", file=sys.stderr, flush=True)


def arguments_of(words):
    parser = argparse.ArgumentParser(prog="coverage", usage=__doc__.split("Usage: ")[1].split("\n")[0], description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("builds", metavar="BUILD_DIR", nargs="*", type=pathlib.Path)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)  # by ./dev, before a build of minutes
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--html", metavar="DIR", type=pathlib.Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", metavar="PATH", nargs="+")
    arguments = parser.parse_args(words)
    if not arguments.builds and not arguments.check:
        parser.error("which BUILD_DIR is missing")
    for build in arguments.builds:
        if not (build / "build.ninja").is_file():
            parser.error(f"{build} is no build directory")
    if arguments.write and arguments.only:
        parser.error("--write tells of all files, --only of some")
    for path in arguments.only or []:
        place = (ROOT / path).resolve()
        if not place.exists() or not any(is_below(place, tree) or is_below(tree, place) for tree in measure.trees(ROOT)):
            parser.error(f"--only: {path} is nothing of {' or '.join(measure.TREES)}")
    for tool in measure.TOOLS:
        if shutil.which(tool) is None and not arguments.check:
            parser.error(f"{tool} is not here (Debian: llvm-14)")
    return arguments


def is_below(place, folder):
    return place == folder or folder in place.parents


def of(files, only):
    """The files that are named, or lie below a directory that is."""
    places = [(ROOT / path).resolve() for path in only]
    return {path: file for path, file in files.items() if any(is_below(ROOT / path, place) for place in places)}


def run_tests(build):
    """Runs the tests of a build whose counts go to its folder `profiles`; returns whether all passed."""
    profiles = build.resolve() / "profiles"
    shutil.rmtree(profiles, ignore_errors=True)
    profiles.mkdir()
    environment = dict(os.environ, LLVM_PROFILE_FILE=f"{profiles}/%m%c.profraw", MALLOC_PERTURB_="0")
    say(f"running the tests of {build}")
    ran = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--timeout-multiplier", "4"], env=environment,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ran.returncode != 0:
        print("\n".join(line for line in ran.stdout.splitlines()[-400:] if line.strip()))
    return ran.returncode == 0


class Verdict:
    def __init__(self):
        self.passed = self.failed = 0

    def count(self, good):
        self.passed += good
        self.failed += not good


def judge(files, entries, verdict, whole):
    """Prints what is not reached and has no reason, and each entry that excuses nothing."""
    for path in sorted(files):
        open_gaps = [gap for gap in files[path].gaps if not exclusions.excuse(entries, path, gap)]
        for gap in open_gaps:
            print(f"{path}:{gap.line}: {gap.kind}: {gap.text}")
        verdict.count(not open_gaps)
    for entry in entries:
        if whole or entry.path in files:
            stale = exclusions.is_stale(entry, ROOT)
            if stale:
                print(f"{exclusions.FILE.name}:{entry.at}: excuses nothing: {entry}")
            verdict.count(not stale)


def judge_totals(files, verdict):
    for name, least in LEAST.items():
        reached, all_of_them = measure.total(files, name)
        share = 100 * reached / max(1, all_of_them)
        print(f"{name}: {reached} of {all_of_them}, {share:.2f} % (at least {least:.0f} %)")
        verdict.count(share >= least)


def main(words):
    arguments = arguments_of(words)
    if arguments.check:
        return 0
    verdict = Verdict()
    if not arguments.keep:
        for build in arguments.builds:
            verdict.count(run_tests(build))
    try:
        entries = exclusions.read()
        counts = measure.prepared(arguments.builds)
        files = measure.measure(ROOT, counts)
        if arguments.html:
            measure.write_html(ROOT, counts, arguments.html)
    except (measure.Broken, exclusions.Broken) as error:
        say(error)
        print(f"{verdict.passed} passed, {verdict.failed + 1} failed")
        return 1
    if arguments.only:
        files = of(files, arguments.only)
    judge(files, entries, verdict, not arguments.only)
    if not arguments.only:
        judge_totals(files, verdict)
    if arguments.write:
        page.write(ROOT, files, entries)
    print(f"{verdict.passed} passed, {verdict.failed} failed")
    return 1 if verdict.failed or not verdict.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
