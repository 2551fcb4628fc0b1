"""What make_in must not compile, since its memory would come from elsewhere, and what the compiler says then."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from compiling import compile_text, errors_in, with_each_compiler  # noqa: E402

HEAD = """
#include <allot/construct/make_in.hpp>
#include <allot/source/null_resource.hpp>
#include <map>
#include <tuple>
allot::null_resource typed;
std::pmr::memory_resource& erased = typed;
"""


class RefusedMake(unittest.TestCase):
    @with_each_compiler
    def test_a_type_that_takes_no_allocator_of_the_resource(self, compiler):
        for container, arguments in (("std::vector<int>", "1000"), ("std::vector<int>", "{1, 2}"),
                                     ("std::string", '"long"'), ("std::map<int, int>", ""),
                                     ("std::pair<std::string, int>", '"long", 1')):
            for resource in ("typed", "erased"):
                call = ", ".join(filter(None, (resource, arguments)))
                status, messages = compile_text(compiler, HEAD + f"auto made = allot::make_in<{container}>({call});")
                self.assertNotEqual(status, 0, f"{container} compiles")
                self.assertIn("name std::pmr::vector<int>, or the template alone", "\n".join(errors_in(messages)))

    @with_each_compiler
    def test_none_that_takes_one_somewhere(self, compiler):
        for container in ("std::pmr::vector<int>", "std::pair<int, std::pmr::string>",
                          "std::pair<std::pair<std::pmr::string, int>, int>", "std::tuple<int, std::pmr::string>",
                          "std::vector<int, allot::allocator<int, allot::null_resource>>"):
            self.assertEqual(compile_text(compiler, HEAD + f"auto made = allot::make_in<{container}>(typed);"), (0, ""))
        for call in ("allot::make_in<std::vector, int>(typed, 1000)", "allot::make_in<std::vector, int>(erased, {1, 2})"):
            self.assertEqual(compile_text(compiler, HEAD + f"auto made = {call};"), (0, ""))


if __name__ == "__main__":
    unittest.main()
