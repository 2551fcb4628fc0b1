#!/usr/bin/env python3
"""Counts the instructions of the fast paths in bench/*/*_gate.cpp, and fails where one takes more than its record says.

Usage: instruction_gate.py [--update --reason TEXT]

Builds the rows with g++ -O2 -DNDEBUG below build/gate, whatever the build type elsewhere, and runs them under
valgrind --tool=callgrind, which counts exactly. bench/gate/instructions.txt holds for each row what was counted last, the
most that the goals in docs/performance.md allow, and why the figure last changed. It holds for one compiler, one libc
and one machine: elsewhere the figures are printed and nothing fails.

--update writes the figures counted now; TEXT stands beside those that have changed.

Ends with `N passed, N failed`. Exit status: 0 none failed, 1 one did, 2 g++ or valgrind is missing or the build broke.
"""

import argparse
import dataclasses
import pathlib
import platform
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORD = ROOT / "bench/gate/instructions.txt"
BUILD = ROOT / "build/gate"

HEAD = """\
# Instructions of the fast paths, counted by tools/instruction_gate.py (which reads this file, and writes it by --update).
# interface: inside do_allocate, per call; loop: per turn, the loop included. `most` is the goal, - where there is none:
# 14 (12 with MinAlign 8) in do_allocate, 4 (3) more than the loop with no allocation.
"""


@dataclasses.dataclass
class Entry:
    count: int
    most: str = "-"
    reason: str = ""


def stop(message):
    print(f"instruction_gate: {message}", file=sys.stderr)
    sys.exit(2)


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def toolchain():
    """The lines that must agree for the record to hold."""
    return {
        "machine": platform.machine(),
        "compiler": output_of("g++", "--version").splitlines()[0],
        "libc": " ".join(platform.libc_ver()),
    }


def build():
    BUILD.mkdir(parents=True, exist_ok=True)
    # What replaces operator new are targets of their own, for programs that ask for them.
    library = [p for p in sorted(ROOT.glob("src/*/*.cpp")) if p.parent.name not in ("global", "firmware")]
    sources = [ROOT / "bench/gate/main.cpp", *sorted(ROOT.glob("bench/*/*_gate.cpp")), *library]
    program = BUILD / "gate"
    newest = max(p.stat().st_mtime for p in [*sources, *ROOT.glob("include/**/*.hpp"), *ROOT.glob("bench/gate/*")])
    if program.exists() and program.stat().st_mtime > newest:
        return program
    result = subprocess.run(["g++", "-std=c++20", "-O2", "-DNDEBUG", f"-I{ROOT}/include", f"-I{ROOT}/bench",
                             "-o", program, *sources, "-pthread"])
    if result.returncode != 0:
        stop("the rows do not compile")
    return program


def count(program, kind):
    """Runs the rows of one kind; gives instructions per turn by row."""
    for old in BUILD.glob("callgrind.*"):
        old.unlink()
    options = ["--toggle-collect=*::do_allocate(*", "--collect-atstart=no"] if kind == "do_allocate" else []
    run = subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={BUILD}/callgrind", *options,
                          program, kind], capture_output=True, text=True)
    if run.returncode != 0:
        stop(f"callgrind failed:\n{run.stderr}")
    totals = {}
    for profile in BUILD.glob("callgrind.*"):
        text = profile.read_text()
        label = re.search(r"^desc: Trigger: Client Request: (.*) (\d+)$", text, re.MULTILINE)
        total = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
        if label and total:
            totals.setdefault(label[1], {})[int(label[2])] = int(total[1])
    counts = {}
    for row, by_turns in totals.items():
        (few, cost_of_few), (many, cost_of_many) = sorted(by_turns.items())
        # Upwards: a fraction is work that only some turns do, and counts as a whole instruction.
        counts[row] = -((cost_of_few - cost_of_many) // (many - few))
    return counts


def read_record():
    made_with, entries = {}, {}
    if RECORD.exists():
        for line in RECORD.read_text().splitlines():
            if found := re.fullmatch(r"(machine|compiler|libc): (.*)", line):
                made_with[found[1]] = found[2]
            elif found := re.fullmatch(r"(\S.*?)  +(\d+) +(\d+|-)  (.*)", line):
                entries[found[1]] = Entry(int(found[2]), found[3], found[4])
    return made_with, entries


def write_record(counts, entries, reason):
    for row, n in counts.items():
        if row not in entries or entries[row].count != n:
            entries[row] = Entry(n, entries[row].most if row in entries else "-", reason)
    width = max(map(len, counts))
    lines = [f"{key}: {value}" for key, value in toolchain().items()]
    lines += ["", f"{'row':{width}}  now  most  why it is so"]
    lines += [f"{row:{width}}  {entries[row].count:3}  {entries[row].most:>4}  {entries[row].reason}" for row in counts]
    RECORD.write_text(HEAD + "\n" + "\n".join(lines) + "\n")


def judge(row, n, entry):
    """What is wrong with a count, or nothing."""
    if entry is None:
        return "not in the record: see --update"
    if entry.most != "-" and n > int(entry.most):
        return f"the goal allows {entry.most}"
    if n > entry.count:
        return f"the record says {entry.count}"
    return None


def main():
    options = argparse.ArgumentParser(description="Counts the instructions of the fast paths.")
    options.add_argument("--update", action="store_true", help="write the figures counted now")
    options.add_argument("--reason", help="why they have changed")
    arguments = options.parse_args()
    if arguments.update and not arguments.reason:
        options.error("--update needs a --reason")
    for tool in ("g++", "valgrind"):
        if shutil.which(tool) is None:
            stop(f"{tool} is not there")

    program = build()
    counts = dict(sorted((count(program, "do_allocate") | count(program, "turn")).items()))
    made_with, entries = read_record()
    if arguments.update:
        write_record(counts, entries, arguments.reason)
        made_with, entries = read_record()

    holds = made_with == toolchain()
    passed = failed = 0
    for row, n in counts.items():
        wrong = judge(row, n, entries.get(row))
        if holds and wrong:
            failed += 1
        elif holds:
            passed += 1
        better = row in entries and n < entries[row].count
        note = wrong or ("fewer than the record: --update it" if better else "")
        print(f"{n:4}  {row}" + (f"    <- {note}" if note else ""))
    for row in entries.keys() - counts.keys():
        failed += holds
        print(f"   -  {row}    <- in the record, but no longer there")
    if not holds:
        print("The record is for another toolchain, so that nothing can fail:")
        for key, value in toolchain().items():
            print(f"  {key}: {value} (the record: {made_with.get(key, 'none')})")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
