#!/usr/bin/env python3
"""Talks to the service as clients do that mean well, that want too much, and that are broken.

Usage: http_test.py SERVICE [unittest arguments]
"""

import json
import pathlib
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from service import Service, ask, document

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "service"
JSON = {"Content-Type": "application/json"}


def read_answer(stream):
    """(status, fields, body) of one answer on a file made from a socket; None at its end."""
    line = stream.readline()
    if not line:
        return None
    status = int(line.split()[1])
    fields = {}
    while (line := stream.readline().strip()):
        name, value = line.split(b":", 1)
        fields[name.decode().lower()] = value.strip().decode()
    return status, fields, stream.read(int(fields.get("content-length", 0)))


def raw(service, data, answers=1, seconds=10):
    """Sends bytes, and reads that many answers, or fewer if the service closes before."""
    with service.socket() as made:
        made.settimeout(seconds)
        made.sendall(data)
        stream = made.makefile("rb")
        got = [read_answer(stream) for _ in range(answers)]
        return [one for one in got if one is not None]


def post(body, *fields, version="1.1"):
    head = [f"POST /words HTTP/{version}", "Host: test", "Content-Type: application/json",
            f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class ServiceTest(unittest.TestCase):
    arguments = ()

    def setUp(self):
        self.service = Service(PROGRAM, *self.arguments)
        self.addCleanup(self.service.__exit__)

    def tearDown(self):
        """Whatever was done to it, it stands, nothing is left over, and it ends in good order."""
        status, _, body = self.service.ask("POST", "/words", b'["still here"]', JSON)
        self.assertEqual(status, 200, body)
        status, out, err = self.service.stop()
        self.assertEqual((status, err), (0, ""))
        self.assertIn("live 0 bytes", out)

    def words(self, body, path="/words", **fields):
        status, _, answer = self.service.ask("POST", path, body, {**JSON, **fields})
        self.assertEqual(status, 200, answer)
        return json.loads(answer)

    def refused(self, status, answer, level=None):
        """Demands that status, and returns the error that its body tells of."""
        self.assertEqual(answer[0], status, answer)
        error = json.loads(answer[2])
        self.assertTrue(error["error"])
        if level:
            self.assertEqual(error["level"], level)
        return error


class Words(ServiceTest):
    def test_counts_the_words_of_all_strings_in_any_case_most_frequent_first(self):
        found = self.words(json.dumps({"title": "The cat", "body": ["the dog, THE end", {"deep": "cat"}], "n": 7}))
        self.assertEqual([(w["word"], w["count"]) for w in found["words"]],
                         [("the", 3), ("cat", 2), ("dog", 1), ("end", 1)] +
                         [(w["word"], w["count"]) for w in found["words"][4:]])

    def test_top_limits_the_answer(self):
        self.assertEqual(len(self.words(b'["a b c d e f"]', "/words?top=2")["words"]), 2)

    def test_words_that_are_not_ascii_come_back_as_they_were(self):
        found = self.words('["größe größe 漢字"]'.encode())
        self.assertEqual(found["words"][0], {"word": "größe", "count": 2})

    def test_a_megabyte_is_served(self):
        found = self.words(document(1 << 20))
        self.assertEqual(found["words"][0]["word"], "arena")
        self.assertGreater(found["words"][0]["count"], 100_000)


class Protocol(ServiceTest):
    arguments = ("--header-limit", "1KiB", "--body-limit", "64KiB", "--discard-limit", "256KiB")

    def test_wrong_paths_and_methods_are_told_apart(self):
        self.assertEqual(self.service.ask("GET", "/nowhere")[0], 404)
        status, fields, _ = self.service.ask("GET", "/words")
        self.assertEqual((status, fields["Allow"]), (405, "POST"))
        self.assertEqual(self.service.ask("DELETE", "/metrics")[0], 405)

    def test_head_has_the_header_of_get_and_no_body(self):
        status, fields, body = self.service.ask("HEAD", "/memory")
        self.assertEqual((status, body), (200, b""))
        self.assertGreater(int(fields["Content-Length"]), 0)
        with self.service.socket() as made:
            made.sendall(b"HEAD /memory HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            self.assertTrue(made.makefile("rb").read().endswith(b"\r\n\r\n"))

    def test_a_connection_may_ask_for_more_pages_than_there_are_blocks_for(self):
        with self.service.connection() as connection:
            for _ in range(100):
                self.assertEqual(ask(connection, "GET", "/memory.json")[0], 200)

    def test_what_is_no_json_by_its_own_word_is_refused(self):
        self.assertEqual(self.service.ask("POST", "/words", b"x", {"Content-Type": "text/html"})[0], 415)

    def test_what_is_no_json_in_truth_is_refused_and_the_connection_lives_on(self):
        with self.service.connection() as connection:
            for body in (b"", b"{", b'["a",', b"nul", b'["\xff\xfe"]', b'["\xc3"]', b"[" * 5000 + b"]" * 5000, b"[1]x"):
                self.refused(400, ask(connection, "POST", "/words", body, JSON))
                self.assertEqual(ask(connection, "POST", "/words", b'["a"]', JSON)[0], 200, body)

    def test_a_body_over_the_limit_is_thrown_away_and_the_connection_lives_on(self):
        with self.service.connection() as connection:
            self.refused(413, ask(connection, "POST", "/words", document(128 << 10), JSON))
            self.assertEqual(ask(connection, "POST", "/words", b'["a"]', JSON)[0], 200)

    def test_a_body_far_over_the_limit_is_refused_and_the_connection_closed(self):
        answers = raw(self.service, post(b"x" * 1024).replace(b": 1024", b": 99999999999"), answers=2)
        self.assertEqual([a[0] for a in answers], [413])
        self.assertEqual(answers[0][1]["connection"], "close")

    def test_a_chunked_body_far_over_the_limit_is_refused_before_its_end(self):
        head = b"POST /words HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
        answers = raw(self.service, head + b"64000\r\n" + b" " * 0x64000, answers=2)
        self.assertEqual([(a[0], a[1]["connection"]) for a in answers], [(413, "close")])

    def test_a_connection_that_waits_for_its_next_request_holds_no_memory(self):
        def live():
            figures = self.service.samples()
            others = figures["service_requests_in_flight"] - 1
            return others + max(value for series, value in figures.items()
                                if series.startswith('allot_used_bytes{part="process"'))

        with self.service.connection() as connection:
            self.assertEqual(ask(connection, "POST", "/words", document(32 << 10), JSON)[0], 200)
            until = time.monotonic() + 10
            while live() > 0:
                self.assertLess(time.monotonic(), until)
                time.sleep(0.05)

    def test_a_header_over_the_limit_is_refused(self):
        answers = raw(self.service, post(b"[]", "X-Long: " + "x" * 4096), answers=2)
        self.assertEqual([a[0] for a in answers], [431])

    def test_what_is_no_http_is_refused(self):
        for line in (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
            answers = raw(self.service, line, answers=2)
            self.assertTrue(all(a[0] in (400, 505) for a in answers), answers)
            self.assertLessEqual(len(answers), 1)

    def test_bytes_that_come_one_at_a_time_make_a_request(self):
        with self.service.socket() as made:
            for byte in post(b'["one two"]'):
                made.sendall(bytes([byte]))
            self.assertEqual(read_answer(made.makefile("rb"))[0], 200)

    def test_requests_sent_together_are_answered_in_order(self):
        bodies = [b'["w%d"]' % i for i in range(20)]
        answers = raw(self.service, b"".join(map(post, bodies)), answers=20)
        self.assertEqual([json.loads(a[2])["words"][0]["word"] for a in answers], [f"w{i}" for i in range(20)])

    def test_a_chunked_body_is_a_body(self):
        head = b"POST /words HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        answers = raw(self.service, head + b'5\r\n["a b\r\n4\r\n a"]\r\n0\r\n\r\n')
        self.assertEqual(json.loads(answers[0][2])["words"][0], {"word": "a", "count": 2})

    def test_a_body_in_another_coding_is_refused_and_the_connection_closed(self):
        for coding in ("gzip", "gzip, chunked", "gzip\r\nTransfer-Encoding: chunked", "chunked;q=1", ""):
            request = f"POST /words HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: {coding}\r\n\r\n".encode()
            answers = raw(self.service, request + b"5\r\n[\"a\"]\r\n0\r\n\r\n" + post(b"[]"), answers=2)
            self.assertEqual([(a[0], a[1]["connection"]) for a in answers], [(501, "close")], coding)

    def test_no_request_can_be_smuggled_behind_a_body_whose_end_is_in_doubt(self):
        for fields in ("Content-Length: 5\r\nTransfer-Encoding: chunked",
                       "Transfer-Encoding: chunked\r\nContent-Length: 5",
                       "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5, 6", "Content-Length: +5",
                       "Content-Length : 5", "Content-Length: 18446744073709551621"):
            request = f"POST /words HTTP/1.1\r\nHost: t\r\n{fields}\r\n\r\n".encode()
            answers = raw(self.service, request + b"0\r\n\r\n" + post(b"[]"), answers=2)
            self.assertEqual([(a[0], a[1]["connection"]) for a in answers], [(400, "close")], fields)
        old = (b"POST /words HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"2\r\n[]\r\n0\r\n\r\n")
        self.assertEqual([(a[0], a[1]["connection"]) for a in raw(self.service, old * 2, answers=2)], [(200, "close")])

    def test_a_request_has_one_host(self):
        for fields in (b"", b"Host: a\r\nHost: b\r\n"):
            answers = raw(self.service, b"GET /metrics HTTP/1.1\r\n" + fields + b"\r\n" + post(b"[]"), answers=2)
            self.assertEqual([a[0] for a in answers], [400, 200])

    def test_a_client_that_waits_for_100_gets_it(self):
        with self.service.socket() as made:
            request = post(b'["a"]', "Expect: 100-continue")
            made.sendall(request[:-5])
            stream = made.makefile("rb")
            self.assertEqual(read_answer(stream)[0], 100)
            made.sendall(request[-5:])
            self.assertEqual(read_answer(stream)[0], 200)

    def test_a_client_that_waits_for_100_and_is_refused_is_answered_at_once_and_the_connection_ends(self):
        for request, status in ((post(b'["a"]', "Expect: 100-continue").replace(b"/words", b"/nowhere"), 404),
                                (post(b'["a"]', "Expect: the-unexpected"), 417)):
            answers = raw(self.service, request[:-5], answers=2)
            self.assertEqual([(a[0], a[1]["connection"]) for a in answers], [(status, "close")])

    def test_connections_end_when_the_client_wants_it(self):
        for request in (post(b"[]", "Connection: close"), post(b"[]", version="1.0")):
            answers = raw(self.service, request + request, answers=2)
            self.assertEqual([a[0] for a in answers], [200])


class SlowClients(ServiceTest):
    arguments = ("--header-timeout", "300ms", "--body-timeout", "300ms", "--idle-timeout", "300ms")

    def ends_after(self, *pieces):
        """Seconds until the service ends a connection on which the pieces come slowly."""
        started = time.monotonic()
        with self.service.socket() as made:
            made.settimeout(5)
            try:
                for piece in pieces:
                    made.sendall(piece)
                    time.sleep(0.1)
                while made.recv(4096):
                    pass
            except (ConnectionResetError, BrokenPipeError):
                pass
            except socket.timeout:
                self.fail("the connection was not ended")
        return time.monotonic() - started

    def test_a_header_that_never_ends_is_not_waited_for(self):
        self.assertLess(self.ends_after(b"POST /words HTTP/1.1\r\n", *[b"X-%d: y\r\n" % i for i in range(15)]), 3)

    def test_a_body_that_never_ends_is_not_waited_for(self):
        self.assertLess(self.ends_after(post(b"[1]").replace(b": 3", b": 1000"), *[b" "] * 15), 3)

    def test_a_silent_connection_is_ended(self):
        self.assertLess(self.ends_after(b""), 3)

    def test_a_request_that_was_cut_short_leaves_nothing_behind(self):
        for cut in (1, 20, 90, 120):
            with self.service.socket() as made:
                made.sendall(post(document(4096))[:cut])
        self.words(b'["a"]')


class SlowReader(ServiceTest):
    arguments = ("--write-timeout", "300ms")

    def test_a_client_that_reads_no_answer_is_not_waited_for(self):
        with socket.socket() as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            made.connect(("127.0.0.1", self.service.port))
            made.sendall(b"GET /memory HTTP/1.1\r\nHost: t\r\n\r\n" * 2000)  # 20 MB of answers: more than a kernel keeps
            until = time.monotonic() + 20
            while self.service.samples()["service_connections_timed_out_total"] == 0:
                self.assertLess(time.monotonic(), until)
                time.sleep(0.05)


class FewConnections(ServiceTest):
    arguments = ("--max-connections", "2")

    def test_one_too_many_waits_until_another_ends(self):
        with self.service.socket() as first, self.service.socket() as second, self.service.socket() as third:
            for made in (first, second):
                made.sendall(post(b"[]"))
                self.assertEqual(read_answer(made.makefile("rb"))[0], 200)
            third.sendall(post(b"[]"))
            third.settimeout(0.5)
            with self.assertRaises(socket.timeout):
                third.recv(1)
            third.settimeout(10)
            first.close()
            self.assertEqual(read_answer(third.makefile("rb"))[0], 200)


class Budgets(ServiceTest):
    arguments = ("--request-budget", "1MiB", "--tenant-budget", "2MiB", "--budget", "4MiB", "--tenant", "small=64KiB",
                 "--tenant", "big=64MiB")

    def test_a_request_over_its_own_budget_gets_413_and_the_connection_lives_on(self):
        with self.service.connection() as connection:
            answer = ask(connection, "POST", "/words", document(600 << 10), JSON)
            self.refused(413, answer, "request")
            self.assertNotIn("Retry-After", answer[1])
            self.assertEqual(ask(connection, "POST", "/words", document(1024), JSON)[0], 200)

    def test_a_tenant_over_its_budget_gets_429_and_the_others_are_served(self):
        with self.service.connection() as connection:
            answer = ask(connection, "POST", "/words", document(128 << 10), {**JSON, "X-Tenant": "small"})
            error = self.refused(429, answer)
            self.assertIn("small", json.dumps(error))
            self.assertRegex(answer[1]["Retry-After"], r"\A[1-9]\d*\Z")
            self.assertEqual(ask(connection, "POST", "/words", document(128 << 10), JSON)[0], 200)

    def test_unknown_tenants_share_one_budget(self):
        before = len(self.service.samples())
        for i in range(50):
            self.words(b'["a"]', **{"X-Tenant": f"stranger{i}"})
        self.assertEqual(len(self.service.samples()), before)


class ManyTenants(ServiceTest):
    arguments = [word for i in range(32) for word in ("--tenant", f"tenant-{i:02}".ljust(31, "-"))]

    def test_all_fit_into_the_pages(self):
        for path, accept in (("/metrics", "text/plain"), ("/metrics", "application/openmetrics-text"),
                             ("/memory.json", "*/*")):
            status, _, body = self.service.ask("GET", path, headers={"Accept": accept})
            self.assertEqual(status, 200)
            for name in self.arguments[1::2]:
                self.assertIn(f'"{name}"'.encode(), body)


class ProcessBudget(ServiceTest):
    arguments = ("--budget", "256KiB", "--tenant-budget", "64MiB", "--request-budget", "64MiB")

    def test_a_process_over_its_budget_gets_503_and_the_connection_lives_on(self):
        with self.service.connection() as connection:
            answer = ask(connection, "POST", "/words", document(512 << 10), JSON)
            self.refused(503, answer, "process")
            self.assertRegex(answer[1]["Retry-After"], r"\A[1-9]\d*\Z")
            self.assertEqual(ask(connection, "POST", "/words", document(1024), JSON)[0], 200)

    def test_under_many_clients_the_requests_that_fit_succeed_and_the_others_are_told_so(self):
        seen = []

        def client(size):
            with self.service.connection() as connection:
                for _ in range(50):
                    status, fields, body = ask(connection, "POST", "/words", document(size), JSON)
                    seen.append((size, status, "Retry-After" in fields, body))

        clients = [threading.Thread(target=client, args=(size,)) for size in (1024, 1024, 1024, 512 << 10, 512 << 10)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
        self.assertEqual(len(seen), 250)
        for size, status, retry, body in seen:
            if size > 1024:
                self.assertEqual((status, retry), (503, True), body)
            else:
                self.assertIn((status, retry), [(200, False), (503, True)], body)
        self.assertGreater(sum(status == 200 for _, status, _, _ in seen), 0)


class CommandLine(unittest.TestCase):
    def run_with(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=20, check=False)

    def test_bad_arguments_are_told_in_one_line_and_end_with_2(self):
        for arguments in (["--port", "70000"], ["--port", "x"], ["--port"], ["--budget", "12XB"], ["--budget", "0"],
                          ["--threads", "0"], ["--frobnicate"], ["stray"], ["--memory", "magic"], ["--budget", "1PiB"],
                          ["--idle-timeout", "-1s"], ["--tenant", "a b"], ["--tenant", "x", "--tenant", "x"]):
            run = self.run_with(*arguments)
            self.assertEqual((run.returncode, run.stdout), (2, ""), arguments)
            self.assertRegex(run.stderr, r"\Aservice: [^\n]+\n\Z")

    def test_a_port_that_is_taken_is_told_and_ends_with_1(self):
        with Service(PROGRAM) as service:
            run = self.run_with("--port", str(service.port))
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stderr, r"\Aservice: [^\n]*" + str(service.port) + r"[^\n]*\n\Z")
        self.assertIn("in use", run.stderr)

    def test_a_process_without_descriptors_says_so_and_ends_with_1(self):
        if b"__ubsan_" in pathlib.Path(PROGRAM).read_bytes():
            self.skipTest("UBSan needs descriptors for its own checks")

        def with_descriptors(most):
            return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

        for most in range(5, 13):
            run = subprocess.run([PROGRAM, "--port", "0", "--threads", "8"], capture_output=True, text=True, timeout=20,
                                 check=False, preexec_fn=with_descriptors(most))
            self.assertEqual(run.returncode, 1, run.stderr)
            self.assertRegex(run.stderr, r"\Aservice: [^\n]*oo many open files[^\n]*\n\Z")

    def test_help_names_every_option_and_ends_with_0(self):
        run = self.run_with("--help")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        for option in ("--port", "--budget", "--tenant", "--body-limit", "--header-timeout"):
            self.assertIn(option, run.stdout)


class Draining(unittest.TestCase):
    def test_a_request_in_flight_is_finished_after_sigterm(self):
        with Service(PROGRAM) as service:
            request = post(b'["last words"]')
            with service.socket() as made:
                made.sendall(request[:-3])
                time.sleep(0.3)
                stopping = threading.Thread(target=lambda: ended.append(service.stop()))
                ended = []
                stopping.start()
                time.sleep(0.3)
                made.sendall(request[-3:])
                status, fields, _ = read_answer(made.makefile("rb"))
                self.assertEqual((status, fields.get("connection")), (200, "close"))
                stopping.join()
            self.assertEqual(ended[0][0], 0, ended)
            self.assertIn("live 0 bytes", ended[0][1])

    def test_idle_connections_do_not_hold_it(self):
        with Service(PROGRAM) as service, service.socket(), service.socket() as used:
            used.sendall(post(b'["a"]'))
            self.assertEqual(read_answer(used.makefile("rb"))[0], 200)
            started = time.monotonic()
            self.assertEqual(service.stop()[0], 0)
            self.assertLess(time.monotonic() - started, 5)

    def test_a_stuck_request_does_not_hold_it_for_longer_than_the_drain_timeout(self):
        with Service(PROGRAM, "--drain-timeout", "500ms") as service, service.socket() as stuck:
            stuck.sendall(post(b'["a"]')[:-1])
            time.sleep(0.2)
            started = time.monotonic()
            status, out, _ = service.stop()
            self.assertLess(time.monotonic() - started, 5)
            self.assertEqual(status, 0)
            self.assertIn("live 0 bytes", out)


    def test_a_second_sigterm_ends_it_at_once(self):
        with Service(PROGRAM, "--drain-timeout", "60s") as service, service.socket() as stuck:
            stuck.sendall(post(b'["a"]')[:-1])
            time.sleep(0.2)
            service.process.send_signal(signal.SIGTERM)
            with self.assertRaises(subprocess.TimeoutExpired):
                service.process.wait(0.5)
            status, out, _ = service.stop(10)
            self.assertEqual(status, 0)
            self.assertIn("live 0 bytes", out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
