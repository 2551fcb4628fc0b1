"""Builds programs for the board of a cross build, reads them, and runs them in QEMU: what the tests of this directory share.

Each of them is called with: SOURCE_ROOT BUILD_ROOT BOARD COMPILER [OPTION...]
"""

import collections
import functools
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

# "  3 .bss          00000d11  20000000  20000000  00000140  2**6", then a line of flags
SECTION = re.compile(r"^ *\d+ (\S+) +([0-9a-f]+) +([0-9a-f]+) +([0-9a-f]+) +[0-9a-f]+ +2\*\*\d+\s+(.*)$", re.MULTILINE)
HERE = pathlib.Path(__file__).parent

Section = collections.namedtuple("Section", "size address load_address flags")
Result = collections.namedtuple("Result", "status output")


class LinkError(Exception):
    """Its text is what the compiler and the linker said."""


class Target:
    def __init__(self, source_root, build_root, board, *command):
        self.source_root = pathlib.Path(source_root)
        self.build_root = pathlib.Path(build_root)
        self.board = board
        self.command = list(command)
        self.board_directory = self.source_root / "examples/firmware/board"
        self.board_script = self.board_directory / f"{board}.ld"
        self.library = self.build_root / "liballot.a"
        self.board_library = self.build_root / "examples/firmware/libboard.a"
        self.includes = [f"-I{self.source_root / 'include'}", f"-I{self.source_root / 'examples/firmware'}"]
        self.newlib = None # of board/newlib.cpp, once it is compiled
        self.checked = "-DALLOT_CHECK_LEVEL=1" in command

    @functools.cache
    def tool(self, name):
        """A tool of the compiler's own binutils."""
        return printed(self.command[0], f"-print-prog-name={name}").strip()

    def compile(self, source, output, *options, command=None):
        run_compiler(*(command or self.command), *self.includes, *options, "-c", source, "-o", output)
        return output

    def link(self, output, *inputs, script_directory=None, script=None, libraries=None, command=None):
        """Objects, sources and options become an ELF file. Scripts are looked for in `script_directory` first.

        What libstdc++ keeps beside a memory_resource brings newlib's abort and malloc: so newlib.o is needed.
        """
        directories = [f"-L{directory}" for directory in [script_directory, self.board_directory] if directory]
        run_compiler(*(command or self.command), *self.includes, *inputs, self.newlib, *directories,
                     f"-T{script or self.board_script}",
                     "-Wl,-u,board_vectors", "-Wl,--no-warn-rwx-segments",
                     *([self.library, self.board_library] if libraries is None else libraries), "-o", output)
        return output

    def image(self, elf):
        """The bytes that a programmer writes into the flash."""
        path = elf.with_suffix(".bin")
        printed(self.tool("objcopy"), "-O", "binary", elf, path)
        return path.read_bytes()

    def image_size(self, elf):
        """The size of that image, without writing it."""
        loaded = [section for section in self.sections(elf).values() if "LOAD" in section.flags and section.size]
        return (max(section.load_address + section.size for section in loaded)
                - min(section.load_address for section in loaded))

    def sections(self, path):
        return {name: Section(int(size, 16), int(address, 16), int(load_address, 16), set(flags.split(", ")))
                for name, size, address, load_address, flags in SECTION.findall(printed(self.tool("objdump"), "-h", path))}

    def symbols(self, elf):
        """{name: value} of what is defined."""
        lines = (line.split() for line in printed(self.tool("nm"), "--defined-only", elf).splitlines())
        return {words[2]: int(words[0], 16) for words in lines if len(words) == 3}

    def run(self, image):
        """On QEMU's machine of the board's name. QEMU's own word about a timer of the micro:bit is left out."""
        done = subprocess.run(
            [sys.executable, self.source_root / "tools/firmware/in_qemu.py", self.board.replace("_", "-"), image],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return Result(done.returncode, done.stdout.replace("Timer with period zero, disabling\n", ""))


class TargetTest(unittest.TestCase):
    """A test with a directory of its own, `self.directory`, and the board, `self.target`."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.directory = pathlib.Path(cls.temporary.name)
        cls.target.newlib = cls.target.compile(cls.target.board_directory / "newlib.cpp", cls.directory / "newlib.o")

    def refused(self, *arguments, **options):
        """What the linker says where it refuses."""
        with self.assertRaises(LinkError) as raised:
            self.target.link(*arguments, **options)
        return str(raised.exception)


def printed(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run_compiler(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise LinkError(done.stdout)


def main():
    TargetTest.target = Target(*sys.argv[1:])
    unittest.main(argv=sys.argv[:1])
