#!/usr/bin/env python3
"""Runs clang-tidy 14 over the library's sources, and over one file that has every header and instantiates templates.

Usage: tidy.py BUILD_DIR [--jobs N] [FILE...]

BUILD_DIR holds compile_commands.json. FILE...: these sources only, from src/ or from tests/, and not the headers' file.
The checks are in .clang-tidy. --jobs: how many at a time, 2 unless told.

The last line is `N passed, M failed`: one for each source, and one for each header below include/.
Exit status: 0 no finding; 1 a finding, or a file that does not compile; 2 wrong usage, no such build, or no clang-tidy-14.
"""

import argparse
import concurrent.futures
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
TIDY = "clang-tidy-14"
FINDING = re.compile(r"^([^:\n]+):(\d+):(\d+): (?:warning|error): (.*\[[\w.,-]+?)(?:,-warnings-as-errors)?\]$", re.MULTILINE)

# What the headers alone would leave uninstantiated; the checks of moves and of dead values need real types.
INSTANCES = """
using upstream = allot::resource;
using ring = allot::trace_ring<8>;
template class allot::bump_resource<64>;
template class allot::bump_resource<>;
template class allot::atomic_bump_resource<64>;
template class allot::monotonic_resource<upstream>;
template class allot::sizing_resource<upstream>;
template class allot::block_pool_resource<32, 8, upstream>;
template class allot::pool_resource<upstream>;
template class allot::concurrent_pool_resource<upstream>;
template class allot::aligned_adaptor<upstream>;
template class allot::limit_adaptor<upstream>;
template class allot::retry_adaptor<upstream>;
template class allot::tag_adaptor<upstream>;
template class allot::trace_adaptor<upstream, ring>;
template class allot::failing_adaptor<upstream>;
template class allot::static_buffer<64>;
template class allot::once<int>;
template class allot::allocator<int, upstream>;
void deduced(upstream& up) {
  allot::counting_adaptor plain{up};
  allot::counting_adaptor shared{plain, allot::shared_counters};
  allot::counting_adaptor striped{shared, allot::striped_counters};
  allot::synchronized_adaptor one_at_a_time{striped};
  allot::bump_resource<64> arena;
  allot::fallback_router either{arena, one_at_a_time};
  std::pmr::vector<int> numbers({1, 2, 3}, &either);
}
"""


def arguments_of(words):
    parser = argparse.ArgumentParser(prog="tidy.py", description=__doc__, allow_abbrev=False,
                                     usage=__doc__.split("Usage: ")[1].split("\n")[0],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", metavar="BUILD_DIR", type=pathlib.Path)
    parser.add_argument("files", metavar="FILE", nargs="*", type=pathlib.Path)
    parser.add_argument("--jobs", metavar="N", type=int, default=2)
    arguments = parser.parse_args(words)
    if not (arguments.build / "compile_commands.json").is_file():
        parser.error(f"{arguments.build} has no compile_commands.json")
    if arguments.jobs < 1:
        parser.error("--jobs needs a number above zero")
    if shutil.which(TIDY) is None:
        parser.error(f"{TIDY} is not here (Debian: clang-tidy-14)")
    return arguments


def commands_of(build):
    """How each source is compiled, once each: the words but for compiler, input and outputs."""
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        source = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        words = shlex.split(entry["command"])
        flags, skip = [f"-working-directory={entry['directory']}"], False
        for word in words[1:]:
            if not skip and word not in ("-MD", "-c", entry["file"]) and word not in ("-o", "-MQ", "-MF"):
                flags.append(word)
            skip = word in ("-o", "-MQ", "-MF")
        commands.setdefault(source, flags)
    return commands


def headers():
    return sorted((ROOT / "include").rglob("*.hpp"))


def write_instances(path):
    """The file that includes every header; those of the room for Boost where Boost is."""
    names = [str(header.relative_to(ROOT / "include")) for header in headers()]
    lines = []
    for name in names:
        include = f"#include <{name}>"
        lines.append(f"#if __has_include(<boost/version.hpp>)\n{include}\n#endif" if "/interop/" in name else include)
    path.write_text("\n".join(lines) + INSTANCES, encoding="utf-8")


def tidy(source, flags):
    """(findings as (file, line, column, text), what else was said where it ended badly) of one source."""
    ran = subprocess.run([TIDY, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", str(source), "--", *flags,
                          "-Wno-unknown-warning-option"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    # Relative to where the compiler would run, which is named first.
    folder = pathlib.Path(flags[0].partition("=")[2])
    findings = {((folder / path).resolve(), int(line), int(column), text)
                for path, line, column, text in FINDING.findall(ran.stdout)}
    broken = ran.returncode != 0 and not findings
    return findings, (ran.stdout + ran.stderr).strip() if broken else ""


def main(words):
    arguments = arguments_of(words)
    commands = commands_of(arguments.build)
    if arguments.files:
        wanted = [file.resolve() for file in arguments.files]
    else:
        wanted = sorted(source for source in commands if ROOT / "src" in source.parents)
    unknown = [file for file in wanted if file not in commands]
    if unknown or not wanted:
        print(f"tidy.py: not compiled by {arguments.build}: {', '.join(map(str, unknown)) or 'src/'}", file=sys.stderr)
        return 2

    judged = set(wanted)
    with tempfile.TemporaryDirectory() as folder:
        work = [(source, commands[source]) for source in wanted]
        if not arguments.files:
            instances = pathlib.Path(folder) / "instances.cpp"
            write_instances(instances)
            work.insert(0, (instances, commands[wanted[0]]))
            judged.update(headers())
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            results = list(pool.map(lambda item: tidy(*item), work))

    findings = set().union(*(found for found, _ in results))
    for path, line, column, text in sorted(findings):
        print(f"{path.relative_to(ROOT) if ROOT in path.parents else path}:{line}:{column}: {text}]")
    bad = {finding[0] for finding in findings}
    for (source, _), (_, words_of_tool) in zip(work, results):
        if words_of_tool:
            print(f"{source}: clang-tidy ended badly:\n{words_of_tool}")
            bad.add(source)
    print(f"{len(judged - bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
