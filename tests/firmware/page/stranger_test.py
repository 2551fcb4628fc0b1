#!/usr/bin/env python3
"""Who follows docs/firmware.md in a project of his own, with his vendor's startup file and linker script, gets a program that
runs: once with Meson, once without.

Usage: stranger_test.py SOURCE_ROOT BUILD_ROOT BOARD COMPILER [OPTION...]
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "layout"))

import page  # noqa: E402
import target  # noqa: E402
from target import TargetTest, printed, run_compiler  # noqa: E402

VENDOR = pathlib.Path(__file__).parent / "vendor"
CROSS_FILE = """\
[binaries]
c = 'arm-none-eabi-gcc'
cpp = 'arm-none-eabi-g++'
ar = 'arm-none-eabi-ar'
strip = 'arm-none-eabi-strip'

[host_machine]
system = 'none'
cpu_family = 'arm'
cpu = 'cortex-m3'
endian = 'little'

[properties]
skip_sanity_check = true

[built-in options]
c_args = ['-mcpu=cortex-m3', '-mthumb']
cpp_args = ['-mcpu=cortex-m3', '-mthumb', '--specs=nano.specs', '-ffunction-sections', '-fdata-sections', '-fno-threadsafe-statics']
cpp_link_args = ['-mcpu=cortex-m3', '-mthumb', '--specs=nano.specs']
cpp_eh = 'none'
cpp_rtti = false
"""
PROJECT = "project('stranger', 'c', 'cpp', default_options: ['cpp_std=c++20', 'buildtype=minsize'])\n"
HEAP = re.compile(r" (_?malloc(_r)?|_sbrk)$", re.MULTILINE)


def block(text, language, words):
    """The only one of the page in this language that holds these words."""
    [found] = [code for code in re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) if words in code]
    return found


def quiet(*command):
    """What a command says; it fails the test where the command fails."""
    environment = {name: value for name, value in os.environ.items() if name not in ["CC", "CXX", "CFLAGS", "CXXFLAGS"]}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


class Stranger(TargetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.target.source_root
        cls.text = page.read(cls.root)
        for file in ["startup.c", "your_chip.ld"]:
            shutil.copy(VENDOR / file, cls.directory)
        (cls.directory / "main.cpp").write_text(block(cls.text, "cpp", "int main()"))
        compile_flags, link_flags = page.flags(cls.root)
        cls.command = ["arm-none-eabi-g++", *compile_flags, *link_flags, f"-I{cls.root / 'include'}"]
        run_compiler("arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-Os", "-c", cls.directory / "startup.c",
                     "-o", cls.directory / "startup.o")
        (cls.directory / "objects").mkdir()
        cls.library = []
        for source in page.sources(cls.root):
            cls.library.append(cls.directory / "objects" / (source.replace("/", "_") + ".o"))
            run_compiler(*cls.command, "-c", cls.root / source, "-o", cls.library[-1])

    def linked(self, *more, script="your_chip.ld"):
        elf = self.directory / "firmware.elf"
        run_compiler(*self.command, self.directory / "main.cpp", self.directory / "startup.o", *self.library, *more,
                     f"-T{self.directory / script}", "-o", elf)
        return elf

    def refused_link(self, *more, **options):
        with self.assertRaises(target.LinkError) as raised:
            self.linked(*more, **options)
        return str(raised.exception)

    def shown(self, words):
        self.assertIn(words, self.text)
        return words

    def runs_without_a_heap(self, elf):
        self.assertEqual(self.target.run(elf), (0, ""))
        self.assertNotRegex(printed("arm-none-eabi-nm", elf), HEAP)

    def no_heap(self):
        return self.root / self.shown("src/firmware/no_heap.cpp")

    def test_with_meson(self):
        project = self.directory / "project"
        project.mkdir()
        for file in ["main.cpp", "startup.c", "your_chip.ld"]:
            shutil.copy(self.directory / file, project)
        (project / "meson.build").write_text(PROJECT + block(self.text, "meson", "executable("))
        (project / "cross.ini").write_text(CROSS_FILE)
        (project / "subprojects").mkdir()
        (project / "subprojects/allot").symlink_to(self.root)
        build = project / "build"
        quiet("meson", "setup", build, project, "--cross-file", project / "cross.ini")
        quiet("meson", "compile", "-C", build, "-j", "2", "firmware")
        self.runs_without_a_heap(build / "firmware")

    def test_with_the_files_of_the_list(self):
        self.runs_without_a_heap(self.linked(self.no_heap()))

    def test_with_link_time_optimization_of_all_but_the_object_that_keeps_the_heap_out(self):
        compiled_apart = self.directory / "no_heap.o"
        run_compiler(*self.command, self.shown("-fno-lto"), "-c", self.no_heap(), "-o", compiled_apart)
        self.runs_without_a_heap(self.linked(compiled_apart, "-flto"))

    def test_without_the_object_that_keeps_the_heap_out_the_linker_asks_for_one(self):
        self.assertIn(self.shown("undefined reference to `_sbrk'"), self.refused_link())

    def test_without_gccs_startup_files_the_vendors_does_not_link(self):
        self.assertIn(self.shown("undefined reference to `_init'"),
                      self.refused_link(self.no_heap(), self.shown("-nostartfiles")))

    def test_the_linker_refuses_what_leaves_no_room_for_the_stack(self):
        script = (VENDOR / "your_chip.ld").read_text() + block(self.text, "ld", "no room for the stack")
        (self.directory / "asserts.ld").write_text(script)
        self.runs_without_a_heap(self.linked(self.no_heap(), script="asserts.ld"))
        (self.directory / "asserts.ld").write_text(script.replace("LENGTH = 8K", "LENGTH = 4K"))
        self.assertIn("no room for the stack", self.refused_link(self.no_heap(), script="asserts.ld"))

    def test_the_linker_refuses_what_does_not_fit_into_the_ram(self):
        small = (VENDOR / "your_chip.ld").read_text().replace("LENGTH = 8K", "LENGTH = 1K")
        (self.directory / "small.ld").write_text(small)
        said = self.refused_link(self.no_heap(), script="small.ld")
        self.assertIn(self.shown("section `.bss' will not fit in region `RAM'"), said)
        self.assertRegex(said, r"region `RAM' overflowed by \d+ bytes")

    def test_on_a_machine_with_a_system_the_build_has_no_object_that_keeps_the_heap_out(self):
        build = self.directory / "with_a_system"
        quiet("meson", "setup", build, self.root, self.shown("-Dparts=bare_metal"))
        targets = [one["name"] for one in json.loads(quiet("meson", "introspect", "--targets", build))]
        self.assertIn("allot", targets)
        self.assertNotIn("allot_no_heap", targets) # which does not compile there


if __name__ == "__main__":
    target.main()
