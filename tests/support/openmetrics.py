"""Reads an exposition of OpenMetrics 1.0 as strictly as its specification asks for, and Prometheus' text format 0.0.4.

`parse(text)` gives the families, by their names, or raises `Invalid`. Left out is what allot does not write: histograms,
summaries, state sets, timestamps, exemplars.
"""

import re
from dataclasses import dataclass, field

METRIC_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")  # what else the grammar allows is reserved
LABEL = re.compile(r'([a-zA-Z][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"[+-]?(?:[0-9]+|[0-9]*\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][+-]?[0-9]+)?|[+-]?(?i:inf|infinity)|(?i:nan)")
ESCAPE = re.compile(r'\\(["\\n])')
SUFFIXES = {"counter": "_total", "info": "_info", "gauge": "", "unknown": ""}


class Invalid(ValueError):
    """What is wrong, and in which line."""


@dataclass
class Family:
    """One metric family: its metadata, and its samples by their labels, in order."""
    name: str
    type: str = "unknown"
    unit: str = ""
    help: str = ""
    metadata: list = field(default_factory=list)
    samples: dict = field(default_factory=dict)


def unescaped(text):
    """A label's value or a help text as it was before it was escaped."""
    return ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text)


def parse_labels(text):
    """`a="1",b="2"` as a tuple of pairs."""
    labels, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            raise Invalid(f"no label at {text[at:]!r}")
        labels.append((match[1], unescaped(match[2])))
        at = match.end()
        if at < len(text):
            if text[at] != "," or at + 1 == len(text):
                raise Invalid(f"no comma, or nothing after it, at {text[at:]!r}")
            at += 1
    names = [name for name, _ in labels]
    if len(set(names)) != len(names):
        raise Invalid("a label stands twice")
    return tuple(labels)


def split_sample(line):
    """(name, labels, value) of a sample's line."""
    name = METRIC_NAME.match(line)
    if not name:
        raise Invalid("no metric's name")
    rest, labels = line[name.end():], ()
    if rest.startswith("{"):
        end = re.match(r'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}', rest)
        if not end:
            raise Invalid("the labels do not end")
        labels, rest = parse_labels(rest[1:end.end() - 1]), rest[end.end():]
    if not rest.startswith(" ") or not NUMBER.fullmatch(rest[1:]):
        raise Invalid(f"no number: {rest!r}")
    return name[0], labels, rest[1:]


class Reader:
    """Takes an exposition line by line; OpenMetrics where `is_open`, otherwise the text format."""

    def __init__(self, is_open):
        self.is_open = is_open
        self.families = {}
        self.current = None

    def suffix(self, family):
        """What a sample's name has behind the name in the metadata."""
        return SUFFIXES[family.type] if self.is_open else ""

    def begin(self, name):
        """The family of a line of metadata: the current one, or a new one."""
        if not METRIC_NAME.fullmatch(name):
            raise Invalid("no metric's name")
        if self.current is None or self.current.name != name:
            if name in self.families:
                raise Invalid("a family is interleaved with another")
            self.current = self.families[name] = Family(name)
        if self.current.samples:
            raise Invalid("metadata after a sample")
        return self.current

    def metadata(self, keyword, name, rest):
        family = self.begin(name)
        order = ["TYPE", "UNIT", "HELP"] if self.is_open else ["TYPE", "HELP"]
        if keyword not in order:
            raise Invalid("a comment")
        if keyword in family.metadata:
            raise Invalid("metadata twice")
        if family.metadata and order.index(family.metadata[-1]) > order.index(keyword):
            raise Invalid("metadata out of order")
        family.metadata.append(keyword)
        if keyword == "TYPE":
            self.set_type(family, rest)
        elif keyword == "UNIT":
            if not family.name.endswith("_" + rest) or family.type == "info":
                raise Invalid("the unit is no suffix of the name, or not allowed")
            family.unit = rest
        else:
            if not re.fullmatch(r'(?:[^"\\]|\\["\\n])*' if self.is_open else r"(?:[^\\]|\\[\\n])*", rest):
                raise Invalid("the help is not escaped")
            family.help = unescaped(rest)

    def set_type(self, family, name):
        types = SUFFIXES if self.is_open else {"counter", "gauge", "untyped"}
        if name not in types:
            raise Invalid("no type")
        family.type = name
        if self.is_open and name != "gauge" and family.name.endswith(SUFFIXES[name] or "\n"):
            raise Invalid("the suffix of the samples is in the family's name")
        if not self.is_open and name == "counter" and not family.name.endswith("_total"):
            raise Invalid("a counter that does not end with _total")

    def sample(self, line):
        name, labels, value = split_sample(line)
        family = self.current
        if family is None or name != family.name + self.suffix(family):
            raise Invalid("a sample outside of its family")
        key = frozenset((n, v) for n, v in labels if v)
        if key in {frozenset((n, v) for n, v in other if v) for other in family.samples}:
            raise Invalid("two samples with the same labels")
        if family.type == "counter" and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
            raise Invalid("a counter that is no number from zero up")
        if family.type == "info" and value != "1":
            raise Invalid("an info that is not 1")
        family.samples[labels] = value

    def line(self, line):
        if line.startswith("#"):
            words = line.split(" ", 3)
            if words[0] != "#" or len(words) != 4:
                raise Invalid("a comment")
            self.metadata(*words[1:])
        else:
            self.sample(line)


def check_clashes(families):
    """No family's name may be that of another one's sample."""
    names = {}
    for family in families.values():
        for suffix in {"counter": ["", "_total", "_created"], "info": ["", "_info"]}.get(family.type, [""]):
            if names.setdefault(family.name + suffix, family.name) != family.name:
                raise Invalid(f"{family.name}{suffix} is in two families")


def parse(exposition, is_open=True):
    """The families of an exposition, given as bytes, by their names; raises `Invalid`."""
    try:
        text = exposition.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("not UTF-8") from error
    if text.startswith("\ufeff"):
        raise Invalid("a byte order mark")
    if is_open:
        if not text.endswith("# EOF\n") or (text != "# EOF\n" and not text.endswith("\n# EOF\n")):
            raise Invalid("no # EOF at the end")
        text = text.removesuffix("# EOF\n")
    if text and not text.endswith("\n"):
        raise Invalid("the last line does not end")
    reader = Reader(is_open)
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            reader.line(line)
        except Invalid as error:
            raise Invalid(f"line {number}: {error}: {line!r}") from error
    if is_open:
        check_clashes(reader.families)
    return reader.families
