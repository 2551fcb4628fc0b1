#!/usr/bin/env python3
"""Runs a firmware image in QEMU; its console is this program's output, and its exit status this program's.

Usage: in_qemu.py [--single-step] MACHINE IMAGE

MACHINE is a name of `qemu-system-arm -machine help`, for example lm3s6965evb. IMAGE is an ELF file, or a raw image for
the start of the flash. --single-step makes QEMU take one instruction at a time, so that an interrupt can come between
any two; it is taken from the environment variable ALLOT_QEMU_SINGLE_STEP=1 as well. An instruction then takes 64 ns of the
machine's own time, whatever the host's clock says, so that one run is as the other.

Exit status: the image's, 124 when it ran for longer than ten minutes, 127 when there is no QEMU.
"""

import re
import signal
import subprocess
import sys

QEMU = "qemu-system-arm"
LIMIT_SECONDS = 600
NOISE = "Timer with period zero, disabling\n" # of the lm3s6965evb, at each start


def version():
    text = subprocess.run([QEMU, "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(number) for number in re.search(r"version (\d+)\.(\d+)", text).groups())


def single_step_arguments():
    one_at_a_time = ["-accel", "tcg,one-insn-per-tb=on"] if version() >= (8, 1) else ["-singlestep"]
    return [*one_at_a_time, "-icount", "shift=6"]


def main(arguments):
    single_step = arguments[:1] == ["--single-step"]
    if single_step:
        arguments = arguments[1:]
    if len(arguments) != 2 or arguments[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    machine, image = arguments
    command = [QEMU, "-machine", machine, "-kernel", image, "-display", "none", "-monitor", "none", "-serial", "none",
               "-chardev", "stdio,id=console,signal=on", "-semihosting-config", "enable=on,target=native,chardev=console"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) # which ends QEMU too
    try:
        if single_step:
            command += single_step_arguments()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS)
        sys.stderr.write(done.stderr.replace(NOISE, ""))
        return done.returncode
    except FileNotFoundError:
        print(f"{QEMU} is not here: Debian's package is qemu-system-arm", file=sys.stderr)
        return 127
    except subprocess.TimeoutExpired:
        print(f"{image} ran for longer than {LIMIT_SECONDS} s", file=sys.stderr)
        return 124


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
