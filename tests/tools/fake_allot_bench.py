#!/usr/bin/env -S python3 -I -S
"""Stands in for allot_bench in bench_test.py: the same command line, figures made up.

A row whose name matches FAKE_CRASH ends the program by SIGSEGV, one that matches FAKE_ERROR reports an error; with
FAKE_SOAK the soak fails, or goes on. FAKE_LOG names a file to which each start is added.
"""

import json
import os
import re
import signal
import sys
import time

NS = {
    "arena/warm_8_32": {"bump_resource": 1.4, "monotonic_resource, MinAlign 8": 1.7, "floor": 1.5, "std": 2.8, "boost": 4.7,
                        "malloc": 12},
    "growth/1MiB_of_32B": {"monotonic_resource": 0.7, "floor": 0.6, "std": 1.2},
    "pool/random_32/n:1000": {"pool_resource": 2.4, "floor": 2.0, "std": 40, "boost": 4.1, "malloc": 18},
    "pool/random_32/n:1000000": {"pool_resource": 6.4, "floor": 5.0},
    "pool/lifo_32": {"pool_resource": 2.0, "floor": 1.5, "std": 20, "boost": 2.2, "malloc": 9},
    "threads/own_lifo_32/threads:1": {"concurrent_pool_resource": 3.9, "floor": 2.0, "std": 50, "malloc": 20},
    "threads/own_lifo_32/threads:2": {"concurrent_pool_resource": 12.0, "std": 437},
    "threads/producer_consumer": {"concurrent_pool_resource": 25, "std": 36000},
}
BYTES = 1 << 20


def names():
    return [f"{case}/{peer}" for case, peers in NS.items() for peer in peers]


def ns_of(name):
    case, _, peer = name.rpartition("/")
    return NS[case][peer] / (2 if peer == "malloc" and os.environ.get("LD_PRELOAD") else 1)


def crash_if_told(name):
    wanted = os.environ.get("FAKE_CRASH")
    if wanted and re.search(wanted, name):
        os.kill(os.getpid(), signal.SIGSEGV)


def option(name):
    return next((word.partition("=")[2] for word in sys.argv if word.startswith(f"--benchmark_{name}=")), None)


def entry(name):
    wrong = os.environ.get("FAKE_ERROR")
    if wrong and re.search(wrong, name):
        return {"name": name, "run_name": name, "run_type": "iteration", "error_occurred": True, "error_message": "refused"}
    crash_if_told(name)
    return {"name": name, "run_name": name, "run_type": "iteration", "items_per_second": 1e9 / ns_of(name),
            "requested": BYTES, "reserved": BYTES * 1.25}


def main():
    if log := os.environ.get("FAKE_LOG"):
        with open(log, "a", encoding="utf-8") as file:
            file.write(json.dumps([os.environ.get("LD_PRELOAD"), *sys.argv[1:]]) + "\n")
    if "--list_peers" in sys.argv:
        print(json.dumps({"std": "libstdc++ 12", "boost": "1.81", "llvm": None}))
    elif "--memory" in sys.argv:
        name = sys.argv[sys.argv.index("--memory") + 1]
        crash_if_told(name)
        print(json.dumps({"row": name, "requested_peak_bytes": BYTES, "reserved_peak_bytes": BYTES * 2,
                          "peak_rss_bytes": 3 * BYTES, "base_rss_bytes": BYTES}))
    elif "--soak" in sys.argv:
        if os.environ.get("FAKE_SOAK") == "goes on":
            print(f'{{"process": {os.getpid()}}}', flush=True)
            time.sleep(60)
        for second, mebibytes in enumerate((9, 9, 6, 4, 5, 5, 5, 5), 1):
            print(json.dumps({"second": second, "resident_bytes": mebibytes << 20, "threads": 100 * second}))
        failed = "FAKE_SOAK" in os.environ
        print(f"{1 - failed} passed, {int(failed)} failed")
        sys.exit(failed)
    elif option("list_tests"):
        print("\n".join(names()))
    else:
        chosen = [name for name in names() if re.search(option("filter"), name)]
        context = {"host_name": "some-host", "executable": "/home/someone/allot_bench", "library_build_type": "release",
                   "compiler": "g++ 12.2.0", "caches": [{"level": 2, "type": "Unified", "size": 1 << 20}]}
        with open(option("out"), "w", encoding="utf-8") as file:
            json.dump({"context": context, "benchmarks": [entry(name) for name in chosen]}, file)


main()
