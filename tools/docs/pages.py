"""The pages of docs/ and the README: their order, and the form in which Doxygen reads them.

Doxygen 1.9.4 names headings by numbers of its own. In the copies that it gets, each heading bears the name that it has
on a code host, with its page's before it, and each relative link says where it leads among the pages built.
"""

import posixpath
import re

# The pages in reading order; any others follow, by name.
ORDER = ["start", "choosing", "composing", "failure", "threads", "testing", "firmware", "firmware_size", "performance",
         "benchmarks", "service", "metrics", "global_counter", "interop", "conformance", "migrating", "faq", "contracts", "abi",
         "coverage"]

START = "mainpage"  # the README's label

FENCE = re.compile(r"^\s*(```|~~~)")
HEADING = re.compile(r"^(#{1,6}) +(.*?)\s*#*$")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
CODE = re.compile(r"(`+)(?:(?!\1).)+?\1")
CODE_WITH_QUOTE = re.compile(r"(?<!`)`([^`\n]*'[^`\n]*)`(?!`)")
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:")


def in_order(names):
    """Page names in reading order."""
    return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def plain(title):
    """A heading's words, without the marks of code and links."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "")


def slug(title):
    """A heading's anchor on a code host: lower case, without marks, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", plain(title).strip().lower()).replace(" ", "-")


def with_code_whole(text):
    """Code that holds a quote gets double marks: Doxygen ends it at the quote otherwise."""
    return CODE_WITH_QUOTE.sub(r"``\1``", text)


def prose(text):
    """(number, line) of each line that is not in a fenced block, from 1 on."""
    fence = None
    for number, line in enumerate(text.split("\n"), 1):
        mark = FENCE.match(line)
        if mark and fence in (None, mark.group(1)):
            fence = None if fence else mark.group(1)
        elif fence is None:
            yield number, line


def headings(text):
    """{line: (level, title, anchor)} of a page; a second heading of one name gets -1, as on a code host."""
    found, taken = {}, {}
    for number, line in prose(text):
        match = HEADING.match(line)
        if match:
            base = slug(match.group(2))
            again = taken.get(base, 0)
            taken[base] = again + 1
            found[number] = (len(match.group(1)), match.group(2), f"{base}-{again}" if again else base)
    return found


def links(text):
    """(line, is_picture, target) of each link outside of code."""
    for number, line in prose(text):
        for match in LINK.finditer(CODE.sub(lambda code: "." * len(code.group()), line)):
            yield number, bool(match.group(1)), match.group(3)


def title(text):
    return next((entry[1] for entry in headings(text).values() if entry[0] == 1), None)


def resolved(path, target):
    """(path in the tree, anchor) that a link in the file at `path` leads to."""
    file, _, anchor = target.partition("#")
    return (posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path), anchor


class Writer:
    """Rewrites pages for Doxygen. `labels` has the label of each page by its path in the tree at `root`."""

    def __init__(self, root, labels):
        self.root, self.labels = root, labels
        self.files = set()  # what links and pictures lead to beside pages: to be copied beside the result

    def written(self, path, text):
        named = headings(text)
        lines = text.split("\n")
        for number, line in prose(text):
            if number in named:
                lines[number - 1] = self.heading(self.labels[path], *named[number])
            else:
                lines[number - 1] = self.with_links(path, line)
        return "\n".join(lines)

    @staticmethod
    def heading(page, level, words, anchor):
        """One of Doxygen's sections; on the start page plain HTML, or the navigation would list its headings first."""
        if level == 1:
            return f"# {words} {{#{page}}}"
        if page == START:
            return f'<h{level} id="{page}_{anchor}">{words}</h{level}>'
        return f"{'#' * level} {words} {{#{page}_{anchor}}}"

    def with_links(self, path, line):
        line = with_code_whole(line)
        code = [found.span() for found in CODE.finditer(line)]
        return LINK.sub(lambda found: found.group() if any(a < found.start() < b for a, b in code)
                        else self.link(path, found), line)

    def link(self, path, found):
        picture, words, target = found.groups()
        if OUTSIDE.match(target):
            return found.group()
        file, anchor = resolved(path, target)
        if picture:
            self.files.add(file)
            return f'<img src="tree/{file}" alt="{words}"/>'
        if (self.root / file).is_dir():
            return words
        if self.labels.get(file) == START:
            return f'<a href="index.html{f"#{START}_{anchor}" if anchor else ""}">{words}</a>'
        if file in self.labels:
            label = self.labels[file] + (f"_{anchor}" if anchor else "")
            return f"[{words}](@ref {label})"
        self.files.add(file)
        return f'<a href="tree/{file}">{words}</a>'
