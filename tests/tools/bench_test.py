"""Tests of tools/bench, with fake_allot_bench.py in place of the program."""

import contextlib
import importlib.util
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tools" / "bench"))
sys.dont_write_bytecode = True

import figures  # noqa: E402  (its folder is known only now)
import goals  # noqa: E402
import page  # noqa: E402
import panels  # noqa: E402
import program  # noqa: E402
import rounds  # noqa: E402
import rows  # noqa: E402
import soak  # noqa: E402

SPEC = importlib.util.spec_from_file_location("bench_tool", ROOT / "tools/bench/__main__.py")
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)

FAKE = HERE / "fake_allot_bench.py"
LDCONFIG = """#!/bin/sh
echo "	libmimalloc.so.2 (libc6,x86-64) => /nowhere/libmimalloc.so.2"
echo "	libtcmalloc_minimal.so.4 (libc6,x86-64) => /nowhere/libtcmalloc_minimal.so.4"
"""


def results_of(**cases):
    """{case with _ for /: {peer: one sample or a list}} as Results."""
    found = figures.Results({"date": "2026-01-31", "machine": "a machine", "system": "a system", "compiler": "g++",
                             "libc": "glibc", "peers": {"std": "12"}, "rounds": 3, "load": "0.0", "command": "./dev bench"})
    for case, peers in cases.items():
        found.cases[case.replace("__", "/")] = {
            peer: {"ns": ns if isinstance(ns, list) else [ns]} for peer, ns in peers.items()}
    return found


class Names(unittest.TestCase):
    def test_the_peer_is_the_last_part_that_is_no_setting(self):
        for text in ("pool/random/n:1000/std", "pool/random/std/n:1000", "pool/random/n:1000/std/real_time",
                     "pool/random/std/n:1000/iterations:5/real_time"):
            self.assertEqual(rows.parse(text), rows.Name("pool", "random/n:1000", "std"), text)

    def test_threads_are_part_of_the_workload(self):
        self.assertEqual(rows.parse("threads/own blocks/std/real_time/threads:2").workload, "own blocks/threads:2")

    def test_what_has_no_three_parts_is_no_row(self):
        self.assertIsNone(rows.parse("pool/std"))
        self.assertIsNone(rows.parse("pool/n:1000/std"))

    def test_a_variant_belongs_to_its_library_and_a_longer_name_does_not(self):
        self.assertEqual(rows.family("std, warm"), "std")
        self.assertEqual(rows.family("boost_json"), "boost_json")
        self.assertEqual(rows.family("standing_resource"), "allot")

    def test_a_setting_is_read_and_taken_away(self):
        self.assertEqual(rows.setting("pool/random/n:1000", "n"), 1000)
        self.assertIsNone(rows.setting("pool/random/min:1000", "n"))
        self.assertEqual(rows.without("random/n:1000/threads:2", "n"), "random/threads:2")


class Statistics(unittest.TestCase):
    def test_quartile_and_median_are_samples(self):
        self.assertEqual(figures.lower_quartile([9, 1, 5, 3, 7]), 3)
        self.assertEqual(figures.median([9, 1, 5, 3, 7]), 5)
        self.assertEqual(figures.lower_quartile([4, 2]), 2)
        self.assertEqual(figures.median([4, 1, 3, 2]), 2)
        self.assertEqual(figures.lower_quartile([8]), 8)
        self.assertEqual(figures.lower_quartile(range(1, 16)), 4)

    def test_a_ratio_is_one_of_lower_quartiles(self):
        found = results_of(pool__x={"std": [40, 20, 90, 30, 80], "floor": [9, 2, 3, 4, 8]})
        self.assertEqual(found.ratio("pool/x", "std", "floor"), 10)

    def test_what_an_adaptor_adds_is_a_median(self):
        found = results_of(counting__x={"plain_counters": 9})
        found.cases["counting/x"]["plain_counters"]["beyond"] = [4, 1, 3, 2, 5]
        self.assertEqual(found.beyond("counting/x", "plain_counters"), 3)

    def test_the_floor_of_preloaded_processes_shows_how_steady_they_were(self):
        found = results_of(pool__x={"floor": 2, "floor under mimalloc": 3, "mimalloc": 8},
                           pool__y={"floor": 2, "floor under mimalloc": 2.2},
                           pool__z={"floor": 2, "floor under mimalloc": 2})
        self.assertEqual(found.steadiness(), {"mimalloc": 1.1})
        self.assertEqual(found.to_floor("pool/x", "mimalloc"), 4)
        self.assertEqual(found.peers("pool/x"), ["floor", "mimalloc"])

    def test_each_group_has_its_own_kind_of_floor(self):
        self.assertEqual(results_of(growth__x={"floor": 2, "std": 3}).to_floor("growth/x", "std"), 1.5)
        self.assertEqual(results_of(chain__x={"hand_written": 2, "chain": 3}).to_floor("chain/x", "chain"), 1.5)

    def test_a_peer_that_is_not_there_has_no_ratio(self):
        self.assertIsNone(results_of(pool__x={"std": 1}).to_floor("pool/x", "std"))


class Filter(unittest.TestCase):
    def test_takes_the_rows_named_and_no_other(self):
        names = ["arena/x/std", "arena/x/bump_resource, MinAlign 8", "pool/a.b/std+", "pool/a(b)[c]{1}/x|y"]
        chosen = re.compile(program.exactly(names))
        self.assertTrue(all(chosen.search(name) for name in names))
        for other in ("arena/x/std2", "an arena/x/std", "pool/aab/std+", "pool/a.b/std"):
            self.assertIsNone(chosen.search(other), other)


class Order(unittest.TestCase):
    def rounds_of(self, seed):
        order = rounds.schedule(["a", "b", "c", "d"], seed)
        return [next(order) for _ in range(20)]

    def test_a_seed_gives_one_order_and_another_seed_another(self):
        self.assertEqual(self.rounds_of(1), self.rounds_of(1))
        self.assertNotEqual(self.rounds_of(1), self.rounds_of(2))

    def test_rounds_differ_and_each_has_all(self):
        found = self.rounds_of(1)
        self.assertGreater(len({tuple(order) for order in found}), 5)
        self.assertTrue(all(sorted(order) == ["a", "b", "c", "d"] for order in found))


class Goals(unittest.TestCase):
    RATIO = goals.Goal(4, "to the floor", r"pool/.*", "pool_resource", 1.4, "floor")
    FASTER = goals.Goal(4, "faster than std", r"pool/.*", "pool_resource", 10, "std", True)
    TIME = goals.Goal(5, "in ns", r"pool/.*", "pool_resource", 10)

    def test_the_worst_row_decides_and_every_miss_is_kept(self):
        found = goals.judge_goal(self.RATIO, results_of(
            pool__a={"floor": 10, "pool_resource": 14}, pool__b={"floor": 10, "pool_resource": 15},
            pool__c={"floor": 10, "pool_resource": 21}, arena__a={"floor": 1, "pool_resource": 99}))
        self.assertIs(found.kept, False)
        self.assertEqual((found.where, found.value, found.judged), ("pool/c/pool_resource", 2.1, 3))
        self.assertEqual([where for where, _ in found.missed], ["pool/c/pool_resource", "pool/b/pool_resource"])
        self.assertEqual(found.words(), "**missed** by 50 % (2 of 3 rows)")

    def test_the_limit_itself_is_kept(self):
        self.assertIs(goals.judge_goal(self.RATIO, results_of(pool__a={"floor": 10, "pool_resource": 14})).kept, True)
        self.assertIs(goals.judge_goal(self.TIME, results_of(pool__a={"pool_resource": 10})).kept, True)

    def test_times_faster_is_missed_from_below(self):
        kept = goals.judge_goal(self.FASTER, results_of(pool__a={"std": 100, "pool_resource": 10}))
        missed = goals.judge_goal(self.FASTER, results_of(pool__a={"std": 80, "pool_resource": 10}))
        self.assertIs(kept.kept, True)
        self.assertEqual((missed.kept, missed.value), (False, 8))
        self.assertIn("by 20 %", missed.words())

    def test_what_was_not_measured_is_neither_kept_nor_missed(self):
        found = goals.judge_goal(self.RATIO, results_of(pool__a={"pool_resource": 1}))
        self.assertIsNone(found.kept)
        self.assertEqual(found.words(), "not measured")

    def test_a_rival_of_the_same_name_is_not_judged(self):
        anyone = goals.Goal(1, "x", r"arena/.*", r".*", 1)
        self.assertEqual(goals.judge_goal(anyone, results_of(arena__a={"std": 5, "bump_resource": 0.5})).judged, 1)

    def test_counts_are_read_from_the_record_of_the_gate(self):
        counts = goals.read_counts((ROOT / "bench/gate/instructions.txt").read_text(encoding="utf-8"))
        found = goals.judge_count(goals.GOALS[0], counts)
        self.assertEqual((found.kept, found.judged), (True, 2))
        self.assertIs(goals.judge_count(goals.GOALS[0], {"bump_resource/interface": 15}).kept, False)


class Page(unittest.TestCase):
    FOUND = results_of(pool__x={"pool_resource": 10, "floor": 8, "std": 100, "boost": 8, "tbb": 9.5, "llvm": 11})

    def test_marks_who_is_faster_and_who_is_as_fast(self):
        table = "\n".join(page.case_table(self.FOUND, "pool/x"))
        self.assertRegex(table, r"\| boost \|.*\*\*< allot\*\*")
        self.assertRegex(table, r"\| tbb \|.*\| ~ \|")
        self.assertRegex(table, r"\| llvm \|.*\| ~ \|")
        self.assertNotRegex(table, r"\| (std|floor) \|.*(allot|~)")

    def test_lists_the_losses(self):
        self.assertEqual(list(page.loss_list(self.FOUND)),
                         ["- pool/x, `pool_resource` at 10.0 ns: boost is x1.25 faster"])

    def test_says_so_where_there_are_none(self):
        text = page.page(results_of(pool__x={"pool_resource": 1, "std": 2}), [], {}, [])
        self.assertIn("No rival is faster", text)

    def test_names_what_is_left_out(self):
        found = results_of(pool__x={"pool_resource": 1, "std": 2})
        found.leave_out("tbb", "not installed")
        self.assertIn("- tbb: not installed", page.page(found, [], {}, []))

    def test_a_growth_that_the_system_cannot_tell_from_nothing_has_no_figure(self):
        self.assertEqual([page.resident(n) for n in (None, 0, 400 << 10, 3 << 19)], ["", "< 0.5 MiB", "< 0.5 MiB", "1.5 MiB"])

    def test_every_column_has_a_cell_in_every_row(self):
        for line in page.case_table(self.FOUND, "pool/x"):
            self.assertEqual(line.count("|"), 9, line)


class RawFigures(unittest.TestCase):
    def test_come_back_as_they_were(self):
        found = results_of(pool__x={"std": [1.5, 2]})
        found.leave_out("tbb", "not installed")
        again = figures.Results.from_json(found.to_json())
        self.assertEqual((again.about, again.left_out, again.cases), (found.about, found.left_out, found.cases))

    def test_hold_no_path(self):
        for path in ("/home/someone/allot", "see /usr/lib/x.so", "~/src/allot"):
            found = results_of(pool__x={"std": 1})
            found.about["command"] = path
            with self.assertRaises(ValueError, msg=path):
                found.to_json()

    def test_a_write_that_fails_leaves_the_old_file_and_no_other(self):
        with tempfile.TemporaryDirectory() as folder:
            target = pathlib.Path(folder) / "results.json"
            figures.write(target, "old")
            with self.assertRaises(UnicodeEncodeError):
                figures.write(target, "half\ud800")
            self.assertEqual((target.read_text(encoding="utf-8"), os.listdir(folder)), ("old", ["results.json"]))


class Tool(unittest.TestCase):
    """The tool as a whole, in a folder that looks like the project's: in this process, where that says as much."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "bin").mkdir()
        (self.root / "bin/ldconfig").write_text(LDCONFIG, encoding="utf-8")
        (self.root / "bin/ldconfig").chmod(0o755)
        self.log = self.root / "starts"
        for module, values in ((tool, {"ROOT": self.root, "DOCS": self.root / "docs", "RECORD": self.root / "none",
                                       "REPORT": self.root / "build/bench/report"}), (tool.about, {"ROOT": self.root})):
            patch = unittest.mock.patch.multiple(module, **values)
            patch.start()
            self.addCleanup(patch.stop)

    def environment(self, **more):
        return {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "FAKE_LOG": str(self.log), "ALLOT_BUILD": "", **more}

    def start(self, *arguments):
        """As a process, of a copy."""
        shutil.copytree(ROOT / "tools/bench", self.root / "tools/bench", ignore=shutil.ignore_patterns("__pycache__"))
        return subprocess.Popen([sys.executable, "-B", self.root / "tools/bench", *map(str, arguments)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**os.environ, **self.environment()})

    def run_rows(self, regex, **environment):
        return self.run_tool(FAKE, "--only", regex, "--minutes", "0.001", **environment)

    def run_tool(self, *arguments, **environment):
        out, err = io.StringIO(), io.StringIO()
        with (unittest.mock.patch.dict(os.environ, self.environment(**environment)),
              unittest.mock.patch.dict(sys.modules, {"plots": None}),  # which have tests of their own, and cost seconds
              contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)):
            try:
                status = tool.main([str(argument) for argument in arguments])
            except SystemExit as end:
                status = end.code
        return status, out.getvalue(), err.getvalue()

    def results(self, folder="docs"):
        return figures.Results.from_json((self.root / folder / "benchmarks/results.json").read_text(encoding="utf-8"))

    def starts(self):
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def test_a_whole_run_writes_page_and_figures_into_docs(self):
        status, _, err = self.run_tool(FAKE, "--minutes", "0.001", "--seed", "7")
        self.assertEqual(status, 0, err)
        text = (self.root / "docs/benchmarks.md").read_text(encoding="utf-8")
        self.assertIn("| 5 | two threads on their own blocks, for a pair | at most 10 ns | 12.0 ns |", text)
        self.assertIn("- llvm: not installed", text)
        self.assertIn("- jemalloc: not installed", text)
        raw = (self.root / "docs/benchmarks/results.json").read_text(encoding="utf-8")
        for private in ("/nowhere", "/home", "some-host", str(self.root)):
            self.assertNotIn(private, raw + text)
        found = self.results()
        self.assertEqual(found.cases["pool/random_32/n:1000"]["pool_resource"]["ns"], [2.4] * 5)
        self.assertEqual(found.cases["pool/random_32/n:1000"]["pool_resource"]["memory"]["peak_rss_bytes"], 3 << 20)
        self.assertEqual(found.about["seed"], 7)
        self.assertIn("the plots are left out: ", err)

    def test_a_preload_times_malloc_and_the_floor_alone(self):
        self.run_rows("^pool/random_32/n:1000/")
        preloaded = [start for start in self.starts() if start[0]]
        timed = [word for start in preloaded for word in start[1:] if word.startswith("--benchmark_filter")]
        self.assertEqual(set(timed), {"--benchmark_filter=^(pool/random_32/n:1000/floor|pool/random_32/n:1000/malloc)$"})
        self.assertEqual({start[0] for start in preloaded},
                         {"/nowhere/libmimalloc.so.2", "/nowhere/libtcmalloc_minimal.so.4"})
        peers = self.results("build/bench/report").cases["pool/random_32/n:1000"]
        self.assertEqual((peers["glibc"]["ns"], peers["mimalloc"]["ns"]), ([18], [9]))
        self.assertNotIn("malloc", peers)
        self.assertEqual((peers["floor"]["ns"], peers["floor under mimalloc"]["ns"]), ([2], [2]))
        weighed = [start[-1] for start in preloaded if "--memory" in start]
        self.assertEqual(weighed, ["pool/random_32/n:1000/malloc"] * 2)

    def test_rows_are_interleaved_at_random_in_each_process(self):
        self.run_rows("^pool/lifo_32/std$")
        timed = [start for start in self.starts() if any("benchmark_out=" in word for word in start[1:])]
        self.assertTrue(timed and all("--benchmark_enable_random_interleaving=true" in start for start in timed))

    def test_a_quick_run_prints_the_table_and_leaves_docs_alone(self):
        status, out, err = self.run_tool(FAKE, "--quick", "--only", "^pool/random_32/n:1000/(pool_resource|floor)$",
                                         "--minutes", "0.001")
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r"pool_resource +2\.40 +2\.40 +x1\.20 +x1\.00")
        self.assertIn("wrote below build/bench/report/", err)
        self.assertFalse((self.root / "docs").exists())

    def test_a_rival_that_crashes_is_named_and_left_out(self):
        status, _, err = self.run_rows("^pool/lifo_32/(std|boost)$", FAKE_CRASH="lifo.*/boost")
        self.assertEqual(status, 0, err)
        self.assertIn("left out: pool/lifo_32/boost (signal 11)", err)
        found = self.results("build/bench/report")
        self.assertIn({"what": "pool/lifo_32/boost", "why": "signal 11"}, found.left_out)
        self.assertNotIn("boost", found.cases["pool/lifo_32"])
        self.assertEqual(found.cases["pool/lifo_32"]["std"]["ns"], [20])

    def test_a_row_of_allot_that_crashes_fails_the_run(self):
        status, _, err = self.run_rows("^pool/lifo_32/(pool_resource|std)$", FAKE_CRASH="lifo.*/pool_resource")
        self.assertEqual(status, 1)
        self.assertIn("left out: pool/lifo_32/pool_resource (signal 11)", err)

    def test_a_row_that_reports_an_error_is_left_out_alone(self):
        status, _, _ = self.run_rows("^pool/lifo_32/std$|arena.*floor", FAKE_ERROR="lifo.*/std")
        found = self.results("build/bench/report")
        self.assertEqual(status, 0)
        self.assertIn({"what": "pool/lifo_32/std", "why": "refused"}, found.left_out)
        self.assertEqual(self.run_rows("^pool/lifo_32/(pool_resource|std)$", FAKE_ERROR="lifo.*/pool_resource")[0], 1)

    def test_wrong_usage_and_a_missing_program_are_status_2(self):
        for arguments in (["--no-such-option", FAKE], [], [self.root / "nothing"], [FAKE, "--redraw"], ["--redraw"],
                          [FAKE, "--soak", "0"], [FAKE, "--minutes", "-1"], [FAKE, "--only", "("],
                          ["--check", "word"], ["--check", "--redraw", "--quick"], ["--check", "--quic"]):
            status, out, err = self.run_tool(*arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertTrue(err.strip(), arguments)

    def test_a_program_that_is_none_of_ours_is_status_1(self):
        status, _, err = self.run_tool("/bin/false")
        self.assertEqual(status, 1)
        self.assertIn("--benchmark_list_tests ended with 1", err)
        self.assertEqual(self.run_rows("no such row")[0], 1)

    def test_an_interrupt_leaves_what_was_there(self):
        (self.root / "docs/benchmarks").mkdir(parents=True)
        (self.root / "docs/benchmarks/results.json").write_text("old", encoding="utf-8")
        process = self.start(FAKE, "--minutes", "10")
        until = time.monotonic() + 30
        while not self.log.exists() and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)  # a parent may have it ignore SIGINT; from here on both are the same
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("nothing was written", err)
        self.assertEqual((self.root / "docs/benchmarks/results.json").read_text(encoding="utf-8"), "old")

    def test_usage_is_checked_without_a_program(self):
        for arguments in ([], ["--quick", "--only", "^pool/"], ["--redraw"], ["--soak", "5"]):
            self.assertEqual(self.run_tool("--check", *arguments), (0, "", ""), arguments)

    def test_an_interrupted_soak_takes_the_program_with_it(self):
        shown = []

        def interrupt(line, **_):
            shown.append(json.loads(line))
            raise KeyboardInterrupt

        with unittest.mock.patch("builtins.print", interrupt), self.assertRaises(KeyboardInterrupt):
            self.run_tool(FAKE, "--soak", "1", FAKE_SOAK="goes on")
        self.assertRaises(ProcessLookupError, os.kill, shown[0]["process"], 0)

    def test_a_soak_ends_as_the_program_does(self):
        status, out, _ = self.run_tool(FAKE, "--soak", "1")
        self.assertEqual((status, out.splitlines()[-1]), (0, "1 passed, 0 failed"))
        self.assertEqual(self.starts()[-1][1:], ["--soak", "1"])
        self.assertFalse((self.root / "docs").exists())
        self.assertEqual(self.run_tool(FAKE, "--soak", "1", FAKE_SOAK="fails")[0], 1)

    def test_a_long_soak_is_kept_and_the_page_tells_of_it(self):
        self.run_tool(FAKE, "--soak", "600")
        told = " ".join(soak.summary(self.root / "docs"))
        self.assertIn("800 threads came and went", told)
        self.assertIn("6.0 MiB in the second quarter of the time and 5.0 MiB in the second half: flat", told)
        self.run_tool(FAKE, "--soak", "600", FAKE_SOAK="fails")
        self.assertIn("**not flat**", " ".join(soak.summary(self.root / "docs")))


def words_of(svg):
    """(every text, every series and limit that is drawn)."""
    root = xml.etree.ElementTree.fromstring(svg)
    texts = [element for element in root.iter() if element.tag.endswith("}text")]
    drawn = [f"{kind} {name}" for element in root.iter() for kind in ("series", "limit")
             if (name := element.get(f"data-{kind}"))]
    return [" ".join("".join(element.itertext()).split()) for element in texts], drawn


class Limits(unittest.TestCase):
    def test_are_drawn_where_the_goal_is_just_kept(self):
        found = results_of(pool__random_32={"pool_resource": 3, "floor": 2, "std": 40, "boost": 2.6},
                           threads__producer_consumer={"concurrent_pool_resource": 25})
        values = {label: value for case in found.cases for value, label in panels.limits_of(found, case)}
        expected = {"goal 4: x1.4 of floor": 2.8, "goal 4: 1/10 of std": 4, "goal 4: 1/1.3 of boost": 2,
                    "goal 5: 30 ns": 30}
        self.assertEqual(values.keys(), expected.keys())
        for label, value in expected.items():
            self.assertAlmostEqual(values[label], value, msg=label)


class Plots(unittest.TestCase):
    FOUND = results_of(**{
        "pool__random_32__n:1000": {"pool_resource": 3, "floor": 2, "std": 40, "glibc": 20},
        "pool__random_32__n:100000": {"pool_resource": 8, "floor": 6, "std": 110, "glibc": 50},
        "pool__lifo_32": {"pool_resource": 2, "floor": 1.5, "boost": 4},
        "threads__producer_consumer": {"concurrent_pool_resource": 25, "std": 36000}})

    @classmethod
    def setUpClass(cls):
        try:
            import plots
        except ImportError as error:
            raise unittest.SkipTest(f"no plots are drawn here: {error}") from error
        cls.plots = plots
        cls.drawn = plots.drawings(cls.FOUND)

    def test_there_is_one_for_each_group_measured(self):
        self.assertEqual(sorted(self.drawn), ["pool.svg", "threads.svg"])

    def test_every_series_is_drawn_and_named(self):
        words, drawn = words_of(self.drawn["pool.svg"])
        for peer in ("pool_resource", "std", "glibc", "boost", "floor"):
            self.assertIn(f"series {peer}", drawn)
            self.assertTrue(any(word.split()[0] == peer for word in words), peer)
        self.assertIn("std 18.3", words)

    def test_every_goal_is_a_line_with_its_name(self):
        words, drawn = words_of(self.drawn["pool.svg"])
        for label in ("goal 4: x1.4", "goal 4: x1.4 of floor", "goal 4: 1/1.3 of boost"):
            self.assertIn(label, words)
            self.assertIn(f"limit {label}", drawn)
        self.assertNotIn("goal 5: x2 of floor", words)  # nobody there has that goal
        self.assertIn("goal 5: 30 ns", words_of(self.drawn["threads.svg"])[0])

    def test_the_same_figures_give_the_same_file(self):
        self.assertEqual(self.plots.drawings(self.FOUND), self.drawn)
        self.assertNotRegex(self.drawn["pool.svg"], r"20\d\d-\d\d-\d\d|dc:date")

    def test_an_axis_has_a_few_round_numbers_however_long_it_is(self):
        for low in (0.1, 0.55, 0.61, 1.01, 2.3, 8.1, 470):
            for times in (2.2, 5, 30, 400, 20000):
                found = self.plots.ticks(low, low * times)
                self.assertEqual([n for n in found if low <= n <= low * times], found)
                self.assertTrue(3 <= len(found) <= 9 and found == sorted(found), (low, times, found))
                self.assertTrue(all(b / a > times**0.035 for a, b in zip(found, found[1:])), (low, times, found))

    def test_a_goal_for_two_threads_says_so_where_others_are_drawn(self):
        found = results_of(**{f"threads__own_lifo_32__threads:{n}": {"concurrent_pool_resource": 5 * n} for n in (1, 2, 4)})
        words, _ = words_of(self.plots.drawings(found)["threads.svg"])
        self.assertIn("goal 5: 10 ns, 2 threads", words)

    def test_labels_at_the_end_of_lines_keep_their_distance_and_order(self):
        placed = self.plots.spread([0.5, 0.1, 0.51, 0.52, 0.9], 0.1)
        self.assertEqual(sorted(range(5), key=lambda i: placed[i]), [1, 0, 2, 3, 4])
        ordered = sorted(placed)
        self.assertTrue(all(b - a > 0.0999 for a, b in zip(ordered, ordered[1:])))
        self.assertAlmostEqual(placed[2], 0.51)


if __name__ == "__main__":
    unittest.main()
