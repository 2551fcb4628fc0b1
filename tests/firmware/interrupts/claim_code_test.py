#!/usr/bin/env python3
"""Reads the machine code of a claim: how the core makes it one step.

Usage: claim_code_test.py OBJDUMP CORE IMAGE

CORE is Meson's name of it, for example cortex-m3. IMAGE has a claim, and nothing else, in the section watched_code. It was
compiled for size.
"""

import re
import subprocess
import sys
import unittest

INSTRUCTION = re.compile(r"^ *[0-9a-f]+:\t([a-z.]+)", re.MULTILINE)

# A load and a store that belong together: the store fails if anything came in between.
EXCLUSIVE = {
    "cortex-m3": ("ldrexb", "strexb"),
    "cortex-m4": ("ldrexb", "strexb"),
    "cortex-m33": ("ldaexb", "stlexb"),
}
LONGEST_MASK = 4  # as claim_flag.hpp and docs/firmware.md have it


def instructions():
    text = subprocess.run([OBJDUMP, "-d", "--no-show-raw-insn", "-j", "watched_code", IMAGE], check=True,
                          capture_output=True, text=True).stdout
    return [name.removesuffix(".n").removesuffix(".w") for name in INSTRUCTION.findall(text)]


class Claim(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.code = instructions()

    def test_is_there_and_calls_nothing(self):
        self.assertIn("bx", self.code)
        self.assertFalse({"bl", "blx"} & set(self.code), self.code)

    def test_masks_interrupts_for_a_few_instructions_where_the_core_has_no_exclusive_ones(self):
        if CORE in EXCLUSIVE:
            self.assertNotIn("cpsid", self.code)
            return
        self.assertEqual(1, self.code.count("cpsid"), self.code)
        masked = self.code[self.code.index("cpsid") + 1:self.code.index("msr")]
        self.assertIn("ldrb", masked)
        self.assertIn("strb", masked)
        self.assertLessEqual(len(masked), LONGEST_MASK, masked)
        self.assertEqual("mrs", self.code[self.code.index("cpsid") - 1], "the mask from before is not kept")

    def test_is_exclusive_where_the_core_can(self):
        if CORE not in EXCLUSIVE:
            return
        load, store = EXCLUSIVE[CORE]
        self.assertEqual(1, self.code.count(load), self.code)
        self.assertEqual(1, self.code.count(store), self.code)
        self.assertLess(self.code.index(load), self.code.index(store))
        self.assertNotIn("strb", self.code)


if __name__ == "__main__":
    OBJDUMP, CORE, IMAGE = sys.argv[1:4]
    unittest.main(argv=sys.argv[:1])
