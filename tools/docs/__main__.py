"""Builds the documentation with Doxygen, and checks what came out.

Usage: docs OUT_DIR [--theme DIR]

OUT_DIR/html/index.html is the start page: it needs no server and nothing from elsewhere. OUT_DIR/stage holds what
Doxygen read. --theme names a folder with doxygen-awesome.css (Debian: the package doxygen-awesome-css); without it the
pages look as Doxygen makes them.

Checked and counted: Doxygen has no warning, every public name being documented; every class in the headers has a page;
every link leads somewhere, those between the Markdown files of the tree included; every page has a title and fits a
phone's width. Addresses elsewhere are listed, not fetched. The last line is `N passed, M failed`.

Exit status: 0 all is well; 1 a check failed; 2 wrong usage, or no doxygen.
"""

import argparse
import pathlib
import shutil
import sys

import build
import checks


def arguments_of(words):
    parser = argparse.ArgumentParser(prog="docs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("out", type=pathlib.Path, metavar="OUT_DIR", help=argparse.SUPPRESS)
    parser.add_argument("--theme", type=pathlib.Path, default=build.THEME, help=argparse.SUPPRESS)
    parser.add_argument("--root", type=pathlib.Path, default=build.ROOT, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words):
    given = arguments_of(words)
    if not shutil.which("doxygen"):
        print("docs: doxygen is not installed (Debian: the package doxygen)", file=sys.stderr)
        return 2
    if not (given.theme / "doxygen-awesome.css").is_file():
        if given.theme != build.THEME:
            print(f"docs: no doxygen-awesome.css in {given.theme}", file=sys.stderr)
            return 2
        print("docs: the theme is left out: no doxygen-awesome.css (Debian: the package doxygen-awesome-css)")
    made = build.Build(given.root.resolve(), given.out.resolve(), given.theme.resolve())
    made.run()
    return checks.report(made)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
