#!/usr/bin/env python3
"""Shows that a request on a kept-alive connection calls malloc and its kin not once, after warm-up.

Usage: quiet_test.py SERVICE MALLOC_COUNTER [unittest arguments]

MALLOC_COUNTER is the library that counts the calls, put under the service by LD_PRELOAD. Beside its figures stand those of
the service's own global counter, which sees operator new alone.
"""

import pathlib
import struct
import sys
import tempfile
import time
import unittest

from service import Service, ask, document

PROGRAM, COUNTER = sys.argv[1:3]
del sys.argv[1:3]

JSON = {"Content-Type": "application/json", "X-Tenant": "alpha"}
NAMES = ("malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "memalign", "free", "bytes")


class Counted:
    """The service with the counts of malloc in a file."""

    def __init__(self, folder, *arguments):
        self.counts = pathlib.Path(folder) / "counts"
        self.service = Service(PROGRAM, *arguments,
                               env={"LD_PRELOAD": COUNTER, "ALLOT_MALLOC_COUNTS": str(self.counts)})

    def calls(self):
        figures = struct.unpack("8Q", self.counts.read_bytes()[:64])
        return dict(zip(NAMES, figures))

    def calls_at_rest(self):
        """The same, once they stand still: an answer comes before its request's memory goes back, and a connection is
        served before the thread that took it waits for the next one."""
        until = time.monotonic() + 20
        last, now = None, self.calls()
        while now != last:
            assert time.monotonic() < until, f"calls without a request: {last}, then {now}"
            time.sleep(0.3)
            last, now = now, self.calls()
        return now

    def new_calls(self):
        return int(self.service.samples()["service_new_allocations_total"])


class QuietTest(unittest.TestCase):
    def start(self, *arguments):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        counted = Counted(folder.name, *arguments)
        self.addCleanup(counted.service.__exit__)
        return counted

    def calls_of(self, counted, body, requests, warm_up=200):
        """The calls during that many requests on one connection, and those of operator new."""
        with counted.service.connection() as connection:
            for _ in range(warm_up):
                self.assertEqual(ask(connection, "POST", "/words", body, JSON)[0], 200)
            new_before = counted.new_calls()
            before = counted.calls_at_rest()
            for _ in range(requests):
                status, _, _ = ask(connection, "POST", "/words", body, JSON)
                self.assertEqual(status, 200)
            after = counted.calls_at_rest()
            new_after = counted.new_calls()
        difference = {name: after[name] - before[name] for name in NAMES}
        print(f"{requests} requests of {len(body)} bytes: {difference}; by operator new: {new_after - new_before}")
        return difference, new_after - new_before

    def test_a_request_makes_no_call_of_malloc(self):
        counted = self.start()
        for size in (1024, 64 << 10, 1 << 20):
            calls, _ = self.calls_of(counted, document(size), 100 if size > 1 << 18 else 1000)
            self.assertEqual(calls, dict.fromkeys(NAMES, 0), f"documents of {size} bytes")

    def test_a_refused_request_makes_none_either(self):
        counted = self.start("--tenant", "alpha=64KiB")
        with counted.service.connection() as connection:
            def refused():
                self.assertEqual(ask(connection, "POST", "/words", document(256 << 10), JSON)[0], 429)
            for _ in range(50):
                refused()
            before = counted.calls_at_rest()
            for _ in range(200):
                refused()
            self.assertEqual(counted.calls_at_rest(), before)

    def test_with_plain_new_the_counter_sees_what_it_costs(self):
        """That the counter counts at all."""
        counted = self.start("--memory", "new")
        calls, by_new = self.calls_of(counted, document(1024), 100)
        self.assertGreater(calls["malloc"], 100)
        self.assertGreater(by_new, 100)
        self.assertEqual(calls["malloc"], calls["free"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
