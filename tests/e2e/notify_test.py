#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server as a service of systemd: what it tells, what its unit says, and that it leaves no core file. Last line: N passed, N failed.

    notify_test.py [NAME...]
"""
import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

BUILD = build_folder("asan")
TESTS = []


class Skipped(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


class Manager:
    """What systemd is to a service: a socket."""

    def __init__(self, top, abstract=False):
        self.name = "@pep-test-%d-%d" % (os.getpid(), id(self)) if abstract else os.path.join(top, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.name[1:] if abstract else self.name)
        self.socket.settimeout(30)

    def next(self, ignored="WATCHDOG=1"):
        """The next message as a dictionary, without those that are not looked for."""
        while True:
            text = self.socket.recv(4096).decode()
            if text != ignored:
                return dict(entry.split("=", 1) for entry in text.split("\n"))

    def is_silent_for(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(4096)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(30)

    def drain(self):
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(4096)
        except BlockingIOError:
            self.socket.settimeout(30)


def with_tls(server, top):
    subprocess.run([server.binary, "tls", "init", top], check=True, capture_output=True, timeout=60)
    with open(server.conf, "a", encoding="utf-8") as f:
        f.write("tls:\n  certificate: %s/tls.crt\n  key: %s/tls.key\n" % (top, top))


@test
def ready_reloading_stopping(top):
    for abstract in (False, True):
        manager = Manager(top, abstract)
        server = Server(BUILD, top)
        server.start(env={"NOTIFY_SOCKET": manager.name})
        ready = manager.next()
        assert ready["READY"] == "1", ready
        assert ready["STATUS"] == "http://127.0.0.1:%d, storage sqlite, injector mock" % server.port, ready
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        server.process.send_signal(signal.SIGHUP)
        reloading = manager.next()
        assert reloading["RELOADING"] == "1", reloading
        # To the millisecond, as the server's clock is read.
        assert before - 1000 <= int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert manager.next()["READY"] == "1"
        assert server.request("GET", "/healthz")[0] == 200
        assert server.stop() == 0
        stopping = manager.next()
        assert stopping["STOPPING"] == "1" and re.fullmatch("waiting for [01] requests", stopping["STATUS"]), stopping
        assert manager.is_silent_for(0.05), "nobody asked for a watchdog"


@test
def not_ready_before_it_answers(top):
    manager = Manager(top)
    server = Server(BUILD, top, storage="path: /proc/nowhere/pep.db")
    server.start(env={"NOTIFY_SOCKET": manager.name}, wait=False)
    assert server.wait() == 12
    assert manager.is_silent_for(0.05), "it said something, and had not started"


def watchdog(top, tls):
    manager = Manager(top)
    server = Server(BUILD, top, server="http_threads: 3")
    if tls:
        with_tls(server, top)
    server.start(env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"})
    told = []
    while len(told) < 12:
        message = manager.next(ignored=None)
        if "WATCHDOG" in message:
            told.append(time.monotonic())
        else:
            assert "READY" in message, message
    # Twice per interval, give or take what a busy machine does to a thread.
    assert (told[-1] - told[0]) / 11 > 0.09, told
    # What stands still says nothing.
    server.process.send_signal(signal.SIGSTOP)
    while open("/proc/%d/stat" % server.process.pid, encoding="ascii").read().split()[2] != "T":
        pass
    manager.drain()
    assert manager.is_silent_for(0.7), "a stopped server says that it works"
    server.process.send_signal(signal.SIGCONT)
    for _ in range(3):
        assert manager.next(ignored=None) == {"WATCHDOG": "1"}
    # Nothing of it is seen: no request, no connection that is counted, no line of the HTTP library.
    noise = [line for line in server.log if "http library" in line or "msg=request" in line]
    assert not noise, noise
    assert server.stop() == 0
    assert "STOPPING" in manager.next()


@test
def the_watchdog_hears_from_a_server_that_works(top):
    watchdog(top, False)


@test
def the_watchdog_and_tls(top):
    watchdog(top, True)


@test
def the_watchdog_hears_it_while_the_server_stops(top):
    """A gateway that takes its time holds up the stop; systemd must not take that for a standstill."""
    manager = Manager(top)
    server = Server(BUILD, top, injector="delay_ms: 1500")
    server.start(env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"})
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(b"GET /v3/identity?serialNumber=S-1&ip=127.0.0.1&port=7000 HTTP/1.1\r\nHost: h\r\n\r\n")
        # Until the request is under way, the stop would not wait for it.
        with contextlib.closing(sqlite3.connect("file:%s/pep.db?mode=ro" % server.data, uri=True)) as db:
            while not db.execute("SELECT count(*) FROM identity WHERE serial = 'S-1'").fetchone()[0]:
                pass
        server.process.send_signal(signal.SIGTERM)
        while "STOPPING" not in manager.next():
            pass
        for _ in range(4):
            assert manager.next(ignored=None) == {"WATCHDOG": "1"}
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert server.wait() == 0


@test
def the_watchdog_of_another_process_is_not_ours(top):
    manager = Manager(top)
    server = Server(BUILD, top)
    server.start(env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    assert manager.next(ignored=None)["READY"] == "1"
    assert manager.is_silent_for(0.3)
    assert server.stop() == 0


@test
def no_core_file(top):
    """Whatever the limits say, keys in its memory reach no disk, and no program that collects dumps."""
    def unlimited():
        os.chdir(top)
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    server = Server(BUILD, top)
    process = subprocess.Popen([server.binary, "--config", server.conf, "--port-file", top + "/port"], preexec_fn=unlimited,
                               stderr=subprocess.DEVNULL)
    while not os.path.exists(top + "/port"):
        assert process.poll() is None
    with open("/proc/%d/limits" % process.pid, encoding="ascii") as f:
        assert re.search(r"Max core file size +0 +0 ", f.read())
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT and not os.WCOREDUMP(status), status
    assert not [name for name in os.listdir(top) if "core" in name]


@test
def the_unit(top):
    if not shutil.which("systemd-analyze"):
        raise Skipped("there is no systemd-analyze")
    path = os.path.join(top, "pep.service")
    with open(os.path.join(BUILD, "conf", "pep.service"), encoding="utf-8") as f:
        text = f.read()
    for wanted in ("Type=notify", "WatchdogSec=", "ExecReload=/bin/kill -HUP $MAINPID", "User=pep", "NoNewPrivileges=yes", "LimitCORE=0"):
        assert wanted + "\n" in text or (wanted.endswith("=") and wanted in text), wanted
    with open(path, "w", encoding="utf-8") as f:
        f.write(re.sub(r"(?m)^(Exec\w+=)\S*/pep-server", r"\1" + os.path.join(BUILD, "core", "pep-server"), text))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 0 and "pep.service" not in done.stderr, done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", path], capture_output=True,
                          text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def main():
    wanted, failed, passed, skipped = sys.argv[1:], 0, 0, 0
    for function in TESTS:
        if wanted and function.__name__ not in wanted:
            continue
        top = tempfile.mkdtemp(prefix="pep-notify-")
        try:
            function(top)
            passed += 1
            print("ok   " + function.__name__)
        except Skipped as why:
            skipped += 1
            print("skip %s: %s" % (function.__name__, why))
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print("FAIL " + function.__name__)
            traceback.print_exc(file=sys.stdout)
        finally:
            shutil.rmtree(top, ignore_errors=True)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
