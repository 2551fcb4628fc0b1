"""The program as a process: its rows, its peers, a timed run and a run for memory. What fails is told in words."""

import json
import os
import pathlib
import re
import subprocess
import tempfile

import figures
import rows

LONGEST = 600  # seconds for one start: what takes longer hangs
LONGEST_ALONE = 60


class Broken(Exception):
    """The program cannot be used at all."""


def exactly(names):
    """A filter for these rows and no other."""
    escaped = (re.sub(r"([.\[\]{}()\\*+?|^$])", r"\\\1", name) for name in names)
    return f"^({'|'.join(escaped)})$"


class Program:
    def __init__(self, path):
        self.path = str(path)

    def run(self, *arguments, preload=None, timeout=LONGEST):
        """(exit status, stdout, the end of stderr); a program that hangs is one that failed."""
        env = {**os.environ, "LC_ALL": "C"}
        env.pop("LD_PRELOAD", None)
        if preload:
            env["LD_PRELOAD"] = preload
        try:
            done = subprocess.run([self.path, *arguments], capture_output=True, text=True, errors="replace", env=env,
                                  timeout=timeout, check=False, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return -1, "", f"it hung: ended after {timeout} s"
        except OSError as error:
            raise Broken(f"{self.path} does not start: {error.strerror}") from error
        return done.returncode, done.stdout, done.stderr.strip()[-400:]

    def names(self):
        """The rows' full names, as the program's filter wants them."""
        status, out, why = self.run("--benchmark_list_tests=true", timeout=LONGEST_ALONE)
        if status != 0:
            raise Broken(f"{self.path} --benchmark_list_tests ended with {status}: {why}")
        return [line for line in out.splitlines() if rows.parse(line)]

    def peers(self):
        status, out, why = self.run("--list_peers", timeout=LONGEST_ALONE)
        if status != 0:
            raise Broken(f"{self.path} --list_peers ended with {status}: {why}")
        return json.loads(out)

    def time(self, names, min_time, repetitions, preload=None):
        """(Google Benchmark's JSON or None, why not)."""
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "out.json"
            status, _, why = self.run(
                f"--benchmark_filter={exactly(names)}", "--benchmark_enable_random_interleaving=true",
                f"--benchmark_repetitions={repetitions}", f"--benchmark_min_time={min_time}",
                f"--benchmark_out={out}", "--benchmark_out_format=json", preload=preload)
            if status != 0:
                return None, say(status, why)
            try:
                return json.loads(out.read_text(encoding="utf-8")), ""
            except (OSError, ValueError):
                return None, "it ended well and wrote no JSON"

    def memory(self, name, preload=None):
        """(what `--memory` printed or None, why not); no reason where the row says nothing about memory."""
        status, out, why = self.run("--memory", name, preload=preload, timeout=LONGEST_ALONE)
        if status == 2:
            return None, ""
        if status != 0:
            return None, say(status, why)
        try:
            seen = json.loads(out.splitlines()[-1])
            if seen["peak_rss_bytes"] and seen["base_rss_bytes"]:
                return {key: seen.get(key) for key in ("requested_peak_bytes", "reserved_peak_bytes", "peak_rss_bytes",
                                                       "base_rss_bytes")}, ""
        except (ValueError, KeyError, IndexError, TypeError):
            pass
        return None, "it printed no figures"


def say(status, why):
    """In words, without the paths that a failed program may print."""
    how = f"signal {-status}" if status < -1 else f"exit status {status}" if status >= 0 else "no end"
    last = why.splitlines()[-1] if why else ""
    return f"{how}: {last}" if last and not figures.PATH.search(last) else how
