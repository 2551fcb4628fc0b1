"""What a run of the benchmarks gave: samples by case and peer, how they are summed up, and the file that holds them."""

import json
import os
import pathlib
import re
import tempfile

import rows

NOISE = 0.15  # ratios this near to one say nothing on a machine with neighbours
PATH = re.compile(r"""(?:^|[\s"'=:(])~?/[\w.+-]+/[\w.+-]+""")  # absolute; rows' names are relative


def lower_quartile(samples):
    """A quarter of the way up the sorted samples: neighbours on the machine only ever make a sample larger."""
    return sorted(samples)[(len(samples) - 1) // 4]


def median(samples):
    """The lower one of two middle samples, so that it is a time that was measured."""
    return sorted(samples)[(len(samples) - 1) // 2]


class Results:
    """`about` says where and how, `left_out` what is missing and why, `cases` holds {case: {peer: row}}.

    A row has `ns`, a sample for each round, and may have `beyond` (the same, for what an adaptor adds), `requested` and
    `reserved` (bytes, from the timed run) and `memory` (what `--memory` printed).
    """

    def __init__(self, about=None, left_out=None, cases=None):
        self.about = about or {}
        self.left_out = left_out or []
        self.cases = cases or {}

    def row(self, name):
        return self.cases.setdefault(name.case, {}).setdefault(name.peer, {"ns": []})

    def leave_out(self, what, why):
        if {"what": what, "why": why} not in self.left_out:
            self.left_out.append({"what": what, "why": why})

    def ns(self, case, peer):
        """The lower quartile, or None where nothing was measured."""
        samples = self.cases.get(case, {}).get(peer, {}).get("ns")
        return lower_quartile(samples) if samples else None

    def ratio(self, case, peer, to):
        """How many times as long `peer` took as `to`; None where one of them is missing."""
        a, b = self.ns(case, peer), self.ns(case, to)
        return a / b if a and b else None

    def peers(self, case):
        """Those that were timed, allot's first; what ran only to steady another row's ratio is left out."""
        timed = [p for p, row in self.cases.get(case, {}).items() if row["ns"] and " under " not in p]
        return sorted(timed, key=rows.order)

    def beyond(self, case, peer):
        """The median of what an adaptor adds, or None: of a difference a low quartile would flatter."""
        samples = self.cases.get(case, {}).get(peer, {}).get("beyond")
        return median(samples) if samples else None

    def floor(self, case):
        """The peer that is the floor of a case, or None."""
        return next((floor for floor in rows.FLOORS if self.ns(case, floor)), None)

    def to_floor(self, case, peer):
        floor = self.floor(case)
        return self.ratio(case, peer, floor) if floor else None

    def steadiness(self):
        """{malloc: median ratio}: how long the floor took in the processes with that malloc preloaded, where nothing but
        neighbours and the layout of memory can make it differ."""
        ratios = {}
        for case, peers in self.cases.items():
            for peer in peers:
                floor, _, malloc = peer.partition(" under ")
                if malloc and (ratio := self.ratio(case, peer, floor)):
                    ratios.setdefault(malloc, []).append(ratio)
        return {malloc: median(found) for malloc, found in sorted(ratios.items())}

    def in_group(self, group):
        """The cases of a group, in the order of the program."""
        return [case for case in self.cases if case.startswith(group + "/") and self.peers(case)]

    def groups(self):
        return sorted({case.split("/")[0] for case in self.cases if self.peers(case)})

    def reserved_per_requested(self, case, peer):
        row = self.cases.get(case, {}).get(peer, {})
        seen = row.get("memory") or {}
        requested = seen.get("requested_peak_bytes") or row.get("requested")
        reserved = seen.get("reserved_peak_bytes") or row.get("reserved")
        return reserved / requested if requested and reserved else None

    def resident(self, case, peer):
        """Bytes by which the resident set's peak went beyond what the program holds anyway, or None."""
        seen = self.cases.get(case, {}).get(peer, {}).get("memory")
        return max(0, seen["peak_rss_bytes"] - seen["base_rss_bytes"]) if seen else None

    def to_json(self):
        """One line for each row: a new run's changes can be read as a difference."""
        def line(value):
            return json.dumps(value, ensure_ascii=False)

        cases = ",\n".join(
            f"{line(case)}: {{\n" + ",\n".join(f" {line(peer)}: {line(row)}" for peer, row in peers.items()) + "}"
            for case, peers in self.cases.items())
        text = f'{{"about": {json.dumps(self.about, indent=1, ensure_ascii=False)},\n"left_out": {line(self.left_out)},\n' \
               f'"cases": {{\n{cases}}}}}\n'
        if found := PATH.search(text):
            raise ValueError(f"a path of this machine would be published: {found[0].strip()}")
        return text

    @staticmethod
    def from_json(text):
        data = json.loads(text)
        return Results(data["about"], data["left_out"], data["cases"])


def rounded(number, digits=4):
    """To so many significant digits: samples have no more, and the file stays small."""
    return float(f"{number:.{digits}g}")


def write(path, text):
    """All of it or nothing: what was there before stays until the new file is whole."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
