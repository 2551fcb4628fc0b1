#!/usr/bin/env python3
"""Draws the pictures of docs/choosing.md: what each arena and pool does to memory, and how to choose one.

Usage: docs_pictures.py PROGRAM FOLDER [--check]

PROGRAM is tests/docs/what_memory_does.cpp, built: it runs the classes and prints what lies where after each step, and
that is what is drawn. The pictures go to FOLDER (docs/pictures). With --check nothing is written: each picture there
must be the one that would be drawn, and there must be no other.

Exit status: 0 all well, 1 a picture differs or the program failed, 2 wrong usage. The last line is `N passed, M
failed`.
"""

import argparse
import pathlib
import subprocess
import sys
import textwrap
from html import escape

WIDTH = 440       # units; a phone of 390 pixels shows them at about four fifths
LEFT = 112        # where the strips of memory begin
ROW, STRIP = 30, 22
GAP = 6           # between two chunks
TOP = 54

STYLE = """
  .panel { fill: #ffffff; stroke: #d0d7de; }
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .soft { fill: #59636e; }
  .free, .slot { fill: #f6f8fa; stroke: #818b98; }
  .slot { stroke-dasharray: 3 2; }
  .live, .first { fill: #0a5bc4; stroke: #ffffff; }
  .second { fill: #9a3b00; stroke: #ffffff; }
  .inside { fill: #ffffff; text-anchor: middle; }
  .cached_first { fill: #b6d4fb; stroke: #0a5bc4; }
  .cached_second { fill: #ffd2b3; stroke: #9a3b00; }
  .lost { fill: url(#hatch); stroke: #818b98; }
  .hatch { stroke: #818b98; }
  .books { fill: #afb8c1; }
  .refused { fill: #c1121f; font-weight: 600; }
  .line { stroke: #59636e; fill: none; }
  .question { fill: #ddeafc; stroke: #0a5bc4; }
  .answer { fill: #e3f4e4; stroke: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    .panel { fill: #161b22; stroke: #3d444d; }
    text { fill: #e6edf3; }
    .soft { fill: #9ea7b3; }
    .free, .slot { fill: #262c36; stroke: #7d8590; }
    .live, .first { fill: #1f6feb; stroke: #161b22; }
    .second { fill: #bc5a00; stroke: #161b22; }
    .cached_first { fill: #14345f; stroke: #2f81f7; }
    .cached_second { fill: #552c0c; stroke: #d9730d; }
    .books { fill: #4b535d; }
    .refused { fill: #ff7b72; }
    .line { stroke: #9ea7b3; }
    .question { fill: #14345f; stroke: #2f81f7; }
    .answer { fill: #12361d; stroke: #3fb950; }
  }
"""

LEGEND = {  # in this order
    "live": "live", "first": "thread 1", "second": "thread 2", "cached_first": "kept by 1", "cached_second": "kept by 2",
    "lost": "freed, lost until reset", "slot": "free block", "free": "free", "books": "the class's own",
}

TITLES = {
    "bump_resource": "a cursor that moves down; only the last block comes back",
    "arena_scope": "what was allocated in the scope is free when it ends",
    "atomic_bump_resource": "the same cursor for several threads, without a lock",
    "static_arena": "in .bss; the arena is built by the first claim",
    "monotonic_resource": "takes chunks that double; frees all at once",
    "block_pool_resource": "blocks of one size; the last one freed is the next one out",
    "pool_resource": "a list for each size, in chunks; trim gives back free chunks",
    "concurrent_pool_resource": "free blocks wait in the magazine of the thread that freed them",
    "limit_adaptor": "a budget of 128 bytes; no memory of its own",
}

QUESTION = "May all of it be freed at once?"
DECISION = {  # in each group the first "yes" decides; the last row is what is left
    "Yes: an arena": [
        ("Do several threads, or an interrupt handler, allocate from it?", "atomic_bump_resource"),
        ("Does it lie in static memory, as in firmware?", "static_arena"),
        ("Is the most that it needs known?", "bump_resource"),
        ("It grows", "monotonic_resource"),
    ],
    "No, blocks come back in any order: a pool": [
        ("Are all blocks of one size?", "block_pool_resource"),
        ("Do several threads use it?", "concurrent_pool_resource"),
        ("Are most blocks smaller than 64 KiB?", "pool_resource"),
        ("Few, large blocks", "page_resource"),
    ],
}


class Step:
    """What is shown in one row."""

    def __init__(self, text):
        self.text, self.refused = text, False
        self.chunks = {}  # index: (bytes, what)
        self.spans = []   # (index, offset, bytes, state, label)


def pictures_of(lines):
    """{name: [Step]} of what the program printed."""
    pictures = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "picture":
            steps = pictures[rest] = []
        elif word == "step":
            steps.append(Step(rest))
        elif word == "refused":
            steps[-1].refused = True
        elif word == "chunk":
            index, size, what = rest.split(" ", 2)
            steps[-1].chunks[int(index)] = (int(size), what)
        elif word == "span":
            index, offset, size, state, label = rest.split()
            steps[-1].spans.append((int(index), int(offset), int(size), state, label))
        else:
            raise ValueError(f"a line that is none: {line}")
    return pictures


def number(value):
    """At most one digit after the point, so that the same layout is the same file."""
    return f"{value:.1f}".removesuffix(".0")


def rect(cls, x, y, width, height):
    return f'<rect class="{cls}" x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"/>'


def text(x, y, what, cls="plain"):
    return f'<text class="{cls}" x="{number(x)}" y="{number(y)}">{escape(what)}</text>'


def document(height, title, description, body):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {number(height)}" width="{WIDTH}"'
        f' height="{number(height)}" role="img">',
        f"<title>{escape(title)}</title>", f"<desc>{escape(description)}</desc>", f"<style>{STYLE}</style>",
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line class="hatch" x1="0" y1="0" x2="0" y2="6" stroke-width="2"/></pattern></defs>',
        f'<rect class="panel" x="0.5" y="0.5" width="{WIDTH - 1}" height="{number(height - 1)}" rx="6"/>',
        *body, "</svg>", ""])


def places_of(steps):
    """{chunk: (x, scale)} for all rows, so that a byte has one place in the whole picture."""
    sizes = {}
    for step in steps:
        sizes.update({index: size for index, (size, _) in step.chunks.items()})
    room = WIDTH - LEFT - 12 - GAP * (len(sizes) - 1)
    scale = room / sum(sizes.values())
    places, x = {}, float(LEFT)
    for index in sorted(sizes):
        places[index] = (x, scale)
        x += sizes[index] * scale + GAP
    return places


def strip(step, places, y):
    for index, (size, _) in step.chunks.items():
        x, scale = places[index]
        yield rect("free", x, y, size * scale, STRIP)
    for index, offset, size, state, label in step.spans:
        x, scale = places[index]
        if size == 0:
            continue
        yield rect(state, x + offset * scale, y, size * scale, STRIP)
        if label != "-" and size * scale >= 9:
            yield text(x + (offset + size / 2) * scale, y + 15.5, label, "inside")


def legend(steps, y):
    """(elements, where the last row of them begins)"""
    shown = {state for step in steps for _, _, size, state, _ in step.spans if size} | {"free"}
    if "slot" in shown:
        shown.remove("free")
    elements, x = [], 12.0
    for state, meaning in LEGEND.items():
        if state not in shown:
            continue
        width = 20 + 6.6 * len(meaning) + 12
        if x + width > WIDTH:
            x, y = 12.0, y + 20
        elements += [rect(state, x, y, 14, 12), text(x + 19, y + 11, meaning, "soft")]
        x += width
    return elements, y


def memory_picture(name, steps):
    places = places_of(steps)
    body = [text(12, 22, name, "title"), text(12, 41, TITLES[name], "soft")]
    for n, step in enumerate(steps):
        y = TOP + n * ROW
        body.append(text(12, y + 15.5, step.text))
        body.extend(strip(step, places, y))
        if step.refused:
            body.append(text(12 + 7 * len(step.text) + 6, y + 15.5, "fails", "refused"))
    keys, last = legend(steps, TOP + len(steps) * ROW + 4)
    return document(last + 24, f"{name}: {TITLES[name]}",
                    "Each row is a step; the strip shows the memory, lower addresses on the left. " +
                    "; ".join(step.text + (" (fails)" if step.refused else "") for step in steps), [*body, *keys])


def box(cls, x, y, width, height):
    return rect(cls, x, y, width, height).replace("/>", ' rx="6"/>')


def arrow(x, y, to_x, to_y):
    """Straight, with its head at the end."""
    head = "l -5 -4 m 5 4 l -5 4" if y == to_y else "l -4 -5 m 4 5 l 4 -5"
    return f'<path class="line" d="M {number(x)} {number(y)} L {number(to_x)} {number(to_y)} {head}"/>'


def question_row(lines, height, answer, is_last, y):
    yield box("free", 12, y, 200, height)
    for n, line in enumerate(lines):
        yield text(20, y + 19 + 17 * n, line)
    middle = y + height / 2
    yield arrow(212, middle, 246, middle)
    yield box("answer", 246, middle - 14, 184, 28)
    yield text(254, middle + 4.5, answer)
    if not is_last:
        yield text(217, middle - 5, "yes", "soft")
        yield arrow(40, y + height, 40, y + height + 18)
        yield text(48, y + height + 14, "no", "soft")


def decision_picture():
    body = [box("question", 12, 12, WIDTH - 24, 30), text(22, 32, QUESTION, "title")]
    y = 68.0
    for group, rows in DECISION.items():
        body.append(text(12, y, group, "title"))
        y += 12
        for question, answer in rows:
            lines = textwrap.wrap(question, 28)
            height = 12 + 17 * len(lines)
            body.extend(question_row(lines, height, answer, (question, answer) == rows[-1], y))
            y += height + 18
        y += 18
    said = "; ".join(f"{group}: " + ", ".join(f"{question} {answer}" for question, answer in rows)
                     for group, rows in DECISION.items())
    return document(y - 26, "Which resource places the blocks?", f"{QUESTION} {said}", body)


def drawn(program):
    """{file name: text}"""
    run = subprocess.run([program], capture_output=True, text=True, timeout=60, check=True)
    pictures = {f"{name}.svg": memory_picture(name, steps)
                for name, steps in pictures_of(run.stdout.splitlines()).items()}
    return {**pictures, "decision.svg": decision_picture()}


def check(pictures, folder):
    """The names of pictures that are not there, differ, or should not be there."""
    here = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.svg"))}
    wrong = [name for name in sorted({*pictures, *here}) if pictures.get(name) != here.get(name)]
    for name in wrong:
        state = "is not drawn any more" if name not in pictures else "is missing" if name not in here else "is another one now"
        print(f"{folder / name}: {state}: run docs_pictures.py without --check, and look at it", file=sys.stderr)
    print(f"{len({*pictures, *here}) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--check", action="store_true", help="write nothing, and compare")
    options = parser.parse_args()
    try:
        pictures = drawn(options.program)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"docs_pictures.py: {error}", file=sys.stderr)
        print("0 passed, 1 failed")
        return 1
    if options.check:
        return check(pictures, options.folder)
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        (options.folder / name).write_text(picture, encoding="utf-8")
    print(f"{len(pictures)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
