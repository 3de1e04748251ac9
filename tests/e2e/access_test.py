#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who is let in by the built pep-server: tokens made, rotated and revoked by its own command, reloads, stations without tokens, and that
nothing of a token is ever logged. Last line: N passed, N failed.

    access_test.py [--build FOLDER] [NAME...]
"""
import argparse
import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

BUILD = None
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def equal(got, wanted):
    assert got == wanted, "%r instead of %r" % (got, wanted)


class Closed(Server):
    """A server with a section access."""

    def __init__(self, folder, *lines, listen="127.0.0.1"):
        super().__init__(BUILD, folder, server="listen: " + listen)
        self.tokens = os.path.join(self.data, "tokens")
        os.makedirs(self.data, exist_ok=True)
        with open(self.conf, "a", encoding="utf-8") as f:
            f.write("access:\n" + "".join("  %s\n" % line for line in lines))
        self.secrets = []
        self.logged = threading.Condition()

    def _drain(self):
        for line in self.process.stderr:
            with self.logged:
                self.log.append(line)
                self.logged.notify_all()

    def token(self, *arguments, code=0):
        """What `pep-server token` writes to standard output."""
        done = subprocess.run([self.binary, "token", arguments[0], "--config", self.conf, *arguments[1:]], capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == code, "exit %d: %s" % (done.returncode, done.stderr)
        if code:
            return done.stderr
        found = re.fullmatch(r"(pep_[0-9a-f]{8}_([0-9a-f]{64}))\n", done.stdout)
        if found:
            self.secrets.append(found.group(2))
            return found.group(1)
        return done.stdout

    def ask(self, target, token=None, method="GET", body=None, headers=None):
        """(status, Pep-Error) of a request."""
        head = {**({"Authorization": "Bearer " + token} if token else {}), **(headers or {})}
        status, got, _ = self.request(method, target, body, head)
        return status, got["Pep-Error"]

    def reload(self, message="msg=reloaded what=access.tokens"):
        """SIGHUP; returns when the log says how it has ended."""
        def count():
            return sum(message in line for line in self.log)
        with self.logged:
            before = count()
            self.process.send_signal(signal.SIGHUP)
            assert self.logged.wait_for(lambda: count() > before, timeout=20), "no reload: %s" % self.log[-5:]

    def end(self):
        equal(self.stop(), 0)
        log = "".join(self.log)
        for secret in self.secrets:
            assert secret not in log and secret[:16] not in log, "a token is in the log"


def provision(server, serial, token=None, headers=None):
    return server.ask("/v3/identity", token, "POST", {"serialNumber": serial, "ip": "127.0.0.1", "port": 7000}, headers)


def refused(server, *patterns):
    done = subprocess.run([server.binary, "--config", server.conf], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 3, "exit %d: %s" % (done.returncode, done.stderr)
    for pattern in patterns:
        assert pattern in done.stderr, "no %r in %s" % (pattern, done.stderr)


@test
def nothing_says_who_may_come_in(top):
    for listen in "0.0.0.0", '"::"':
        refused(Closed(top, "burst: 10", listen=listen), "access.tokens", "tls.client_ca", "access.anonymous_networks", "127.0.0.1")


@test
def a_file_that_is_not_there_or_others_can_write(top):
    server = Closed(top, "tokens: tokens")
    refused(server, "pep-server token add")
    server.token("add", "line-1")
    os.chmod(server.tokens, 0o666)
    refused(server, "chmod 600")
    os.chmod(server.tokens, 0o600)
    with open(server.tokens, "a", encoding="utf-8") as f:
        f.write("{}\n")
    refused(server, "tokens:2: ")


@test
def each_does_what_its_scopes_say(top):
    server = Closed(top, "tokens: tokens")
    station = server.token("add", "line-1")
    person = server.token("add", "--person", "--scope", "export", "anna")
    away = server.token("add", "--network", "10.0.0.0/8", "line-2")
    server.start()
    equal(server.ask("/healthz"), (200, None))
    equal(server.ask("/readyz"), (200, None))
    equal(server.ask("/v3/enrollment-ids"), (401, "not_authenticated"))
    equal(provision(server, "A-1"), (401, "not_authenticated"))
    equal(provision(server, "A-1", person), (403, "not_allowed"))
    equal(provision(server, "A-1", away), (403, "not_allowed"))
    equal(provision(server, "A-1", station), (200, None))
    equal(server.ask("/enrollment-id?serialNumber=A-1", station), (200, None))
    equal(server.ask("/export/csv", station), (403, "not_allowed"))
    status, _, body = server.request("GET", "/export/jsonl?profile=inventory", headers={"Authorization": "Bearer " + person})
    if status == 404:
        status, _, body = server.request("GET", "/export/csv?profile=inventory", headers={"Authorization": "Bearer " + person})
    equal(status, 200)
    assert b"line-1" in body, "the station is not on the record: %r" % body
    # Nothing was made by those who were refused.
    equal(server.ask("/enrollment-id?serialNumber=A-2", station), (404, "not_found"))
    server.end()


@test
def the_body_of_the_refused_is_not_kept(top):
    """A refused POST is answered when its body is through, and at once with Expect: no reply is lost, no body is waited for in vain."""
    server = Closed(top, "tokens: tokens")
    server.token("add", "line-1")
    server.start()
    for extra, body in ("", b"{}" * 1000), ("Expect: 100-continue\r\n", b""):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(b"POST /v3/identity HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" +
                               extra.encode() + b"Content-Length: 2000\r\n\r\n")
            connection.sendall(body)
            reply = http.client.HTTPResponse(connection)
            reply.begin()
            equal(reply.status, 401)
            equal(reply.headers["WWW-Authenticate"], 'Bearer realm="pep"')
            equal(json.loads(reply.read())["code"], "not_authenticated")
    server.end()


@test
def rotation_and_revocation(top):
    server = Closed(top, "tokens: tokens")
    shutil.rmtree(server.data, ignore_errors=True)
    assert "No such file" in server.token("list", code=12)
    old = server.token("add", "line-1")
    equal(stat.S_IMODE(os.stat(server.data).st_mode) & 0o027, 0)
    server.token("add", "line-1", code=3)
    assert "--overlap is for token rotate" in server.token("revoke", "--overlap", "1h", "line-1", code=2)
    server.start()
    new = server.token("rotate", "line-1")
    assert "two" in server.token("rotate", "line-1", code=3)
    equal(server.ask("/enrollment-ids", new)[0], 401)  # not yet
    server.reload()
    equal(server.ask("/enrollment-ids", old)[0], 200)
    equal(server.ask("/enrollment-ids", new)[0], 200)
    server.token("revoke", old[:12])
    server.reload()
    equal(server.ask("/enrollment-ids", old), (401, "not_authenticated"))
    equal(server.ask("/enrollment-ids", new)[0], 200)
    newest = server.token("rotate", "--overlap", "0s", "line-1")
    server.reload()
    equal(server.ask("/enrollment-ids", new)[0], 401)
    equal(server.ask("/enrollment-ids", newest)[0], 200)
    listed = server.token("list")
    assert newest[:12] in listed and newest[13:29] not in listed, listed
    server.token("revoke", "nobody", code=3)
    server.end()
    with open(os.path.join(server.data, "audit.jsonl"), encoding="utf-8") as f:
        events = [json.loads(line) for line in f]
    tokens = [(event["event"], event["id"]) for event in events if event["event"].startswith("token_")]
    assert ("token_revoke", old[:12]) in tokens and ("token_add", newest[:12]) in tokens, tokens
    assert all(event["actor"] for event in events)


@test
def a_bad_file_keeps_the_old_one(top):
    server = Closed(top, "tokens: tokens")
    token = server.token("add", "line-1")
    server.start()
    with open(server.tokens, "a", encoding="utf-8") as f:
        f.write("nonsense\n")
    server.reload("not reloaded: it stays as it was")
    equal(server.ask("/enrollment-ids", token)[0], 200)
    os.unlink(server.tokens)
    server.reload("not reloaded: it stays as it was")
    equal(server.ask("/enrollment-ids", token)[0], 200)
    server.end()


@test
def stations_without_a_token(top):
    server = Closed(top, "anonymous_provision: true", "anonymous_networks: [127.0.0.0/8]", listen="0.0.0.0")
    server.start()
    assert any("ANYBODY IN THIS NETWORK" in line and "127.0.0.0/8" in line for line in server.log), server.log
    equal(provision(server, "A-1"), (200, None))
    equal(server.ask("/enrollment-id?serialNumber=A-1"), (401, "not_authenticated"))
    equal(server.ask("/export/csv"), (401, "not_authenticated"))
    equal(provision(server, "A-2", headers={"Sec-Fetch-Site": "cross-site"}), (403, "not_allowed"))
    equal(provision(server, "A-3", "pep_00000000_" + 64 * "0"), (401, "not_authenticated"))
    server.end()


@test
def on_loopback_without_a_file_all_is_as_it_was(top):
    server = Closed(top, "requests_per_second: 1", "burst: 1")
    server.start()
    for i in range(5):
        equal(provision(server, "A-%d" % i), (200, None))
    equal(server.ask("/export/csv", "anything"), (200, None))
    equal(provision(server, "A-9", headers={"Sec-Fetch-Site": "cross-site"}), (403, "not_allowed"))
    server.end()


@test
def too_many_are_told_when_to_come_again(top):
    server = Closed(top, "tokens: tokens", "requests_per_second: 1", "burst: 3", "failures_per_minute: 2")
    one, other = server.token("add", "line-1"), server.token("add", "line-2")
    server.start()
    got = [server.ask("/enrollment-ids", one) for _ in range(20)]
    assert (429, "too_many_requests") in got and got[0] == (200, None), got
    equal(server.ask("/enrollment-ids", other), (200, None))
    status, headers, _ = [server.request("GET", "/enrollment-ids", headers={"Authorization": "Bearer wrong"}) for _ in range(5)][-1]
    equal(status, 429)
    assert 1 <= int(headers["Retry-After"]) <= 31, headers["Retry-After"]
    equal(server.ask("/enrollment-ids", other), (200, None))
    server.end()
    equal(sum("msg=\"token refused\"" in line for line in server.log), 2)


def main():
    global BUILD
    parser = argparse.ArgumentParser()
    parser.add_argument("--build")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    BUILD = arguments.build or build_folder("asan")
    failed = 0
    tests = [t for t in TESTS if not arguments.names or t.__name__ in arguments.names]
    for function in tests:
        with tempfile.TemporaryDirectory(prefix="pep-access-") as top:
            try:
                function(top)
                print("ok   %s" % function.__name__, flush=True)
            except Exception:  # noqa: BLE001
                failed += 1
                print("FAIL %s\n%s" % (function.__name__, traceback.format_exc()), flush=True)
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
