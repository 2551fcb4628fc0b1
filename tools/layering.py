#!/usr/bin/env python3
"""Reads every #include under include/ and src/, and reports each arrow that does not point down.

Usage: layering.py [ROOT]

A file may include its own room and the rooms of the floors below. Beside allot's own headers only
those of the standard library are allowed, with the exceptions in FOREIGN.
Exit status: 0 when every arrow points down, 1 when one does not, 2 when there is nothing to read.
"""

import pathlib
import re
import sys

# Lowest first. The rooms of one floor never include each other.
FLOORS = [
    ["core"],
    ["detail"],
    ["source", "arena", "pool", "adaptor", "router", "construct"],
    ["interop", "report", "testing", "global", "firmware"],
    ["allot.hpp"],
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# Foreign headers by prefix, and the pattern of the files that may include them.
FOREIGN = {
    "valgrind/": re.compile(r".*"),
    "sanitizer/": re.compile(r".*"),
    "pthread.h": re.compile(r"src/detail/.*"),
    "unistd.h": re.compile(r"src/detail/(write_whole|system_pages)\.cpp"),
    "fcntl.h": re.compile(r"src/detail/system_pages\.cpp"),
    "sys/mman.h": re.compile(r"src/detail/system_pages\.cpp"),
    "signal.h": re.compile(r"src/adaptor/crash_dump\.cpp"),
    "poll.h": re.compile(r"src/adaptor/crash_dump\.cpp|src/detail/write_whole\.cpp"),
    "malloc.h": re.compile(r"src/global/.*|src/source/malloc_resource\.cpp"),
    "boost/": re.compile(r"include/allot/interop/(as_boost|as_std|boost_interface|boost_pmr)\.hpp|src/testing/stacktrace/.*"),
}

STANDARD = set("""
    algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts
    condition_variable coroutine deque exception execution filesystem format forward_list fstream
    functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list
    locale map memory memory_resource mutex new numbers numeric optional ostream queue random ranges
    ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream stack
    stdexcept stop_token streambuf string string_view strstream syncstream system_error thread tuple
    type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
    cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef
    cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype
""".split())

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


def includes(text):
    """The operands of the #include lines: '<vector>', '"x.hpp"' or a macro's name."""
    without = COMMENT.sub(lambda comment: "\n" * comment.group().count("\n"), text)
    for match in INCLUDE.finditer(without):
        yield without.count("\n", 0, match.start()) + 1, match.group(1)


def room_of(path):
    """The room of 'include/allot/core/x.hpp', 'src/core/x.cpp' or 'include/allot/allot.hpp'."""
    parts = pathlib.PurePosixPath(path).parts
    return parts[2] if parts[:2] == ("include", "allot") else parts[1]


def complaint(path, operand):
    """What is wrong with one #include of the file at `path`, or None."""
    if operand.startswith('"') and " " in operand:
        return None  # a sentence, to stop the compiler with: no file has such a name
    if not (operand.startswith("<") and operand.endswith(">")):
        return "is not of the form <...>"
    name = operand[1:-1]
    if name in STANDARD:
        return None
    for prefix, allowed in FOREIGN.items():
        if name.startswith(prefix):
            return None if allowed.fullmatch(path) else "does not belong here"
    if not name.startswith("allot/"):
        return "is neither allot's nor the standard library's"

    here, there = room_of(path), name.split("/")[1]
    if here not in FLOOR_OF:
        return f"comes from {here}, which is no room"
    if there not in FLOOR_OF:
        return f"leads to {there}, which is no room"
    if here != there and FLOOR_OF[there] == FLOOR_OF[here]:
        return f"points sideways, from {here} to {there}"
    if FLOOR_OF[there] > FLOOR_OF[here]:
        return f"points up, from {here} to {there}"
    return None


def sources(root):
    """Every C++ file under include/ and src/, as paths relative to `root`."""
    for top in ("include", "src"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in {".hpp", ".cpp", ".h", ".inl", ".ipp"}:
                yield path.relative_to(root).as_posix()


def check(root):
    """(number of arrows read, list of complaints)."""
    arrows, complaints = 0, []
    for path in sources(root):
        for line, operand in includes((root / path).read_text(encoding="utf-8")):
            arrows += 1
            wrong = complaint(path, operand)
            if wrong:
                complaints.append(f"{path}:{line}: #include {operand} {wrong}")
    return arrows, complaints


def main(arguments):
    default = pathlib.Path(__file__).resolve().parents[1]
    arrows, complaints = check(pathlib.Path(arguments[0]) if arguments else default)
    for line in complaints:
        print(line)
    if complaints:
        return 1
    if not arrows:
        print("no #include was found", file=sys.stderr)
        return 2
    print(f"{arrows} includes, all point down")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
