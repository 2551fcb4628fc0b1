"""Runs the program: rounds in which it starts once for each malloc, in a random order; then each row alone for its memory.

A row that crashes the program is found, named and left out; the others are run on.
"""

import os
import random
import re
import subprocess
import time

import figures
import rows

PRELOADS = {"mimalloc": "libmimalloc.so.2", "jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4"}
PACKAGES = {"mimalloc": "libmimalloc2.0", "jemalloc": "libjemalloc2", "tcmalloc": "libtcmalloc-minimal4"}  # Debian's
UNDER_PRELOAD = ("malloc", "floor")  # all else in the program is as it was without


def find_preloads(listing=None):
    """{name: path or None}, from what `ldconfig -p` prints."""
    if listing is None:
        try:
            listing = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=False,
                                     env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/sbin:/usr/sbin"}).stdout
        except FileNotFoundError:
            listing = ""
    found = dict(re.findall(r"^\s*(\S+) \(.*?\) => (\S+)$", listing, re.MULTILINE))
    return {name: found.get(library) for name, library in PRELOADS.items()}


def schedule(mallocs, seed):
    """Without end: the order in which the program is started in each round."""
    shuffler = random.Random(seed)
    while True:
        order = list(mallocs)
        shuffler.shuffle(order)
        yield order


def measured_name(full, malloc):
    """The name under which a sample is kept: `malloc` says which one, `floor` whose processes it ran in."""
    name = rows.parse(full)
    if malloc == "glibc":
        return rows.Name(name.group, name.workload, "glibc") if name.peer == "malloc" else name
    peer = malloc if name.peer == "malloc" else f"{name.peer} under {malloc}"
    return rows.Name(name.group, name.workload, peer)


class Run:
    """One run of all rounds, into a Results."""

    def __init__(self, program, results, preloads, chosen, log, min_time, repetitions):
        self.program, self.results, self.log = program, results, log
        self.min_time, self.repetitions = min_time, repetitions
        self.preloads = {"glibc": None, **{name: path for name, path in preloads.items() if path}}
        malloc_rows = [name for name in chosen if rows.parse(name).peer in UNDER_PRELOAD]
        timed_malloc = any(rows.parse(name).peer == "malloc" for name in chosen)
        self.wanted = {malloc: list(chosen) if malloc == "glibc" else malloc_rows if timed_malloc else []
                       for malloc in self.preloads}
        self.allot_crashed = False
        for name in chosen:  # in the program's order, which random interleaving does not keep
            results.cases.setdefault(rows.parse(name).case, {})

    def one_start(self, malloc):
        """Runs all rows wanted under one malloc, and keeps their samples."""
        while names := self.wanted[malloc]:
            seen, why = self.program.time(names, self.min_time, self.repetitions, self.preloads[malloc])
            if seen is not None:
                self.keep(seen, malloc)
                return
            self.log(f"under {malloc} the program failed ({why}): looking for the row")
            if not self.drop_what_crashes(malloc):
                self.results.leave_out(f"all rows under {malloc}", f"together they fail ({why}), alone none does")
                self.allot_crashed |= malloc == "glibc"
                self.wanted[malloc] = []

    def drop_what_crashes(self, malloc):
        """Runs each row in a process of its own; whether one was found that fails."""
        healthy = []
        for name in self.wanted[malloc]:
            seen, why = self.program.time([name], 0.001, 1, self.preloads[malloc])
            if seen is not None:
                healthy.append(name)
            else:
                self.failed(name, malloc, why)
        found = len(healthy) < len(self.wanted[malloc])
        self.wanted[malloc] = healthy
        return found

    def failed(self, name, malloc, why):
        kept = measured_name(name, malloc)
        self.allot_crashed |= rows.is_allot(kept.peer)
        self.results.leave_out(kept.full, why)
        self.log(f"left out: {kept.full} ({why})")

    def keep(self, seen, malloc):
        self.results.about.setdefault("context", seen.get("context", {}))
        for entry in seen.get("benchmarks", []):
            if entry.get("run_type", "iteration") != "iteration":
                continue
            if entry.get("error_occurred") or not entry.get("items_per_second"):
                self.failed(entry["name"], malloc, entry.get("error_message", "it says no items_per_second"))
                self.wanted[malloc] = [name for name in self.wanted[malloc] if name != entry["run_name"]]
                continue
            row = self.results.row(measured_name(entry["name"], malloc))
            row["ns"].append(figures.rounded(1e9 / entry["items_per_second"]))
            if "beyond_ns" in entry:
                row.setdefault("beyond", []).append(figures.rounded(entry["beyond_ns"]))
            for counter in ("requested", "reserved"):
                if entry.get(counter):
                    row[counter] = round(entry[counter])

    def rounds(self, seconds, least, seed):
        """As many rounds as fit, at least so many; their number."""
        started = time.monotonic()
        done = 0
        for order in schedule(self.preloads, seed):
            for malloc in order:
                self.one_start(malloc)
            done += 1
            gone = time.monotonic() - started
            self.log(f"round {done}, {gone:.0f} s")
            if done >= least and gone + gone / done > seconds:
                return done

    def memory(self, seconds=float("inf")):
        """Each row once, in a process of its own; the rows that time did not suffice for."""
        started = time.monotonic()
        todo = [(name, malloc) for malloc, names in self.wanted.items() for name in names
                if malloc == "glibc" or rows.parse(name).peer == "malloc"]
        for i, (name, malloc) in enumerate(todo):
            if time.monotonic() - started > seconds:
                return len(todo) - i
            seen, why = self.program.memory(name, self.preloads[malloc])
            kept = measured_name(name, malloc)
            if seen is None and why:
                self.results.leave_out(f"memory of {kept.full}", why)
                self.allot_crashed |= rows.is_allot(kept.peer)
            elif seen and kept.peer in self.results.cases.get(kept.case, {}):
                self.results.row(kept)["memory"] = seen
        return 0
