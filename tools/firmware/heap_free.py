#!/usr/bin/env python3
"""Looks for the heap, and what brings it, in a finished program for a bare Arm target; says which object brought what.

Usage: heap_free.py [--nm NM] ELF MAP

MAP is the linker's, by -Wl,-Map=MAP. Of the heap are malloc and its kin, _sbrk, the unwinder of exceptions, and the list of
what to do at exit. An empty __aeabi_unwind_cpp_pr0, which libgcc's own functions ask for, is none of it.

Exit status: 0 when there is nothing of it, 1 when there is, 2 when a file cannot be read.
"""

import argparse
import bisect
import dataclasses
import pathlib
import re
import subprocess
import sys

HEAP = re.compile(
    r"_?(malloc|calloc|realloc|free|memalign|sbrk)(_r)?|__malloc_.*"
    r"|_Unwind_.*|__gnu_unwind.*|___?Unwind_.*|__gxx_personality_v0|__cxa_(throw|rethrow|allocate_exception|begin_catch)"
    r"|__cxa_atexit|atexit|__register_exitproc")
UNWIND_ROUTINE = re.compile(r"__aeabi_unwind_cpp_pr[012]")
MOST_OF_AN_EMPTY_FUNCTION = 4  # bytes

# "20000074 00000004 B __malloc_sbrk_start"; a symbol of assembler code may have no size
SYMBOL = re.compile(r"^([0-9a-f]+) (?:([0-9a-f]+) )?([A-TV-Za-tv-z]) (\S+)$", re.MULTILINE)
# " .text.x        0x0000069c       0x24 libc_nano.a(lib_a-sbrkr.o)"; a long name has a line of its own. What is not loaded
# has addresses from 0 upwards, as code has.
INPUT = re.compile(r"^ \.(?!debug|comment|ARM\.attributes|stab)\S+\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$", re.MULTILINE)
# "libc_nano.a(lib_a-sbrkr.o)", then "    libc_nano.a(lib_a-nano-mallocr.o) (_sbrk_r)"; the first may be a line with it
MEMBER = re.compile(r"^(\S.*?\))\s+(?:(\S.*?) )?\((.*)\)$", re.MULTILINE)


@dataclasses.dataclass
class Reference:
    by: str  # an object, or nothing where the command line asked
    symbol: str


class LinkerMap:
    def __init__(self, text):
        head, found, body = text.partition("\nLinker script and memory map\n")
        if not found:
            raise ValueError("is no map of GNU ld")
        references = head.partition("Archive member included")[2].partition("\n\n")[2]
        references = re.split(r"\n\n(?:Discarded|Memory|Merging|There are)", references)[0]
        self.brought = {member: Reference(by or "", symbol) for member, by, symbol in MEMBER.findall(references)}
        placed = [(int(address, 16), int(size, 16), name) for address, size, name in INPUT.findall(body)]
        self.placed = sorted(entry for entry in placed if entry[1] and entry[2] != "*fill*")

    def object_at(self, address):
        """The object whose section lies there."""
        at = bisect.bisect_right(self.placed, (address, sys.maxsize, "")) - 1
        begin, size, name = self.placed[at]
        return name if at >= 0 and begin <= address < begin + size else "?"

    def chain(self, name):
        """How an object came into the program: itself, who asked for it, who asked for that one."""
        line = f"in {short(name)}"
        seen = set()
        while (reference := self.brought.get(name)) and name not in seen:
            seen.add(name)
            name = reference.by
            line += f"\n    for {reference.symbol} in {short(name)}" if name else f"\n    for {reference.symbol}, by -u"
        return line


def short(name):
    """libc_nano.a(lib_a-malloc.o), without the directories."""
    archive, bracket, member = name.partition("(")
    return pathlib.PurePath(archive).name + bracket + member


def found_in(nm, elf, linker_map):
    """What there is of the heap, as {symbol: how it came}."""
    symbols = subprocess.run([nm, "--print-size", "--defined-only", elf], check=True, capture_output=True, text=True).stdout
    if not SYMBOL.search(symbols):
        raise ValueError("has no symbols: it cannot be judged")
    found = {}
    for address, size, kind, name in SYMBOL.findall(symbols):
        is_unwind_routine = UNWIND_ROUTINE.fullmatch(name) and int(size or "0", 16) > MOST_OF_AN_EMPTY_FUNCTION
        if HEAP.fullmatch(name) or is_unwind_routine:
            address = int(address, 16) & (~1 if kind in "tTwW" else ~0)
            found[name] = linker_map.chain(linker_map.object_at(address))
    return found


def main():
    options = argparse.ArgumentParser(description="Looks for the heap in a finished program.")
    options.add_argument("--nm", default="arm-none-eabi-nm")
    options.add_argument("elf")
    options.add_argument("map")
    arguments = options.parse_args()
    try:
        linker_map = LinkerMap(pathlib.Path(arguments.map).read_text())
        found = found_in(arguments.nm, arguments.elf, linker_map)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"heap_free: {arguments.elf}: {error}", file=sys.stderr)
        return 2
    for symbol, how in sorted(found.items()):
        print(f"{symbol}: {how}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
