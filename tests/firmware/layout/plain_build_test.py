#!/usr/bin/env python3
"""The files and flags of docs/firmware.md make a library without Meson: it is Meson's, links, runs, and asks its surroundings
for next to nothing.

Usage: plain_build_test.py SOURCE_ROOT BUILD_ROOT BOARD COMPILER [OPTION...]
"""

import json
import pathlib
import re
import unittest

import page
import target
from target import HERE, TargetTest, printed

# What is in Meson's list and not in the page's: probes for tests, what only they use, and what takes memory from newlib's
# heap.
NOT_FOR_FIRMWARE = re.compile(r"src/(testing/.*|detail/line_pattern\.cpp|source/malloc_resource\.cpp)")

# All that the library may ask of its surroundings: the compiler's own arithmetic, the C library's for bytes and strings, and
# the numbers of the metrics that are no integers. So: no heap, no operator new, no stdio, no threads, no guard of a static, no
# registration for exit, nothing that throws or unwinds.
MAY_ASK_FOR = re.compile(
    r"__aeabi_(?!atexit|unwind)\w+|__clz[ds]i2|__popcount[ds]i2|__gnu_thumb1_case_\w+"
    r"|mem(chr|cmp|cpy|move|set)|str(len|cmp)|_ZSt8to_charsPcS_d")
REPORT = """\
limit_adaptor "all"
    used                       2,760 bytes     2.7 KiB
"""


class PlainBuild(TargetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        flags, link_flags = page.flags(cls.target.source_root)
        core = next(option for option in cls.target.command if option.startswith("-mcpu="))
        compiler = cls.target.command[0]
        cls.command = [compiler, *(core if flag.startswith("-mcpu=") else flag for flag in flags)]
        cls.link_command = [*cls.command, "-nostartfiles", *link_flags]
        cls.sources = page.sources(cls.target.source_root)
        cls.objects = {source: cls.compiled(cls.target.source_root / source) for source in cls.sources}
        cls.program = cls.compiled(HERE / "plain.cpp")
        cls.board = [cls.compiled(cls.target.board_directory / f"{name}.cpp") for name in ["semihosting", "startup"]]

    @classmethod
    def compiled(cls, source, *options):
        output = cls.directory / (re.sub(r"\W", "_", str(source.relative_to(cls.target.source_root))) + ".o")
        return cls.target.compile(source, output, *options, command=cls.command)

    def references(self, path):
        """Names that are asked of others, and names that are defined."""
        names = lambda option: set(printed(self.target.tool("nm"), "--format=just-symbols", option, path).split())
        return names("--undefined-only"), names("--defined-only")

    def test_the_list_is_that_of_the_build(self):
        targets = json.loads((self.target.build_root / "meson-info/intro-targets.json").read_text())
        library = next(one for one in targets if one["name"] == "allot" and one["type"] == "static library")
        files = [pathlib.Path(file).relative_to(self.target.source_root).as_posix()
                 for group in library["target_sources"] for file in group.get("sources", [])]
        self.assertEqual(self.sources, sorted(file for file in files if not NOT_FOR_FIRMWARE.fullmatch(file)))

    def test_a_program_with_them_links_and_runs(self):
        elf = self.target.link(self.directory / "plain.elf", self.program, *self.objects.values(), *self.board,
                               libraries=[], command=self.link_command)
        status, output = self.target.run(elf)
        self.assertEqual((status, output[:len(REPORT)]), (0, REPORT))

    def test_the_program_needs_every_one_of_them(self):
        defined_in = {source: self.references(path)[1] for source, path in self.objects.items()}
        needed, unseen = set(), [self.program]
        while unseen:
            asked, _ = self.references(unseen.pop())
            for source in self.sources:
                if source not in needed and asked & defined_in[source]:
                    needed.add(source)
                    unseen.append(self.objects[source])
        self.assertEqual(sorted(needed), self.sources)

    def test_they_ask_for_no_heap_no_stdio_no_threads_and_nothing_that_throws(self):
        self.assertEqual(self.strangers(self.objects), {})

    def test_a_file_that_takes_memory_from_the_heap_would_be_seen(self):
        file = self.target.source_root / "src/source/malloc_resource.cpp"
        self.assertIn("malloc", self.strangers({**self.objects, "malloc": self.compiled(file)})["malloc"])

    def strangers(self, objects):
        """{file: what it asks for that it may not}"""
        references = {source: self.references(path) for source, path in objects.items()}
        ours = set().union(*(defined for _, defined in references.values()))
        found = {source: {name for name in asked - ours if not MAY_ASK_FOR.fullmatch(name)}
                 for source, (asked, _) in references.items()}
        return {source: names for source, names in found.items() if names}


if __name__ == "__main__":
    target.main()
