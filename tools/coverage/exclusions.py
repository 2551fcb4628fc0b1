"""What need not be reached, each with its reason: `file | kind | text | reason`, one a line, in exclusions.txt."""

import pathlib

FILE = pathlib.Path(__file__).with_name("exclusions.txt")
KINDS = ("never run", "never true", "never false", "never asked", "no counter")
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
    parts = [part.strip() for part in line.split(" | ")]
    if len(parts) != 4 or not all(parts) or parts[1] not in KINDS:
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
               if (entry.path, entry.kind) == (path, gap.kind) and entry.text in (gap.text, WHOLE_FILE)]
    for entry in fitting:
        entry.used = True
    return bool(fitting)
