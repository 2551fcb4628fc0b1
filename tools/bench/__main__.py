"""Runs the benchmarks in interleaved rounds, and writes tables, plots and raw figures.

Usage: bench PROGRAM [--quick] [--only REGEX] [--minutes N] [--seed N]
       bench PROGRAM --soak [SECONDS]
       bench --redraw

Without options: as many rounds as fit in 13 minutes (--minutes), at least five, and each row once more alone for its
memory; then docs/benchmarks.md, docs/benchmarks/results.json and the plots beside it are written anew.
--quick: less than two minutes; prints the table, and writes it below build/bench/report. --only does the same for the rows
whose names match. --soak runs the program's soak, 600 s unless told, and ends with its exit status; one of 600 s or more is
kept as docs/benchmarks/soak.json, which the page tells of. --redraw writes page and
plots again from docs/benchmarks/results.json.

mimalloc, jemalloc and tcmalloc are preloaded where ldconfig knows them. What is missing, and a row that crashes, is named
and left out.

Exit status: 0 all is well, goals that are missed included; 1 a row of allot crashed, or nothing was measured; 2 wrong
usage, or no program; 130 interrupted or terminated. Whatever ends it early leaves the files that were there as they were.
"""

import argparse
import datetime
import os
import pathlib
import random
import re
import signal
import sys

import about
import figures
import goals
import page
import rounds
import soak
from program import Broken, Program

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REPORT = pathlib.Path(os.environ.get("ALLOT_BUILD") or ROOT / "build") / "bench/report"
RECORD = ROOT / "bench/gate/instructions.txt"
NOT_QUICK = re.compile(r"n:1000000(/|$)")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def regex(text):
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error


def arguments_of(words):
    parser = argparse.ArgumentParser(prog="bench", usage="see ./dev bench --help", add_help=False,
                                     allow_abbrev=False)
    parser.add_argument("program", nargs="?", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", metavar="REGEX", type=regex)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--soak", nargs="?", type=int, const=600)
    parser.add_argument("--redraw", action="store_true")
    parser.add_argument("--check", action="store_true")  # by ./dev, before a build of minutes
    arguments = parser.parse_args(words)
    if arguments.check and arguments.program is not None:
        parser.error(f"{arguments.program} is no option")
    if not arguments.check and arguments.redraw == (arguments.program is not None):
        parser.error("a program or --redraw, and not both")
    if arguments.redraw and (arguments.quick or arguments.only or arguments.soak is not None):
        parser.error("--redraw goes alone: it measures nothing")
    if arguments.soak is not None and arguments.soak < 1:
        parser.error("--soak needs a number of seconds above zero")
    if arguments.minutes is not None and arguments.minutes <= 0:
        parser.error("--minutes needs a number above zero")
    return arguments


def plots(results):
    """{file name: SVG}; none, and said so, without matplotlib."""
    try:
        import plots as drawing  # only here: all else works without matplotlib
    except ImportError as error:
        say(f"the plots are left out: {error}")
        return {}
    return drawing.drawings(results)


def publish(results, folder):
    """Everything is made before the first file is touched."""
    verdicts = judged(results)
    text = page.page(results, verdicts, about.workloads(), soak.summary(folder))
    files = {"benchmarks.md": text, "benchmarks/results.json": results.to_json()}
    files |= {f"benchmarks/{name}": svg for name, svg in plots(results).items()}
    for name, text in files.items():
        figures.write(folder / name, text)
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    say(f"wrote below {shown}/: {', '.join(files)}")


def judged(results):
    counts = goals.read_counts(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    return goals.judge(results, counts)


def measure(arguments):
    program = Program(arguments.program)
    names = program.names()
    if arguments.only:
        names = [name for name in names if arguments.only.search(name)]
    if arguments.quick:
        names = [name for name in names if not NOT_QUICK.search(name)]
    if not names:
        say("no row is called so" if arguments.only else "the program has no rows")
        return 1
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 31)
    preloads, peers = rounds.find_preloads(), program.peers()
    results = figures.Results(about.of_run(peers, preloads, seed))
    missing = [name for name, there in [*peers.items(), *preloads.items()] if there is None]
    for name in missing:
        results.leave_out(name, "not installed")

    if arguments.quick:
        results.leave_out("workloads with a million live blocks", "no time in a quick run")
    whole = not arguments.quick and not arguments.only
    run = rounds.Run(program, results, preloads, names, say, 0.002 if arguments.quick else 0.02, 1)
    seconds = 60 * (arguments.minutes or (13 if whole else 0.8))
    results.about["rounds"] = run.rounds(seconds, 5 if whole else 1, seed)
    if left := run.memory(float("inf") if whole else 25):
        results.leave_out(f"memory of {left} rows", "no time in a quick run")
    about.clean_context(results)
    results.about |= {"compiler": about.compiler(arguments.program), "command": "./dev bench"}
    if not results.groups():
        say("nothing was measured")
        return 1

    if not whole:
        print(page.terminal(results, judged(results)), end="")
    publish(results, DOCS if whole else REPORT)
    return 1 if run.allot_crashed else 0


def main(words):
    if "--help" in words or "-h" in words:
        print(__doc__.strip())
        return 0
    arguments = arguments_of(words)
    if arguments.check:
        return 0
    if arguments.redraw:
        saved = DOCS / "benchmarks/results.json"
        if not saved.exists():
            say("nothing was measured yet: docs/benchmarks/results.json is missing")
            return 2
        publish(figures.Results.from_json(saved.read_text(encoding="utf-8")), DOCS)
        return 0
    if not arguments.program.is_file() or not os.access(arguments.program, os.X_OK):
        say(f"no program {arguments.program}")
        return 2
    if arguments.soak is not None:
        return soak.run(arguments.program, arguments.soak, DOCS if arguments.soak >= soak.LONG else REPORT,
                        {"date": datetime.date.today().isoformat(), "machine": about.machine()})
    try:
        return measure(arguments)
    except Broken as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("interrupted: nothing was written")
        sys.exit(130)
