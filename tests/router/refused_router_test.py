"""Routers that must not compile, and what the compiler says then. Each mistake is tried with its like that is right."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from compiling import MistakesTest, with_each_compiler  # noqa: E402

ROUTERS = """
#include <allot/arena/bump_resource.hpp>
#include <allot/router/fallback_router.hpp>
#include <allot/router/size_router.hpp>
#include <allot/source/malloc_resource.hpp>
using allot::up_to, allot::otherwise;
allot::bump_resource<64> arena;
allot::malloc_resource heap;
allot::fallback_router spill{arena, heap};
allot::fallback_router nested{arena, spill};
allot::size_router sizes{up_to(8, arena), up_to(64, arena), otherwise(heap)};
auto& second = sizes.branch<1>();
auto& other = spill;
auto& more = sizes;
"""


class RefusedRouters(MistakesTest):
    def refuses(self, compiler, right, wrong, reason):
        self.refuses_instead(compiler, ROUTERS, right, wrong, reason)

    @with_each_compiler
    def test_a_primary_knows_its_own(self, compiler):
        for right, wrong in (("spill{arena, heap}", "spill{heap, arena}"),
                             ("nested{arena, spill}", "nested{spill, arena}"),
                             ("nested{arena, spill}", "nested{*std::pmr::new_delete_resource(), arena}")):
            self.refuses(compiler, right, wrong,
                         "the primary of a fallback_router says of every address whether it is its own")

    @with_each_compiler
    def test_otherwise_is_the_last_branch_and_only_the_last(self, compiler):
        for wrong in ("up_to(100, heap)", "otherwise(heap), otherwise(heap)", "otherwise(heap), up_to(100, heap)"):
            self.refuses(compiler, "otherwise(heap)", wrong, "the last branch, and no other, is otherwise(resource)")

    @with_each_compiler
    def test_there_is_no_branch_past_the_last(self, compiler):
        self.refuses(compiler, "sizes.branch<1>", "sizes.branch<3>", "the router has fewer branches")
        self.refuses(compiler, "sizes.branch<1>", "spill.branch<2>", "the router has two branches")

    @with_each_compiler
    def test_routers_are_not_copied(self, compiler):
        self.refuses(compiler, "auto& other", "auto other", "deleted")
        self.refuses(compiler, "auto& more", "auto more", "deleted")

    @with_each_compiler
    def test_a_temporary_is_no_branch(self, compiler):
        self.refuses(compiler, "otherwise(heap)", "otherwise(allot::malloc_resource{})", "")
        self.refuses(compiler, "up_to(8, arena)", "up_to(8, allot::bump_resource<64>{})", "")


if __name__ == "__main__":
    unittest.main()
