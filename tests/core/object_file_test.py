#!/usr/bin/env python3
"""Compiles static_objects.cpp and reads the object file: static memory costs a program nothing but .bss.

Usage: object_file_test.py INCLUDE_DIR COMPILER [OPTION...]

-DNO_TRACE_RING leaves trace_ring out, for cores that have none. Exit status: 0 when every claim holds, 77 when there is no
such compiler or no objdump for it.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).with_name("static_objects.cpp")
STATICS = ["bss_arena", "bss_slot", "bss_slot_of_one", "bss_chain", "bss_buffer", "bss_once", "bss_flag", "bss_local",
           "bss_pool", "bss_shared", "bss_limited", "bss_ring"]

# "  3 .bss          00000d11  0000000000000000  0000000000000000  00000140  2**6", then a line of flags
SECTION = re.compile(r"^ *\d+ (\S+) +([0-9a-f]+) .*?2\*\*(\d+)\s+(.*)$", re.MULTILINE)
# "0000000000000040 g     O .usbsram  0000000000000200 usb_frames_bytes"
SYMBOL = re.compile(r"^[0-9a-f]+ .{7} (\S+)\t([0-9a-f]+) +(?:\.hidden )?(.+)$", re.MULTILINE)


class ObjectFile:
    """Sections as {name: (size, alignment, flags)}, and symbols as {unqualified name: section}."""

    def __init__(self, path):
        self.sections = {name: (int(size, 16), 1 << int(power), set(flags.split(", ")))
                         for name, size, power, flags in SECTION.findall(objdump("-h", path))}
        symbols = SYMBOL.findall(objdump("-tC", path))
        self.undefined = {name for where, _, name in symbols if where == "*UND*"}
        self.section_of = {name.split("::")[-1]: where for where, _, name in symbols if where != "*UND*"}
        self.size_of = {name: int(size, 16) for _, size, name in symbols}
        self.flag_sections = [where for where, _, name in symbols if name.endswith("_bytes>::flag_")]

    def takes_no_room_in_the_file(self, section):
        return "CONTENTS" not in self.sections[section][2]

    def matching(self, pattern):
        return [name for name in self.sections if re.match(pattern, name)]


def objdump(option, path):
    return subprocess.run([OBJDUMP, option, path], check=True, capture_output=True, text=True).stdout


def compiled(directory):
    path = pathlib.Path(directory) / "static_objects.o"
    subprocess.run([*COMMAND, "-std=c++20", f"-I{INCLUDE}", "-c", SOURCE, "-o", path], check=True)
    return path


class StaticMemory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            cls.object = ObjectFile(compiled(directory))

    def test_every_static_lies_in_bss(self):
        for name in STATICS:
            section = self.object.section_of[name]
            self.assertRegex(section, r"^\.bss($|\.)", name)
            self.assertTrue(self.object.takes_no_room_in_the_file(section), name)

    def test_nothing_runs_before_main(self):
        self.assertEqual(self.object.matching(r"\.(preinit_array|init_array|ctors)"), [])
        self.assertFalse([name for name in self.object.undefined if "cxa_guard" in name])

    def test_nothing_is_registered_for_exit(self):
        self.assertEqual(self.object.matching(r"\.(fini_array|dtors)"), [])
        registrars = {"__cxa_atexit", "__cxa_thread_atexit", "__aeabi_atexit", "atexit", "__dso_handle"}
        self.assertEqual(self.object.undefined & registrars, set())

    def test_what_is_not_zero_at_first_lies_in_data_and_takes_no_buffer_with_it(self):
        # Left out are constants that the loader relocates (virtual tables), and the compiler's own pointer to the
        # function that unwinds.
        data = [name for name in self.object.matching(r"\.data($|\.)")
                if not name.startswith(".data.rel.ro") and "DW.ref" not in name and self.object.sections[name][0]]
        self.assertEqual(data, [self.object.section_of["data_ledger"]])
        self.assertEqual(self.object.sections[data[0]][0], self.object.size_of["data_ledger"])

    def test_the_array_of_a_section_buffer_lies_in_its_section_and_its_flag_does_not(self):
        self.assertEqual(self.object.section_of["usb_frames_bytes"], ".usbsram")
        self.assertEqual(self.object.sections[".usbsram"][:2], (512, 64))
        self.assertEqual(len(self.object.flag_sections), 2, "one for each array")
        for section in self.object.flag_sections:
            self.assertRegex(section, r"^\.bss($|\.)")
            self.assertTrue(self.object.takes_no_room_in_the_file(section))

    def test_a_section_named_as_bss_takes_no_room_in_the_file(self):
        self.assertEqual(self.object.section_of["quiet_bytes"], ".bss.quiet")
        self.assertEqual(self.object.sections[".bss.quiet"][:2], (256, 16))
        self.assertTrue(self.object.takes_no_room_in_the_file(".bss.quiet"))


if __name__ == "__main__":
    INCLUDE, COMMAND = sys.argv[1], sys.argv[2:]
    if not shutil.which(COMMAND[0]):
        sys.exit(77)
    OBJDUMP = subprocess.run([COMMAND[0], "-print-prog-name=objdump"], check=True, capture_output=True,
                             text=True).stdout.strip()
    if not shutil.which(OBJDUMP):
        sys.exit(77)
    if "-DNO_TRACE_RING" in COMMAND:
        STATICS.remove("bss_ring")
    unittest.main(argv=sys.argv[:1])
