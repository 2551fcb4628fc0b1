"""The project's goals for speed, and what a run says of each. The numbers are those of docs/performance.md."""

import dataclasses
import re

import rows

ARENAS = r"(bump|monotonic)_resource(, MinAlign 8)?"
MIXES = r"pool/(lifo|fifo|random|churn)_.*"


@dataclasses.dataclass(frozen=True)
class Goal:
    """The figure of each row of `peer` in each case that matches, held against `limit`.

    `to` names the peer that the figure is a ratio to, and is empty for nanoseconds. `faster` turns the ratio round: how
    many times faster, at least `limit`; else the figure may be `limit` at most. `beyond` judges what an adaptor adds.
    """
    number: int
    claim: str
    case: str
    peer: str
    limit: float
    to: str = ""
    faster: bool = False
    beyond: bool = False

    def figure(self, results, case, peer):
        if self.beyond:
            return results.beyond(case, peer)
        if not self.to:
            return results.ns(case, peer)
        if self.to == "floor":
            return results.to_floor(case, peer)
        return results.ratio(case, self.to, peer) if self.faster else results.ratio(case, peer, self.to)

    def shown(self, value):
        return f"x{value:.2f}" if self.to else f"{value:.1f} ns"

    @property
    def bound(self):
        return f"at {'least' if self.faster else 'most'} " + (f"x{self.limit:.2f}" if self.to else f"{self.limit:g} ns")


@dataclasses.dataclass(frozen=True)
class Count:
    """The record of the instruction gate: rows that match are at most `limit`."""
    number: int
    claim: str
    row: str
    limit: int

    def shown(self, value):
        return f"{value:.0f}"

    @property
    def bound(self):
        return f"at most {self.limit}"


GOALS = [
    Count(1, "arena through `memory_resource*`: instructions in `do_allocate`", r"(bump|monotonic)_resource/interface", 14),
    Count(1, "the same with minimum alignment 8", r"(bump|monotonic)_resource, MinAlign 8/interface", 12),
    Goal(1, "arena through `memory_resource*`, 8 to 32 B, warm, to the least virtual bump", r"arena/warm_8_32", ARENAS,
         1.10, "floor"),
    Goal(1, "the same, to std's", r"arena/warm_8_32", ARENAS, 0.65, "std"),
    Count(2, "arena on the concrete type: instructions of a loop turn, 9 of them the loop's",
          r"(bump|monotonic)_resource(<\w*>)?/loop", 13),
    Count(2, "the same with minimum alignment 8", r"(bump|monotonic)_resource(<\w*>)?, MinAlign 8/loop", 12),
    Goal(3, "growing from nothing, 1 MiB of 32 B, to never growing", r"growth/(concrete_)?1MiB_of_32B",
         r"monotonic_resource(, MinAlign 8)?", 1.5, "floor"),
    Goal(4, "pool through `memory_resource*`, every mix, to an inlined free list", MIXES, "pool_resource", 1.4, "floor"),
    Count(4, "pool: instructions of an allocation and its deallocation, with their loop", r"pool_resource/pair", 45),
    Goal(4, "pool, times faster than std's on random and churn", r"pool/(random|churn)_.*", "pool_resource", 10,
         "std", True),
    Goal(4, "pool, times faster than Boost.Container's, every mix and growing", MIXES + r"|growth/pool_.*", "pool_resource",
         1.3, "boost", True),
    Goal(5, "pool for any thread, alone, to an inlined free list", MIXES + r"|threads/own_.*/threads:1",
         "concurrent_pool_resource", 2.0, "floor"),
    Goal(5, "two threads on their own blocks, for a pair", r"threads/own_.*/threads:2", "concurrent_pool_resource", 10),
    Goal(5, "producer and consumer, for a block", r"threads/producer_consumer", "concurrent_pool_resource", 30),
    Goal(6, "`plain_counters`, beyond the hop, for a pair", r"counting/.*", r"plain_counters", 1.5, beyond=True),
    Goal(6, "`striped_counters`, alone", r"counting/(single|nested).*", "striped_counters", 2, beyond=True),
    Goal(6, "`striped_counters`, two threads", r"counting/two_threads", "striped_counters", 6, beyond=True),
    Goal(8, "a chain of three adaptors, to the same by hand in one class", r"chain/.*", "chain", 1.3, "floor"),
    Goal(8, "a chain, times faster than the layers over `memory_resource*`", r"chain/.*", "chain", 1.5,
         "over_memory_resource", True),
]


@dataclasses.dataclass(frozen=True)
class Verdict:
    goal: object
    value: float = None  # the worst of all rows judged; None when there was no row
    where: str = ""
    judged: int = 0
    missed: tuple = ()  # (where, value) of each row that misses, the worst first

    @property
    def kept(self):
        """True, False, or None when nothing was judged."""
        return None if self.value is None else not self.missed

    def words(self):
        if self.value is None:
            return "not measured"
        rows_judged = f"{self.judged} row{'s' if self.judged != 1 else ''}"
        if self.kept:
            return f"kept ({rows_judged})"
        beyond = self.value / self.goal.limit
        by = f"{100 * (beyond - 1):.0f} %" if beyond > 1 else f"{100 * (1 - beyond):.0f} %"
        return f"**missed** by {by} ({len(self.missed)} of {rows_judged})"


def covers(goal, case):
    return re.fullmatch(goal.case, case) is not None


def judged_peers(goal, results, case):
    """allot's rows of a case that the goal is about."""
    peers = results.peers(case) if covers(goal, case) else []
    return [peer for peer in peers if rows.is_allot(peer) and re.fullmatch(goal.peer, peer)]


def judge_goal(goal, results):
    figures = []
    for case in results.cases:
        for peer in judged_peers(goal, results, case):
            value = goal.figure(results, case, peer)
            if value is not None:
                figures.append((f"{case}/{peer}", value))
    return verdict(goal, figures, goal.faster)


def judge_count(goal, counts):
    return verdict(goal, [(row, n) for row, n in counts.items() if re.fullmatch(goal.row, row)], False)


def verdict(goal, figures, faster):
    if not figures:
        return Verdict(goal)
    figures = sorted(figures, key=lambda figure: figure[1], reverse=not faster)
    missed = tuple((where, value) for where, value in figures
                   if (value < goal.limit if faster else value > goal.limit))
    return Verdict(goal, figures[0][1], figures[0][0], len(figures), missed)


def judge(results, counts):
    """A Verdict for each goal; `counts` holds the instruction gate's record by row."""
    return [judge_count(goal, counts) if isinstance(goal, Count) else judge_goal(goal, results) for goal in GOALS]


def read_counts(text):
    """The rows of bench/gate/instructions.txt."""
    found = re.finditer(r"^(\S.*?)  +(\d+) +(?:\d+|-)  ", text, re.MULTILINE)
    return {match[1]: int(match[2]) for match in found}
