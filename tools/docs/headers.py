"""The public headers: what they declare, and the form in which Doxygen reads them.

Doxygen 1.9.4 gets a copy of each header in which every line keeps its number. The copy differs where Doxygen cannot
follow the header (the inline namespace), where the header says what docs/contracts.md says for all classes (nothing is
copied or moved), and where one sentence holds for a name wherever it stands.
"""

import re

NAMESPACE = re.compile(r"^namespace allot::inline ALLOT_ABI(?:::(\w+(?:::\w+)*))? \{$", re.MULTILINE)
CLOSING = re.compile(r"^\} // namespace allot::inline ALLOT_ABI(?:::(\w+(?:::\w+)*))?$", re.MULTILINE)
INTERNAL = re.compile(r"^(inline )?namespace (detail\w*) \{$.*?^\} // namespace \2$", re.MULTILINE | re.DOTALL)
INTERNAL_MACRO = re.compile(r"^#define ALLOT_(?:ABI_|DETAIL_|MAKES_)\w+(?:[^\n]*\\\n)*[^\n]*$", re.MULTILINE)
NOT_COPIED = re.compile(r"^ *(?:(?:(\w+)\(const \1&\)|\w+& operator=\(const \w+&\)) = delete"
                        r"|(?:\[\[[^\]]*\]\] )?~\w+\(\)(?: override)?(?: = default)?);.*$", re.MULTILINE)
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
    (r"using propagate_on_container_\w+ =", "As the standard's allocators have it."),
    (r"using is_always_equal =", "As the standard's allocators have it."),
]

PUBLIC_CLASS = re.compile(r"^(?:class|struct|union|enum class|enum) (?:alignas\([^)]*\) )?(\w+)", re.MULTILINE)


def blank(match):
    return "\n" * match.group().count("\n")


def without_internals(text):
    """The header less its internal namespaces and macros."""
    return INTERNAL_MACRO.sub(blank, INTERNAL.sub(blank, text))


def is_internal(text):
    """True for a header that declares nothing outside of internal namespaces, as those of detail/."""
    spaces = [found.group(1) or "" for found in NAMESPACE.finditer(text)]
    return bool(spaces) and all(space.split("::")[0].startswith("detail") for space in spaces)


def classes(text):
    """The public classes and enumerations at namespace scope: {'allot::report::figures': line}."""
    found = {}
    text = without_internals(text)
    for space in NAMESPACE.finditer(text):
        inner = space.group(1)
        if inner and inner.startswith("detail"):
            continue
        end = CLOSING.search(text, space.end())
        for declared in PUBLIC_CLASS.finditer(text, space.end(), end.start() if end else len(text)):
            name = "::".join(filter(None, ("allot", inner, declared.group(1))))
            found.setdefault(name, text.count("\n", 0, declared.start()) + 1)
    return found


def comment_said_once(lines):
    """Writes the sentence of SAID_ONCE before each such declaration that has no comment, in its own line."""
    for number, line in enumerate(lines):
        before = lines[number - 1].lstrip() if number else ""
        if before.startswith("///") or "///<" in line:
            continue
        for pattern, sentence in SAID_ONCE:
            if re.match(rf" +{pattern}", line):
                indent = len(line) - len(line.lstrip())
                lines[number] = f"{line[:indent]}/** {sentence} */ {line.lstrip()}"
                break
    return lines


def for_doxygen(text, room):
    """The header as Doxygen is to read it, its declarations in the group of its room."""
    text = NOT_COPIED.sub("", without_internals(text))
    text = HEADINGS.sub(r"\1 **\2**", text)
    text = SNIPPET.sub(r"\1 \\example_from{\2,\3}", text)
    text = NAMESPACE.sub(lambda found: "namespace " + "::".join(filter(None, ("allot", found.group(1))))
                         + f" {{ /** \\addtogroup room_{room} */ /** @{{ */", text)
    text = CLOSING.sub("/** @} */ }", text)
    return "\n".join(comment_said_once(text.split("\n")))


def snippets(text):
    """The files that the header takes examples from."""
    return {found.group(2) for found in SNIPPET.finditer(text)}
