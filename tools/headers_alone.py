#!/usr/bin/env python3
"""Compiles every public header alone, and twice over, in a translation unit of its own.

Usage: headers_alone.py INCLUDE_DIR COMPILER [ARGUMENT...]

A header that names Boost is left out where Boost's headers are not installed. One that says in a line of its own what it
needs and the target has not is counted as refused.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

REFUSAL = re.compile(r'error: #error "allot: \w+ needs .*"$|static assertion failed: a trace_ring needs lock-free')
NEEDS_BOOST = "allot/interop/"  # the room whose headers do


def accepts(command, header):
    """Whether a file that includes only `header` compiles; returns (ok, compiler output)."""
    source = f"#include <{header}>\n#include <{header}>\n"
    result = subprocess.run(
        [*command, "-fsyntax-only", "-x", "c++", "-"],
        input=source, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return result.returncode == 0, result.stdout


def is_refused(output):
    """Whether a compiler has nothing to say but why there is no such part on the target."""
    errors = [line for line in output.splitlines() if " error: " in line]
    return bool(errors) and all(REFUSAL.search(line) for line in errors)


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
    failed = refused = 0
    for header, (ok, output) in zip(headers, results):
        if not ok and is_refused(output):
            refused += 1
            print(f"{header} is refused")
        elif not ok or output:
            failed += 1
            print(f"{header} does not compile alone without a word:\n{output}")
    not_here = f", {refused} refused" if refused else ""
    print(f"{len(headers) - failed - refused} passed, {failed} failed{not_here}")
    return 0 if headers and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
