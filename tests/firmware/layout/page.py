"""What docs/firmware.md tells those who build without Meson."""

import re

LIST = re.compile(r"^<!-- firmware sources\b.*?-->\n+```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = re.compile(r"^```text\n(-mcpu=.*?)^```$", re.MULTILINE | re.DOTALL)


def only(pattern, text, what):
    found = pattern.findall(text)
    if len(found) != 1:
        raise AssertionError(f"docs/firmware.md has {len(found)} lists of {what}, and one is needed")
    return found[0].split()


def read(source_root):
    return (source_root / "docs/firmware.md").read_text()


def sources(source_root):
    """The files of the library, from the root of the project."""
    return only(LIST, read(source_root), "sources")


def flags(source_root):
    """As (for both steps, for linking alone)."""
    words = only(FLAGS, read(source_root), "flags")
    linking = [word for word in words if word.startswith("-Wl,")]
    return [word for word in words if word not in linking], linking
