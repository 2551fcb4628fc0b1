"""docs/coverage.md, as this run measured it."""

import datetime
import os
import platform
import re
import subprocess

import exclusions
import measure

PAGE = "docs/coverage.md"

TEXT = """# What the tests reach

Written by `./dev coverage --write`, on {date}, with {compiler}, on Linux {machine} ({processors} processors), exceptions and checks
on, without optimisation, from the whole `meson test` run.

| room | files | lines | reached | sides of conditions | taken |
| --- | --: | --: | --: | --: | --: |
{rows}

A line is reached when any instantiation of a template, in any program of the tests, runs it; a side of a condition is taken
likewise. What ends by `abort` or `_exit` counts too: the counters live in their file. Counted against the library are lines
that this configuration does not compile, where they can be told by their look (a `return`, an `if`, a loop, a call).

What it cannot see: whether a test would notice a wrong result; conditions inside of macros (`ALLOT_EXPECTS`), of `if constexpr`,
of `requires`, and a `switch` without a case that fits; other paths through lines that are all reached.

## What is not reached, and why

`./dev coverage` fails for a line or a side that is not reached and not below, and for an entry below that is reached. The
entries are in tools/coverage/exclusions.txt.

{reasons}
"""


def compiler():
    said = subprocess.run(["llvm-cov-14", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return "clang and llvm-cov " + re.search(r"LLVM version (\S+)", said).group(1)


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" else parts[2] if len(parts) > 3 else "allot.hpp"


def row(name, files):
    lines, sides = measure.total(files, "lines"), measure.total(files, "sides")
    return f"| {name} | {len(files)} | {lines[1]} | {share(lines)} | {sides[1]} | {share(sides)} |"


def share(pair):
    return f"{100 * pair[0] / pair[1]:.2f} %" if pair[1] else "none"


def rows(files):
    rooms = sorted({room_of(path) for path in files})
    each = [row(room, {path: file for path, file in files.items() if room_of(path) == room}) for room in rooms]
    return "\n".join([*each, row("**all**", files)])


def reasons(entries):
    """A list by reason: what has the same one stands together."""
    by_reason = {}
    for entry in entries:
        by_reason.setdefault(entry.reason, []).append(entry)
    blocks = []
    for reason, group in by_reason.items():
        lines = [f"- `{entry.path}`, {entry.kind}" +
                 (", the whole file" if entry.text == exclusions.WHOLE_FILE else f": `{entry.text}`") for entry in group]
        blocks.append(f"**{reason}**\n\n" + "\n".join(lines))
    return "\n\n".join(blocks)


def write(root, files, entries):
    text = TEXT.format(date=datetime.date.today().isoformat(), compiler=compiler(), machine=platform.machine(),
                       processors=os.cpu_count(), rows=rows(files), reasons=reasons(entries))
    (root / PAGE).write_text(text, encoding="utf-8")
