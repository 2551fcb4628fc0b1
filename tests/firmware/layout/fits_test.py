#!/usr/bin/env python3
"""Out of memory is found at link time: one byte too many does not link, and the linker says by how much; the largest buffer
that fits links and can be written to its last byte.

Usage: fits_test.py SOURCE_ROOT BUILD_ROOT BOARD COMPILER [OPTION...]
"""

import re
import unittest

import target
from target import HERE, Result, TargetTest

OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes?")
NO_STACK = "no room for the stack in RAM"
MORE_THAN_ANY_BOARD_HAS = 3 << 20
ARENA, SECTION = "-DIN_AN_ARENA", "-DIN_A_SECTION"
WORKS = Result(0, "written\nread back\n")


class Fits(TargetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.small = 64 + 7 # a multiple of 8 with the flag: one byte more takes 8
        cls.symbols = cls.target.symbols(cls.linked(cls.small))

    @classmethod
    def inputs(cls, size, kind):
        return [f"-DBYTES={size}", *([kind] if kind else []), HERE / "fits.cpp"]

    @classmethod
    def linked(cls, size, kind=None):
        return cls.target.link(cls.directory / "fits.elf", *cls.inputs(size, kind))

    def overflow(self, size, kind=None):
        """What the linker says where it refuses, as (region, bytes): None where it only has no room for the stack."""
        text = self.refused(self.directory / "fits.elf", *self.inputs(size, kind))
        found = OVERFLOW.search(text)
        if not found:
            self.assertIn(NO_STACK, text)
            return None
        return found[1], int(found[2])

    def runs(self, elf):
        self.assertEqual(self.target.run(elf), WORKS)

    @property
    def stack_size(self):
        return self.symbols["board_stack_size"]

    @property
    def room(self):
        """What the small program leaves of the RAM, the stack included."""
        return self.symbols["board_stack_top"] - self.symbols["board_heap_begin"]

    def test_the_largest_buffer_beside_the_stack_links_and_runs(self):
        largest = self.small + self.room - self.stack_size
        elf = self.linked(largest)
        symbols = self.target.symbols(elf)
        self.assertEqual(symbols["board_stack_top"] - symbols["board_heap_begin"], self.stack_size, "nothing is left")
        self.runs(elf)

    def test_one_byte_more_leaves_too_little_for_the_stack(self):
        self.assertIsNone(self.overflow(self.small + self.room - self.stack_size + 1))

    def test_one_byte_more_than_the_ram_overflows_its_region(self):
        self.assertIsNone(self.overflow(self.small + self.room), "all of the RAM is in the region, none is left to the stack")
        self.assertEqual(self.overflow(self.small + self.room + 1), ("RAM", 8)) # the next one of its alignment

    def test_an_arena_fits_when_it_is_smaller_by_what_the_linker_said(self):
        region, excess = self.overflow(MORE_THAN_ANY_BOARD_HAS, ARENA)
        self.assertEqual(region, "RAM")
        largest = MORE_THAN_ANY_BOARD_HAS - excess - self.stack_size
        self.runs(self.linked(largest, ARENA))
        self.assertIsNone(self.overflow(largest + 8, ARENA))
        self.assertEqual(self.overflow(largest + self.stack_size + 8, ARENA), ("RAM", 8))

    def test_the_largest_buffer_of_a_section_links_and_runs_and_one_byte_more_does_not_link(self):
        region, excess = self.overflow(MORE_THAN_ANY_BOARD_HAS, SECTION)
        self.assertEqual(region, "USBSRAM")
        largest = MORE_THAN_ANY_BOARD_HAS - excess
        self.assertGreater(largest, 0)
        self.runs(self.linked(largest, SECTION))
        self.assertEqual(self.overflow(largest + 1, SECTION), ("USBSRAM", 1))


if __name__ == "__main__":
    target.main()
