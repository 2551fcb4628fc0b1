#!/usr/bin/env python3
"""Runs the fuzzers of a build, and shows what they found.

Usage: fuzz.py BUILD_DIR [--seconds N] [--target NAME]... [--seed S] [--jobs J] [--keep] | --list

The fuzzers are built by `meson setup BUILD_DIR -Dfuzz=enabled` (with clang) and `ninja -C BUILD_DIR fuzzers`. The time
is shared evenly by the targets, of which J run at once. Each starts from tests/fuzz/corpus/NAME and from what earlier
runs kept in BUILD_DIR/fuzz/NAME/corpus, where it puts inputs that reach something new.

A finding is made as small as can be done in 30 seconds, and saved in BUILD_DIR/fuzz/NAME/findings; the command that
shows it again is printed. With --keep no fuzzer is run to find: the corpora in the source tree are made anew from both
places, of the 20 files at most that together reach the most. Files there whose names begin with "found" stay as they
are. --list prints the targets: those of BUILD_DIR, or without it all that the source tree has.

The last line is `N passed, M failed`, in targets. Exit status: 0 when all ran and nothing was found, 1 otherwise, 2 for
wrong usage.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_BYTES = 1024  # of an input
MOST_FILES = 20  # of a target's corpus in the source tree
SECONDS_TO_MINIMISE = 30
PULSE = re.compile(r"^#\d+\s.*\bcov: (\d+)", re.MULTILINE)
RUNS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
WHAT = re.compile(r"^.*(?:: not so: |runtime error: |ERROR: ).*$|^allot: .*$", re.MULTILINE)

Target = collections.namedtuple("Target", "name program seeds work")
Outcome = collections.namedtuple("Outcome", "target seconds runs edges corpus finding problem")


def targets_in(build):
    """The fuzzers that were built in `build`, by name."""
    found = []
    for program in sorted((build / "tests" / "fuzz").glob("fuzz_*")):
        if program.is_file() and os.access(program, os.X_OK) and not program.suffix:
            name = program.name[len("fuzz_"):]
            found.append(Target(name, program, ROOT / "tests" / "fuzz" / "corpus" / name, build / "fuzz" / name))
    return found


def targets_known():
    """The names of all fuzzers, built or not."""
    return sorted(source.name[:-len("_fuzz.cpp")] for source in (ROOT / "tests" / "fuzz").glob("*_fuzz.cpp"))


def call(target, *options, limit):
    """Runs a fuzzer to its end; (exit status, what it printed)."""
    command = [str(target.program), f"-max_len={MOST_BYTES}", "-len_control=20", "-timeout=25", "-rss_limit_mb=2560",
               "-print_final_stats=1", *(str(o) for o in options)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=target.work, timeout=limit, check=False)
    except subprocess.TimeoutExpired as late:
        return 1, (late.stdout or b"").decode(errors="replace") + "\nfuzz.py: did not end\n"
    return done.returncode, done.stdout.decode(errors="replace")


def minimised(target, finding):
    """A smaller input that fails as well, or the same one."""
    smaller = finding.with_name("min-" + finding.name)
    call(target, "-minimize_crash=1", f"-max_total_time={SECONDS_TO_MINIMISE}", f"-exact_artifact_path={smaller}", finding,
         limit=SECONDS_TO_MINIMISE + 90)
    return smaller if smaller.exists() else finding


def run(target, seconds, seed):
    """Fuzzes one target."""
    corpus, findings = target.work / "corpus", target.work / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    folders = [corpus] + ([target.seeds] if target.seeds.is_dir() else [])
    before = {f: f.stat().st_mtime_ns for f in findings.iterdir()}
    started = time.monotonic()
    status, text = call(target, f"-max_total_time={seconds}", f"-seed={seed}", f"-artifact_prefix={findings}/", *folders,
                        limit=seconds + 300)
    took = time.monotonic() - started
    (target.work / "log").write_text(text, encoding="utf-8")
    runs = RUNS.search(text)
    runs = int(runs.group(1)) if runs else 0
    edges = [int(n) for n in PULSE.findall(text)]
    # What was merely slow is no finding; a time-out is, and has another name. What is found again has the name that it had.
    new = sorted(f for f in findings.iterdir()
                 if f.stat().st_mtime_ns != before.get(f) and not f.name.startswith("slow-unit-"))
    finding = minimised(target, new[0]) if new else None
    problem = None
    if finding:
        what = WHAT.search(text)
        problem = what.group().strip() if what else f"ended with status {status}"
    elif status != 0:
        problem = f"ended with status {status}, and left no input: see {target.work / 'log'}"
    elif runs == 0:
        problem = "ran nothing"
    return Outcome(target, took, runs, max(edges, default=0), sum(1 for _ in corpus.iterdir()), finding, problem)


def show(outcome):
    """One line of the table, and of a finding how to see it again."""
    word = "ok" if outcome.problem is None else "FOUND" if outcome.finding else "FAILED"
    print(f"{outcome.target.name:<18}{outcome.seconds:>8.0f}{outcome.runs:>12}{outcome.edges:>8}{outcome.corpus:>8}  {word}")
    if outcome.problem:
        print(f"  {outcome.problem}")
    if outcome.finding:
        print(f"  again: {outcome.target.program} {outcome.finding}")
    sys.stdout.flush()


def fuzz(targets, seconds, seed, jobs):
    """Runs all targets in `seconds`; true where nothing was found."""
    share = max(1, seconds * min(jobs, len(targets)) // len(targets))
    print(f"{'target':<18}{'seconds':>8}{'runs':>12}{'edges':>8}{'corpus':>8}  finding", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, t, share, seed) for t in targets]):
            show(done.result())
            failed += done.result().problem is not None
    print(f"{len(targets) - failed} passed, {failed} failed")
    return failed == 0


def reached(control):
    """From the control file of a merge: of each input its path, and what it reaches, as edges and as features."""
    lines = control.read_text(encoding="utf-8").splitlines()
    count = int(lines[0])
    edges, features = collections.defaultdict(set), collections.defaultdict(set)
    for line in lines[2 + count:]:
        kind, _, rest = line.partition(" ")
        if kind in ("COV", "FT"):
            index, *what = rest.split()
            (edges if kind == "COV" else features)[int(index)].update(what)
    return [(pathlib.Path(lines[2 + i]), edges[i], features[i]) for i in range(count)]


def chosen(inputs):
    """The few inputs that reach the most: each time the one that adds most, where an edge is worth ten features."""
    left = [i for i in inputs if i[0].stat().st_size <= MOST_BYTES]
    seen_edges, seen_features, kept = set(), set(), []
    while left and len(kept) < MOST_FILES:
        def added(candidate):
            file, edges, features = candidate
            return 10 * len(edges - seen_edges) + len(features - seen_features), -file.stat().st_size, file.name

        best = max(left, key=added)
        if added(best)[0] == 0:
            break
        seen_edges |= best[1]
        seen_features |= best[2]
        left.remove(best)
        kept.append(best[0])
    return kept


def keep(target):
    """Makes the target's corpus in the source tree anew; true where that went well."""
    target.work.mkdir(parents=True, exist_ok=True)
    target.seeds.mkdir(parents=True, exist_ok=True)
    sources = [f for f in (target.seeds, target.work / "corpus") if f.is_dir()]
    with tempfile.TemporaryDirectory() as folder:
        merged, control = pathlib.Path(folder) / "merged", pathlib.Path(folder) / "control"
        merged.mkdir()
        status, text = call(target, "-set_cover_merge=1", f"-merge_control_file={control}", merged, *sources, limit=1800)
        if status != 0:
            print(f"{target.name}: the merge ended with status {status}\n{text[-2000:]}")
            return False
        contents = [f.read_bytes() for f in chosen(reached(control))]
    if not contents:
        print(f"{target.name}: no input reaches anything: its corpus is left as it was")
        return False
    for old in target.seeds.iterdir():
        if not old.name.startswith("found"):
            old.unlink()
    for content in contents:
        (target.seeds / hashlib.sha1(content).hexdigest()[:12]).write_bytes(content)
    print(f"{target.name:<18}{len(contents):>4} files, {sum(map(len, contents))} bytes", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD_DIR", nargs="?")
    parser.add_argument("--seconds", type=int, default=3600, help="in all (default 3600)")
    parser.add_argument("--target", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default 1)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="targets at once (default 2)")
    parser.add_argument("--keep", action="store_true", help="make the corpora in the source tree anew")
    parser.add_argument("--list", action="store_true", help="print the targets")
    options = parser.parse_args()
    if options.seconds < 1 or options.jobs < 1:
        parser.error("--seconds and --jobs want 1 or more")
    if options.build is None:
        if not options.list:
            parser.error("which BUILD_DIR is missing")
        print("\n".join(targets_known()))
        return 0
    all_targets = targets_in(options.build.resolve())
    if not all_targets:
        parser.error(f"no fuzzers in {options.build}: meson setup -Dfuzz=enabled, then ninja fuzzers")
    unknown = set(options.target or []) - {t.name for t in all_targets}
    if unknown:
        parser.error(f"no target is called {', '.join(sorted(unknown))}: see --list")
    targets = [t for t in all_targets if not options.target or t.name in options.target]
    if options.list:
        print("\n".join(t.name for t in targets))
        return 0
    if options.keep:
        kept = sum(keep(t) for t in targets)
        print(f"{kept} passed, {len(targets) - kept} failed")
        return 0 if kept == len(targets) else 1
    return 0 if fuzz(targets, options.seconds, options.seed, options.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
