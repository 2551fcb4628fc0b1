#!/usr/bin/env python3
"""What docs/firmware.md tells its reader holds: the program runs, and each trap looks as the page says.

Usage: page_test.py SOURCE_ROOT BUILD_ROOT BOARD COMPILER [OPTION...]
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "layout"))

import target  # noqa: E402
from target import TargetTest  # noqa: E402

MAIN = "int main() { return 0; }\n"


class Page(TargetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.text = (cls.target.source_root / "docs/firmware.md").read_text()
        cls.no_heap = cls.target.build_root / "src/firmware/liballot_no_heap.a"
        cls.is_armv6m = "-mcpu=cortex-m0" in cls.target.command

    def block(self, words):
        return self.only("cpp", words)

    def only(self, language, words):
        """The only one of the page's examples in this language that holds these words."""
        [found] = [code for code in re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL) if words in code]
        return found

    def linked(self, code, *options):
        source = self.directory / "program.cpp"
        source.write_text(code)
        return self.target.link(self.directory / "program.elf", *options, source)

    def without_heap(self):
        return ["-Wl,--whole-archive", self.no_heap, "-Wl,--no-whole-archive"]

    def shown(self, words):
        """The page has these words: what a test looks for is what the reader reads."""
        self.assertIn(words, self.text)
        return words

    def test_the_program_runs(self):
        for options in [], self.without_heap():
            self.assertEqual(self.target.run(self.linked(self.block("int main()"), *options)).status, 0)

    def test_a_trap_of_ones_own_takes_its_place(self):
        code = ("#include <allot/core/failure.hpp>\n#include <board/board.hpp>\n"
                "[[noreturn]] static void your_reset() { board::exit(41); }\n" + self.block("allot_trap() noexcept")
                + "int main() { allot::halt({}); }\n")
        self.assertEqual(self.target.run(self.linked(code)).status, 41)

    def test_the_array_of_a_section_lies_there_and_its_flag_does_not(self):
        array, claim = self.block("ALLOT_SECTION_BUFFER").strip().split("\n\n")
        elf = self.linked("#include <allot/source/section_buffer.hpp>\n" + array +
                          f"\nint main() {{ {claim} return frames[2047] == std::byte{{}} ? 0 : 1; }}\n")
        self.assertEqual(self.target.sections(elf)[".usbsram"].size, 2048)
        self.assertEqual(self.target.run(elf).status, 0)

    def test_a_section_is_for_one_kind_of_variable(self):
        code = ("#include <allot/source/section_buffer.hpp>\n"
                'ALLOT_SECTION_BUFFER(usb_frames, 64, 8, ".usbsram");\n'
                'extern const int answer; [[gnu::section(".usbsram")]] const int answer = 42;\n' + MAIN)
        with self.assertRaises(target.LinkError) as raised:
            self.linked(code)
        self.assertIn(self.shown("section type conflict"), str(raised.exception))

    def test_a_misspelt_section_is_no_error_unless_the_linker_script_asks(self):
        code = ("#include <allot/source/section_buffer.hpp>\n"
                'ALLOT_SECTION_BUFFER(usb_frames, 2048, 8, ".usb%s");\n'
                "int main() { return usb_frames.claim_zeroed()[63] == std::byte{} ? 0 : 1; }\n")
        asks = self.directory / "asks.ld"
        asks.write_text(self.only("ld", "ASSERT(SIZEOF("))
        self.assertEqual(self.target.run(self.linked(code % "sram", asks)).status, 0)
        self.assertIn(".usbrsam", self.target.sections(self.linked(code % "rsam")))
        with self.assertRaises(target.LinkError) as raised:
            self.linked(code % "rsam", asks)
        self.assertIn("usb_frames is not in .usbsram", str(raised.exception))

    def test_an_atomic_of_ones_own_does_not_link_on_an_m0(self):
        code = "#include <atomic>\nstd::atomic<unsigned char> flag;\nint main() { return flag.exchange(1); }\n"
        if not self.is_armv6m:
            self.assertEqual(self.target.run(self.linked(code)).status, 0)
            return
        with self.assertRaises(target.LinkError) as raised:
            self.linked(code)
        self.assertIn(self.shown("undefined reference to `__atomic_exchange_1'"), str(raised.exception))

    def test_a_static_arena_object_is_registered_for_exit_and_a_static_arena_is_not(self):
        arena = "#include <allot/arena/static_arena.hpp>\n"
        use = "\nint main() { return memory.try_allocate(8) != nullptr ? 0 : 1; }\n"
        plain = self.target.symbols(self.linked(
            arena + "static allot::bump_resource<2048> memory;" + use))
        self.assertTrue([name for name in plain if name.startswith("_GLOBAL__sub_I_")])
        self.assertIn(self.shown("__aeabi_atexit"), plain)
        claimed = self.target.symbols(self.linked(
            arena + "constinit allot::static_arena<2048> slot;"
            "\nint main() { return slot.claim().try_allocate(8) != nullptr ? 0 : 1; }\n", *self.without_heap()))
        self.assertFalse([name for name in claimed if name.startswith("_GLOBAL__sub_I_")])

    def test_static_locals_bring_their_guards_where_they_are_thread_safe(self):
        code = ("#include <board/board.hpp>\nstruct value { value() { board::write(\"made\\n\"); } int n = 3; };\n"
                "int main() { static value one; return one.n; }\n")
        guarded = self.target.symbols(self.linked(code, "-fthreadsafe-statics"))
        self.assertIn(self.shown("__cxa_guard_acquire"), guarded)
        self.assertNotIn("__cxa_guard_acquire", self.target.symbols(self.linked(code, self.shown("-fno-threadsafe-statics"))))

    def test_a_growing_vector_leaves_508_bytes_behind_for_160(self):
        self.shown("508 bytes for 160")
        code = ("#include <allot/arena/bump_resource.hpp>\n#include <vector>\n"
                "int main() { allot::bump_resource<1024, 4> arena; std::pmr::vector<int> v{&arena};\n"
                "for (int i = 0; i < 40; ++i) v.push_back(i);\n"
                "return arena.used() == 508 && 40 * sizeof(int) == 160 ? 0 : 1; }\n")
        self.assertEqual(self.target.run(self.linked(code)).status, 0)

    def test_other_checks_on_one_side_do_not_link(self):
        code = ("#include <allot/arena/static_arena.hpp>\nconstinit allot::static_arena<64> memory;\n"
                "int main() { return memory.claim().try_allocate(8) != nullptr ? 0 : 1; }\n")
        level, word = (0, "unchecked") if self.target.checked else (1, "checked")
        with self.assertRaises(target.LinkError) as raised:
            self.linked(code, "-UALLOT_CHECK_LEVEL", f"-DALLOT_CHECK_LEVEL={level}")
        self.assertIn(f"allot::v0_1_{word}_no_exceptions::", str(raised.exception))
        self.shown("allot::v0_1_unchecked_no_exceptions::")


if __name__ == "__main__":
    target.main()
