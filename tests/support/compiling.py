"""Compiles small programs against allot's headers: for tests of what compiles, what does not, and what links."""

import functools
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include"

# Messages are searched for words: no translation, and no typographic quotes.
ENVIRONMENT = {**os.environ, "LC_ALL": "C"}


def run(*command):
    """(exit status, stdout and stderr together) of a command."""
    done = subprocess.run([str(word) for word in command], text=True, env=ENVIRONMENT, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


@functools.lru_cache(maxsize=None)
def compilers():
    """The build's own compiler ($CXX), g++ and clang++, as far as they are there: each a tuple of words."""
    wanted = [tuple(shlex.split(os.environ.get("CXX", ""))), ("g++",), ("clang++",)]
    found = {}
    for words in wanted:
        if words and shutil.which(words[0]):
            _, version = run(*words, "--version")
            found.setdefault(version, words)  # c++ and g++ are often one
    return list(found.values())


def with_each_compiler(test):
    """Makes of a test that takes a compiler one that runs with each, as subtests."""
    @functools.wraps(test)
    def with_each(self):
        self.assertTrue(compilers(), "no compiler")
        for compiler in compilers():
            with self.subTest(compiler=" ".join(compiler)):
                test(self, compiler)
    return with_each


def errors_in(messages):
    """The lines of a compiler's messages that are errors."""
    return [line for line in messages.splitlines() if re.search(r"\berror:", line)]


@functools.lru_cache(maxsize=None)
def compile_text(compiler, text, *flags, std="c++20"):
    """(exit status, messages) of a compiler for the source `text`; compiles no further than its meaning."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "text.cpp"
        source.write_text(text, encoding="utf-8")
        return run(*compiler, f"-std={std}", f"-I{INCLUDE}", "-fsyntax-only", *flags, source)


class MistakesTest(unittest.TestCase):
    """Holds a text that is right against the same with one mistake in it."""

    def refuses_instead(self, compiler, text, right, wrong, reason):
        """`text` compiles as it is, and with `wrong` in the place of `right` it is an error that says `reason`."""
        self.assertIn(right, text)
        self.assertEqual(compile_text(compiler, text), (0, ""))
        status, messages = compile_text(compiler, text.replace(right, wrong))
        self.assertNotEqual(status, 0, f"{wrong} compiles")
        self.assertTrue(any(reason in line for line in errors_in(messages)), messages)


def output_of(compiler, text, *flags, sources=()):
    """(exit status, output) of the program `text`, linked with the files `sources`; the compiler's where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "text.cpp"
        program = pathlib.Path(folder) / "program"
        source.write_text(text, encoding="utf-8")
        command = [*compiler, "-std=c++20", f"-I{INCLUDE}", *flags, source, *sources, "-pthread", "-o", program]
        status, messages = run(*command)
        return run(program) if status == 0 else (status, messages)
