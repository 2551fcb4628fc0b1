#!/usr/bin/env python3
"""Buffers in sections of their own: what the image carries of them, what they hold after a reset, and what a wrong linker
script does to both.

Usage: sections_test.py SOURCE_ROOT BUILD_ROOT BOARD COMPILER [OPTION...]
"""

import pathlib
import re
import unittest

import target
from target import HERE, TargetTest

STATICS = ["yes: .bss is zero", "yes: .data has its first values", "yes: nothing is claimed"]
FIRST_BOOT = [*STATICS, "yes: a second claim fails"]
SECOND_BOOT = [
    *STATICS, "yes: the section keeps its bytes, and a claim leaves them alone", "yes: claim_zeroed writes zeros",
    "yes: over its own bytes only", "yes: the arena is empty"]
LOST = SECOND_BOOT[3].replace("yes", "no")

RIGHT = ".usbsram (NOLOAD) : ALIGN(8) { *(.usbsram .usbsram.*) } > USBSRAM"
NAMES = {"without": RIGHT.replace(" (NOLOAD)", ""),
         "without, stored in the flash": RIGHT.replace(" (NOLOAD)", "") + " AT > FLASH"}
BYTES_IN_USBSRAM = 1024 + 256 + 64


class Sections(TargetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.object = cls.target.compile(HERE / "sections.cpp", cls.directory / "sections.o")
        cls.right = cls.target.link(cls.directory / "right.elf", cls.object)
        cls.wrong = {name: cls.linked_by(name, text) for name, text in NAMES.items()}

    @classmethod
    def linked_by(cls, name, text):
        """With one line of the script changed, in a copy."""
        shared = (cls.target.board_directory / "sections.ld").read_text()
        if shared.count(RIGHT) != 1:
            raise AssertionError(f"sections.ld no longer says {RIGHT}")
        directory = pathlib.Path(cls.directory / name.replace(" ", "_"))
        directory.mkdir()
        (directory / "sections.ld").write_text(shared.replace(RIGHT, text))
        return cls.target.link(directory / "wrong.elf", cls.object, script_directory=directory)

    def test_the_object_file_has_the_bytes_of_a_name_of_ones_own_and_none_of_noinit(self):
        sections = self.target.sections(self.object)
        self.assertIn("CONTENTS", sections[".usbsram"].flags)
        self.assertEqual(sections[".usbsram"].size, BYTES_IN_USBSRAM)
        self.assertNotIn("CONTENTS", sections[".noinit"].flags)
        self.assertEqual(sections[".noinit"].size, 8)

    def test_the_flags_lie_in_bss(self):
        symbols = self.target.symbols(self.right)
        flags = [address for name, address in symbols.items() if name.endswith("5flag_E")]
        self.assertEqual(len(flags), 4, "one for each array")
        for address in flags:
            self.assertTrue(symbols["board_bss_begin"] <= address < symbols["board_bss_end"])

    def test_with_noload_the_image_carries_none_of_the_bytes(self):
        sections = self.target.sections(self.right)
        carried = [".text", ".ARM.extab", ".ARM.exidx", ".data"]
        image = self.target.image(self.right)
        padding = 8 * len(carried)
        self.assertLessEqual(len(image), sum(sections[name].size for name in carried if name in sections) + padding)
        self.assertEqual(len(image), self.target.image_size(self.right))
        self.assertNotIn(bytes(256), image)
        self.assertEqual(sections[".usbsram"].size, BYTES_IN_USBSRAM, "and they have their place all the same")

    def test_without_noload_the_image_carries_the_gap_between_flash_and_ram_too(self):
        wrong = self.wrong["without"]
        flash = self.target.sections(wrong)[".text"].load_address
        section = self.target.sections(wrong)[".usbsram"]
        self.assertIn("LOAD", section.flags)
        size = self.target.image_size(wrong)
        self.assertEqual(size, section.address - flash + BYTES_IN_USBSRAM)
        self.assertGreater(size, 500_000_000)

    def test_without_noload_and_stored_in_the_flash_the_image_carries_the_zeros(self):
        image = self.target.image(self.wrong["without, stored in the flash"])
        more = len(image) - len(self.target.image(self.right))
        self.assertTrue(BYTES_IN_USBSRAM <= more < BYTES_IN_USBSRAM + 64, more) # 64: the alignment of the frames
        self.assertEqual(image[-BYTES_IN_USBSRAM:], bytes(BYTES_IN_USBSRAM))

    def test_a_reset_keeps_the_bytes_and_frees_the_claims(self):
        result = self.target.run(self.right)
        self.assertEqual((result.status, self.lines(result)), (0, FIRST_BOOT + SECOND_BOOT))

    def test_a_raw_image_does_the_same(self):
        if self.target.sections(self.right)[".text"].load_address != 0:
            self.skipTest("QEMU loads a raw image at 0, and this board's flash is elsewhere")
        self.target.image(self.right)
        result = self.target.run(self.right.with_suffix(".bin"))
        self.assertEqual((result.status, self.lines(result)), (0, FIRST_BOOT + SECOND_BOOT))

    def test_without_noload_whoever_loads_the_program_writes_over_the_bytes(self):
        # QEMU loads its -kernel again at a reset, as a debugger does.
        result = self.target.run(self.wrong["without"])
        self.assertNotEqual(result.status, 0)
        self.assertIn(LOST, self.lines(result))

    @staticmethod
    def lines(result):
        return [line for line in result.output.splitlines() if re.match("(yes|no): ", line)]


if __name__ == "__main__":
    target.main()
