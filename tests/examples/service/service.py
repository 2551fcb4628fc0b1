"""Starts the service as a process of its own, and talks to it: what its tests share."""

import contextlib
import http.client
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time


class Service:
    """A running service on a port of its own choice; ended at the end of the `with` block, whatever happens in it."""

    def __init__(self, program, *arguments, env=None):
        self.process = subprocess.Popen([program, "--port", "0", *map(str, arguments)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.head = ""
        self.port = self._listening_on()
        self.url = f"http://127.0.0.1:{self.port}"

    def _listening_on(self, seconds=20):
        """The port in the first line on stdout that names one."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ready, _, _ = select.select([self.process.stdout], [], [], 0.2)
            line = self.process.stdout.readline() if ready else ""
            self.head += line
            found = re.search(r"http://[^ ]*:(\d+)", line)
            if found:
                return int(found.group(1))
            if self.process.poll() is not None:
                break
        self.process.kill()
        raise AssertionError(f"the service did not start: {self.head}{self.process.stderr.read()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def stop(self, seconds=30):
        """SIGTERM; the exit status and all that it printed on stdout and on stderr."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, self.head + out, err

    def connection(self):
        return contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30))

    def socket(self):
        made = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def ask(self, method, path, body=None, headers=None):
        """One request on a connection of its own: (status, header fields, body)."""
        with self.connection() as connection:
            return ask(connection, method, path, body, headers)

    def samples(self):
        """All samples of GET /metrics in the text form, by name and labels as written."""
        status, _, body = self.ask("GET", "/metrics", headers={"Accept": "text/plain"})
        assert status == 200, (status, body)
        return samples(body.decode())

    def live_bytes(self):
        """What the requests in flight hold of the process's budget."""
        return int(self.samples()['allot_used_bytes{part="process",level="0",layer="limit_adaptor",name="process"}'])

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE).group(1)) * 1024


def ask(connection, method, path, body=None, headers=None):
    connection.request(method, path, body=body, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def samples(exposition):
    """{'name{labels}': value} of a text exposition."""
    found = {}
    for line in exposition.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            assert series not in found, f"{series} is there twice"
            found[series] = float(value)
    return found


def document(size, word="arena"):
    """A JSON document of exactly `size` bytes: an array of strings of words."""
    text = " ".join([word] * 10)
    parts = []
    length = 2
    while length + len(text) + 3 + 10 < size:
        parts.append(f'"{text}"')
        length += len(text) + 3
    parts.append('"' + "z" * (size - length - 2) + '"')
    made = "[" + ",".join(parts) + "]"
    assert len(made) == size, (len(made), size)
    return made.encode()
