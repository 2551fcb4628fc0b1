"""Draws the panels of panels.py as SVG by matplotlib (Debian: python3-matplotlib).

Two kinds of panel. Dots: a row for each peer, the best on top. Lines: over the number of live blocks or of threads. Colours
are those of Okabe and Ito, and none is needed: every row and every line has its name beside it, and a marker of its own.
"""

import io
import math
import re

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator  # noqa: E402

import panels as shown  # noqa: E402
import rows  # noqa: E402

plt.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "allot", "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "figure.facecolor": "white",
    "xtick.major.width": 0.6, "ytick.major.size": 0, "axes.axisbelow": True})

BLUE, SKY, GREEN, VERMILLION, ORANGE, PURPLE, BLACK, GREY = (
    "#0072B2", "#56B4E9", "#009E73", "#D55E00", "#E69F00", "#CC79A7", "#000000", "#777777")

# (colour, marker) by library, and by class for allot's; a class that is not here takes its turn in OTHERS.
OF_FAMILY = {"floor": (BLACK, "|"), "hand_written": (BLACK, "|"), "std": (VERMILLION, "s"), "boost": (ORANGE, "^"),
             "boost_json": (ORANGE, "v"), "foonathan": (PURPLE, "D"), "tbb": (PURPLE, "P"), "llvm": (PURPLE, "h"),
             "protobuf": (PURPLE, "p"), "glibc": (GREEN, "X"), "mimalloc": (GREEN, "<"), "jemalloc": (GREEN, ">"),
             "tcmalloc": (GREEN, "d"), "bde_style": (ORANGE, "^"), "rmm_style": (PURPLE, "D")}
OF_CLASS = {"pool_resource": (BLUE, "o"), "concurrent_pool_resource": (SKY, "*"), "block_pool_resource": (BLUE, "H"),
            "monotonic_resource": (BLUE, "o"), "monotonic_resource, MinAlign 8": (BLUE, "8"), "bump_resource": (SKY, "*"),
            "bump_resource, MinAlign 8": (SKY, "H"), "plain_counters": (BLUE, "o"), "striped_counters": (SKY, "*")}
OTHERS = [(BLUE, "8"), (SKY, "H")]

ON_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}  # words on a line stay readable

COLUMNS = 3


def style(peer, peers):
    if not rows.is_allot(peer):
        return OF_FAMILY.get(rows.family(peer), (GREY, "."))
    others = [p for p in peers if rows.is_allot(p) and p not in OF_CLASS]
    return OF_CLASS.get(peer) or OTHERS[others.index(peer) % len(OTHERS)]


def short(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def count(value):
    for unit in ("", "k", "M"):
        if value < 1000 or unit == "M":
            return f"{value:g}{unit}"
        value /= 1000


def ticks(low, high):
    """Round numbers: powers of ten where that makes three, else as many in each decade as it takes."""
    for of_a_decade in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7),
                        (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8)):
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
        found = [n * 10.0**d for d in decades for n in of_a_decade if low <= n * 10.0**d <= high]
        if len(found) >= 3:
            break
    return found


def log_axis(axis, low, high):
    axis.set_major_locator(FixedLocator(ticks(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value < 1000 else count(value)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def draw_dots(ax, panel):
    peers = [peer for peer, _ in panel.values]
    everything = [max(value, shown.LEAST) for _, value in panel.values] + [value for value, _ in panel.limits]
    low, high = min(everything) / 1.35, max(everything) * 1.35
    high *= (high / low) ** 0.3  # room for the figure behind the last dot
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_ylim(len(peers) - 0.4, -len(panel.limits) - 0.6)
    log_axis(ax.xaxis, low, high)
    ax.set_yticks(range(len(peers)), peers)
    for y, (peer, value) in enumerate(panel.values):
        colour, marker = style(peer, peers)
        own = rows.is_allot(peer)
        x = max(value, shown.LEAST)
        ax.hlines(y, low, x, color="#bbbbbb", linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
        ax.plot(x, y, marker, color=colour, markersize=6 if own or marker == "|" else 4.5, markeredgewidth=1.5
                if marker == "|" else 0.8, zorder=3, gid=f"series {peer}")
        ax.annotate(short(value), (x, y), (6, 0), textcoords="offset points", va="center", fontsize=7,
                    weight="bold" if own else "normal", bbox=ON_WHITE, zorder=2.5)
        if own:
            ax.get_yticklabels()[y].set_weight("bold")
    middle = math.sqrt(low * high)
    for i, (value, label) in enumerate(sorted(panel.limits)):
        slot = -len(panel.limits) + i
        ax.plot([value, value], [slot - 0.4, len(peers) - 0.4], linestyle=(0, (4, 2)), linewidth=1, color=BLACK,
                gid=f"limit {label}")
        side = "right" if value > middle else "left"
        ax.annotate(label, (value, slot), (-4 if side == "right" else 4, 0), textcoords="offset points", ha=side,
                    va="center", fontsize=7, style="italic", bbox=ON_WHITE, zorder=2.5)
    ax.set_xlabel(panel.unit, labelpad=1)


def spread(wanted, gap):
    """Positions near those wanted, in the same order, and at least `gap` apart."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks = []  # [sum of (wanted - offset), members]: neighbours that touch share a mean
    for i in order:
        blocks.append([[i], wanted[i]])
        while len(blocks) > 1 and blocks[-1][1] < blocks[-2][1] + gap * len(blocks[-2][0]):
            later = blocks.pop()
            members = blocks[-1][0] + later[0]
            blocks[-1] = [members, sum(wanted[m] - gap * k for k, m in enumerate(members)) / len(members)]
    placed = [0.0] * len(wanted)
    for members, start in blocks:
        for k, member in enumerate(members):
            placed[member] = start + gap * k
    return placed


def draw_lines(ax, panel):
    peers = list(panel.values)
    xs = sorted({x for points in panel.values.values() for x, _ in points})
    ys = [y for points in panel.values.values() for _, y in points] + [value for value, _ in panel.limits]
    low, high = min(ys) / 1.2, max(ys) * 1.2
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(xs[0] / 1.15, xs[-1] * 1.15)
    ax.set_ylim(low, high)
    log_axis(ax.yaxis, low, high)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(xs, [count(x) for x in xs])
    ax.grid(axis="y", linewidth=0.3, color="#cccccc")
    ends = []
    for peer in peers:
        colour, marker = style(peer, peers)
        own = rows.is_allot(peer)
        x, y = zip(*sorted(panel.values[peer]))
        ax.plot(x, y, marker="_" if marker == "|" else marker, color=colour, linewidth=2 if own else 0.9,
                markersize=5 if own else 4, zorder=3 if own else 2, gid=f"series {peer}")
        if x[-1] != xs[-1]:  # it was not measured that far: its name is led to
            ax.plot((x[-1], xs[-1] * 1.15), (y[-1], y[-1]), color=colour, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
        ends.append((f"{peer} {short(y[-1])}", y[-1], colour, {"weight": "bold" if own else "normal"}))
    for value, label in panel.limits:
        ax.axhline(value, linestyle=(0, (4, 2)), linewidth=1, color=BLACK, gid=f"limit {label}")
        ends.append((label, value, BLACK, {"style": "italic"}))
    wanted = [math.log(value / low) / math.log(high / low) for _, value, _, _ in ends]
    for (text, value, colour, font), y in zip(ends, spread(wanted, 0.062)):
        ax.annotate(text, (xs[-1] * 1.15, value), (1.08, y), xycoords="data", textcoords="axes fraction", va="center",
                    fontsize=7, **font, arrowprops={"arrowstyle": "-", "linewidth": 0.6, "color": colour, "shrinkA": 1,
                                                    "shrinkB": 0, "relpos": (0, 0.5)})
    ax.set_xlabel(panel.axis, labelpad=1)
    ax.set_ylabel(panel.unit, labelpad=1)


def in_rows(panels):
    """Rows of at most COLUMNS panels, as even as can be."""
    found, rest = [], math.ceil(len(panels) / COLUMNS)
    while panels:
        size = math.ceil(len(panels) / rest)
        found.append(panels[:size])
        panels, rest = panels[size:], rest - 1
    return found


def draw(title, subtitle, panels):
    """The SVG of all panels below one title."""
    lines = in_rows([panel for panel in panels if panel.lines]) + in_rows([panel for panel in panels if not panel.lines])
    columns = max(map(len, lines))
    names = [peer for panel in panels if not panel.lines for peer, _ in panel.values]
    names_width = 0.1 + 0.072 * max(map(len, names), default=0)
    column_width = max(3.9, names_width + 2.3)
    width = column_width * columns
    heights = [max(panel.height for panel in line) for line in lines]
    head, between = 0.85, 0.72
    height = sum(heights) + between * len(lines) + head
    figure = plt.figure(figsize=(width, height))
    figure.text(0.1 / width, 1 - 0.2 / height, title, fontsize=11, weight="bold", va="center")
    figure.text(0.1 / width, 1 - 0.42 / height, subtitle, va="center")
    top = height - head
    for line, line_height in zip(lines, heights):
        for column, panel in enumerate(line):
            left = column_width * column + (0.5 if panel.lines else names_width)
            across = 1.8 if panel.lines else column_width - names_width - 0.15
            ax = figure.add_axes((left / width, (top - panel.height) / height, across / width, panel.height / height))
            (draw_lines if panel.lines else draw_dots)(ax, panel)
            ax.set_title(panel.title, pad=6)
        top -= line_height + between
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return slim(out.getvalue())


def slim(svg):
    """The same picture in a third of the bytes: fewer digits and groups, and each style written once."""
    for pattern, instead in ((r"<!(--.*?--|DOCTYPE.*?)>|<metadata>.*?</metadata>", ""), (r"(\.\d\d)\d+", r"\1"),
                             (r' transform="rotate\(-0 [^"]*\)"', ""), (r"\s*\n\s*", "\n"),
                             (r' id="(series|limit) ([^"]*)"', r' data-\1="\2"'),
                             (r' id="(text|line2d|LineCollection|patch|[xy]tick|axes|matplotlib\.axis)_\d+"', ""),
                             (r"\n(?=[LzMC\"])", " "), (r"(?<=[\dz]) (?=\")", ""), (r"<g/>\n", "")):
        svg = re.sub(pattern, instead, svg, flags=re.DOTALL)
    groups = 1
    while groups:
        svg, groups = re.subn(r"<g>\n((?:(?!</?g\b).)*?)</g>\n", r"\1", svg, flags=re.DOTALL)
    styles = {}
    svg = re.sub(r'(?<= )style="([^"]*)"', lambda found: f'class="{styles.setdefault(found[1], f"s{len(styles)}")}"', svg)
    rules = "".join(f".{name}{{{style}}}\n" for style, name in styles.items())
    return re.sub(r"\n{2,}", "\n", svg.replace("</style>", f"\n{rules}</style>"))


def drawings(results):
    """{file name: SVG} for each group that was measured."""
    found = {}
    for name, drawing in shown.DRAWINGS.items():
        panels = shown.panels_of(results, drawing)
        if panels:
            found[f"{name}.svg"] = draw(drawing.title, drawing.subtitle, panels)
    return found
