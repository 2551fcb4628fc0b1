"""Static memory that must not compile, and what the compiler says then. Each mistake is tried with its like that is right."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from compiling import MistakesTest, compile_text, with_each_compiler  # noqa: E402

SLOT = """
#include <allot/core/static_slot.hpp>
struct plain {
  explicit plain(std::span<std::byte>) noexcept {}
};
constinit allot::static_slot<plain, 64, 4> slot;
"""

BUFFER = """
#include <allot/source/static_buffer.hpp>
constinit allot::static_buffer<64, 4> buffer;
auto claimed() { return buffer.claim(); }
"""

SECTION = """
#include <allot/source/section_buffer.hpp>
std::byte array[64];
constinit allot::section_buffer<array> buffer;
"""

ONCE = """
#include <allot/core/once.hpp>
#include <optional>
constinit allot::once<int> value;
void make() { value.try_call_once([] { return std::optional<int>{1}; }); }
"""


class RefusedStatics(MistakesTest):
    @with_each_compiler
    def test_a_slot_takes_no_resource_whose_constructor_may_throw(self, compiler):
        self.refuses_instead(compiler, SLOT, "noexcept", "", "a throw would spend the slot")

    @with_each_compiler
    def test_a_temporary_buffer_cannot_be_claimed(self, compiler):
        self.refuses_instead(compiler, BUFFER, "buffer.claim", "allot::static_buffer<64, 4>{}.claim", "")

    @with_each_compiler
    def test_a_slot_takes_no_resource_that_is_made_from_something_else(self, compiler):
        claimed = SLOT + "auto& claimed() { return slot.claim(); }"
        self.refuses_instead(compiler, claimed, "std::span<std::byte>)", "int)", "is made from std::span<std::byte>")

    @with_each_compiler
    def test_slots_and_buffers_have_bytes(self, compiler):
        self.refuses_instead(compiler, SLOT, "64", "0", "a slot of no bytes can serve nothing")
        self.refuses_instead(compiler, BUFFER, "64", "0", "a buffer of no bytes has nothing to claim")

    @with_each_compiler
    def test_alignments_are_powers_of_two(self, compiler):
        self.refuses_instead(compiler, SLOT, "4>", "3>", "the alignment is a power of two")
        self.refuses_instead(compiler, BUFFER, "4>", "0>", "the alignment is a power of two")

    @with_each_compiler
    def test_a_copy_would_be_a_second_claim(self, compiler):
        self.refuses_instead(compiler, BUFFER + "auto& other = buffer;", "auto& other", "auto other", "deleted")
        self.refuses_instead(compiler, SLOT + "auto& other = slot;", "auto& other", "auto other", "deleted")

    @with_each_compiler
    def test_a_claim_that_nobody_takes_is_a_warning(self, compiler):
        for text in (BUFFER, SLOT):
            name = "buffer" if text is BUFFER else "slot"
            status, messages = compile_text(compiler, f"{text}void f() {{ {name}.claim(); }}", "-Werror")
            self.assertNotEqual(status, 0)
            self.assertIn("nodiscard", messages)

    @with_each_compiler
    def test_a_section_buffer_is_over_bytes(self, compiler):
        self.refuses_instead(compiler, SECTION, "std::byte array", "int array", "the buffer is an array of std::byte")

    @with_each_compiler
    def test_an_initialiser_that_can_say_no_gives_what_the_value_is_made_from(self, compiler):
        self.refuses_instead(compiler, ONCE, "std::optional<int>{1}", "true", "no match")

    @with_each_compiler
    def test_a_once_holds_one_object(self, compiler):
        for wrong in ("int[2]", "int&", "const int"):
            self.refuses_instead(compiler, ONCE.split("void make")[0], "int>", f"{wrong}>", "the value is an object, no array")


if __name__ == "__main__":
    unittest.main()
