"""Looks for a test that fails with a bug, the nearest first."""

import dataclasses
import os
import re
import shlex
import subprocess
import threading
import time

import bugs
import nearest
import trees

LONGEST_TIMEOUT = 300  # seconds, of a test

FAILED_OBJECT = re.compile(r"^FAILED: (\S+)", re.MULTILINE)
FIRST_ERROR = re.compile(r"^(\S+?):\d+:\d+: (?:fatal )?error: (.*)", re.MULTILINE)
ASSERTED = ("static assertion", "static_assert", "constant expression")


@dataclasses.dataclass(frozen=True)
class Cell:
    """A way to build and run the tests: a section of cells.ini."""
    name: str
    compiler: str
    options: tuple
    env: dict
    suite: str  # the tests that are asked, or empty for all
    runner: tuple  # what a test is started by

    @staticmethod
    def read(name, section):
        return Cell(name=name, compiler=section["compiler"],
                    options=tuple(shlex.split(section.get("options", "") + " " + section.get("more", ""))),
                    env=dict(word.split("=", 1) for word in shlex.split(section.get("env", ""))),
                    suite=section.get("suite", ""), runner=usable(shlex.split(section.get("runner", ""))))

    def described(self):
        return " ".join([self.compiler, *self.options])


def usable(runner):
    """The runner where it works here, else none."""
    works = runner and subprocess.run([*runner, "true"], capture_output=True, check=False).returncode == 0
    return tuple(runner) if works else ()


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`caught`, `survived`, or `error` of the list or of the tree."""
    kind: str
    text: str
    seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Run:
    ok: bool
    text: str  # how it ended
    seconds: float


class Ground:
    """One cell: the tree without bugs, and what its tests do there. Shared by all workers."""

    def __init__(self, folder, cell, root, files):
        self.cell = cell
        self.folder = folder / cell.name
        self.lock = threading.Lock()  # of all that follows
        self.clean = trees.Tree(self.folder / "clean", cell)
        trees.refresh(root, files, self.clean.source)
        self.clean.configure()
        self.tests = self.clean.tests()
        self.includes = nearest.Includes(self.clean.source)
        self.runs = {}

    def clean_run(self, name):
        """How a test ends without a bug; built and run when it is asked for the first time."""
        with self.lock:
            if name not in self.runs:
                test = self.tests[name]
                try:
                    self.clean.make(test.target, os.cpu_count() or 1)  # the other workers wait
                    self.runs[name] = run(test, self.clean, self.clean, LONGEST_TIMEOUT)
                except trees.BuildError as error:
                    self.runs[name] = Run(False, f"does not build:\n{error}", 0)
            return self.runs[name]

    def broken(self):
        """{name: how it ended} of the tests that fail without a bug."""
        return {name: run.text for name, run in self.runs.items() if not run.ok}


def run(test, tree, clean, timeout):
    """Runs a test in a tree."""
    def here(word):
        return word.replace(str(clean.build), str(tree.build)).replace(str(clean.source), str(tree.source))
    command = [*tree.cell.runner, *(here(word) for word in test.command)]
    started = time.monotonic()
    env = {**os.environ, "MALLOC_PERTURB_": "0", **tree.cell.env}
    process = subprocess.Popen(command, cwd=here(test.folder) if test.folder else tree.build, env=env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)  # with what it has started
        process.communicate()
        return Run(False, f"ran longer than {timeout:.0f} s", time.monotonic() - started)
    text = f"ended with {process.returncode}" if process.returncode else "passed"
    if process.returncode:
        text += f"\n{output[-2000:].decode(errors='replace')}"
    return Run(process.returncode == 0, text, time.monotonic() - started)


class Worker:
    """A tree to put bugs into, one at a time."""

    def __init__(self, ground, number, jobs, patience):
        self.ground = ground
        self.jobs = jobs
        self.patience = patience  # seconds that a test has at the least
        self.tree = trees.Tree(ground.folder / f"bugged-{number}", ground.cell)
        self.is_configured = False

    def judge(self, bug, most_tests):
        """The verdict on one bug."""
        started = time.monotonic()
        source = self.ground.clean.source / bug.path
        if not source.is_file():
            return Verdict("error", f"there is no {bug.path}")
        try:
            text = bugs.applied(bug, source.read_text(encoding="utf-8"))
        except bugs.ListError as error:
            return Verdict("error", str(error))
        names = nearest.ranked(bug.path, {name: test.sources for name, test in self.ground.tests.items()},
                               self.ground.includes)[:most_tests]
        if not names:
            return Verdict("error", f"the cell {self.ground.cell.name} has no tests")
        self.start()
        self.put_in(bug, text, source)
        is_header = not bug.path.startswith("src/")
        kind, said = self.ask(names, is_header)
        if kind == "unseen" and is_header:
            (self.tree.source / bug.path).touch()  # now ninja sees it, and builds the library with it
            kind, said = self.ask(names, is_header)
        if kind == "unseen":
            kind = "survived" if said else "error"
            said = said or "the code of no test differs: it is equal, or none uses it"
        return Verdict(kind, said, time.monotonic() - started)

    def put_in(self, bug, text, source):
        """Writes the file with the bug. A header is given the time of the one without: then the library, of which each
        object may include it, is left as it is, and only the tests are compiled with the bug. The linker takes the
        functions of a header from the first object that has them, which is the test's."""
        file = self.tree.source / bug.path
        file.write_text(text, encoding="utf-8")
        if not bug.path.startswith("src/"):
            time_of = source.stat()
            os.utime(file, ns=(time_of.st_atime_ns, time_of.st_mtime_ns))

    def start(self):
        """Takes an earlier bug out."""
        with self.ground.lock:
            trees.start_from(self.ground.clean, self.tree)
        if not self.is_configured:
            self.tree.configure()
            self.is_configured = True
        trees.forget_programs(self.tree, self.ground.tests)

    def ask(self, names, anew):
        """(kind, text) for the bug that is in the tree; the kind may be `unseen`, with a text if code differs. What
        is a test's own is compiled anew where ninja does not see why it should be."""
        differs = False
        asked = []
        for name in names:
            clean = self.ground.clean_run(name)
            if not clean.ok:
                continue
            asked.append(name)
            test = self.ground.tests[name]
            for path in self.tree.own_objects_of(test.target) if anew else []:
                path.unlink()
            try:
                self.tree.make(test.target, self.jobs)
            except trees.BuildError as error:
                return self.judge_build(name, str(error))
            differs = differs or self.differs(test)
            with_bug = run(test, self.tree, self.ground.clean, self.timeout(clean))
            if with_bug.ok:
                continue
            if not differs:
                return "error", f"{name} failed although its code is equal: {with_bug.text}"
            return "caught", f"{name}: {with_bug.text}"
        if not asked:
            return "error", "every test that could see it fails without it"
        return "unseen", f"{len(asked)} tests passed: {', '.join(asked)}" if differs else ""

    def timeout(self, clean):
        return min(max(3 * clean.seconds, self.patience), LONGEST_TIMEOUT)

    @staticmethod
    def judge_build(name, output):
        """What a failed build says of a bug: an assertion of a test that the compiler sees has caught it."""
        first = FIRST_ERROR.search(output)
        file, said = first.groups() if first else ("", "")
        if "/tests/" in file and any(word in said for word in ASSERTED):
            return "caught", f"{name}: does not compile: {said}"
        return "error", f"it does not compile:\n{output[first.start() if first else 0:][:2000]}"

    def differs(self, test):
        """Does an object of the test have other code than without the bug?"""
        for path in self.ground.clean.objects_of(test.target):
            mine, other = self.tree.build / path, self.ground.clean.build / path
            if mine.stat().st_mtime_ns != other.stat().st_mtime_ns and mine.read_bytes() != other.read_bytes():
                return True
        return False
