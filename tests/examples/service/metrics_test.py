#!/usr/bin/env python3
"""Reads GET /metrics as Prometheus does: by Accept, with promtool, and by a real Prometheus that scrapes it.

Usage: metrics_test.py SERVICE [unittest arguments]

Exit status 77 (skipped) where promtool or prometheus is not installed; Debian's package `prometheus` has both.
"""

import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from service import Service, document, samples

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "service"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
DOCUMENTED_SAMPLES = 60  # docs/service.md: at least that many with two tenants
AS_PROMETHEUS_ASKS = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")


def used_service(*arguments):
    """A service that has served and refused a few requests."""
    service = Service(PROGRAM, "--tenant", "alpha", "--tenant", "beta=256KiB", *arguments)
    for size in (1 << 10, 100 << 10, 1 << 20):
        for tenant in ("alpha", "beta", "someone"):
            service.ask("POST", "/words", document(size), {"Content-Type": "application/json", "X-Tenant": tenant})
    return service


class Exposition(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = used_service()
        cls.addClassCleanup(cls.service.__exit__)

    def scrape(self, accept):
        fields = {} if accept is None else {"Accept": accept}
        status, fields, body = self.service.ask("GET", "/metrics", headers=fields)
        self.assertEqual(status, 200)
        return fields["Content-Type"], body.decode()

    def test_the_form_is_chosen_by_accept(self):
        for accept, wanted in ((AS_PROMETHEUS_ASKS, OPEN_METRICS), ("application/openmetrics-text", OPEN_METRICS),
                               ("text/plain", TEXT), (None, TEXT), ("*/*", TEXT), ("text/html, */*;q=0.8", TEXT),
                               ("application/openmetrics-text;q=0.1, text/plain;q=0.9", TEXT),
                               ("application/openmetrics-text;q=0, text/plain", TEXT)):
            self.assertEqual(self.scrape(accept)[0], wanted, accept)

    def test_open_metrics_has_units_and_an_end_and_text_has_neither(self):
        _, metrics = self.scrape("application/openmetrics-text")
        self.assertTrue(metrics.endswith("\n# EOF\n"))
        self.assertEqual(metrics.count("# EOF"), 1)
        self.assertIn("# UNIT ", metrics)
        for family in re.findall(r"^# TYPE (\S*_bytes) ", metrics, re.MULTILINE):
            self.assertIn(f"# UNIT {family} bytes\n", metrics)
        _, text = self.scrape("text/plain")
        self.assertNotIn("# EOF", text)
        self.assertNotIn("# UNIT", text)

    def test_both_forms_have_the_same_series(self):
        self.assertEqual(set(samples(self.scrape("application/openmetrics-text")[1])),
                         set(samples(self.scrape("text/plain")[1])))

    def test_samples_of_a_family_stand_together(self):
        seen, last = set(), None
        for line in self.scrape("application/openmetrics-text")[1].splitlines():
            if line.startswith("# TYPE "):
                last = line.split()[2]
                self.assertNotIn(last, seen)
                seen.add(last)
            elif not line.startswith("#"):
                self.assertTrue(line.startswith(last), line)

    def test_promtool_finds_nothing_to_complain_of(self):
        _, text = self.scrape("text/plain")
        self.assertGreaterEqual(len(samples(text)), DOCUMENTED_SAMPLES)
        run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((run.returncode, run.stdout + run.stderr), (0, ""))

    def test_refusals_and_requests_are_counted(self):
        found = samples(self.scrape("text/plain")[1])
        refusals = {k: v for k, v in found.items() if k.startswith("allot_refusals_total") and 'beta' in k}
        self.assertTrue(refusals and max(refusals.values()) > 0, found)


class Scraped(unittest.TestCase):
    def query(self, text):
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def wait_for(self, text, holds, seconds=60):
        until = time.monotonic() + seconds
        found = None
        while time.monotonic() < until:
            try:
                found = self.query(text)
                if holds(found):
                    return found
            except OSError:
                pass
            time.sleep(0.25)
        self.fail(f"{text}: {found}")

    def test_prometheus_scrapes_it_and_shows_what_the_service_says(self):
        service = used_service()
        self.addCleanup(service.__exit__)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        config = pathlib.Path(folder.name) / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
                          "scrape_configs:\n"
                          f"  - {{job_name: service, static_configs: [{{targets: ['127.0.0.1:{service.port}']}}]}}\n",
                          encoding="ascii")
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder.name}/data",
             f"--web.listen-address=127.0.0.1:{self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(prometheus.wait)
        self.addCleanup(prometheus.kill)

        self.wait_for('up{job="service"}', lambda found: found and found[0]["value"][1] == "1")
        before = service.samples()
        time.sleep(2.5)
        scraped = self.query('{__name__=~"allot_.*"}')
        after = service.samples()
        resting = {self.canonical(series): value for series, value in before.items()
                   if series.startswith("allot_") and after[series] == value}
        self.assertGreaterEqual(len(resting), DOCUMENTED_SAMPLES / 2)
        found = {self.scraped_series(one): float(one["value"][1]) for one in scraped}
        self.maxDiff = None
        self.assertEqual({series: found.get(series) for series in resting}, resting)

    @staticmethod
    def canonical(series):
        """(name, its labels in the order of their names): Prometheus keeps no order. No label here has a comma in it."""
        name, _, labels = series.rstrip("}").partition("{")
        return name, tuple(sorted(labels.split(","))) if labels else ()

    @staticmethod
    def scraped_series(found):
        labels = (f'{name}="{value}"' for name, value in found["metric"].items()
                  if name not in ("__name__", "instance", "job"))
        return found["metric"]["__name__"], tuple(sorted(labels))


if __name__ == "__main__":
    if not shutil.which("promtool") or not shutil.which("prometheus"):
        print("promtool or prometheus is not installed: skipped")
        sys.exit(77)
    unittest.main(verbosity=2)
