#!/usr/bin/env python3
"""What arrives of a failure on a target: the record over semihosting, where a handler sends it, and an exit status.

Usage: failures_test.py SOURCE_ROOT BUILD_ROOT BOARD COMPILER [OPTION...]
"""

import unittest

import target
from target import HERE, TargetTest

# The handler of failures.cpp adds the number of the reason, as failure_reason has it.
OUT_OF_MEMORY, BUDGET_EXCEEDED, ALREADY_CLAIMED, UNINITIALISED, WRONG_DEALLOCATION, PRECONDITION = 40, 41, 42, 43, 45, 46
FAULT, OWN_TRAP = 134, 77
COMPILED_IN = ["adaptor/limit_ledger", "core/claim_flag", "core/failure", "core/once", "core/trap", "detail/block_list"]

# In the order of failures.cpp.
CASES = [
    "exhaust_an_arena", "exhaust_a_pool", "claim_an_arena_twice", "claim_a_buffer_twice", "ask_over_budget",
    "read_too_early", "give_back_what_was_never_given", "give_an_arena_a_wrong_size", "give_a_pool_a_foreign_block"]
HANDLERS = [None, "say_and_exit", "say_and_return"]


class Failures(TargetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls.target.compile(HERE / "failures.cpp", cls.directory / "failures.o")
        cls.own_trap = cls.target.compile(HERE / "own_trap.cpp", cls.directory / "own_trap.o")

    def linked(self, case, handler, *inputs, **options):
        choice = f"-Wl,--defsym=chosen_case={CASES.index(case)},--defsym=chosen_handler={HANDLERS.index(handler)}"
        return self.target.link(self.directory / f"{case}.elf", choice, *(inputs or [self.program]), **options)

    def run_case(self, case, handler="say_and_exit", *inputs, **options):
        """(exit status, output)"""
        return tuple(self.target.run(self.linked(case, handler, *inputs, **options)))

    def expect_record(self, case, status, line):
        self.assertEqual(self.run_case(case), (status, f"allot: {line}\n"))

    def expect_precondition(self, case, file, condition):
        if not self.target.checked:
            self.skipTest("this build has no checks")
        status, output = self.run_case(case)
        self.assertEqual(status, PRECONDITION)
        self.assertRegex(output, rf"^allot: \S*/{file}:\d+: precondition violated: {condition}.*\n$")

    def test_an_exhausted_arena(self):
        self.expect_record("exhaust_an_arena", OUT_OF_MEMORY,
                           'bump_resource "log": no room for 100 bytes aligned to 8: 200 of 256 bytes in use')

    def test_an_exhausted_pool(self):
        self.expect_record("exhaust_a_pool", OUT_OF_MEMORY,
                           'block_pool_resource "nodes": no room for 16 bytes aligned to 8: 32 of 32 bytes in use: '
                           'every block is in use')

    def test_a_second_claim_of_an_arena(self):
        self.expect_record("claim_an_arena_twice", ALREADY_CLAIMED,
                           'static_slot "trace": already claimed, and can be claimed only once (256 bytes)')

    def test_a_second_claim_of_a_buffer(self):
        self.expect_record("claim_a_buffer_twice", ALREADY_CLAIMED,
                           'static_buffer "tx": already claimed, and can be claimed only once (128 bytes)')

    def test_a_request_over_budget(self):
        self.expect_record("ask_over_budget", BUDGET_EXCEEDED,
                           'limit_adaptor "radio": over budget by a request for 60 bytes aligned to 4: '
                           '50 of 100 bytes in use')

    def test_a_value_that_is_read_before_it_is_made(self):
        self.expect_record("read_too_early", UNINITIALISED, "once: read before it was initialised")

    def test_a_deallocation_to_a_resource_that_gave_nothing(self):
        elf = self.linked("give_back_what_was_never_given", "say_and_exit")
        at = self.target.symbols(elf)["log_memory"]
        result = self.target.run(elf)
        self.assertEqual(result.status, WRONG_DEALLOCATION)
        self.assertIn(f"allot: null_resource: wrong deallocation of 24 bytes aligned to 8 at 0x{at:x}: "
                      "it never gave out a block\n", result.output)

    def test_a_wrong_size_that_comes_back_to_an_arena(self):
        self.expect_precondition("give_an_arena_a_wrong_size", "bump_resource.hpp", r"is_in_use\(block\)")

    def test_a_foreign_block_that_comes_to_a_pool(self):
        self.expect_precondition("give_a_pool_a_foreign_block", "block_pool_resource.hpp", r"shape::serves")

    def test_a_handler_that_returns_ends_in_the_trap(self):
        self.assertEqual(self.run_case("exhaust_an_arena", "say_and_return"), (FAULT, "bump_resource\nfault\n"))

    def test_without_a_handler_the_trap_is_all(self):
        self.assertEqual(self.run_case("exhaust_an_arena", None), (FAULT, "fault\n"))

    def test_a_trap_of_the_programs_own_takes_the_place_of_the_librarys(self):
        self.assertEqual(self.run_case("exhaust_an_arena", None, self.program, self.own_trap), (OWN_TRAP, "own trap\n"))

    def test_a_trap_of_the_programs_own_takes_the_place_of_one_that_is_compiled_in(self):
        library = [self.target.compile(self.target.source_root / "src" / f"{name}.cpp",
                                       self.directory / f"{name.replace('/', '_')}.o") for name in COMPILED_IN]
        own, alone = [self.program, self.own_trap], [self.program]
        for objects, end in [(own + library, (OWN_TRAP, "own trap\n")), (library + own, (OWN_TRAP, "own trap\n")),
                             (alone + library, (FAULT, "fault\n"))]:
            self.assertEqual(self.run_case("exhaust_an_arena", None, *objects, libraries=[self.target.board_library]), end)


if __name__ == "__main__":
    target.main()
