#!/usr/bin/env python3
"""Loads the example service with wrk and judges how it stood that.

Usage: service_load.py SERVICE mixed [SECONDS]      documents of 1 KB to 1 MB on 64 connections (default: 30 s)
       service_load.py SERVICE tight [SECONDS]      the same with a tenth of the budget (default: 10 s)
       service_load.py SERVICE soak [REQUESTS]      documents of 1 KB (default: 1,000,000 requests)
       service_load.py SERVICE compare [ROUNDS]     requests per second with allot's memory and with plain new, in turns
                                                    (default: 5 rounds of 5 s for each size of document)

`mixed` and `soak` demand that no request fails, that live bytes return to what they were before the load, and, for the
soak, that the resident set after all requests is within 1 MiB of what it was after a tenth of them. `tight` demands that
requests are refused for the budget alone, and that all others succeed. The server and wrk share the machine's cores: the
rates are for comparison, and none is promised.

The last line, but for `compare`, is `N passed, N failed`.
Exit status: 0 when all held, 1 when something did not, 2 for a wrong command line or a missing wrk.
"""

import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "examples" / "service"))

from service import Service, document  # noqa: E402  (its folder is known only now)

KIB = 1024
MIXED = [1 * KIB, 4 * KIB, 2 * KIB, 16 * KIB, 1 * KIB, 64 * KIB, 8 * KIB, 256 * KIB, 1 * KIB, 1024 * KIB]
CONNECTIONS = 64
GROWTH_ALLOWED = 1024 * KIB


class Checks:
    """Says each demand as it is judged, and sums them."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def demand(self, holds, what):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'}  {what}", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 0 if self.passed and not self.failed else 1


def wrk(service, seconds, sizes, connections=CONNECTIONS):
    """Runs wrk for a while; what documents.lua counted."""
    script = ROOT / "tests" / "examples" / "service" / "documents.lua"
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script, service.url,
               "--", *map(str, sizes)]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=seconds + 90, check=False)
    if run.returncode != 0:
        raise SystemExit(f"wrk ended with {run.returncode}: {run.stdout}{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def failures(load):
    return {kind: load[kind] for kind in ("connect", "read", "write", "status", "timeout") if load[kind]}


def live_bytes(service, expected=None):
    """What requests hold, once it is `expected` or 20 s have gone by: wrk leaves its last ones unanswered."""
    until = time.monotonic() + 20
    while True:
        live = service.live_bytes()
        if live == expected or time.monotonic() > until:
            return live
        time.sleep(0.05)


def rate(load):
    return load["requests"] / (load["microseconds"] / 1e6)


def warm_up(service, sizes):
    for size in sorted(set(sizes)):
        status, _, body = service.ask("POST", "/words", document(size), {"Content-Type": "application/json"})
        assert status == 200, (status, body)


def final_report(service, checks):
    status, out, err = service.stop()
    checks.demand(status == 0, f"SIGTERM ends it with exit status 0 (it was {status}) {err}")
    checks.demand("live 0 bytes" in out, "the final report shows zero live bytes")
    print(out)


def mixed(program, seconds):
    checks = Checks()
    with Service(program) as service:
        warm_up(service, MIXED)
        before = live_bytes(service)
        load = wrk(service, seconds, MIXED)
        print(f"{load['requests']} requests of 1 KB to 1 MB in {seconds} s: {rate(load):.0f} a second, median "
              f"{load['p50_us'] / 1000:.1f} ms, 99 % {load['p99_us'] / 1000:.1f} ms")
        checks.demand(load["requests"] > 0, "requests were answered")
        checks.demand(not failures(load), f"no request failed {failures(load) or ''}")
        after = live_bytes(service, before)
        checks.demand(after == before, f"live bytes are back at the baseline: {before} before, {after} after")
        final_report(service, checks)
    return checks.end()


def tight(program, seconds):
    """A tenth of the default budget of 192 MiB: what the largest documents need at once does not fit."""
    checks = Checks()
    with Service(program, "--budget", "19MiB") as service:
        load = wrk(service, seconds, MIXED)
        broken = {kind: count for kind, count in failures(load).items() if kind != "status"}
        checks.demand(not broken, f"no connection broke {broken or ''}")
        after = live_bytes(service, 0)
        checks.demand(after == 0, f"nothing is left over: {after} bytes live")
        found = service.samples()
        answers = {series.split('"')[1]: int(count) for series, count in found.items()
                   if series.startswith("service_requests_total") and count}
        print(f"answers: {answers}")
        checks.demand(answers.get("200", 0) > answers.get("503", 0) > 0, "most succeed, and some are too much for the budget")
        checks.demand(set(answers) <= {"200", "413", "429", "503"}, "none failed for another reason")
        refusals = sum(count for series, count in found.items() if series.startswith("allot_refusals_total"))
        refused = sum(answers.get(code, 0) for code in ("413", "429", "503"))
        checks.demand(refusals >= refused >= load["status"], f"{refused} were refused, by {refusals:.0f} refusals of a level")
        final_report(service, checks)
    return checks.end()


def soak(program, requests):
    checks = Checks()
    with Service(program) as service:
        warm_up(service, [KIB])
        before = live_bytes(service)
        done, failed, at_tenth = 0, {}, None
        started = time.monotonic()
        while done < requests:
            load = wrk(service, 2, [KIB])
            done += load["requests"]
            failed.update(failures(load))
            if load["requests"] == 0:
                break
            if at_tenth is None and done >= requests / 10:
                at_tenth = service.resident_bytes()
                print(f"{done} requests: resident set {at_tenth / KIB:.0f} KiB", flush=True)
        at_end = service.resident_bytes()
        spent = time.monotonic() - started
        print(f"{done} requests: resident set {at_end / KIB:.0f} KiB; {spent:.0f} s in all")
        checks.demand(done >= requests, f"{requests} requests were answered")
        checks.demand(not failed, f"no request failed {failed or ''}")
        checks.demand(at_tenth is not None and abs(at_end - at_tenth) <= GROWTH_ALLOWED,
                      "the resident set at a tenth and at the end is within 1 MiB")
        after = live_bytes(service, before)
        checks.demand(after == before, f"live bytes are back at the baseline: {before} before, {after} after")
        final_report(service, checks)
    return checks.end()


def compare(program, rounds):
    print(f"requests per second, median of {rounds} rounds of 5 s in turns, {CONNECTIONS} connections")
    print(f"{'document':>10} {'allot':>10} {'plain new':>10} {'ratio':>7}   lowest and highest ratio of a round")
    for size in (1 * KIB, 16 * KIB, 256 * KIB):
        rates = {"allot": [], "new": []}
        for _ in range(rounds):
            for memory, seen in rates.items():
                with Service(program, "--memory", memory) as service:
                    warm_up(service, [size])
                    load = wrk(service, 5, [size])
                    if failures(load):
                        raise SystemExit(f"requests failed with --memory {memory}: {failures(load)}")
                    seen.append(rate(load))
        ratios = [a / n for a, n in zip(rates["allot"], rates["new"])]
        allot, new = statistics.median(rates["allot"]), statistics.median(rates["new"])
        print(f"{size // KIB:>6} KiB {allot:>10.0f} {new:>10.0f} {allot / new:>6.2f}x   "
              f"{min(ratios):.2f}x to {max(ratios):.2f}x", flush=True)
    return 0


MODES = {"mixed": (mixed, 30), "tight": (tight, 10), "soak": (soak, 1_000_000), "compare": (compare, 5)}


def main(arguments):
    usable = len(arguments) in (2, 3) and arguments[1] in MODES
    if usable and len(arguments) == 3:
        usable = arguments[2].isdecimal() and int(arguments[2]) > 0
    if not usable:
        print(__doc__, file=sys.stderr)
        return 2
    if shutil.which("wrk") is None:
        print("service_load: wrk is missing (Debian: apt-get install wrk)", file=sys.stderr)
        return 2
    mode, default = MODES[arguments[1]]
    return mode(arguments[0], int(arguments[2]) if len(arguments) == 3 else default)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
