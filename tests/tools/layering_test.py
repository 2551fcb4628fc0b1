"""Tests of tools/layering.py: on small made-up trees, and on a copy of this one with an arrow turned."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "layering.py"


def judge(root):
    """(exit status, output) of the tool for the tree at `root`."""
    run = subprocess.run([sys.executable, TOOL, root], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return run.returncode, run.stdout


def judge_file(path, text):
    """The tool's judgement of a tree that holds one file."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / path
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
        return judge(folder)


class Rules(unittest.TestCase):
    def accepts(self, path, text):
        status, output = judge_file(path, text)
        self.assertEqual(status, 0, output)

    def rejects(self, path, text, reason):
        status, output = judge_file(path, text)
        self.assertEqual(status, 1, output)
        self.assertIn(reason, output)

    def test_down_and_the_own_room_are_allowed(self):
        self.accepts("include/allot/arena/a.hpp", "#include <allot/core/b.hpp>\n")
        self.accepts("include/allot/arena/a.hpp", "#include <allot/arena/b.hpp>\n")
        self.accepts("include/allot/detail/a.hpp", "#include <allot/core/b.hpp>\n")
        self.accepts("src/testing/a.cpp", "#include <allot/adaptor/b.hpp>\n")
        self.accepts("include/allot/allot.hpp", "#include <allot/testing/b.hpp>\n")

    def test_up_is_not(self):
        self.rejects("include/allot/core/a.hpp", "#include <allot/detail/b.hpp>\n", "up, from core")
        self.rejects("src/source/a.cpp", "#include <allot/testing/b.hpp>\n", "up, from source")
        self.rejects("include/allot/testing/a.hpp", "#include <allot/allot.hpp>\n", "up, from testing")

    def test_sideways_is_not(self):
        self.rejects("include/allot/arena/a.hpp", "#include <allot/source/b.hpp>\n", "sideways")
        self.rejects("src/report/a.cpp", "#include <allot/testing/b.hpp>\n", "sideways")

    def test_boost_is_for_the_headers_that_are_for_it(self):
        for header in ("as_boost", "as_std", "boost_interface", "boost_pmr"):
            self.accepts(f"include/allot/interop/{header}.hpp", "#include <boost/version.hpp>\n")
        self.rejects("include/allot/interop/other.hpp", "#include <boost/version.hpp>\n", "belong")

    def test_posix_headers_are_for_the_sources_that_write_and_that_handle_signals(self):
        self.accepts("src/detail/write_whole.cpp", "#include <unistd.h>\n")
        self.accepts("src/adaptor/crash_dump.cpp", "#include <signal.h>\n")
        self.rejects("src/adaptor/crash_dump.cpp", "#include <unistd.h>\n", "belong")
        self.rejects("include/allot/adaptor/crash_dump.hpp", "#include <signal.h>\n", "belong")

    def test_standard_valgrind_and_sanitizer_headers_are_allowed_and_no_others(self):
        self.accepts("src/core/a.cpp", "#include <cstddef>\n#include <memory_resource>\n")
        self.accepts("include/allot/detail/a.hpp", "#include <sanitizer/asan_interface.h>\n")
        self.accepts("include/allot/detail/a.hpp", "#include <valgrind/memcheck.h>\n")
        self.rejects("src/core/a.cpp", "#include <doctest/doctest.h>\n", "neither")

    def test_a_form_that_cannot_be_judged_is_refused(self):
        self.rejects("src/core/a.cpp", '#include "b.hpp"\n', "not of the form")
        self.rejects("src/core/a.cpp", "#include HEADER\n", "not of the form")

    def test_a_sentence_that_stops_the_compiler_is_no_arrow(self):
        self.accepts("include/allot/core/a.hpp", '#include "allot needs C++20"\n')

    def test_spaces_do_not_hide_an_include_and_comments_are_none(self):
        self.rejects("src/core/a.cpp", "  #  include  <allot/arena/b.hpp>  // why\n", "up")
        self.accepts("src/core/a.cpp", "// #include <allot/arena/b.hpp>\n#include <new>\n")
        self.accepts("src/core/a.cpp", "/*\n#include <allot/arena/b.hpp>\n*/\n#include <new>\n")

    def test_an_unknown_room_is_refused(self):
        self.rejects("include/allot/attic/a.hpp", "#include <allot/core/b.hpp>\n", "no room")
        self.rejects("include/allot/core/a.hpp", "#include <allot/attic/b.hpp>\n", "no room")

    def test_an_empty_tree_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(judge(folder)[0], 2)


class ThisTree(unittest.TestCase):
    def test_fails_once_an_arrow_is_turned_around(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            for top in ("include", "src"):
                shutil.copytree(ROOT / top, copy / top)
            status, output = judge(copy)
            self.assertEqual(status, 0, output)

            upper, lower = self.an_arrow_between_rooms(copy / "include")
            with (copy / "include" / lower).open("a", encoding="utf-8") as file:
                file.write(f"#include <{upper}>\n")
            status, output = judge(copy)
            self.assertEqual(status, 1, output)
            self.assertIn(f"include/{lower}", output)

    def an_arrow_between_rooms(self, include):
        """(from, to) of one #include that leaves its room, as names below include/."""
        for path in sorted(include.rglob("*.hpp")):
            for target in re.findall(r"^#include <(allot/\w+/\w+\.hpp)>", path.read_text(), re.MULTILINE):
                name = path.relative_to(include).as_posix()
                if name.count("/") == 2 and name.split("/")[1] != target.split("/")[1]:
                    return name, target
        self.fail("no arrow between two rooms to turn around")


if __name__ == "__main__":
    unittest.main()
