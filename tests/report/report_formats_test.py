"""What reports say, read back by others: Python's json and its UTF-8 decoder, a strict reader of OpenMetrics, promtool.

Usage: report_formats_test.py PRINT_REPORTS [ARGUMENT_OF_UNITTEST...]
"""

import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import openmetrics  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = sys.argv.pop(1)
MOST = (1 << 8 * (8 if sys.maxsize > 1 << 32 else 4)) - 1
HOSTILE = b'a"b\\c\nd\re\tf\x01\x1b[31m\x7f{}=,# \xc2\x85\xe2\x80\xa8\xff\xed\xa0\x80\xe2\x82\xac'.decode("utf-8", "replace")


def output(what, data=None):
    """What the program prints, as bytes."""
    return subprocess.run([PROGRAM, what], input=data, stdout=subprocess.PIPE, check=True).stdout


def facts():
    """{(layer, figure): value} as the layers themselves say it; a tag is called "tag:NAME"."""
    lines = [line.rsplit(" ", 2) for line in output("facts").decode().splitlines()]
    return {(name, figure): int(value) for name, figure, value in lines}


def layers_of(layer):
    """A layer of a JSON report and all that are below it."""
    yield layer
    below = layer.get("branches", []) + ([layer["upstream"]] if "upstream" in layer else [])
    for one in below:
        yield from layers_of(one)


def figures_of(report):
    """The figures of a JSON report, as `facts` has them."""
    identity = {"labels", "role", "up_to_bytes", "class", "name", "opaque", "tags", "upstream", "branches", "tag"}
    found = {}
    for layer in layers_of(report):
        rows = [(layer.get("name"), layer)] + [("tag:" + row["tag"], row) for row in layer.get("tags", [])]
        found |= {(name, key): row[key] for name, row in rows for key in row.keys() - identity}
    return found


class Json(unittest.TestCase):
    def test_figures_are_those_of_the_layers(self):
        found, expected = figures_of(json.loads(output("json"))), facts()
        self.assertGreater(len(expected), 50)
        self.assertEqual({key: found.get(key) for key in expected}, expected)
        self.assertEqual({key for key in found if key[0] in {"process", "all", "big", "tags", "first"}} - expected.keys(), set())

    def test_topology_is_that_of_the_stack(self):
        layers = list(layers_of(json.loads(output("json"))))
        self.assertEqual([layer["class"] for layer in layers],
                         ["limit_adaptor", "counting_adaptor", "tag_adaptor", "size_router", "fallback_router",
                          "bump_resource", "bump_resource", "counting_adaptor", "memory_resource"])
        self.assertEqual([layer.get("role") for layer in layers if "role" in layer],
                         ["primary", "secondary", "otherwise"])
        self.assertEqual([layer["class"] for layer in layers if layer.get("opaque")], ["memory_resource"])

    def test_hostile_names_the_greatest_figures_and_no_limit(self):
        _, tenant, greatest, free = json.loads(output("json_list"))
        self.assertEqual(tenant["name"], HOSTILE)
        self.assertEqual(tenant["labels"], {"tenant": HOSTILE, "tier": "gold"})
        self.assertEqual(tenant["upstream"]["name"], "")
        self.assertEqual({value for key, value in greatest.items() if key != "labels"}, {MOST})
        self.assertIsNone(free["limit_bytes"])
        self.assertIsNone(free["headroom_bytes"])

    def test_no_key_stands_twice(self):
        def unique(pairs):
            self.assertEqual(len(dict(pairs)), len(pairs))
            return dict(pairs)
        for what in ("json", "json_list", "tags"):
            json.loads(output(what), object_pairs_hook=unique)


class Metrics(unittest.TestCase):
    def samples(self, what="open_metrics"):
        """{(family, labels as a frozenset): value} of a report."""
        families = openmetrics.parse(output(what), is_open=what == "open_metrics")
        return {(name, frozenset(labels)): value for name, family in families.items()
                for labels, value in family.samples.items()}

    def test_both_formats_are_what_their_specifications_ask_for_and_say_the_same(self):
        families = openmetrics.parse(output("open_metrics"))
        plain = openmetrics.parse(output("prometheus"), is_open=False)
        self.assertEqual([name + openmetrics.SUFFIXES[family.type] for name, family in families.items()], list(plain))
        for family, other in zip(families.values(), plain.values()):
            self.assertEqual(family.samples, other.samples)
            self.assertEqual(family.help, other.help)

    def test_every_family_has_a_help_a_type_and_the_unit_that_its_name_says(self):
        for name, family in openmetrics.parse(output("open_metrics")).items():
            with self.subTest(family=name):
                self.assertTrue(family.help)
                self.assertIn("TYPE", family.metadata)
                words = name.split("_")
                self.assertEqual(family.unit, words[-1] if words[-1] in {"bytes", "blocks", "celsius"} else "")

    def test_figures_are_those_of_the_layers(self):
        samples = self.samples()
        by_name = {}
        for (family, labels), value in samples.items():
            own = dict(labels)
            if "tenant" not in own and family.startswith("allot_tag_"):
                by_name["tag:" + own["tag"], family.removeprefix("allot_tag_")] = value
            elif "tenant" not in own and "name" in own:
                by_name[own["name"], family.removeprefix("allot_")] = value
        expected = facts()
        self.assertEqual({key: by_name.get(key) for key in expected}, {key: str(value) for key, value in expected.items()})

    def test_hostile_labels_the_greatest_figures_and_no_limit(self):
        samples = self.samples()
        tenant = {("tenant", HOSTILE), ("tier", "gold")}
        level = {("level", "0"), ("layer", "limit_adaptor"), ("name", HOSTILE)}
        self.assertEqual(samples["allot_limit_bytes", frozenset(tenant | level)], "48")
        self.assertEqual(samples["http_requests", frozenset({("code", "503"), ("why", HOSTILE)})], str(MOST))
        self.assertEqual(samples["allot_used_bytes", frozenset({("tenant", "greatest")})], str(MOST))
        self.assertEqual(samples["allot_limit_bytes", frozenset({("tenant", "free")})], "+Inf")
        self.assertEqual(samples["allot_headroom_bytes", frozenset({("tenant", "free")})], "+Inf")

    def test_numbers_below_zero_and_with_a_fraction(self):
        samples = self.samples()
        self.assertEqual(samples["temperature_celsius", frozenset({("room", "cellar")})], "-4")
        self.assertEqual(samples["temperature_celsius", frozenset({("room", "attic")})], "21.5")

    def test_the_help_text_is_read_back_as_it_was(self):
        families = openmetrics.parse(output("open_metrics"))
        self.assertEqual(families["http_requests"].help, 'Requests "served" \\ \n.')

    def test_the_documented_names_are_those_in_use(self):
        page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
        documented = set(re.findall(r"^\| `(allot_\w+)` \|", page, re.MULTILINE))
        families = {name + openmetrics.SUFFIXES[family.type]
                    for name, family in openmetrics.parse(output("open_metrics")).items() if name.startswith("allot_")}
        self.assertEqual(families, documented)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool_finds_nothing_to_say_of_the_text_format(self):
        page = output("prometheus")
        families = openmetrics.parse(page, is_open=False)
        self.assertGreaterEqual(sum(len(family.samples) for family in families.values()), 100)
        judged = subprocess.run(["promtool", "check", "metrics"], input=page, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, check=False)
        self.assertEqual((judged.returncode, judged.stdout), (0, b""))


class Reader(unittest.TestCase):
    """The reader is strict: it takes none of these."""
    GOOD = b'# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes X.\na_bytes_total{b="1",c="\\n"} 2\n# EOF\n'

    def test_takes_what_is_right(self):
        family = openmetrics.parse(self.GOOD)["a_bytes"]
        self.assertEqual(family.samples, {(("b", "1"), ("c", "\n")): "2"})
        self.assertEqual(openmetrics.parse(b"# EOF\n"), {})

    def test_takes_nothing_that_the_specification_forbids(self):
        changes = [
            (b"# EOF\n", b""), (b"# EOF\n", b"# EOF\n\n"), (b"# EOF\n", b"x 1\n# EOF\n"), (b" 2\n", b" 2 \n"),
            (b"\n# EOF", b"\n\n# EOF"), (b"\n# EOF", b"\n# a comment\n# EOF"), (b" 2\n", b"\n"), (b" 2\n", b" -2\n"),
            (b" 2\n", b" NaN\n"), (b" 2\n", b" 0x2\n"), (b"a_bytes_total", b"a_bytes"), (b"a_bytes_total{", b"b_total{"),
            (b"UNIT a_bytes bytes", b"UNIT a_bytes seconds"), (b"# UNIT", b"#UNIT"), (b"counter", b"Counter"),
            (b"# HELP a_bytes X.\n", b"# HELP a_bytes X.\n# HELP a_bytes X.\n"), (b"HELP a_bytes X.", b'HELP a_bytes "X".'),
            (b'b="1"', b'b="1'), (b'b="1"', b'b=1'), (b'b="1"', b'b="\\x"'), (b'b="1"', b'b="1",'), (b'b="1"', b'c="1"'),
            (b'b="1"', b'2b="1"'), (b'b="1"', b'_b="1"'), (b"# EOF", b"# TYPE _d gauge\n_d 1\n# EOF"), (b"# EOF", b"_d 1\n# EOF"),
            (b"# EOF", b"# TYPE a:d gauge\na:d 1\n# EOF"), (b'b="1"', b'b="\xff"'), (b'b="1",', b'b="1" '),
            (b"# EOF", b'a_bytes_total{c="\\n",b="1"} 3\n# EOF'), (b"# EOF", b"# HELP a_bytes X.\n# EOF"),
            (b"# EOF", b"# TYPE d gauge\nd 1\na_bytes_total 1\n# EOF"), (b"# EOF", b"# TYPE a_bytes_total gauge\n# EOF"),
            (b"# EOF", b"# TYPE d gauge\n# TYPE a_bytes counter\n# EOF"), (b"# EOF", b"# TYPE d info\nd_info 2\n# EOF"),
            (b"# TYPE a_bytes counter\n# UNIT a_bytes bytes\n", b"# UNIT a_bytes bytes\n# TYPE a_bytes counter\n"),
        ]
        for old, new in changes:
            with self.subTest(old=old, new=new):
                self.assertIn(old, self.GOOD)
                with self.assertRaises(openmetrics.Invalid):
                    openmetrics.parse(self.GOOD.replace(old, new, 1))


class Escapes(unittest.TestCase):
    """Random texts and every short one, as three kinds of string, read back and held against Python's own decoder."""

    @classmethod
    def setUpClass(cls):
        random.seed(3)
        pieces = [bytes([n]) for n in range(256)] + [chr(n).encode("utf-8", "surrogatepass") for n in (
            0x80, 0x9F, 0x61C, 0x7FF, 0x800, 0x200E, 0x200F, 0x2028, 0x2029, 0x202E, 0x2066, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFF, 0x10000,
            0x10FFFF)] + [b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x88\x80\x80\x80"]
        interesting = [piece for piece in pieces if len(piece) > 1 or piece[0] in b'"\\\n\x7f' or piece[0] > 0xB0]
        texts = pieces + [a + b for a in interesting for b in interesting]
        texts += [b"".join(random.choices(interesting, k=random.randrange(3, 9))) for _ in range(3000)]
        texts += [random.randbytes(random.randrange(3, 9)) for _ in range(3000)]
        texts += [random.choice(pieces[256:])[:-1] + random.choice(pieces) for _ in range(1000)]
        cls.texts = texts

    def written(self, how):
        """Each text and what it is written as."""
        lines = output(how, b"".join(text.hex().encode() + b"\n" for text in self.texts)).split(b"\n")
        self.assertEqual(len(lines), len(self.texts) + 1)
        return zip(self.texts, lines)

    def test_a_quoted_string_is_json_without_a_control_character(self):
        for text, line in self.written("quoted"):
            self.assertEqual(json.loads(line), text.decode("utf-8", "replace"), text)
            self.assertNotRegex(line.decode(), "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

    def test_a_label_and_a_help_text_are_read_back_as_they_were(self):
        for text, line in self.written("escaped"):
            self.assertRegex(line.decode(), r'\A(?:[^"\\\n]|\\["\\n])*\Z')
            self.assertEqual(openmetrics.unescaped(line.decode()), text.decode("utf-8", "replace"), text)
        for text, line in self.written("help"):
            self.assertRegex(line.decode(), r"\A(?:[^\\\n]|\\[\\n])*\Z")
            self.assertEqual(openmetrics.unescaped(line.decode()), text.decode("utf-8", "replace"), text)


class Text(unittest.TestCase):
    def test_is_plain_and_has_every_figure(self):
        page = output("text").decode()
        self.assertNotRegex(page, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")
        for (name, figure), value in facts().items():
            if not name.startswith("tag:"):
                with self.subTest(name=name, figure=figure):
                    self.assertRegex(page, rf" {value:,}(?: |\n)")

    def test_figures_end_in_one_column(self):
        lines = [line for line in output("text").decode().splitlines() if re.search(r"[a-z] {2,}[0-9,]+( bytes?| *$)", line)]
        ends = {re.search(r" ([0-9,]+)( bytes?.*)?$", line).end(1) for line in lines if str(MOST)[:2] + "," not in line}
        self.assertGreater(len(lines), 40)
        self.assertEqual(ends, {36})


if __name__ == "__main__":
    unittest.main()
