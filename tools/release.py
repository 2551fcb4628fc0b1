#!/usr/bin/env python3
"""Makes a release of what is committed: the tarball by `meson dist`, its checksum and a wrap file, in DIR.

Usage: release.py [--url BASE] [--allow-dirty] [--allow-unreleased] DIR

DIR is made anew; one that holds anything but an earlier release is left as it is, and that is an error. The version must
be the same in meson.build, core/config.hpp and the first heading of CHANGELOG.md, which has its date. Then a Meson
project that has the wrap and the tarball, and nothing else of allot, is built from exactly those files and run, offline.

  --url BASE          where the tarball will be: the wrap then says BASE/TARBALL. Without it the wrap names the file
                      alone, and whoever uses it puts the tarball into subprojects/packagefiles
  --allow-dirty       what is not committed is left out, instead of being an error
  --allow-unreleased  the changelog need not have a date yet

Exit status: 0 the files are there and serve; 1 they are not, and why; 2 wrong usage.
"""

import argparse
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MADE_HERE = re.compile(r"allot-.*[.]tar[.]xz([.]sha256sum)?|allot[.]wrap|build|consumer")
LIBRARIES = "allot, allot_global_counter, allot_stacktrace, allot_no_heap"


def stop(text):
    sys.exit(f"release: {text}")


def found(pattern, path):
    """What a committed file says: the tarball is made of the commit."""
    match = re.search(pattern, run("git", "-C", ROOT, "show", f"HEAD:{path}"), re.MULTILINE)
    if not match:
        stop(f"{path}: no version is found by {pattern!r}")
    return match.groups()


def version(dated):
    """The version, once all that name one agree."""
    (project,) = found(r"^  version: '([^']*)'", "meson.build")
    header = ".".join(found(rf"^#define ALLOT_VERSION_{part} (\d+)\b", "include/allot/core/config.hpp")[0]
                      for part in ("MAJOR", "MINOR", "PATCH"))
    if header != project:
        stop(f"meson.build says {project}, include/allot/core/config.hpp says {header}")
    logged, when = found(r"^## (\S+), (.*)$", "CHANGELOG.md")
    if logged != project:
        stop(f"meson.build says {project}, the newest heading of CHANGELOG.md says {logged}")
    if dated and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", when):
        stop(f"CHANGELOG.md: {project} has no date yet: write '## {project}, YYYY-MM-DD'")
    return project


def run(*command, **options):
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, **options)
    except OSError as error:
        stop(f"{command[0]} cannot be run: {error}")
    if done.returncode:
        stop(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def make_anew(target):
    """An empty folder, in the place of an earlier release and of nothing else."""
    if target.exists():
        if not target.is_dir():
            stop(f"{target} is no folder")
        others = sorted(file.name for file in target.iterdir() if not MADE_HERE.fullmatch(file.name))
        if others:
            stop(f"{target} would be removed, and holds what is no release: {', '.join(others[:5])}")
        shutil.rmtree(target)
    target.mkdir(parents=True)


def pack(target, dirty):
    """The tarball, made of the last commit."""
    build = target / "build"
    run("meson", "setup", build, ROOT, "-Dtests=disabled", "-Dbench=disabled", "-Dexamples=disabled", "-Dboost=disabled")
    run("meson", "dist", "-C", build, "--no-tests", "--formats", "xztar", *(["--allow-dirty"] if dirty else []))
    (tarball,) = (build / "meson-dist").glob("allot-*.tar.xz")
    shutil.move(tarball, target / tarball.name)
    shutil.rmtree(build)
    return target / tarball.name


def describe(tarball, name, url):
    """The checksum and the wrap beside the tarball."""
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    tarball.with_name(tarball.name + ".sha256sum").write_text(f"{digest}  {tarball.name}\n", encoding="utf-8")
    address = f"source_url = {url.rstrip('/')}/{tarball.name}\n" if url else ""
    wrap = tarball.with_name("allot.wrap")
    wrap.write_text(f"[wrap-file]\ndirectory = {name}\n{address}source_filename = {tarball.name}\nsource_hash = {digest}\n\n"
                    f"[provide]\ndependency_names = {LIBRARIES}\n", encoding="utf-8")
    return wrap


def serves(target, tarball, wrap, url):
    """Builds and runs a project which has these files, and allot from nowhere else."""
    project = target / "consumer"
    shutil.copytree(ROOT / "tests/consumer/wrapped", project)
    for name in ("consumer.cpp", "counted.cpp"):
        shutil.copy(ROOT / "tests/consumer" / name, project)
    # A tarball that is already in packagecache is not fetched.
    place = project / "subprojects" / ("packagecache" if url else "packagefiles")
    place.mkdir(parents=True)
    shutil.copy(tarball, place)
    shutil.copy(wrap, project / "subprojects")
    nothing_installed = {**os.environ, "PKG_CONFIG_LIBDIR": str(place), "CMAKE_PREFIX_PATH": ""}
    run("meson", "setup", project / "build", project, "--force-fallback-for=allot", env=nothing_installed)
    run("ninja", "-C", project / "build")
    for name in ("consumer", "counted"):
        run(project / "build" / name)
    shutil.rmtree(project)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("Usage: ")[1].split("\n")[0], add_help=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--url", default="")
    parser.add_argument("--allow-dirty", action="store_true")
    parser.add_argument("--allow-unreleased", action="store_true")
    parser.add_argument("target", nargs="?", metavar="DIR", type=pathlib.Path)
    options = parser.parse_args()
    if options.help:
        print(__doc__, end="")
        return
    if options.target is None:
        parser.error("which DIR is missing")
    changed = run("git", "-C", ROOT, "status", "--porcelain")
    if changed and not options.allow_dirty:
        stop(f"not committed:\n{changed}commit it, or give --allow-dirty to leave it out")
    number = version(dated=not options.allow_unreleased)
    target = options.target.resolve()
    make_anew(target)
    tarball = pack(target, options.allow_dirty)
    wrap = describe(tarball, f"allot-{number}", options.url)
    serves(target, tarball, wrap, options.url)
    print(f"allot {number}: a project was built from exactly these files, and ran")
    for file in sorted(target.iterdir()):
        print(f"  {file.name}  {file.stat().st_size:,} bytes")
    print(f"tag what they were made of:  git tag -a v{number} -m 'allot {number}' "
          f"{run('git', '-C', ROOT, 'rev-parse', '--short', 'HEAD').strip()}")


main()
