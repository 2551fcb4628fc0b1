"""Which tests are nearest to a source file, by what they include and what they are called."""

import pathlib
import re

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


class Includes:
    """What the files of a tree include of the tree."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.known = {}

    def direct(self, path):
        """The files that one file names, as paths from the root."""
        if path not in self.known:
            file = self.root / path
            text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
            self.known[path] = [found for name in INCLUDE.findall(text) if (found := self.place_of(path, name))]
        return self.known[path]

    def place_of(self, path, name):
        """Where an included name lies in the tree, or None."""
        for folder in (pathlib.PurePosixPath(path).parent, "include", "tests", "."):
            if (self.root / folder / name).is_file():
                return (pathlib.PurePosixPath(folder) / name).as_posix()
        return None

    def depths(self, sources):
        """{file: number of includes that lead to it} for all that the sources include."""
        depth = {path: 0 for path in sources}
        queue = list(sources)
        for path in queue:
            for found in self.direct(path):
                if found not in depth:
                    depth[found] = depth[path] + 1
                    queue.append(found)
        return depth


def words(path):
    """A file's stem in words: limit_adaptor_test.cpp is limit, adaptor."""
    return [word for word in pathlib.PurePosixPath(path).stem.split("_") if word != "test"]


def shared(a, b):
    """How many words two lists have in common from their start."""
    count = 0
    for x, y in zip(a, b):
        if x != y:
            break
        count += 1
    return count


def room(path):
    return pathlib.PurePosixPath(path).parent.name


def targets_of(path, includes):
    """The files whose users are the users of `path`: a header itself; for a source the header that it implements."""
    if not path.startswith("src/"):
        return [path]
    own = [header for header in includes.direct(path) if room(header) == room(path)]
    best = max((shared(words(header), words(path)) for header in own), default=0)
    return [header for header in own if best and shared(words(header), words(path)) == best]


def ranked(path, tests, includes):
    """The names of the tests that reach a file, nearest first, or of all if none does; `tests` is {name: sources}."""
    targets = targets_of(path, includes)
    far = 1000  # more includes than lead anywhere
    reach, others = [], []
    for name, sources in tests.items():
        depth = includes.depths(sources)
        near = min((depth[target] for target in targets if target in depth), default=None)
        alike = max((shared(words(source), words(path)) for source in sources), default=0)
        same_name = any(words(source) == words(path) for source in sources)
        same_room = any(room(source) == room(path) for source in sources)
        if near is None:
            others.append((-alike, not same_room, len(depth), name))
            continue
        # A test includes first what it is the test of.
        subject = includes.depths([header for source in sources for header in includes.direct(source)[:1]])
        by_subject = min((subject[target] for target in targets if target in subject), default=far)
        reach.append((not same_name, -alike, by_subject, near, not same_room, len(depth), name))
    return [entry[-1] for entry in sorted(reach or others)]
