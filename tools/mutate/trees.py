"""Copies of the project: one that stays as it is, and one for each worker to put bugs into."""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

OUTPUTS = (".o", ".a")


class BuildError(Exception):
    """A build failed; the message is its output."""


@dataclasses.dataclass(frozen=True)
class Test:
    name: str
    target: str  # what ninja builds for it, from the build directory
    command: tuple
    folder: str  # to run it in, or None
    sources: tuple  # of its programs, as paths from the root


def tracked_files(root):
    """The files under git that are there, as paths from the root."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True, text=True).stdout
    return [path for path in listed.split("\0") if path and (root / path).is_file()]


def copy_changed(source, target):
    """Copies a file, with its time, unless the target has both already."""
    if target.is_file():
        a, b = source.stat(), target.stat()
        if (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def refresh(root, files, tree):
    """Makes `tree` a copy of the files; one that changed is as new as this moment, so that ninja sees it."""
    wanted = set(files)
    for path in files:
        source, target = root / path, tree / path
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for old in [file for file in tree.rglob("*") if file.is_file()]:
        if old.relative_to(tree).as_posix() not in wanted:
            old.unlink()


class Tree:
    """A copy of the sources with a build directory beside it. Both at the same place relative to each other: objects
    that differ differ by their code."""

    def __init__(self, folder, cell):
        self.source = folder / "tree"
        self.build = folder / "build"
        self.cell = cell

    def configure(self):
        """Runs meson once, or again when the cell is another one."""
        mark = self.build / "configured-as"
        if mark.is_file() and mark.read_text(encoding="utf-8") == self.cell.described():
            return
        shutil.rmtree(self.build, ignore_errors=True)
        command = ["meson", "setup", self.build, self.source, *self.cell.options]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              env={**os.environ, "CXX": self.cell.compiler})
        if done.returncode != 0:
            raise BuildError(done.stdout + done.stderr)
        mark.write_text(self.cell.described(), encoding="utf-8")

    def make(self, target, jobs):
        """Builds a target."""
        done = subprocess.run(["ninja", "-C", self.build, f"-j{jobs}", target], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise BuildError(done.stdout + done.stderr)

    def outputs(self):
        """{path: file} of what compilers and archivers made."""
        return {file.relative_to(self.build).as_posix(): file
                for file in self.build.rglob("*") if file.suffix in OUTPUTS and file.is_file()}

    def objects_of(self, target):
        """The objects that a target is linked from."""
        listed = subprocess.run(["ninja", "-C", self.build, "-t", "inputs", target], capture_output=True, text=True,
                                check=True).stdout
        return [line for line in listed.split("\n") if line.endswith(".o")]

    def own_objects_of(self, target):
        """The objects of a target alone, that are built: not those of the libraries."""
        return list((self.build / f"{target}.p").glob("*.o"))

    def tests(self):
        """{name: Test} of the tests that are programs of this build, or scripts that run one, in the cell's suite."""
        info = self.build / "meson-info"
        targets = {target["id"]: target for target in json.loads((info / "intro-targets.json").read_text("utf-8"))}
        programs = {target["filename"][0]: target for target in targets.values() if target["type"] == "executable"}
        found = {}
        for entry in json.loads((info / "intro-tests.json").read_text("utf-8")):
            suites = [suite.split(":")[-1] for suite in entry["suite"]]
            if self.cell.suite and self.cell.suite not in suites:
                continue
            program = next((word for word in entry["cmd"] if word in programs), None)
            if program is None:
                continue
            found[entry["name"]] = Test(
                name=entry["name"], target=os.path.relpath(program, self.build), command=tuple(entry["cmd"]),
                folder=entry["workdir"], sources=tuple(self.sources_of(programs[program])))
        return found

    def sources_of(self, target):
        for part in target["target_sources"]:
            for source in part.get("sources", []):
                yield os.path.relpath(source, self.source)


def start_from(clean, bugged):
    """Makes the files and objects of one tree those of the other, and lets ninja know it by the other's records."""
    for file in (file for file in clean.source.rglob("*") if file.is_file()):
        target = bugged.source / file.relative_to(clean.source)
        if target.is_file() and target.read_bytes() != file.read_bytes():
            target.unlink()  # a bug may have the length and the time of what it replaced
        copy_changed(file, target)
    ours, theirs = bugged.outputs(), clean.outputs()
    for path, file in ours.items():
        if path not in theirs:
            file.unlink()
    for path, file in theirs.items():
        copy_changed(file, bugged.build / path)
    for record in (".ninja_log", ".ninja_deps"):
        if (clean.build / record).is_file():
            shutil.copy2(clean.build / record, bugged.build / record)


def forget_programs(bugged, tests):
    """Removes the programs of an earlier bug: they are newer than the objects that they would be made from."""
    for test in tests.values():
        (bugged.build / test.target).unlink(missing_ok=True)
