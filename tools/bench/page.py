"""The result page, docs/benchmarks.md, and the short form of it for a terminal."""

import figures
import rows

# The plot that shows a group, and what it says to whoever cannot see it.
PLOTS = {"arena": ("arena", "Arenas and growing: ns for one allocation, by peer"),
         "pool": ("pool", "Pools: times an inlined free list, over the number of live blocks, by peer"),
         "threads": ("threads", "Pools for any thread: ns for a block, over the number of threads, by peer"),
         "counting": ("counting", "Counting: ns beyond an adaptor that does nothing"),
         "containers": ("containers", "Containers: ns for one item, by peer")}

LEGEND = """\
Times are in nanoseconds for one item: an allocation and its deallocation, or for arenas an allocation alone. *ns* is the
lower quartile and *median* the median of all rounds. *to floor* is the ratio to the least that any allocator must do: a
virtual bump that tests nothing, a free list that the compiler has inlined, an arena that need not grow, one class by hand.
*to allot* is the ratio to the row of allot that is set in **bold**. *reserved* is what the peer took from its upstream at
the peak for each byte asked for, *resident* the growth of the process's resident set at its peak, which the system tells to
within some hundred KiB; both come from a process of its own for each row.

A row marked **< allot** is faster than allot's by more than 15 %, a row marked ~ is within 15 %, which is noise.
"""

VAGUE = 1 << 19  # bytes; the program's own code and the kernel's way of counting make up so much

# allot's row that the others of a case are held against, where there are several: the first that is there.
OWN = ["pool_resource", "concurrent_pool_resource", "monotonic_resource", "bump_resource"]
OWN_OF_GROUP = {"arena": "monotonic_resource", "chain": "chain"}


def own_row(results, case):
    """allot's row of a case, or None: the usual one, else its fastest."""
    ours = [peer for peer in results.peers(case) if rows.is_allot(peer)]
    for usual in [OWN_OF_GROUP.get(case.split("/")[0]), *OWN]:
        if usual in ours:
            return usual
    return min(ours, key=lambda peer: results.ns(case, peer), default=None)


def rivals(results, case):
    """Peers that do the whole work: the floor is none of them."""
    return [peer for peer in results.peers(case) if not rows.is_allot(peer) and not rows.is_floor(peer)]


def losses(results):
    """(case, allot's row, [(peer, how many times faster)]) where a rival is faster by more than noise."""
    for case in results.cases:
        own = own_row(results, case)
        if own is None:
            continue
        faster = [(peer, results.ratio(case, own, peer)) for peer in rivals(results, case)]
        faster = sorted(((p, r) for p, r in faster if r > 1 + figures.NOISE), key=lambda loss: -loss[1])
        if faster:
            yield case, own, faster


def mark(results, case, peer, own):
    if own is None or rows.is_allot(peer) or rows.is_floor(peer):
        return ""
    ratio = results.ratio(case, own, peer)
    return "**< allot**" if ratio > 1 + figures.NOISE else "~" if ratio > 1 / (1 + figures.NOISE) else ""


def plural(count, thing):
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def number(value, form="{:.2f}", missing=""):
    return missing if value is None else form.format(value)


def nanoseconds(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else \
        f"{value:.2f}"


def size(value):
    if value is None:
        return ""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit in ("B", "KiB") else f"{value:.1f} {unit}"
        value /= 1024


def resident(value):
    """What the system cannot tell from nothing is not told in figures."""
    return "< 0.5 MiB" if value is not None and value < VAGUE else size(value)


def case_table(results, case):
    lines = [f"| {case} | ns | median | to floor | to allot | | reserved | resident |",
             "|---|--:|--:|--:|--:|---|--:|--:|"]
    own = own_row(results, case)
    for peer in results.peers(case):
        ns = results.ns(case, peer)
        middle = figures.median(results.cases[case][peer]["ns"])
        cells = [f"**{peer}**" if peer == own else peer, nanoseconds(ns), nanoseconds(middle),
                 number(results.to_floor(case, peer), "x{:.2f}"),
                 number(results.ratio(case, peer, own) if own else None, "x{:.2f}"), mark(results, case, peer, own),
                 number(results.reserved_per_requested(case, peer), "x{:.2f}"), resident(results.resident(case, peer))]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def goal_table(verdicts):
    lines = ["| goal | | limit | worst | at | verdict |", "|--:|---|---|--:|---|---|"]
    for verdict in verdicts:
        goal = verdict.goal
        worst = "" if verdict.value is None else goal.shown(verdict.value)
        lines.append(f"| {goal.number} | {goal.claim} | {goal.bound} | {worst} | {verdict.where} | {verdict.words()} |")
    return lines


def missed_list(verdicts):
    """Each row that misses a goal, by goal."""
    for verdict in verdicts:
        if verdict.missed:
            listed = ", ".join(f"{where} {verdict.goal.shown(value)}" for where, value in verdict.missed)
            yield f"- Goal {verdict.goal.number}, {verdict.goal.claim} ({verdict.goal.bound}): {listed}"


def loss_list(results):
    for case, own, faster in losses(results):
        yield f"- {case}, `{own}` at {nanoseconds(results.ns(case, own))} ns: " + ", ".join(
            f"{peer} is x{ratio:.2f} faster" for peer, ratio in faster)


def about_list(results):
    about = results.about
    peers = ", ".join(f"{name} {version}" for name, version in about.get("peers", {}).items())
    return [f"- {about['date']}, {about['machine']}, {about['system']}", f"- {about['compiler']}, {about['libc']}",
            f"- Peers: {peers}",
            f"- {plural(about['rounds'], 'round')}, the mallocs in random order in each, rows interleaved in each process;"
            f" load before the run {about['load']}",
            f"- `{about['command']}` does it again"]


def steadiness(results):
    """How far the preloaded processes can be compared with the others."""
    if ratios := results.steadiness():
        yield "- The floor in the processes with another malloc, to that without, by the median of all workloads: " + \
            ", ".join(f"{malloc} x{ratio:.2f}" for malloc, ratio in ratios.items())


def page(results, verdicts, workloads, soak):
    """\param workloads  {group: what its program's source says of its workloads}
    \param soak  lines on the last soak, if there was one
    """
    out = ["# Benchmarks", "",
           "Where allot stands beside what else there is, by one run on one machine. `./dev bench` writes this page, its",
           "plots and [the raw figures](benchmarks/results.json). [How fast it is](performance.md) says what to make of",
           "them.", "",
           *about_list(results), *steadiness(results)]
    if results.left_out:
        out += ["", "Left out:", "", *(f"- {item['what']}: {item['why']}" for item in results.left_out)]
    out += ["", "## Goals", "", *goal_table(verdicts)]
    if missed := list(missed_list(verdicts)):
        out += ["", "Rows that miss a goal:", "", *missed]
    out += ["", "## Where allot loses", ""]
    out += list(loss_list(results)) or ["No rival is faster by more than 15 % in any workload."]
    if soak:
        out += ["", "## Soak", "", *soak]
    out += ["", "## All figures", "", LEGEND.rstrip()]
    for group in results.groups():
        out += ["", f"### {group[0].upper()}{group[1:]}"]
        if group in PLOTS:
            out += ["", f"![{PLOTS[group][1]}](benchmarks/{PLOTS[group][0]}.svg)"]
        if group in workloads:
            out += ["", "```text", workloads[group], "```"]
        for case in results.in_group(group):
            out += ["", *case_table(results, case)]
    return "\n".join(out) + "\n"


def terminal(results, verdicts):
    """The figures in columns, without memory."""
    out = []
    for group in results.groups():
        for case in results.in_group(group):
            own = own_row(results, case)
            out += ["", f"{case:46}       ns   median  to floor  to allot"]
            for peer in results.peers(case):
                middle = figures.median(results.cases[case][peer]["ns"])
                out.append(f"  {peer:40} {nanoseconds(results.ns(case, peer)):>10} {nanoseconds(middle):>8} "
                           f"{number(results.to_floor(case, peer), 'x{:.2f}'):>9} "
                           f"{number(results.ratio(case, peer, own) if own else None, 'x{:.2f}'):>9} "
                           f"{mark(results, case, peer, own).strip('*')}".rstrip())
    out += ["", "Goals"]
    for verdict in verdicts:
        if verdict.value is None:
            continue
        worst = f", worst {verdict.goal.shown(verdict.value)} at {verdict.where}"
        out.append(f"  {verdict.goal.number}  {verdict.goal.claim.replace('`', '')}: {verdict.goal.bound}: "
                   f"{verdict.words().replace('*', '')}{worst}")
    out += [f"left out: {item['what']}: {item['why']}" for item in results.left_out]
    return "\n".join(out) + "\n"
