#!/usr/bin/env python3
"""Measures the programs of tests/firmware/size, and fails where one is larger, or smaller, than its record says.

Usage: size_gate.py [--update --reason TEXT] [CORE...]
       size_gate.py --list

Builds each program for the cores named (m0 and m3, if none is) with arm-none-eabi-g++ -Os, without exceptions and RTTI,
with and without allot_no_heap, below build/firmware-size: checks off, and for some on. tests/firmware/size/sizes.txt has for
each the bytes of text (code and constants), data and bss, and why they last changed. Up to eight bytes of difference pass. The
record holds for one compiler: with another the figures are printed and nothing fails.

With allot_no_heap no program may hold anything of the heap (tools/firmware/heap_free.py), and docs/firmware_size.md has to
show the figures of the record.

--update writes the record, for all cores, and the tables of the page; TEXT stands beside the figures that have changed.
--list prints the names of the programs.

Ends with `N passed, N failed`. Exit status: 0 none failed, 1 one did, 2 there is no compiler or a program does not build.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import heap_free

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests/firmware/size"
RECORD = PROGRAMS / "sizes.txt"
PAGE = ROOT / "docs/firmware_size.md"
BOARDS = ROOT / "examples/firmware/board"
BUILD = ROOT / "build/firmware-size"
COMPILER = "arm-none-eabi-g++"
SLACK = 8  # bytes that a figure may move by

BOARD_OF = {"m0": "microbit", "m3": "lm3s6965evb"}

# The programs that hold eight samples in one way or another, then the smallest of each part, with what the page calls them.
SAMPLES = {
    "empty": "nothing: `int main() { return 0; }`",
    "array": "a hand-written array",
    "allocator_vector": "`std::vector` with a hand-written allocator template",
    "resource_vector": "`std::pmr::vector` over a hand-written `memory_resource`",
    "slot_vector": "`std::pmr::vector` over `static_arena`",
    "std_monotonic_vector": "`std::pmr::vector` over std's `monotonic_buffer_resource`",
    "malloc_vector": "`std::vector` on malloc",
}
PARTS = {
    "static_buffer": "`static_buffer`",
    "section_buffer": "`ALLOT_SECTION_BUFFER`",
    "static_resource": "`static_resource`",
    "static_slot": "`static_slot` of a `static_resource`",
    "static_arena": "`static_arena`",
    "bump_resource": "`bump_resource<256>` on the stack",
    "arena_scope": "`arena_scope` over a `static_arena`",
    "sizing_resource": "`sizing_resource` over a `static_arena`",
    "monotonic_resource": "`monotonic_resource` over a `static_arena`",
    "block_pool_resource": "`block_pool_resource` in a slot",
    "pool_resource": "`pool_resource` over a `static_arena`",
    "atomic_bump_resource": "`atomic_bump_resource` in a slot",
    "counting_adaptor": "`counting_adaptor` over a `static_arena`",
    "limit_adaptor": "`limit_adaptor` over a `static_arena`",
    "fallback_router": "`fallback_router` of two `static_arena`",
    "size_router": "`size_router` of two `static_arena`",
    "once": "`once`",
    "describe": "`describe`, a failure as a line of text",
    "report_text": "`report::text` of a `static_arena`",
}
NEEDS_A_HEAP = ["malloc_vector"]

# What the bytes of a vector over a static arena are, by the names of functions; the first that matches counts. The claim is
# in main: what main has more of than over the hand-written resource.
MAIN = "what `std::pmr::vector` has more of than `std::vector`"
CLAIM = "the claim"
SHARES = {
    MAIN: r"main|(void |int )?(take_samples|checked)<|std::_Vector_base<|.*bump_allocator<",
    CLAIM: r".*static_slot<.*::claim\(|.*raise_already_claimed\(",
    "the failure path": r".*::(fail|refuse)\(|.*::(raise|halt|get_failure_handler)\(|allot_trap",
    "virtual tables": r"vtable for ",
    "destructors, which a virtual table names": r".*_resource(<.*>)?::~|resource::~",
    "the arena's functions": r".*(bump_resource|resource_interface|resource::do_is_equal)",
    "what `allot_no_heap` has in libstdc++'s place": r"operator |refuse|std::|__cxa|abort",
}
REST = "texts and padding"

HEAD = """\
# Sizes of the programs of this directory, measured by tools/firmware/size_gate.py (which reads this file, and writes it by
# --update): bytes of text (code and constants), data and bss. Checks are off but where a row says otherwise.
"""


@dataclasses.dataclass(frozen=True)
class Row:
    core: str
    program: str
    has_heap: bool = False
    checks: bool = False

    def __str__(self):
        return f"{self.core} {self.program}" + (", checked" if self.checks else "") + (", heap" if self.has_heap else "")

    @property
    def stem(self):
        return BUILD / self.core / ("checked" if self.checks else "unchecked") / (
            self.program + ("_heap" if self.has_heap else ""))


@dataclasses.dataclass
class Entry:
    sizes: tuple  # text, data, bss
    reason: str = ""


def stop(message):
    print(f"size_gate: {message}", file=sys.stderr)
    sys.exit(2)


def printed(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def toolchain():
    """What must agree for the record to hold: the compiler, and by their bytes the libraries that come with it."""
    library = printed(COMPILER, *flags("m3"), "-print-file-name=libstdc++_nano.a").strip()
    newlib = printed(COMPILER, *flags("m3"), "-print-file-name=libc_nano.a").strip()
    return {"compiler": printed(COMPILER, "--version").splitlines()[0],
            "libraries": f"libstdc++_nano.a {os.path.getsize(library)}, libc_nano.a {os.path.getsize(newlib)} bytes"}


def rows(cores):
    for core in cores:
        for program in [*SAMPLES, *PARTS]:
            for has_heap in [False, True]:
                if has_heap or program not in NEEDS_A_HEAP:
                    yield Row(core, program, has_heap)
        for program in SAMPLES:
            if program not in NEEDS_A_HEAP:
                yield Row(core, program, checks=True)


# --- Building -------------------------------------------------------------------------------------------------


def flags(core, checks=False):
    return [f"-mcpu=cortex-{core}", "-mthumb", "-mfloat-abi=soft", "--specs=nano.specs", "-std=c++20", "-Os",
            "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-ffunction-sections", "-fdata-sections",
            f"-DALLOT_CHECK_LEVEL={int(checks)}", f"-ffile-prefix-map={ROOT}/=", f"-I{ROOT}/include",
            f"-I{ROOT}/examples/firmware"]


def library_sources():
    """allot's own list of what needs no system, as the files' names stand in src/."""
    names = []
    for build_file in sorted((ROOT / "src").glob("*/meson.build")):
        for listed in re.findall(r"bare_metal_sources \+= files\((.*?)\)", build_file.read_text(), re.DOTALL):
            names += [build_file.parent / name for name in re.findall(r"'(.*?)'", listed)]
    return [path for path in names if path.parent.name != "testing"]


def run_all(commands):
    def run(command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            stop(f"{' '.join(map(str, command))}\n{done.stderr}")

    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for _ in pool.map(run, commands):
            pass


def is_older(output, newest):
    return not output.exists() or output.stat().st_mtime < newest


def newest_source():
    found = [p for top in ["include", "src", "tests/firmware/size", "examples/firmware/board"]
             for p in (ROOT / top).rglob("*") if p.suffix in {".hpp", ".cpp", ".ld"}]
    return max(p.stat().st_mtime for p in [*found, pathlib.Path(__file__)])


def build(wanted):
    newest = newest_source()
    for core, checks in sorted({(row.core, row.checks) for row in wanted}):
        build_setting([row for row in wanted if (row.core, row.checks) == (core, checks)], newest)


def build_setting(wanted, newest):
    core, checks = wanted[0].core, wanted[0].checks
    directory = wanted[0].stem.parent
    directory.mkdir(parents=True, exist_ok=True)
    library = {directory / f"allot-{p.parent.name}-{p.stem}.o": p for p in library_sources()}
    board = {directory / f"board-{name}.o": BOARDS / f"{name}.cpp" for name in ["startup", "semihosting", "newlib"]}
    others = {directory / "sensor.o": PROGRAMS / "sensor.cpp", directory / "no_heap.o": ROOT / "src/firmware/no_heap.cpp"}
    mains = {directory / f"{row.program}.o": PROGRAMS / f"{row.program}.cpp" for row in wanted}
    run_all([COMPILER, *flags(core, checks), "-Wall", "-Wextra", "-Wno-psabi", "-Werror", "-c", source, "-o", output]
            for output, source in {**library, **board, **others, **mains}.items() if is_older(output, newest))

    archive = directory / "liballot.a"
    if is_older(archive, newest):
        archive.unlink(missing_ok=True)
        printed("arm-none-eabi-ar", "rcs", archive, *library)
    board_objects = [directory / "board-startup.o", directory / "board-semihosting.o"]
    run_all([COMPILER, *flags(core), "-nostartfiles", "-Wl,--gc-sections", f"-Wl,-Map={row.stem}.map", f"-L{BOARDS}",
             f"-T{BOARD_OF[core]}.ld", directory / f"{row.program}.o", directory / "sensor.o", *board_objects,
             directory / ("board-newlib.o" if row.has_heap else "no_heap.o"), archive, "-o", f"{row.stem}.elf"]
            for row in wanted if is_older(row.stem.with_suffix(".elf"), newest))


# --- Reading --------------------------------------------------------------------------------------------------


def measure(row):
    text, data, bss = printed("arm-none-eabi-size", f"{row.stem}.elf").splitlines()[1].split()[:3]
    return int(text), int(data), int(bss)


def functions(row):
    """Bytes by name of all that lies in the flash and has a name."""
    sizes = {}
    for line in printed("arm-none-eabi-nm", "--demangle", "--print-size", "--defined-only", f"{row.stem}.elf").splitlines():
        found = re.fullmatch(r"([0-9a-f]{8}) ([0-9a-f]{8}) ([tTwWrRvV]) (.*)", line)
        if found and int(found[1], 16) < 0x20000000:
            sizes[(found[1], found[3] in "tTwW")] = (int(found[2], 16), found[4].replace("(anonymous namespace)::", ""))
    return list(sizes.values())


def by_kind(core, program):
    counted = dict.fromkeys([*SHARES, REST], 0)
    for size, name in functions(Row(core, program)):
        counted[next((kind for kind, pattern in SHARES.items() if re.match(pattern, name)), REST)] += size
    counted[REST] += measure(Row(core, program))[0] - sum(counted.values())
    return counted


def shares(core):
    """What a vector over a static arena has more of than one over the hand-written allocator, in bytes by kind."""
    by_hand, resource, slot = (by_kind(core, name) for name in ["allocator_vector", "resource_vector", "slot_vector"])
    counted = {kind: slot[kind] - by_hand[kind] for kind in slot}
    in_main = slot[MAIN] - resource[MAIN]
    counted[MAIN] -= in_main
    counted[CLAIM] += in_main
    return counted


# --- The record and the page ----------------------------------------------------------------------------------


def read_record():
    made_with, entries = {}, {}
    if RECORD.exists():
        for line in RECORD.read_text().splitlines():
            if found := re.fullmatch(r"(compiler|libraries): (.*)", line):
                made_with[found[1]] = found[2]
            elif found := re.fullmatch(r"(\S.*?)  +(\d+) +(\d+) +(\d+)  (.*)", line):
                entries[found[1]] = Entry(tuple(int(found[i]) for i in (2, 3, 4)), found[5])
    return made_with, entries


def write_record(sizes, entries, reason):
    for row, figures in sizes.items():
        if row not in entries or entries[row].sizes != figures:
            entries[row] = Entry(figures, reason)
    width = max(map(len, sizes))
    lines = [f"{key}: {value}" for key, value in toolchain().items()]
    lines += ["", f"{'row':{width}}   text  data   bss  why it is so"]
    lines += ["{:{}}  {:5}  {:4}  {:4}  {}".format(row, width, *entries[row].sizes, entries[row].reason) for row in sizes]
    RECORD.write_text(HEAD + "\n" + "\n".join(lines) + "\n")


def table(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for line in lines:
        yield "| " + " | ".join(map(str, line)) + " |"


def sample_table(entries, core):
    for program, title in SAMPLES.items():
        figures = []
        for row in [Row(core, program, True), Row(core, program), Row(core, program, checks=True)]:
            figures += entries[str(row)].sizes if str(row) in entries else ("", "", "")
        yield [title, *figures[:6], figures[6]]


def part_table(entries):
    for program, title in PARTS.items():
        line = [title]
        for core in BOARD_OF:
            empty = entries[str(Row(core, "empty"))].sizes
            own = entries[str(Row(core, program))].sizes
            line += [own[0], own[0] - empty[0], own[1], own[2]]
        yield line


def pages_tables(entries, made_with):
    """What stands between the marks of the page, by their names."""
    head = ["", "text", "data", "bss", "text, `allot_no_heap`", "data", "bss", "text, checked"]
    yield "compiler", [f"{made_with['compiler']}"]
    for core in BOARD_OF:
        yield f"samples-{core}", list(table(head, sample_table(entries, core)))
    yield "parts", list(table(["", "M0 text", "over empty", "data", "bss", "M3 text", "over empty", "data", "bss"],
                              part_table(entries)))
    kinds = [*SHARES, REST]
    share_of = {core: [entries[f"{core} share: {kind}"].sizes[0] for kind in kinds] for core in BOARD_OF}
    lines = [[kind, *(share_of[core][i] for core in BOARD_OF)] for i, kind in enumerate(kinds)]
    lines.append(["**all**", *(f"**{sum(share_of[core])}**" for core in BOARD_OF)])
    yield "shares", list(table(["text over the hand-written allocator template", "M0", "M3"], lines))


def written_page(text, entries, made_with):
    for name, lines in pages_tables(entries, made_with):
        begin, end = f"<!-- size_gate: {name} -->\n", "<!-- end -->"
        pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            stop(f"{PAGE.name} has no place for the table {name}")
        text = pattern.sub(lambda _: begin + "\n" + "\n".join(lines) + "\n\n" + end, text)
    return text


# --- Judging --------------------------------------------------------------------------------------------------


def judge(figures, entry):
    """What is wrong with the sizes of a row, or nothing."""
    if entry is None:
        return "not in the record"
    if any(abs(now - then) > SLACK for now, then in zip(figures, entry.sizes)):
        return "the record says " + " ".join(map(str, entry.sizes))
    return None


def heap_of(row):
    linker_map = heap_free.LinkerMap(pathlib.Path(f"{row.stem}.map").read_text())
    return heap_free.found_in("arm-none-eabi-nm", f"{row.stem}.elf", linker_map)


def main():
    options = argparse.ArgumentParser(description="Measures small programs for bare Arm targets.")
    options.add_argument("--update", action="store_true", help="write the figures measured now")
    options.add_argument("--reason", help="why they have changed")
    options.add_argument("--list", action="store_true", help="print the names of the programs")
    options.add_argument("--check", action="store_true", help="only say whether the arguments make sense")
    options.add_argument("cores", nargs="*", metavar="CORE", help="m0 or m3; both, if none is named")
    arguments = options.parse_args()
    if arguments.list:
        print("\n".join([*SAMPLES, *PARTS]))
        return 0
    if arguments.update and (not arguments.reason or arguments.cores):
        options.error("--update needs a --reason, and is for all cores")
    if unknown := set(arguments.cores) - set(BOARD_OF):
        options.error(f"no sizes are kept for {', '.join(sorted(unknown))}: for {' and '.join(BOARD_OF)} they are")
    if arguments.check:
        return 0
    if unlisted := {p.stem for p in PROGRAMS.glob("*.cpp")} - set(SAMPLES) - set(PARTS) - {"sensor"}:
        stop(f"{', '.join(sorted(unlisted))} is in {PROGRAMS.name}, but not in the lists of this program")
    if shutil.which(COMPILER) is None:
        stop(f"{COMPILER} is not there")

    cores = arguments.cores or list(BOARD_OF)
    wanted = list(rows(cores))
    build(wanted)
    sizes = {str(row): measure(row) for row in wanted}
    for core in cores:
        sizes |= {f"{core} share: {kind}": (share, 0, 0) for kind, share in shares(core).items()}

    made_with, entries = read_record()
    if arguments.update:
        write_record(sizes, entries, arguments.reason)
        made_with, entries = read_record()
        PAGE.write_text(written_page(PAGE.read_text(), entries, made_with))

    holds = made_with == toolchain()
    passed = failed = 0
    for row, figures in sizes.items():
        wrong = judge(figures, entries.get(row)) if holds else None
        passed, failed = passed + (holds and not wrong), failed + bool(wrong)
        print("{:6} {:5} {:5}  {}".format(*figures, row) + (f"    <- {wrong}: see --update" if wrong else ""))
    for row in entries.keys() - sizes.keys():
        if row.split()[0] in cores:
            failed += holds
            print(f"                     {row}    <- in the record, but no longer there")
    for row in wanted:
        heap = {} if row.has_heap else heap_of(row)
        passed, failed = passed + (not row.has_heap and not heap), failed + bool(heap)
        for symbol, how in sorted(heap.items()):
            print(f"{row} holds {symbol}, {how}")
    is_stale = written_page(PAGE.read_text(), entries, made_with) != PAGE.read_text()
    passed, failed = passed + (not is_stale), failed + is_stale
    if is_stale:
        print(f"{PAGE.relative_to(ROOT)} does not show the figures of the record: see --update")
    if not holds:
        print(f"The record is for another toolchain ({made_with.get('compiler', 'none')}), so that no size can fail.")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
