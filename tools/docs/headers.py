"""The public headers: what they declare, and the form in which Doxygen reads them.

Doxygen 1.9.4 gets a copy of each header in which every line keeps its number. The copy differs where Doxygen cannot
follow the header (the inline namespace), where the header says what docs/contracts.md says for all classes (nothing is
copied or moved), and where one sentence holds for a name wherever it stands.
"""

import re

import pages

NAMESPACE = re.compile(r"^namespace allot::inline ALLOT_ABI(?:::(\w+(?:::\w+)*))? \{$", re.MULTILINE)
INTERNAL = re.compile(r"^(inline )?namespace (detail\w*) \{$.*?^\} // namespace \2$", re.MULTILINE | re.DOTALL)
INTERNAL_MACRO = re.compile(r"^#define ALLOT_(?:ABI_|DETAIL_|MAKES_)\w+(?:[^\n]*\\\n)*[^\n]*$", re.MULTILINE)
# A comment on what is defined in the branches below it: Doxygen would give it to whatever comes next.
INTERNAL_CHOICE = re.compile(r"^(?:///[^\n]*\n)+(?=#if[^\n]*\n#define ALLOT_(?:ABI|DETAIL|MAKES)_)", re.MULTILINE)
NOT_COPIED = re.compile(r"^ *(?:(?:(\w+)\(const \1&\)|\w+& operator=\(const \w+&\)) = (?:delete|default)"
                        r"|(?:\[\[[^\]]*\]\] )?~\w+\(\)(?: override)?(?: = default)?);.*$", re.MULTILINE)
SETTING = re.compile(r"^(?:inline namespace ALLOT_\w+ \{|\} // namespace ALLOT_\w+)$", re.MULTILINE)
PRIVATE_CLASS = re.compile(r"^(?:///[^\n]*\n)*(?:class|struct) \w+::\w+ \{.*?^\};$", re.MULTILINE | re.DOTALL)
GUIDE = re.compile(r"^(?:///[^\n]*\n)*(?:template <[^;{]*>\n)?\w+\([^;{]*\)\s*->[^;{]*;$", re.MULTILINE)
FRIEND_CLASS = re.compile(r"^(?: *template <[^\n]*>\n)? *friend [^()\n]*;.*$", re.MULTILINE)
HEADINGS = re.compile(r"^( *///) (Guarantees|Costs:|Threads:)(?=$| )", re.MULTILINE)
SNIPPET = re.compile(r"^( *///) \\snippet (\S+) (\S+)$", re.MULTILINE)

# A name that says the same in every class, and what it says. A declaration with a comment of its own keeps that.
SAID_ONCE = [
    (r"static constexpr const char\* class_name\b", "The class's name, as records of failures and reports give it."),
    (r"static constexpr bool owns_is_exact\b", "True where `owns` never answers `unknown`."),
    (r"using upstream_type =", "The upstream's type, `std::pmr::memory_resource` where it is not known."),
    (r"static constexpr std::size_t branch_count\b", "How many upstreams there are."),
    (r"friend (?:constexpr )?bool operator==\(.*= default;", "Equal where all members are."),
    (r"using value_type =", "As the standard's allocators and containers have it."),
    (r"class (?:alignas\(64\) )?ledger\b", "The books that a `counting_adaptor` with this policy keeps."),
    (r"void allocated\(std::size_t bytes\) noexcept", "Counts a block that was given out."),
    (r"void failed\(\) noexcept", "Counts a request that upstream could not serve."),
    (r"void increment\(\) noexcept", "Counts one more."),
    (r"counting_peaks peaks\(\) const", "The peaks since they were last started anew."),
    (r"\w+_snapshot read\(\) const", "All figures now."),
    (r"std::size_t live_bytes\(\) const", "Bytes that were given out and are not back yet."),
    (r"std::size_t live_blocks\(\) const", "Blocks that were given out and are not back yet."),
    (r"using propagate_on_container_\w+ =", "As the standard's allocators have it."),
    (r"using is_always_equal =", "As the standard's allocators have it."),
]

FUNCTION = re.compile(r" *(?:template <|[\w\[][^=]*\()")
OPENING = re.compile(r"^(?:inline )?namespace (\S+) \{$|^namespace allot::inline ALLOT_ABI(\S*) \{$")
PUBLIC_CLASS = re.compile(r"^(?:class|struct|union|enum class|enum) (?:alignas\([^)]*\) )?(\w+)\b(?![^{]*;$)")


def blank(match):
    return "\n" * match.group().count("\n")


def without_internals(text):
    """The header less what is not for users, or is nothing to look up: internal namespaces and macros, namespaces named
    after settings, definitions of private classes, deduction guides."""
    for pattern in (INTERNAL, INTERNAL_CHOICE, INTERNAL_MACRO, SETTING, PRIVATE_CLASS, GUIDE):
        text = pattern.sub(blank, text)
    return text


def namespaces(text):
    """Those that a header opens, but for internal ones: {'allot'}, {'allot::report'}."""
    spaces = {"::".join(filter(None, ("allot", found.group(1)))) for found in NAMESPACE.finditer(text)}
    return {space for space in spaces if "::detail" not in space}


def is_internal(text):
    """True for a header that declares nothing outside of internal namespaces, as those of detail/."""
    return bool(NAMESPACE.search(text)) and not namespaces(text)


def classes(text):
    """The public classes and enumerations at namespace scope: {'allot::report::figures': line}."""
    found, spaces = {}, []
    for number, line in enumerate(without_internals(text).split("\n"), 1):
        opened, declared = OPENING.match(line), PUBLIC_CLASS.match(line)
        if opened:
            spaces.append(opened.group(1) or "allot" + opened.group(2))
        elif line.startswith("} // namespace"):
            spaces.pop()
        elif declared and spaces and not any("detail" in space for space in spaces):
            found.setdefault("::".join([*spaces, declared.group(1)]), number)
    return found


def is_commented(lines, number):
    return "///<" in lines[number] or (number > 0 and lines[number - 1].lstrip().startswith("///"))


def with_comment(line, comment):
    indent = len(line) - len(line.lstrip())
    return f"{line[:indent]}/** {comment} */ {line.lstrip()}"


def said_once(lines):
    """Writes the sentence of SAID_ONCE into the line of each such declaration that has no comment."""
    for number, line in enumerate(lines):
        sentence = next((words for pattern, words in SAID_ONCE if re.match(rf" +(?:\[\[nodiscard\]\] )?{pattern}", line)), None)
        if sentence and not is_commented(lines, number):
            lines[number] = with_comment(line, sentence)
    return lines


def shared(lines):
    """A comment stands for all functions down to the next empty line: says it again for those after the first."""
    comment, indent, open_to_next = [], "", False
    for number, line in enumerate(lines):
        own = line[:len(line) - len(line.lstrip())]
        if line.lstrip().startswith("///"):
            fresh = number == 0 or not lines[number - 1].lstrip().startswith("///")
            comment = ([] if fresh else comment) + [line.lstrip()[3:].strip()]
            indent, open_to_next = own, False
        elif not line.strip() or len(own) < len(indent) or line.strip().startswith(("/**", "//", "#")):
            comment = []
        elif comment and own == indent and not comment[0].startswith("\\name"):
            if open_to_next and FUNCTION.match(line) and not is_commented(lines, number):
                lines[number] = with_comment(line, " ".join(comment))
            open_to_next = line.rstrip().endswith((";", "}")) or bool(re.search(r";\s+//", line))
    return lines


def bold(found):
    """Threads come right below the costs, and as a line of their own."""
    return f"{found.group(1)} {'<br/>' if found.group(2) == 'Threads:' else ''}**{found.group(2)}**"


def grouped(lines, room):
    """Puts what stands at namespace scope into the group of its room: by a command in the place of the empty line before
    its comment, or, below a comment of the file's own, behind it; not by a group around all, in which Doxygen loses
    friends."""
    command = f"\\ingroup room_{room}"
    first = None  # of the comment that is read
    for number, line in enumerate(lines):
        if line.startswith("/** "):
            lines[number] = line.replace(" */", f" {command} */", 1)
        elif line.startswith("///"):
            first = number if first is None else first
        else:
            if first and line.strip():
                if lines[first - 1].strip() or lines[first - 2].startswith("///"):
                    lines[number - 1] += f" {command}"
                else:
                    lines[first - 1] = f"/// {command}"
            first = None
    return lines


def for_doxygen(text, room):
    """The header as Doxygen is to read it, its declarations in the group of its room."""
    text = pages.with_code_whole(FRIEND_CLASS.sub(blank, NOT_COPIED.sub("", without_internals(text))))
    text = NAMESPACE.sub(lambda found: "namespace " + "::".join(filter(None, ("allot", found.group(1)))) + " {", text)
    text = HEADINGS.sub(bold, "\n".join(said_once(grouped(shared(text.split("\n")), room))))
    return SNIPPET.sub(r"\1 \\show{\2,\3}", text)


def snippets(text):
    """The files that the header takes examples from."""
    return {found.group(2) for found in SNIPPET.finditer(text)}
