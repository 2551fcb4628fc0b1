"""What is checked of the documentation once it is built. A check is (what it is about, complaints)."""

import html.parser
import posixpath
import re
import urllib.parse

import headers
import pages

COMMAND = re.compile(r"\\(?:ingroup|addtogroup|snippet|show|param|tparam|return|throws|pre|ref)\b")


class Page(html.parser.HTMLParser):
    """What an HTML page links to, and what in it can be linked to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.title, self.viewport = "", False
        self.in_title = False
        self.commands = []  # those of Doxygen's that it took for text
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        for key in ("href", "src", "data"):
            if given.get(key):
                self.links.append((self.getpos()[0], given[key]))
        for key in ("id", "name"):
            if given.get(key) and (key == "id" or tag == "a"):
                self.anchors.add(given[key])
        self.in_title = tag == "title"
        self.viewport |= tag == "meta" and given.get("name") == "viewport" and "width=device-width" in given.get("content", "")

    def handle_endtag(self, tag):
        self.in_title = False

    def handle_data(self, data):
        if self.in_title:
            self.title += data
        self.commands += [(self.getpos()[0], command) for command in COMMAND.findall(data)]


def of_warnings(build):
    """Doxygen's warnings, one check for each file that it read."""
    read = [*build.headers, *build.pages]
    said = {path: [line for line in build.warnings if line.startswith(f"{path}:")] for path in read}
    other = [line for line in build.warnings if not any(line in lines for lines in said.values())]
    yield from said.items()
    yield "doxygen", other


def of_classes(build):
    """Every public class of a header has a page, every enumeration a place on one."""
    for path, text in build.headers.items():
        for name, line in headers.classes(text).items():
            url = build.urls.get(name, "")
            there = url and (build.html / url.split("#")[0]).is_file()
            complaints = [] if there else [f"{path}:{line}: {name} has no page: give it a comment, or move it to detail"]
            if there and "#" not in url and name not in build.grouped:
                complaints.append(f"{path}:{line}: {name} is on no room's page: give it a comment, right above it")
            yield name, complaints


def of_markdown(build, elsewhere):
    """Relative links between the Markdown files of the tree, each with its heading."""
    texts = {path: text for path, (_, text) in build.pages.items()}
    for extra in ("CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md"):
        if (build.root / extra).is_file():
            texts[extra] = (build.root / extra).read_text(encoding="utf-8")
    for path, text in texts.items():
        complaints = []
        for line, _, target in pages.links(text):
            if pages.OUTSIDE.match(target):
                elsewhere.setdefault(target, f"{path}:{line}")
                continue
            wrong = wrong_target(build.root, path, target)
            if wrong:
                complaints.append(f"{path}:{line}: the link to {target} is broken: {wrong}")
        yield f"links of {path}", complaints


def wrong_target(root, path, target):
    file, anchor = pages.resolved(path, urllib.parse.unquote(target))
    if not (root / file).exists():
        return f"there is no {file}"
    if anchor and file.endswith(".md"):
        there = {entry[2] for entry in pages.headings((root / file).read_text(encoding="utf-8")).values()}
        if anchor not in there:
            return f"{file} has no heading for it; it has {', '.join(sorted(there))}"
    return None


def of_html(build, elsewhere):
    """Each page that was made: its title, its viewport, its text, and where its links lead."""
    made = {file.name: Page(file.read_text(encoding="utf-8")) for file in sorted(build.html.glob("*.html"))}
    for name, page in made.items():
        complaints = []
        if not page.title.strip():
            complaints.append(f"{name}:1: has no title")
        if not page.viewport:
            complaints.append(f"{name}:1: has no viewport meta, and is tiny on a phone")
        complaints += [f"html/{name}:{line}: {command} stands in the text: Doxygen did not see it as a command"
                       for line, command in page.commands]
        for line, target in page.links:
            if pages.OUTSIDE.match(target) and not target.startswith("javascript:"):
                elsewhere.setdefault(target, f"html/{name}:{line}")
            elif not target.startswith("javascript:"):
                wrong = wrong_address(build.html, made, name, target)
                complaints += [f"html/{name}:{line}: the link to {target} is broken: {wrong}"] if wrong else []
        yield f"html/{name}", complaints
    wrong = [(name, url, wrong_address(build.html, made, "", url)) for name, _, url in build.index]
    yield "search", [f"the search's result {name} leads to {url}: {why}" for name, url, why in wrong if why]
    yield "html/index.html is there", [] if "index.html" in made else ["html/index.html: was not made"]


def wrong_address(folder, made, page, target):
    file, _, anchor = urllib.parse.unquote(target).partition("#")
    file = posixpath.normpath(file.split("?")[0]) if file else page
    if not (folder / file).is_file():
        return f"there is no {file}"
    if anchor and file in made and anchor not in made[file].anchors:
        return f"{file} has no such anchor"
    return None


def report(build):
    """Prints complaints, addresses elsewhere and the sum; returns the exit status."""
    elsewhere = {}
    results = [*of_warnings(build), *of_classes(build), *of_markdown(build, elsewhere), *of_html(build, elsewhere)]
    for _, complaints in results:
        for line in complaints:
            print(line)
    for address, place in sorted(elsewhere.items()):
        print(f"elsewhere, not fetched: {address} ({place})")
    failed = sum(bool(complaints) for _, complaints in results)
    print(build.html / "index.html")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0
