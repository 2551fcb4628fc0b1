"""Tests of tools/docs: on a small made-up tree, which is built without a complaint, and then with one thing wrong."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "docs"
sys.path.insert(0, str(TOOL))
sys.dont_write_bytecode = True
import headers  # noqa: E402
import pages  # noqa: E402

CONFIG = """\
#pragma once

#define ALLOT_VERSION_MAJOR 3 ///< first
#define ALLOT_VERSION_MINOR 4 ///< second
#define ALLOT_VERSION_PATCH 5 ///< third
#define ALLOT_ABI v3
"""

HEADER = """\
#pragma once

#include <allot/core/config.hpp>

namespace allot::inline ALLOT_ABI {

/// How it went.
enum class outcome { good, bad }; ///< two of them

namespace detail {
class hidden {};
} // namespace detail

/// Gives out a cup, says `'x'` and stops. The second sentence.
///
/// Guarantees
/// - The cup is full.
///
/// Costs: a cup.
/// Threads: one.
///
/// \\snippet tests/core/cup_test.cpp example
template <class Tea = int>
class cup final {
public:
  static constexpr const char* class_name = "cup";

  cup() = default;
  cup(const cup&) = delete;
  cup& operator=(const cup&) = delete;
  ~cup() = default;

  /// How much is in it.
  [[nodiscard]] int level() const noexcept { return level_; }
  [[nodiscard]] int height() const noexcept { return level_; }

  friend bool operator==(const cup&, const cup&) noexcept = default;

private:
  int level_ = 0;
};

template <class Tea>
cup(Tea) -> cup<Tea>;

/// Fills it.
void fill(cup<int>& empty) noexcept;

} // namespace allot::inline ALLOT_ABI
"""

TEST = """\
// [example]
allot::cup<> mine;
// [example]
"""

README = """\
# allot

See [the rooms](docs/contracts.md#the-rooms), `cup<Tea>` and [the licence](LICENSE).

## Twice
## Twice

[Second](#twice-1).
"""

CONTRACTS = """\
# Promises

## The rooms

| room | what lives there |
| --- | --- |
| `core/` | the words, as in [the README](../README.md#twice) |
"""


class Tree:
    """A tree that the tool takes for allot's own."""

    def __init__(self, folder):
        self.root = pathlib.Path(folder) / "tree"
        self.out = pathlib.Path(folder) / "out"
        for path, text in (("include/allot/core/config.hpp", CONFIG), ("include/allot/core/cup.hpp", HEADER),
                           ("tests/core/cup_test.cpp", TEST), ("README.md", README), ("LICENSE", "free\n"),
                           ("docs/contracts.md", CONTRACTS), ("docs/start.md", "# Start\n\nHere.\n")):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, encoding="utf-8")

    def change(self, path, old, new):
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, (path, old)
        file.write_text(text.replace(old, new), encoding="utf-8")

    def build(self, *arguments):
        """(exit status, output)."""
        run = subprocess.run([sys.executable, "-B", TOOL, self.out, "--root", self.root, *arguments], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return run.returncode, run.stdout

    def page(self, name):
        return (self.out / "html" / name).read_text(encoding="utf-8")


@unittest.skipUnless(shutil.which("doxygen"), "doxygen is not installed")
class Builds(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = Tree(folder.name)

    def fails(self, *words):
        status, output = self.tree.build()
        self.assertEqual(status, 1, output)
        for word in words:
            self.assertIn(word, output)
        self.assertRegex(output.splitlines()[-1], r"^\d+ passed, [1-9]\d* failed$")

    def test_a_tree_in_order_passes(self):
        status, output = self.tree.build()
        self.assertEqual(status, 0, output)
        self.assertRegex(output.splitlines()[-1], r"^\d+ passed, 0 failed$")
        page = self.tree.page("classallot_1_1cup.html")
        for words in ("allot::cup&lt; Tea &gt;", "height", "operator==", "mine", "3.4.5", "<code>&#39;x&#39;</code>"):
            self.assertIn(words, page.replace("'x'", "&#39;x&#39;"))
        self.assertNotIn("hidden", page)
        self.assertNotIn("level_", page)
        self.assertIn('href="classallot_1_1cup.html"', self.tree.page("index.html"), "a name in code is a link")
        self.assertIn("classallot_1_1cup.html", (self.tree.out / "html/search/searchdata.js").read_text(encoding="utf-8"))
        self.assertNotIn("free", output)
        self.assertTrue((self.tree.out / "html/tree/LICENSE").is_file())

    def test_a_theme_that_is_none_is_wrong_usage(self):
        status, output = self.tree.build("--theme", self.tree.root)
        self.assertEqual((status, "no doxygen-awesome.css" in output), (2, True), output)

    def test_a_member_without_a_comment_is_named_with_its_line(self):
        self.tree.change("include/allot/core/cup.hpp", "  /// How much is in it.\n", "\n")
        self.fails("include/allot/core/cup.hpp:34: warning: Member level() const noexcept")

    def test_a_class_without_a_comment_is_told(self):
        self.tree.change("include/allot/core/cup.hpp", "/// Fills it.", "struct saucer {};\n\n/// Fills it.")
        self.fails("cup.hpp:46: allot::saucer is on no room's page: give it a comment")

    def test_a_class_that_doxygen_is_kept_from_is_missed(self):
        self.tree.change("include/allot/core/cup.hpp", "/// Fills it.",
                         "/// \\cond\n/// A plate.\nclass plate {};\n/// \\endcond\n\n/// Fills it.")
        self.fails("allot::plate has no page")

    def test_an_example_that_is_gone_is_told(self):
        self.tree.change("tests/core/cup_test.cpp", TEST, "\n")
        self.fails("cup.hpp", "example")

    def test_a_link_to_no_file_is_told(self):
        self.tree.change("docs/start.md", "Here.", "[Here](there.md).")
        self.fails("docs/start.md:3: the link to there.md is broken: there is no docs/there.md")

    def test_a_link_to_no_heading_is_told_with_those_that_are_there(self):
        self.tree.change("docs/start.md", "Here.", "[Here](contracts.md#rooms).")
        self.fails("docs/start.md:3: the link to contracts.md#rooms is broken", "it has promises, the-rooms")

    def test_a_link_in_html_is_followed_too(self):
        self.tree.change("docs/start.md", "Here.", 'Here: <a href="nowhere.html">it</a>.')
        self.fails("the link to nowhere.html is broken: there is no nowhere.html")

    def test_a_command_that_stands_in_the_text_is_told(self):
        self.tree.change("include/allot/core/cup.hpp", "/// Guarantees", "///     full \\return tea\n///\n/// Guarantees")
        self.fails("\\return stands in the text")

    def test_a_picture_that_is_not_there_is_told(self):
        self.tree.change("docs/start.md", "Here.", "![A tree](pictures/tree.svg)")
        self.fails("docs/start.md:3: the link to pictures/tree.svg is broken")

    def test_addresses_elsewhere_are_listed(self):
        self.tree.change("docs/start.md", "Here.", "[Here](https://example.org/x).")
        status, output = self.tree.build()
        self.assertEqual(status, 0, output)
        self.assertIn("elsewhere, not fetched: https://example.org/x (docs/start.md:3)", output)


class Usage(unittest.TestCase):
    def test_wrong_usage_ends_with_2(self):
        for arguments in ([], ["a", "b"], ["a", "--no-such"]):
            with self.subTest(arguments=arguments):
                run = subprocess.run([sys.executable, "-B", TOOL, *arguments], text=True, check=False,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertEqual((run.returncode, bool(run.stderr)), (2, True))

    def test_help_says_how(self):
        run = subprocess.run([sys.executable, "-B", TOOL, "--help"], text=True, check=False, stdout=subprocess.PIPE)
        self.assertEqual(run.returncode, 0)
        self.assertIn("docs OUT_DIR", run.stdout)


class Reading(unittest.TestCase):
    def test_every_line_keeps_its_number(self):
        for file in sorted((ROOT / "include").rglob("*.hpp")):
            text = file.read_text(encoding="utf-8")
            with self.subTest(header=file.name):
                self.assertEqual(headers.for_doxygen(text, "core").count("\n"), text.count("\n"))

    def test_classes_are_found_and_internal_ones_are_not(self):
        self.assertEqual(headers.classes(HEADER), {"allot::outcome": 8, "allot::cup": 24})

    def test_classes_of_this_tree_are_read_in_every_namespace_but_an_internal_one(self):
        found = set()
        for file in (ROOT / "include").rglob("*.hpp"):
            found |= headers.classes(file.read_text(encoding="utf-8")).keys()
        for name in ("allot::limit_adaptor", "allot::report::exposition", "allot::boost_pmr::container_allocator",
                     "allot::global::on_allocation"):
            self.assertIn(name, found)
        self.assertFalse([name for name in found if "detail" in name])

    def test_headings_get_the_anchors_of_a_code_host(self):
        text = "# `a_b()`: what, *and* why?\n## Same\n```\n## no heading\n```\n## Same\n"
        self.assertEqual([entry[2] for entry in pages.headings(text).values()], ["a_b-what-and-why", "same", "same-1"])

    def test_links_in_code_are_none(self):
        self.assertEqual(list(pages.links("`[a](b)` [c](d) ![e](f.svg)\n```\n[g](h)\n```\n")),
                         [(1, False, "d"), (1, True, "f.svg")])

    def test_named_pages_come_in_reading_order_and_others_last(self):
        self.assertEqual(pages.in_order(["zoo", "faq", "contracts", "start", "ape"]),
                         ["start", "faq", "contracts", "ape", "zoo"])


if __name__ == "__main__":
    unittest.main()
