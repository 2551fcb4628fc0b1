"""The program's soak: threads come and go over one pool, and the resident set has to stay flat."""

import json
import subprocess

import figures

LONG = 600  # seconds: shorter ones are for a look, and are not published
FILE = "benchmarks/soak.json"


def run(program, seconds, folder, about):
    """Shows the program's lines as they come and keeps them in `folder`; the program's exit status."""
    lines = []
    with subprocess.Popen([program.resolve(), "--soak", str(seconds)], stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                lines.append(line)
        except BaseException:  # the program would go on for minutes
            process.kill()
            raise
    samples = [json.loads(line) for line in lines if line.startswith("{")]
    if samples:
        held = process.returncode == 0
        figures.write(folder / FILE, json.dumps({**about, "seconds": seconds, "held": held, "samples": thinned(samples)},
                                                indent=None).replace("{\"second\"", "\n{\"second\"") + "\n")
    return process.returncode


def thinned(samples, most=120):
    """Every n-th sample and the last one."""
    step = -(-len(samples) // most)
    return [*samples[:-1:step], samples[-1]]


def summary(folder):
    """Lines for the page; none where no soak was kept."""
    path = folder / FILE
    if not path.exists():
        return []
    kept = json.loads(path.read_text(encoding="utf-8"))
    samples = kept["samples"]
    resident = [sample["resident_bytes"] / 2**20 for sample in samples]
    quarter, half = len(resident) // 4, len(resident) // 2
    return [f"`./dev bench --soak {kept['seconds']}`, {kept['date']}, {kept['machine']}: {samples[-1]['threads']:,} threads"
            " came and went over one `concurrent_pool_resource`.",
            f"Resident at most {max(resident[quarter:half or 1], default=0):.1f} MiB in the second quarter of the time and "
            f"{max(resident[half:]):.1f} MiB in the second half: {'flat' if kept['held'] else '**not flat**'}, as the "
            "program judges it."]
