"""Stages what Doxygen reads, runs it, and makes the search of what came out."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import headers
import layout
import pages
import polish

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
THEME = pathlib.Path("/usr/share/doxygen-awesome-css")
ROOM = re.compile(r"^\| `(\w+)/` \| (.*?) \|", re.MULTILINE)
VERSION = re.compile(r"^#define ALLOT_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", re.MULTILINE)
WHAT = {"function": "function", "typedef": "type", "define": "macro", "variable": "constant", "enumeration": "enumeration",
        "enumvalue": "value", "friend": "function"}


def rooms(root):
    """{room: what lives there}, in the order of the table in docs/contracts.md."""
    return dict(ROOM.findall((root / "docs/contracts.md").read_text(encoding="utf-8")))


def public_headers(root):
    """{path in the tree: text} of every header with something for users."""
    found = {}
    for file in sorted((root / "include").rglob("*.hpp")):
        text = file.read_text(encoding="utf-8")
        if not headers.is_internal(text):
            found[file.relative_to(root).as_posix()] = text
    return found


def spaces_of_rooms(texts):
    """{'room_report': 'allot::report'}: the namespace of each room that has one, in which Doxygen's groups name nothing."""
    found = {}
    for path, text in texts.items():
        found.setdefault(f"room_{pathlib.PurePosixPath(path).parent.name}", set()).update(headers.namespaces(text))
    return {room: spaces.pop() for room, spaces in found.items() if len(spaces) == 1}


def pages_of(root):
    """{path in the tree: (label, text)}, the README first, then docs/ in reading order."""
    found = {"README.md": (pages.START, (root / "README.md").read_text(encoding="utf-8"))}
    for name in pages.in_order(file.stem for file in (root / "docs").glob("*.md")):
        found[f"docs/{name}.md"] = (name, (root / f"docs/{name}.md").read_text(encoding="utf-8"))
    return found


def shortened(name):
    return name[len("allot::"):] if name.startswith("allot::") else name


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


class Build:
    """One build: from the tree at `root` to `out`/html. Doxygen reads the copies in `out`/stage."""

    def __init__(self, root, out, theme=THEME):
        self.root, self.out, self.theme = root, out, theme
        self.stage, self.html = out / "stage", out / "html"
        self.tags = out / "allot.tag"
        self.headers = public_headers(root)
        self.pages = pages_of(root)
        self.declared = {name.rsplit("::", 1)[1]: name for text in self.headers.values() for name in headers.classes(text)}
        self.spaces = spaces_of_rooms(self.headers)
        self.warnings = []
        self.grouped = set()  # classes that a room's page lists
        self.index = []  # for the search: [name, what it is, address]
        self.urls = {}  # {'allot::limit_adaptor': 'classallot_1_1limit__adaptor.html'}

    def run(self):
        for folder in (self.stage, self.html):
            shutil.rmtree(folder, ignore_errors=True)
        self.tags.unlink(missing_ok=True)
        files = self.stage_all()
        self.doxygen()
        if not self.tags.is_file():
            return
        for name in sorted(files):
            if (self.root / name).is_file():
                copy = self.html / "tree" / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.root / name, copy)
        self.read_tags()
        self.write_search()
        for page in sorted(self.html.glob("*.html")):
            put(page, polish.gone_over(page.name, page.read_text(encoding="utf-8"), self.urls))

    def stage_all(self):
        """Writes the copies; returns what else pages link to."""
        for path, text in self.headers.items():
            room = pathlib.PurePosixPath(path).parent.name
            put(self.stage / path, headers.for_doxygen(text, room))
            for example in headers.snippets(text):
                if (self.root / example).is_file():
                    put(self.stage / example, (self.root / example).read_text(encoding="utf-8"))
        writer = pages.Writer(self.root, {path: label for path, (label, _) in self.pages.items()})
        for path, (_, text) in self.pages.items():
            put(self.stage / path, writer.written(path, text))
        put(self.stage / "groups.dox", writer.with_links("docs/contracts.md", self.groups()))
        put(self.stage / "layout.xml", layout.layout([(label, pages.title(text) or label)
                                                      for label, text in list(self.pages.values())[1:]]))
        put(self.stage / "Doxyfile", self.doxyfile())
        return writer.files

    def groups(self):
        """A group for each room that has a public header."""
        used = {pathlib.PurePosixPath(path).parent.name for path in self.headers}
        return "".join(f"/** \\defgroup room_{room} {room}\n{what[0].upper()}{what[1:].rstrip('.')}. */\n"
                       for room, what in rooms(self.root).items() if room in used)

    def doxyfile(self):
        version = ".".join(VERSION.findall(self.headers["include/allot/core/config.hpp"]))
        styles = [sheet for sheet in (self.theme / "doxygen-awesome.css", HERE / "pages.css") if sheet.is_file()]
        own = {"PROJECT_NUMBER": version, "OUTPUT_DIRECTORY": self.out, "LAYOUT_FILE": "layout.xml",
               "GENERATE_TAGFILE": self.tags, "HTML_EXTRA_STYLESHEET": " ".join(f'"{sheet}"' for sheet in styles)}
        lines = [f"{key} = {value}" if key.endswith("SHEET") else f'{key} = "{value}"' for key, value in own.items()]
        return "\n".join(["@INCLUDE = " + str(HERE / "Doxyfile"), *lines]) + "\n"

    def doxygen(self):
        run = subprocess.run(["doxygen", "Doxyfile"], cwd=self.stage, text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "LC_ALL": "C.UTF-8"})
        said = run.stdout.replace(f"{self.stage}/", "")
        self.warnings = [line for line in said.splitlines() if line.strip()]
        if run.returncode != 0:
            self.warnings.append(f"doxygen: ended with status {run.returncode}")

    def read_tags(self):
        """Fills `urls`, `grouped` and `index` from Doxygen's tag file."""
        for compound in ElementTree.parse(self.tags).getroot().iter("compound"):
            kind, name, file = compound.get("kind"), compound.findtext("name"), compound.findtext("filename")
            if kind in ("class", "struct", "union", "concept"):
                self.urls[name] = file
                self.index.append([shortened(name), "concept" if kind == "concept" else "class", file])
            if kind == "group":
                self.grouped |= {entry.text for entry in compound.iter("class")}
            for member in compound.findall("member"):
                self.read_member(kind, name, member)

    def read_member(self, kind, compound, member):
        what, name = member.get("kind"), member.findtext("name")
        url = f"{member.findtext('anchorfile')}#{member.findtext('anchor')}"
        if kind in ("class", "struct", "union"):
            if not name.startswith("~"):
                self.index.append([f"{shortened(compound)}::{name}", WHAT.get(what, what), url])
        elif kind == "group" and what in WHAT:
            space = self.spaces.get(compound, "allot")
            full = name if what == "define" else self.declared.get(name, f"{space}::{name}")
            if self.urls.setdefault(full, url) == url:
                self.index.append([shortened(full), WHAT[what], url])

    def write_search(self):
        """Puts a search that works on files in the place of Doxygen's."""
        for path, (label, text) in self.pages.items():
            file = "index.html" if label == pages.START else f"{label}.html"
            for level, title, anchor in pages.headings(text).values():
                own = level == 1
                self.index.append([pages.plain(title), "page" if own else f"in: {pages.plain(pages.title(text) or label)}",
                                   file if own else f"{file}#{label}_{anchor}"])
        seen = {}
        for entry in sorted(self.index, key=lambda entry: "::" in entry[0]):  # members last
            seen.setdefault((entry[0], entry[1]), entry)  # of overloads the first
        self.index = list(seen.values())
        folder = self.html / "search"
        for file in [*folder.glob("*.js"), *folder.glob("*.html")]:
            file.unlink()
        shutil.copyfile(HERE / "search.js", folder / "search.js")
        put(folder / "searchdata.js", f"const searchIndex = {json.dumps(self.index, indent=0)};\n")
