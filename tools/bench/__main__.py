"""Runs the benchmarks in interleaved rounds, and writes tables, plots and raw figures.

Usage: bench PROGRAM [--quick] [--only REGEX] [--minutes N] [--seed N]
       bench PROGRAM --soak [SECONDS]
       bench --redraw

Without options: as many rounds as fit in 13 minutes (--minutes), at least five, and each row once more alone for its memory; then
docs/benchmarks.md, docs/benchmarks/results.json and the plots beside it are written anew.
--quick: less than two minutes; prints the table, and writes it below build/bench/report. --only does the same for the rows
whose names match. --soak runs the program's soak, 600 s unless told, and ends with its exit status; one of 600 s or more is
kept as docs/benchmarks/soak.json, which the page tells of. --redraw writes page and
plots again from docs/benchmarks/results.json.

mimalloc, jemalloc and tcmalloc are preloaded where ldconfig knows them. What is missing, and a row that crashes, is named
and left out.

Exit status: 0 all is well, goals that are missed included; 1 a row of allot crashed, or nothing was measured; 2 wrong usage,
or no program; 130 interrupted. Whatever ends it early leaves the files that were there as they were.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import re
import subprocess
import sys

import figures
import goals
import page
import rounds
import rows
import soak

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
    parser = argparse.ArgumentParser(prog="bench", usage="see ./dev bench --help", add_help=False)
    parser.add_argument("program", nargs="?", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", metavar="REGEX", type=regex)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--soak", nargs="?", type=int, const=600)
    parser.add_argument("--redraw", action="store_true")
    arguments = parser.parse_args(words)
    if arguments.redraw == (arguments.program is not None):
        parser.error("a program or --redraw, and not both")
    if arguments.soak is not None and arguments.soak < 1:
        parser.error("--soak needs a number of seconds above zero")
    if arguments.minutes is not None and arguments.minutes <= 0:
        parser.error("--minutes needs a number above zero")
    return arguments


def machine():
    """The processor as the system names it, and how many."""
    names = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def system():
    release = pathlib.Path("/etc/os-release")
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', release.read_text(encoding="utf-8"), re.MULTILINE) \
        if release.exists() else None
    return f"{found[1] if found else platform.system()}, Linux {'.'.join(platform.release().split('.')[:2])}"


def about(peers, preloads, seed):
    found = {name: version.replace("_", ".") for name, version in peers.items()
             if version and name not in ("allot", "floor", "malloc")}
    found |= {name: library_version(name, path) for name, path in preloads.items() if path}
    return {"date": datetime.date.today().isoformat(), "machine": machine(), "system": system(),
            "libc": " ".join(platform.libc_ver()), "load": f"{os.getloadavg()[0]:.1f}", "peers": found, "seed": seed}


def library_version(name, path):
    """That of Debian's package, else what follows `.so.` in the name of the file itself."""
    try:
        shown = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", rounds.PACKAGES[name]],
                               capture_output=True, text=True, check=False).stdout
    except OSError:
        shown = ""
    return shown or os.path.realpath(path).partition(".so.")[2]


def compiler(program):
    """As the compiler itself left it in the program, with the optimisation that Meson noted."""
    found = re.findall(rb"(?:Debian )?clang version [\d.]+|GCC: \([^)]*\) [\d.]+", program.read_bytes())
    clang = [name for name in found if b"clang" in name]
    name = (clang or found or [b"compiler unknown"])[0].decode().replace("GCC: ", "g++ ")
    noted = program.resolve().parents[1] / "meson-info/intro-buildoptions.json"
    if noted.exists():
        options = {option["name"]: option["value"] for option in json.loads(noted.read_text(encoding="utf-8"))}
        name += f" -O{options['optimization']}"
    return name


def workloads():
    """{group: the first comment of the source that has its rows}."""
    found = {}
    for source in sorted(ROOT.glob("bench/*/*_bench.cpp")):
        text = source.read_text(encoding="utf-8")
        group = re.search(r'^const bench::group \w+\{"(\w+)"', text, re.MULTILINE)
        comment = re.match(r"((?://.*\n)+)", text)
        if group and comment:
            found[group[1]] = re.sub(r"^// ?", "", comment[1], flags=re.MULTILINE).rstrip()
    return found


def clean_context(results):
    """Keeps of Google Benchmark's context what is worth publishing: neither the host's name nor a path."""
    context = results.about.pop("context", {})
    results.about["caches"] = [f"L{c['level']} {c['type']} {c['size'] // 1024} KiB" for c in context.get("caches", [])]


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
    files = {"benchmarks.md": page.page(results, verdicts, workloads(), soak.summary(folder)), "benchmarks/results.json": results.to_json()}
    files |= {f"benchmarks/{name}": svg for name, svg in plots(results).items()}
    for name, text in files.items():
        figures.write(folder / name, text)
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    say(f"wrote below {shown}/: {', '.join(files)}")


def judged(results):
    counts = goals.read_counts(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    return goals.judge(results, counts)


def measure(arguments):
    program = rounds.Program(arguments.program)
    names = program.names()
    if arguments.only:
        names = [name for name in names if arguments.only.search(name)]
    elif arguments.quick:
        names = [name for name in names if not NOT_QUICK.search(name)]
    if not names:
        say("no row is called so" if arguments.only else "the program has no rows")
        return 1
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 31)
    preloads, peers = rounds.find_preloads(), program.peers()
    results = figures.Results(about(peers, preloads, seed))
    for name in [*(peer for peer, version in peers.items() if version is None), *(m for m, path in preloads.items() if not path)]:
        results.leave_out(name, "not installed")

    whole = not arguments.quick and not arguments.only
    run = rounds.Run(program, results, preloads, names, say, 0.002 if arguments.quick else 0.02, 1)
    seconds = 60 * (arguments.minutes or (13 if whole else 0.8))
    results.about["rounds"] = run.rounds(seconds, 5 if whole else 1, seed)
    if left := run.memory(float("inf") if whole else 25):
        results.leave_out(f"memory of {left} rows", "no time in a quick run")
    clean_context(results)
    results.about |= {"compiler": compiler(arguments.program), "command": "./dev bench"}
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
                        {"date": datetime.date.today().isoformat(), "machine": machine()})
    try:
        return measure(arguments)
    except rounds.Broken as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("interrupted: nothing was written")
        sys.exit(130)
