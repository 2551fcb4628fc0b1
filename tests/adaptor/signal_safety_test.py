#!/usr/bin/env python3
"""Compiles what a signal handler may call of a trace, and reads the object files: it calls nothing else than POSIX allows.

Usage: signal_safety_test.py SOURCE_ROOT COMPILER [OPTION...]

The code is position-independent, as in a library that is loaded by dlopen: there thread-local storage that is not static
is allocated at its first use, by __tls_get_addr.

Exit status: 0 when every claim holds, 77 when there is no such compiler or no objdump.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCES = ["adaptor/crash_dump.cpp", "adaptor/trace_dump.cpp", "adaptor/trace_format.cpp", "adaptor/trace_stamps.cpp",
           "adaptor/trace_writer.cpp", "detail/reentry.cpp", "detail/write_whole.cpp"]

# Every function of theirs that is safe, called by name.
USER = """
#include <allot/adaptor/crash_dump.hpp>
#include <allot/adaptor/trace_adaptor.hpp>
#include <allot/adaptor/trace_writer.hpp>

void use_ring(allot::trace_ring<8>& ring, const allot::trace_event& event) {
  ring.record(event);
  ring.dump(2);
  ring.for_each([](const allot::trace_event&) {});
  static_cast<void>(ring.overwritten());
  allot::dump_on_crash(ring);
}
void use_writer(allot::trace_writer& writer, const allot::trace_event& event) { writer.record(event); }
bool use_mark(const void* who) {
  const allot::detail::reentry_mark here{who};
  return allot::detail::reentry_mark::is_inside(&here);
}
std::size_t use_stamps() { return allot::trace_time() + allot::trace_thread(); }
"""

# From the list of POSIX (IEEE 1003.1-2017, 2.4.3); its string functions are what a compiler may call by itself.
POSIX = {"poll", "raise", "sigaction", "sigemptyset", "strlen", "memcpy", "memset", "write"}
# How errno and the clock are reached (std::chrono::steady_clock is clock_gettime), and where local symbols are.
REACHED_BY = {"__errno_location", "clock_gettime", "std::chrono::_V2::steady_clock::now()", "_GLOBAL_OFFSET_TABLE_"}
# Not on the list, and without state in the C library: a system call.
SYSTEM_CALLS = {"sigaltstack"}

# "0000000000000040 g     F .text	0000000000000010 name": the section, then the name
SYMBOL = re.compile(r"^[0-9a-f]+ .{7} (\S+)\t[0-9a-f]+ +(?:\.hidden )?(.+)$", re.MULTILINE)


def called_by(directory):
    """The symbols that the objects of SOURCES and USER need, and none of them has."""
    user = pathlib.Path(directory) / "user.cpp"
    user.write_text(USER, encoding="utf-8")
    needed, defined = set(), set()
    for number, source in enumerate([user, *(ROOT / "src" / name for name in SOURCES)]):
        path = pathlib.Path(directory) / f"{number}.o"
        subprocess.run([*COMMAND, "-std=c++20", "-fPIC", "-fno-exceptions", f"-I{ROOT}/include", "-c", source, "-o", path],
                       check=True)
        listing = subprocess.run(["objdump", "-tC", path], check=True, capture_output=True, text=True).stdout
        for where, name in SYMBOL.findall(listing):
            (needed if where == "*UND*" else defined).add(name)
    return needed - defined


class SignalSafety(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            cls.needed = called_by(directory)

    def test_only_functions_are_called_that_posix_allows_in_a_signal_handler(self):
        self.assertEqual(self.needed - POSIX - REACHED_BY - SYSTEM_CALLS, set())

    def test_the_calls_were_seen(self):
        self.assertLessEqual({"write", "poll", "sigaction", "raise"}, self.needed)


if __name__ == "__main__":
    ROOT, COMMAND = pathlib.Path(sys.argv[1]), sys.argv[2:]
    if not shutil.which(COMMAND[0]) or not shutil.which("objdump"):
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
