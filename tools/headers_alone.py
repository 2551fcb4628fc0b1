#!/usr/bin/env python3
"""Compiles every public header alone, and twice over, in a translation unit of its own.

Usage: headers_alone.py INCLUDE_DIR COMPILER [ARGUMENT...]

A header that names Boost is left out where Boost's headers are not installed.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

NEEDS_BOOST = "allot/interop/"  # the room whose headers do


def accepts(command, header):
    """Whether a file that includes only `header` compiles; returns (ok, compiler output)."""
    source = f"#include <{header}>\n#include <{header}>\n"
    result = subprocess.run(
        [*command, "-fsyntax-only", "-x", "c++", "-"],
        input=source, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return result.returncode == 0, result.stdout


def main(arguments):
    if len(arguments) < 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    include = pathlib.Path(arguments[0])
    command = [*arguments[1:], "-I", str(include)]

    headers = sorted(str(path.relative_to(include)) for path in include.rglob("*.hpp"))
    if not accepts(command, "boost/version.hpp")[0]:
        headers = [header for header in headers if not header.startswith(NEEDS_BOOST)]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda header: accepts(command, header), headers))
    failed = 0
    for header, (ok, output) in zip(headers, results):
        if not ok or output:
            failed += 1
            print(f"{header} does not compile alone without a word:\n{output}")
    print(f"{len(headers) - failed} passed, {failed} failed")
    return 0 if headers and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
