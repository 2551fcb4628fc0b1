"""The list of seeded bugs: reading it, and putting one into a source file."""

import dataclasses
import difflib
import pathlib
import re


class ListError(Exception):
    """The list is wrong, in the words of the message."""


@dataclasses.dataclass(frozen=True)
class Bug:
    name: str
    path: str  # of the file that it is in, from the root
    cell: str  # of cells.ini: the build that shows it
    costs: str  # what a user would notice, in one sentence
    old: str
    new: str  # empty: the old text is taken out


KEYWORDS = ("bug", "in", "run", "costs", "-", "+")


def read(folder):
    """All bugs of the *.txt files in a folder, in the order of the files' names and lines."""
    bugs = []
    for file in sorted(pathlib.Path(folder).glob("*.txt")):
        for number, entry in entries(file.read_text(encoding="utf-8")):
            bugs.append(parse(entry, f"{file.name}:{number}"))
    names = [bug.name for bug in bugs]
    for name in names:
        if names.count(name) != 1:
            raise ListError(f"two bugs are called {name}")
    return bugs


def entries(text):
    """(number of the first line, lines) of each entry: they are parted by empty lines."""
    lines, start = [], 1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip():
            if not lines:
                start = number
            lines.append(line)
        elif lines:
            yield start, lines
            lines = []


def parse(lines, where):
    """The bug that an entry describes."""
    found = {keyword: [] for keyword in KEYWORDS}
    for line in lines:
        keyword, _, rest = line.partition(" ")
        if keyword not in found:
            raise ListError(f"{where}: a line starts with none of: {', '.join(KEYWORDS)}")
        found[keyword].append(rest)
    for keyword in ("bug", "in", "costs"):
        if len(found[keyword]) != 1:
            raise ListError(f"{where}: an entry has one line that starts with {keyword}")
    if not found["-"]:
        raise ListError(f"{where}: the old text is missing")
    return Bug(name=found["bug"][0], path=found["in"][0], cell=(found["run"] or ["plain"])[0], costs=found["costs"][0],
               old="\n".join(found["-"]), new="\n".join(found["+"]))


def applied(bug, text):
    """The text of the file with the bug in it, every other line where it was."""
    # Any white space for any other: where clang-format breaks a line is no matter.
    pattern = r"\s+".join(re.escape(word) for word in bug.old.split())
    places = list(re.finditer(pattern, text))
    if len(places) != 1:
        raise ListError(f"{bug.name}: the old text is in {bug.path} {len(places)} times, and not once")
    begin, end = places[0].span()
    return text[:begin] + on_as_many_lines(bug.new, text[begin:end]) + text[end:]


def on_as_many_lines(new, old):
    """The new text with as many line breaks as the old one has: the numbers of lines are part of the program."""
    spare = old.count("\n") - new.count("\n")
    if spare < 0:
        if "//" in new or "#" in new:
            raise ListError("a new text of more lines than the old one has no comment and no directive")
        return new.replace("\n", " ", -spare)
    return new + "\n" * spare


def diff(bug, text):
    """What the bug changes in the text of its file, as a unified diff."""
    after = applied(bug, text).splitlines()
    lines = difflib.unified_diff(text.splitlines(), after, bug.path, bug.path, n=1, lineterm="")
    return "\n".join(lines)
