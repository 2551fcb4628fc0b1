"""Names of benchmark rows: `group/workload/peer`, with `key:value` parts anywhere behind the group."""

import dataclasses
import re

# What Google Benchmark adds to a name, and says nothing of the work.
ADDED = re.compile(r"(real_time|process_time|manual_time|(iterations|repeats|min_time|min_warmup_time):.*)")
SETTING = re.compile(r"[a-z_ ]+:\d+")

# What the others of a case are held against: the least that does the work at all. None of them is a rival.
FLOORS = ("floor", "hand_written")

# In the order in which tables and plots show them, behind allot's own. `glibc` to `tcmalloc` are the one row `malloc`,
# in a process of its own for each.
FOREIGN = (*FLOORS, "std", "boost", "boost_json", "foonathan", "tbb", "llvm", "protobuf",
           "malloc", "glibc", "mimalloc", "jemalloc", "tcmalloc",
           "bde_style", "rmm_style")


@dataclasses.dataclass(frozen=True)
class Name:
    group: str
    workload: str  # settings included: `random/n:1000`
    peer: str

    @property
    def case(self):
        """What the peers of one comparison share."""
        return f"{self.group}/{self.workload}"

    @property
    def full(self):
        return f"{self.case}/{self.peer}"


def parse(text):
    """A Name, or None for a row that has not all three parts."""
    parts = [part for part in text.split("/") if not ADDED.fullmatch(part)]
    words = [i for i, part in enumerate(parts) if not SETTING.fullmatch(part)]
    if len(words) < 3 or words[0] != 0:
        return None
    peer = parts.pop(words[-1])
    return Name(parts[0], "/".join(parts[1:]), peer)


def setting(workload, key):
    """The number of `key:number` in a workload, or None."""
    found = re.search(rf"(?:^|/){re.escape(key)}:(\d+)(?:/|$)", workload)
    return int(found[1]) if found else None


def without(workload, key):
    return "/".join(part for part in workload.split("/") if not part.startswith(key + ":"))


def family(peer):
    """The library behind a peer, `allot` for allot's classes; `std, warm` is std's."""
    for name in FOREIGN:
        if re.match(rf"{name}(\W|$)", peer):
            return name
    return "allot"


def is_allot(peer):
    return family(peer) == "allot"


def is_floor(peer):
    return family(peer) in FLOORS


def order(peer):
    """A key that sorts the peers of one comparison: allot's first, then as in FOREIGN."""
    found = family(peer)
    return (FOREIGN.index(found) if found != "allot" else -1, peer)
