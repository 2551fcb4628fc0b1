"""What need not be reached, each with its reason: `file | kind | text | reason`, one a line, in exclusions.txt.

What is reached in some runs only, since it is a race between threads, has a kind that begins with `at times`: its entry need
not excuse anything, but its text must be there.
"""

import pathlib

FILE = pathlib.Path(__file__).with_name("exclusions.txt")
KINDS = ("never run", "never true", "never false", "never asked", "no counter")
AT_TIMES = "at times "
WHOLE_FILE = "*"  # as the text, and for "no counter" only: a file that these builds do not compile


class Broken(Exception):
    """An entry that cannot be read."""


class Entry:
    def __init__(self, at, path, kind, text, reason):
        self.at, self.path, self.kind, self.text, self.reason = at, path, kind, text, reason
        self.used = False

    def __str__(self):
        return f"{self.path} | {self.kind} | {self.text}"


def parse(at, line):
    words = line.split(" | ")
    parts = [part.strip() for part in (*words[:2], " | ".join(words[2:-1]), words[-1])]
    if len(words) < 4 or not all(parts) or parts[1].removeprefix(AT_TIMES) not in KINDS:
        raise Broken(f"{FILE.name}:{at}: not `file | kind | text | reason`, with a kind of: {', '.join(KINDS)}")
    if parts[2] == WHOLE_FILE and parts[1] != "no counter":
        raise Broken(f"{FILE.name}:{at}: a whole file can only be without a counter")
    return Entry(at, *parts)


def read():
    lines = enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1)
    return [parse(at, line) for at, line in lines if line.strip() and not line.startswith("#")]


def excuse(entries, path, gap):
    """Whether an entry fits the gap; those that do are marked as used."""
    fitting = [entry for entry in entries
               if entry.path == path and entry.kind.removeprefix(AT_TIMES) == gap.kind and entry.text in (gap.text, WHOLE_FILE)]
    for entry in fitting:
        entry.used = True
    return bool(fitting)


def is_stale(entry, root):
    """Whether an entry that `excuse` did not mark is wrong: also `at times` its text must be in its file."""
    if entry.used or not entry.kind.startswith(AT_TIMES):
        return not entry.used
    file = root / entry.path
    return not file.is_file() or entry.text not in file.read_text(encoding="utf-8")
