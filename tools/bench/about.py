"""Where and with what a run was made: what stands at the head of the page."""

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess

import rounds

ROOT = pathlib.Path(__file__).resolve().parents[2]


def machine():
    """The processor as the system names it, and how many."""
    names = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def system():
    release = pathlib.Path("/etc/os-release")
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', release.read_text(encoding="utf-8"), re.MULTILINE) \
        if release.exists() else None
    return f"{found[1] if found else platform.system()}, Linux {'.'.join(platform.release().split('.')[:2])}"


def of_run(peers, preloads, seed):
    found = {name: version.replace("_", ".") for name, version in peers.items()
             if version and name not in ("allot", "floor", "malloc")}
    found |= {name: library_version(name, path) for name, path in preloads.items() if path}
    return {"date": datetime.date.today().isoformat(), "machine": machine(), "system": system(),
            "libc": " ".join(platform.libc_ver()), "load": f"{os.getloadavg()[0]:.1f}", "peers": found, "seed": seed}


def library_version(name, path):
    """That of Debian's package, else what follows `.so.` in the name of the file itself."""
    try:
        shown = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", rounds.PACKAGES[name]],
                               capture_output=True, text=True, check=False).stdout
    except OSError:
        shown = ""
    return shown or os.path.realpath(path).partition(".so.")[2]


def compiler(program):
    """As the compiler itself left it in the program, with the optimisation that Meson noted."""
    found = re.findall(rb"(?:Debian )?clang version [\d.]+|GCC: \([^)]*\) [\d.]+", program.read_bytes())
    clang = [name for name in found if b"clang" in name]
    name = (clang or found or [b"compiler unknown"])[0].decode().replace("GCC: ", "g++ ")
    noted = program.resolve().parents[1] / "meson-info/intro-buildoptions.json"
    if noted.exists():
        options = {option["name"]: option["value"] for option in json.loads(noted.read_text(encoding="utf-8"))}
        name += f" -O{options['optimization']}"
    return name


def workloads():
    """{group: the first comment of the source that has its rows}."""
    found = {}
    for source in sorted(ROOT.glob("bench/*/*_bench.cpp")):
        text = source.read_text(encoding="utf-8")
        group = re.search(r'^const bench::group \w+\{"(\w+)"', text, re.MULTILINE)
        comment = re.match(r"((?://.*\n)+)", text)
        if group and comment:
            found[group[1]] = re.sub(r"^// ?", "", comment[1], flags=re.MULTILINE).rstrip()
    return found


def clean_context(results):
    """Keeps of Google Benchmark's context what is worth publishing: neither the host's name nor a path."""
    context = results.about.pop("context", {})
    results.about["caches"] = [f"L{c['level']} {c['type']} {c['size'] // 1024} KiB" for c in context.get("caches", [])]
