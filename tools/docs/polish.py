"""Goes over the pages that Doxygen made: leaves out what it says too much, and links the names that pages have as code."""

import html
import re

NAMED = re.compile(r"<code>(?:allot::)?([A-Za-z_][\w:]*)((?:&lt;[^<]*&gt;)?(?:\(\))?)</code>")
NESTED = re.compile(r'<a href="#nested-classes">Classes</a> &#124;\n')
DETAILS = re.compile(r'(<a name="details" id="details"></a>)<h2 class="groupheader">[^<]*</h2>')
TITLE = re.compile(r'(<div class="title">[^<]*?) (?:Class|Struct|Union|Concept|Namespace|File)(?: Template)? Reference')
PARAMETERS = re.compile(r'(<div class="title">\w+)&lt;[^<]*&gt;(?=[ <])')
NO_TYPE = re.compile(r'<td class="memItemLeft"([^>]*>(?:<a [^>]*></a>\s*)?&#160;</td>)')
CELL = re.compile(r'(?<=<td class="markdownTableBody)[^\n]*')
LINKED = re.compile(r"<a [^>]*>.*?</a>|<h\d[^>]*>.*?</h\d>|<pre[^>]*>.*?</pre>", re.DOTALL)


def gone_over(page, text, urls):
    """The page named `page`; `urls` has the address of each public name."""
    return with_breaks(with_names_linked(page, plainer(page, text, urls), urls))


def plainer(page, text, urls):
    """The page without what Doxygen says too much: headings over the only text there is, "Class Template Reference",
    and, where a title is of no specialisation, the parameters that stand right below it."""
    text = TITLE.sub(r"\1", DETAILS.sub(r"\1", text))
    if page in urls.values() and not any("<" in name for name, url in urls.items() if url == page):
        text = PARAMETERS.sub(r"\1", text)
    text = NO_TYPE.sub(r'<td class="memItemLeft nothing"\1', text)
    if 'id="nested-classes"' not in text:
        text = NESTED.sub("", text)  # it counts private classes here
    return text


def with_names_linked(page, text, urls):
    """Makes a link of each class or function that the text names as code."""
    parts, at = [], 0
    for kept in LINKED.finditer(text):
        parts += [NAMED.sub(lambda found: link(page, found, urls), text[at:kept.start()]), kept.group()]
        at = kept.end()
    parts.append(NAMED.sub(lambda found: link(page, found, urls), text[at:]))
    return "".join(parts)


def link(page, found, urls):
    name = html.unescape(found.group(1))
    url = urls.get(f"allot::{name}") or (urls.get(name) if name.startswith("ALLOT_") else None)
    if url is None or url.split("#")[0] == page:
        return found.group()
    return f'<a class="el" href="{url}">{found.group()}</a>'


def with_breaks(text):
    """Lets names in tables break behind an underscore, where the table needs that to fit."""
    return CELL.sub(lambda cell: re.sub(r"(?<=<code>)[^<]+", lambda name: name.group().replace("_", "_<wbr/>"), cell.group()),
                    text)
