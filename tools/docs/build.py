"""Stages what Doxygen reads, runs it, and links the classes that pages name."""

import html
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
THEME = pathlib.Path("/usr/share/doxygen-awesome-css")
ROOM = re.compile(r"^\| `(\w+)/` \| (.*?) \|", re.MULTILINE)
VERSION = re.compile(r"^#define ALLOT_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", re.MULTILINE)
WHAT = {"function": "function", "typedef": "type", "define": "macro", "variable": "constant", "enumeration": "enumeration",
        "enumvalue": "value", "friend": "function"}
NAMED = re.compile(r"<code>(?:allot::)?([A-Za-z_][\w:]*)((?:&lt;[^<]*&gt;)?(?:\(\))?)</code>")
NESTED = re.compile(r'<a href="#nested-classes">Classes</a> &#124;\n')
DETAILS = re.compile(r'(<a name="details" id="details"></a>)<h2 class="groupheader">[^<]*</h2>')
TITLE = re.compile(r'(<div class="title">[^<]*?) (?:Class|Struct|Union|Concept|Namespace|File)(?: Template)? Reference')
PARAMETERS = re.compile(r'(<div class="title">\w+)&lt;[^<]*&gt;(?=[ <])')
NO_TYPE = re.compile(r'<td class="memItemLeft"([^>]*>(?:<a [^>]*></a>\s*)?&#160;</td>)')
CELL = re.compile(r'(?<=<td class="markdownTableBody)[^\n]*')
LINKED = re.compile(r"<a [^>]*>.*?</a>|<h\d[^>]*>.*?</h\d>|<pre[^>]*>.*?</pre>", re.DOTALL)


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


def with_breaks(text):
    """Lets names in tables break behind an underscore, where the table needs that to fit."""
    return CELL.sub(lambda cell: re.sub(r"(?<=<code>)[^<]+", lambda name: name.group().replace("_", "_<wbr/>"), cell.group()),
                    text)


class Build:
    """One build: from the tree at `root` to `out`/html. Doxygen reads the copies in `out`/stage."""

    def __init__(self, root, out, theme=THEME):
        self.root, self.out, self.theme = root, out, theme
        self.stage, self.html = out / "stage", out / "html"
        self.headers = public_headers(root)
        self.pages = pages_of(root)
        self.declared = {name.rsplit("::", 1)[1]: name for text in self.headers.values() for name in headers.classes(text)}
        self.warnings = []
        self.grouped = set()  # classes that a room's page lists
        self.index = []  # for the search: [name, what it is, address]
        self.urls = {}  # {'allot::limit_adaptor': 'classallot_1_1limit__adaptor.html'}

    def run(self):
        for folder in (self.stage, self.html):
            shutil.rmtree(folder, ignore_errors=True)
        files = self.stage_all()
        self.doxygen()
        for name in sorted(files):
            if (self.root / name).is_file():
                (self.html / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.root / name, self.html / "tree" / name)
        self.read_tags()
        self.write_search()
        for page in sorted(self.html.glob("*.html")):
            text = self.plainer(page.name, page.read_text(encoding="utf-8"))
            put(page, with_breaks(self.with_names_linked(page.name, text)))

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
               "GENERATE_TAGFILE": self.out / "allot.tag", "HTML_EXTRA_STYLESHEET": " ".join(f'"{sheet}"' for sheet in styles)}
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
        for compound in ElementTree.parse(self.out / "allot.tag").getroot().iter("compound"):
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
            full = name if what == "define" else self.declared.get(name, f"allot::{name}")
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
        for entry in self.index:
            seen.setdefault((entry[0], entry[1]), entry)  # of overloads the first
        folder = self.html / "search"
        for file in [*folder.glob("*.js"), *folder.glob("*.html")]:
            file.unlink()
        shutil.copyfile(HERE / "search.js", folder / "search.js")
        put(folder / "searchdata.js", f"const searchIndex = {json.dumps(list(seen.values()), indent=0)};\n")

    def plainer(self, page, text):
        """The page without what Doxygen says too much: headings over the only text there is, "Class Template Reference",
        and, where a title is of no specialisation, the parameters that stand right below it."""
        text = TITLE.sub(r"\1", DETAILS.sub(r"\1", text))
        if page in self.urls.values() and not any("<" in name for name, url in self.urls.items() if url == page):
            text = PARAMETERS.sub(r"\1", text)
        text = NO_TYPE.sub(r'<td class="memItemLeft nothing"\1', text)
        if 'id="nested-classes"' not in text:
            text = NESTED.sub("", text)  # it counts private classes here
        return text

    def with_names_linked(self, page, text):
        """Makes a link of each class or function that the text names as code."""
        parts, at = [], 0
        for kept in LINKED.finditer(text):
            parts += [NAMED.sub(lambda found: self.link(page, found), text[at:kept.start()]), kept.group()]
            at = kept.end()
        parts.append(NAMED.sub(lambda found: self.link(page, found), text[at:]))
        return "".join(parts)

    def link(self, page, found):
        name = html.unescape(found.group(1))
        url = self.urls.get(f"allot::{name}") or (self.urls.get(name) if name.startswith("ALLOT_") else None)
        if url is None or url.split("#")[0] == page:
            return found.group()
        return f'<a class="el" href="{url}">{found.group()}</a>'
