"""What the plots show: which figures, which limits, in which panels. Nothing here draws."""

import dataclasses

import goals
import rows

LEAST = 0.1  # ns: no machine here can tell less
ROW = 0.2  # inches for a peer, or for the label of a goal


@dataclasses.dataclass
class Panel:
    """One comparison. `values` of a dots panel: [(peer, value)]; of a lines panel: {peer: [(x, value)]}."""
    title: str
    values: object
    limits: list  # [(value, label)]
    unit: str = "ns"
    axis: str = ""  # what x counts in a lines panel

    @property
    def lines(self):
        return bool(self.axis)

    @property
    def height(self):
        return 2.3 if self.lines else ROW * (len(self.values) + len(self.limits)) + 0.1


def limits_of(results, case):
    """[(ns, label)]: the goals that judge a row of this case by time."""
    found = []
    for goal in goals.GOALS:
        if isinstance(goal, goals.Count) or not goals.judged_peers(goal, results, case):
            continue
        if goal.beyond:
            found.append((goal.limit, f"goal {goal.number}: {goal.limit:g} ns, {goal.peer}"))
            continue
        to = results.floor(case) if goal.to == "floor" else goal.to
        base = results.ns(case, to) if to else None if goal.to else 1
        if base is None:
            continue
        value = base / goal.limit if goal.faster else base * goal.limit
        words = f"1/{goal.limit:g} of {to}" if goal.faster else f"x{goal.limit:g} of {to}" if goal.to else \
            f"{goal.limit:g} ns"
        found.append((value, f"goal {goal.number}: {words}"))
    return found


def dots_of(results, case):
    values = sorted(((peer, results.ns(case, peer)) for peer in results.peers(case)), key=lambda entry: entry[1])
    return Panel(case.split("/", 1)[1], values, limits_of(results, case))


def beyond_of(results, case):
    """What adaptors add, by peer; a log axis begins at LEAST, and what adds less is drawn there."""
    values = [(peer, results.beyond(case, peer)) for peer in results.peers(case)]
    values = sorted(((peer, value) for peer, value in values if value is not None), key=lambda entry: entry[1])
    return Panel(case.split("/", 1)[1], values, limits_of(results, case)) if values else dots_of(results, case)


def ratio_lines(results, cases, key):
    """The ratio to the floor over a setting, for each peer; the cases differ in that setting alone."""
    series = {}
    for case in cases:
        for peer in results.peers(case):
            ratio = results.to_floor(case, peer)
            if ratio and peer != results.floor(case):
                series.setdefault(peer, []).append((rows.setting(case, key), ratio))
    limits = [(goal.limit, f"goal {goal.number}: x{goal.limit:g}") for goal in goals.GOALS
              if isinstance(goal, goals.Goal) and goal.to == "floor" and goals.covers(goal, cases[0])]
    return Panel(rows.without(cases[0].split("/", 1)[1], key), series, limits, "times the floor", "live blocks")


def time_lines(results, cases, key):
    series = {}
    for case in cases:
        for peer in results.peers(case):
            series.setdefault(peer, []).append((rows.setting(case, key), results.ns(case, peer)))
    limits = [(value, f"{label}, {rows.setting(case, key)} {key}") for case in cases
              for value, label in limits_of(results, case) if "of" not in label]
    return Panel(rows.without(cases[0].split("/", 1)[1], key), series, limits, "ns", key)


def panels_of(results, drawing):
    """Cases that differ in the setting `key` become one panel of lines, all others a panel of dots each."""
    key, lines = drawing.key, drawing.lines
    cases = [case for group in drawing.groups for case in results.in_group(group)]
    alike = {}
    for case in cases:
        alike.setdefault(rows.without(case, key) if key else case, []).append(case)
    panels = [lines(results, same, key) if len(same) > 1 else drawing.dots(results, same[0]) for same in alike.values()]
    return sorted(panels, key=lambda panel: not panel.lines)


@dataclasses.dataclass(frozen=True)
class Drawing:
    title: str
    subtitle: str
    groups: tuple
    key: str = ""  # the setting that becomes the x of a panel of lines
    lines: object = None
    dots: object = dots_of


DRAWINGS = {
    "arena": Drawing("Arenas", "ns for one allocation, log scale. Further left is better; bold: allot.", ("arena", "growth")),
    "pool": Drawing("Pools", "Lines: times an inlined free list on the same memory; lower is better, flat is no slower "
                             "with many live blocks. Dots: ns for a pair, further left is better.\nLog scales. Bold: allot. "
                             "Goal 4 is for pool_resource, goal 5 for concurrent_pool_resource.",
                    ("pool",), "n", ratio_lines),
    "threads": Drawing("Pools for any thread", "ns for a block that is taken and given back, log scales. Lower, and further "
                                               "left, is better; bold: allot.",
                       ("threads",), "threads", time_lines),
    "counting": Drawing("Counting", "ns for an allocation and its deallocation, beyond an adaptor that does nothing; log "
                                    "scale. Further left is better; bold: allot.", ("counting",), dots=beyond_of),
    "containers": Drawing("Containers", "ns for one item, log scale. Further left is better; bold: allot.", ("containers",)),
}
