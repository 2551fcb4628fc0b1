#!/usr/bin/env python3
"""Reads the programs of this directory by tools/firmware/heap_free.py, and runs them.

Usage: heap_free_test.py SOURCE_ROOT BUILD_DIRECTORY BOARD
"""

import pathlib
import subprocess
import sys
import unittest

FAULT = 134
TRAP_OF_THE_PROGRAM = 3


def heap_in(name):
    """The exit status and the output for one program."""
    done = subprocess.run([sys.executable, TOOLS / "heap_free.py", BUILD / name, BUILD / f"{name}.map"],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def run(name):
    done = subprocess.run([sys.executable, TOOLS / "in_qemu.py", BOARD.replace("_", "-"), BUILD / name],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


class HeapFree(unittest.TestCase):
    def assert_runs(self, name, status, text):
        """QEMU may have words of its own on the console."""
        its_status, its_text = run(name)
        self.assertEqual(its_status, status, name)
        self.assertIn(text, its_text.splitlines() or [""], name)

    def assert_no_heap(self, name):
        self.assertEqual(heap_in(name), (0, ""), name)

    def assert_brought(self, name, *lines):
        """These lines, one after the other, stand in the answer for a program with a heap."""
        status, text = heap_in(name)
        self.assertEqual(status, 1, name)
        self.assertIn("\n    ".join(lines) + "\n", text)

    def test_every_end_of_a_program_comes_to_its_trap_and_brings_no_heap(self):
        for end in ["abort", "std__terminate", "__cxa_pure_virtual", "__cxa_deleted_virtual"]:
            name = f"ends_by_{end}"
            self.assert_no_heap(name)
            self.assert_runs(name, TRAP_OF_THE_PROGRAM, "allot_trap")

    def test_a_static_with_a_destructor_brings_no_heap_and_is_not_destroyed(self):
        self.assert_no_heap("registers_destructor")
        status, text = run("registers_destructor")
        self.assertEqual(status, 0)
        self.assertNotIn("destroyed", text)

    def test_without_the_object_it_brings_the_list_of_what_to_do_at_exit(self):
        self.assert_brought("registers_destructor_on_heap", "__cxa_atexit: in libc_nano.a(lib_a-cxa_atexit.o)",
                            "for __cxa_atexit in libstdc++_nano.a(atexit_arm.o)",
                            "for __aeabi_atexit in registers_destructor.cpp.o")

    def test_a_string_that_grows_brings_no_heap_and_ends_in_the_trap(self):
        self.assert_no_heap("grows_string")
        self.assert_runs("grows_string", FAULT, "fault")

    def test_without_the_object_it_brings_malloc(self):
        self.assert_brought("grows_string_on_heap", "malloc: in libc_nano.a(lib_a-malloc.o)",
                            "for malloc in libstdc++_nano.a(new_op.o)")
        self.assertEqual(run("grows_string_on_heap")[0], 0)

    def test_std_s_own_arena_brings_no_heap(self):
        self.assert_no_heap("std_monotonic")
        self.assertEqual(run("std_monotonic")[0], 0)

    def test_without_the_object_it_brings_malloc_and_the_list_of_what_to_do_at_exit(self):
        self.assert_brought("std_monotonic_on_heap", "__cxa_atexit: in libc_nano.a(lib_a-cxa_atexit.o)",
                            "for __cxa_atexit in libstdc++_nano.a(atexit_arm.o)",
                            "for __aeabi_atexit in libstdc++_nano.a(memory_resource.o)")
        self.assert_brought("std_monotonic_on_heap", "memalign: in libc_nano.a(lib_a-malign.o)",
                            "for memalign in libstdc++_nano.a(new_opa.o)")

    def test_a_call_of_malloc_is_found_and_its_caller_is_named(self):
        self.assert_brought("calls_malloc", "malloc: in libc_nano.a(lib_a-malloc.o)", "for malloc in calls_malloc.cpp.o")
        self.assert_brought("calls_malloc", "_sbrk_r: in libc_nano.a(lib_a-sbrkr.o)",
                            "for _sbrk_r in libc_nano.a(lib_a-nano-mallocr.o)",
                            "for _malloc_r in libc_nano.a(lib_a-malloc.o)", "for malloc in calls_malloc.cpp.o")

    def test_printf_is_found_for_the_malloc_that_it_brings(self):
        status, text = heap_in("prints")
        self.assertEqual(status, 1)
        self.assertRegex(text, r"_malloc_r: in libc_nano\.a\(.*\n(    for .*\n)*    for snprintf in prints\.cpp\.o\n")

    def test_a_throw_is_found_for_the_unwinder_that_it_brings(self):
        status, text = heap_in("throws")
        self.assertEqual(status, 1)
        self.assertRegex(text, r"_Unwind_RaiseException: in libgcc\.a\(.*\n(    for .*\n)*    for \S+ in throws\.cpp\.o\n")

    def test_a_file_that_cannot_be_judged_is_no_pass(self):
        for elf, linker_map in [("calls_malloc", "nothing.map"), ("nothing", "calls_malloc.map"),
                                ("calls_malloc", "calls_malloc")]:
            done = subprocess.run([sys.executable, TOOLS / "heap_free.py", BUILD / elf, BUILD / linker_map],
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 2, (elf, linker_map))


if __name__ == "__main__":
    TOOLS = pathlib.Path(sys.argv[1]) / "tools/firmware"
    BUILD, BOARD = pathlib.Path(sys.argv[2]), sys.argv[3]
    unittest.main(argv=sys.argv[:1])
