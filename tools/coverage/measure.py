"""Lines and sides of conditions, from what llvm-cov exports.

The compiler notes, for each function and each instantiation of a template, the regions of code that have one counter.
llvm-cov sums equal regions over all instantiations and all programs, so a line, and a side of a condition, is reached when any
of them reaches it. What no program instantiates has no region at all: `unseen` looks for it in the text.
"""

import collections
import json
import pathlib
import re
import subprocess

TOOLS = ("llvm-profdata-14", "llvm-cov-14")
TREES = ("include/allot", "src")

Gap = collections.namedtuple("Gap", "line kind text")
Segment = collections.namedtuple("Segment", "line column count has_count is_entry is_gap")

# A line that can only be part of a function's body.
STATEMENT = re.compile(r"^\s*(return\b|if\b|for \(|while \(|throw\b|do \{|switch \()"
                       r"|^\s+(?!using|friend|static_assert)[\w:]+(\.|->)?\w+\(.*\);$")

# A line of a block that has nothing of its own to run.
BRACES = re.compile(r"^[\s{}();,]*(else)?[\s{}();,]*$")

# Conditions that nobody wrote, or that the compiler decides: a defaulted comparison's, a switch without a case that fits.
NO_CONDITION = re.compile(r"= default;|\bif constexpr \(|\brequires \{|\bswitch \(")


class Broken(Exception):
    """Something that keeps the counts from being read."""


class File:
    """One file's figures: `lines` and `sides` map what could be reached to whether it was; `gaps` are what was not."""

    def __init__(self, lines, sides, gaps):
        self.lines, self.sides, self.gaps = lines, sides, gaps


def output_of(command):
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if ran.returncode != 0:
        raise Broken(f"{command[0]} ended with {ran.returncode}: {ran.stderr.strip()[-2000:]}")
    return ran.stdout


def programs(build):
    """The programs and shared libraries of a build that hold counters: what its tests may have run."""
    names = set()
    for target in json.loads(output_of(["meson", "introspect", "--targets", str(build)])):
        if target["type"] in ("executable", "shared library"):
            names.update(name for name in target["filename"] if pathlib.Path(name).is_file())
    return sorted(names)


def prepared(builds):
    """(the merged counts, the words that name all programs) of the last run."""
    profiles = [path for build in builds for path in sorted((build / "profiles").glob("*.profraw"))]
    if not profiles:
        raise Broken("no counts were left: was the build made with -fprofile-instr-generate?")
    merged = builds[0] / "merged.profdata"
    output_of(["llvm-profdata-14", "merge", "--sparse", "-o", str(merged), *map(str, profiles)])
    names = [name for build in builds for name in programs(build)]
    if not names:
        raise Broken("no program is there that could have counted")
    objects = [names[0], *(word for name in names[1:] for word in ("-object", name))]
    return merged, objects


def trees(root):
    return [root / tree for tree in TREES]


def measure(root, counts):
    """The figures of each file below TREES, by its path; `counts` are what `prepared` gave."""
    merged, objects = counts
    data = json.loads(output_of(["llvm-cov-14", "export", "-skip-functions", f"-instr-profile={merged}", *objects,
                                 *map(str, trees(root))]))
    found = {str(pathlib.Path(file["filename"]).resolve().relative_to(root)): file for file in data["data"][0]["files"]}
    files = {}
    for tree in trees(root):
        for path in sorted(tree.rglob("*.[ch]pp")):
            name = str(path.relative_to(root))
            text = path.read_text(encoding="utf-8").splitlines()
            files[name] = read_file(text, found.get(name, {"segments": [], "branches": []}))
    return files


def read_file(text, exported):
    segments = [Segment(*segment) for segment in exported["segments"]]
    lines = line_counts(segments)
    written = [branch for branch in exported["branches"] if not NO_CONDITION.search(text[branch[0] - 1])]
    sides = side_counts(written, segments)
    gaps = [Gap(line, "never run", text[line - 1].strip()) for line, count in lines.items()
            if count == 0 and not BRACES.match(text[line - 1])]
    gaps += side_gaps(text, sides, lines)
    unseen_lines = list(unseen(text, lines))
    gaps += [Gap(line, "no counter", text[line - 1].strip()) for line in unseen_lines]
    reached = {line: count > 0 for line, count in lines.items()}
    reached.update((line, False) for line in unseen_lines)
    taken = {(place, side): pair[side] > 0 for place, pair in sides.items() for side in (0, 1)}
    return File(reached, taken, sorted(gaps))


def line_counts(segments):
    """The highest count of what begins on a line or goes on there, as llvm-cov itself counts lines."""
    by_line = collections.defaultdict(list)
    for segment in segments:
        by_line[segment.line].append(segment)
    counts, before = {}, None
    for line in range(1, max(by_line, default=0) + 1):
        here = by_line.get(line, [])
        entries = [segment.count for segment in here if segment.has_count and segment.is_entry and not segment.is_gap]
        skipped = bool(here) and here[0].is_entry and not here[0].has_count
        goes_on = before is not None and before.has_count
        if not skipped and (goes_on or entries):
            counts[line] = max(([before.count] if goes_on else []) + entries)
        before = here[-1] if here else before
    return counts


def count_at(segments, line, column):
    """The count of the region that a place lies in; None outside of all."""
    within = None
    for segment in segments:
        if (segment.line, segment.column) > (line, column):
            break
        within = segment
    return within.count if within is not None and within.has_count else None


def side_counts(branches, segments):
    """(times true, times false) of each condition, by its place. A condition that the compiler knows has no sides."""
    sums = collections.defaultdict(lambda: (0, 0))
    for branch in branches:
        place, (yes, no) = tuple(branch[:4]), branch[4:6]
        sums[place] = (sums[place][0] + yes, sums[place][1] + no)
    return {place: pair for place, pair in sums.items() if any(pair) or not count_at(segments, place[0], place[1])}


def side_gaps(text, sides, lines):
    """The sides never taken. On a line that is never run they need no word of their own."""
    for (line, column, last, end), (yes, no) in sides.items():
        if (yes and no) or lines.get(line) == 0:
            continue
        condition = text[line - 1][column - 1:end - 1] if last == line else text[line - 1][column - 1:]
        kind = "never asked" if not yes and not no else "never false" if yes else "never true"
        yield Gap(line, kind, condition.strip())


def unseen(text, lines):
    """The statements that no program of these builds has compiled."""
    in_macro = False
    for number, line in enumerate(text, 1):
        is_macro = in_macro or line.lstrip().startswith("#")
        in_macro = is_macro and line.endswith("\\")
        if not is_macro and number not in lines and STATEMENT.search(line):
            yield number


def total(files, name):
    """(reached, all) of the lines or the sides of all files."""
    values = [value for file in files.values() for value in getattr(file, name).values()]
    return sum(values), len(values)


def write_html(root, counts, folder):
    merged, objects = counts
    output_of(["llvm-cov-14", "show", "-format=html", "-show-branches=count", f"-output-dir={folder}",
               f"-instr-profile={merged}", *objects, *map(str, trees(root))])
