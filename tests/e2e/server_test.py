#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built pep-server as an operator meets it: wrong configurations, a port in use, folders that cannot be written, stores that do not
fit, stopping under load, readers that leave. Last line: N passed, N failed.

    server_test.py [--build FOLDER] [NAME...]
"""
import argparse
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
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


def run(server, *arguments, env=None):
    """(exit code, standard output, standard error) of a call that ends by itself."""
    done = subprocess.run([server.binary, "--config", server.conf, *arguments], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


def refused(server, code, *patterns, arguments=()):
    """The server does not start: this exit code, and one line that says all of this."""
    got, _, err = run(server, *arguments)
    assert got == code, "exit %d instead of %d: %s" % (got, code, err)
    lines = [line for line in err.splitlines() if line and "msg=stopped" not in line]
    assert len(lines) == 1, "not one line: %r" % lines
    for pattern in patterns:
        assert re.search(pattern, lines[0]), "no %r in %r" % (pattern, lines[0])


def edit(server, old, new):
    with open(server.conf, encoding="utf-8") as f:
        text = f.read()
    assert old in text
    with open(server.conf, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


def provision(server, serial, port=7000, **more):
    return server.request("POST", "/v3/identity", {"serialNumber": serial, "ip": "127.0.0.1", "port": port, **more})


# --- wrong configurations: each is one line and exit 3 ---

@test
def a_typo_names_the_place_and_the_key(top):
    server = Server(BUILD, top)
    edit(server, "  port: 0", "  prot: 0")
    refused(server, 3, r"pep\.yaml:3:3: ", "prot", "port")


@test
def a_wrong_type_names_the_place(top):
    server = Server(BUILD, top)
    edit(server, "  port: 0", "  port: many")
    refused(server, 3, r"pep\.yaml:3:9: ", "port")


@test
def a_repeated_key(top):
    server = Server(BUILD, top)
    edit(server, "  port: 0", "  port: 0\n  port: 1")
    refused(server, 3, r"pep\.yaml:4:3: ", "port")


@test
def a_missing_file(top):
    server = Server(BUILD, top)
    os.unlink(server.conf)
    refused(server, 3, r"pep\.yaml", "No such file")


@test
def a_missing_plugin(top):
    server = Server(BUILD, top)
    edit(server, "plugin: mock", "plugin: moc")
    refused(server, 3, "moc")


@test
def an_unknown_option_of_a_plugin(top):
    server = Server(BUILD, top, injector="sede: x")
    refused(server, 3, r"pep\.yaml:\d+:\d+: ", "sede", "seed")


@test
def a_plugin_of_another_kind(top):
    server = Server(BUILD, top)
    edit(server, "plugin: mock", "plugin: csv")
    refused(server, 3, "csv", "injector")


@test
def a_plugin_that_others_may_write(top):
    folder = os.path.join(top, "plugins")
    shutil.copytree(os.path.join(BUILD, "plugins", "lib"), folder)
    os.chmod(os.path.join(folder, "mock.so"), 0o757)
    server = Server(BUILD, top)
    refused(server, 3, r"mock\.so", "writ", arguments=["--set", "server.plugin_dir=" + folder])


@test
def check_config_opens_nothing(top):
    server = Server(BUILD, top)
    code, _, err = run(server, "--check-config")
    assert code == 0, err
    assert not os.path.exists(server.data)


@test
def a_wrong_option(top):
    server = Server(BUILD, top)
    code, out, err = run(server, "--no-such-option")
    assert code == 2 and not out and "--no-such-option" in err and "--help" in err, (code, out, err)


# --- things in the way: exit 4 and 12 ---

@test
def a_port_in_use(top):
    server = Server(BUILD, top)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        refused(server, 4, "127.0.0.1", str(port), "in use", arguments=["--set", "server.port=%d" % port])


@test
def pep_server_port_wins(top):
    server = Server(BUILD, top)
    code, out, _ = run(server, "--print-config", env={"PEP_SERVER_PORT": "4711"})
    assert code == 0 and re.search(r"port: 4711\b", out), out


@test
def a_data_folder_that_cannot_be_made(top):
    server = Server(BUILD, top)
    edit(server, "data_dir: ", "data_dir: /proc/nowhere")
    refused(server, 12, "/proc/nowhere", "data_dir")


@test
def a_second_server_on_the_same_folder(top):
    server = Server(BUILD, top)
    server.start()
    try:
        refused(server, 12, "in use by another|locked|second")
    finally:
        assert server.stop() == 0


@test
def a_store_of_a_newer_version(top):
    server = Server(BUILD, top)
    server.start()
    assert server.stop() == 0
    db = sqlite3.connect(os.path.join(server.data, "pep.db"))
    db.execute("PRAGMA user_version = 99")
    db.close()
    refused(server, 12, "newer version", r"pep\.db")


@test
def a_store_that_is_damaged(top):
    server = Server(BUILD, top)
    server.start()
    for n in range(50):
        assert provision(server, "DAMAGE-%02d" % n)[0] == 200
    assert server.stop() == 0
    path = os.path.join(server.data, "pep.db")
    with open(path, "r+b") as f:
        f.seek(4096 * 2)
        f.write(b"\xa5" * 8192)
    refused(server, 12, r"pep\.db", "damage|corrupt|malformed")


# --- life ---

@test
def what_is_answered_is_there_after_a_restart(top):
    server = Server(BUILD, top)
    server.start()
    status, _, body = provision(server, "RESTART-1", hardwareVersion="Gr\u00f6\u00dfe 2", ethernetMAC=[0, 1, 2, 3, 4, 255])
    assert status == 200
    identity = json.loads(body)
    server.kill()
    server.start()
    status, _, body = server.request("GET", "/v3/enrollment-ids")
    assert server.stop() == 0
    page = json.loads(body)
    assert status == 200 and page["total_count"] == 1
    listed = page["results"][0]
    assert re.fullmatch("[0-9a-f]{24}", listed.pop("_id"))
    assert listed == identity, (listed, identity)


@test
def stopping_lets_an_injection_end(top):
    """SIGTERM while gateways are touched: each gets its identity and its answer, new requests are told, exit 0."""
    server = Server(BUILD, top)
    server.start()
    answers = {}
    threads = [threading.Thread(target=lambda n=n: answers.setdefault(n, provision(server, "MOCK-SLOW-1500-%d" % n, 7000 + n)))
               for n in range(8)]
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    idle.request("GET", "/healthz")
    idle.getresponse().read()
    for thread in threads:
        thread.start()
    while contacted(server) < 8:
        pass
    server.process.send_signal(signal.SIGTERM)
    while not any("msg=stopping" in line for line in server.log):
        pass
    # A connection that was open is told; or it was idle and is closed.
    try:
        idle.request("POST", "/v3/identity", json.dumps({"serialNumber": "LATE", "ip": "127.0.0.1"}), {"Content-Type": "application/json"})
        late = idle.getresponse()
        assert late.status == 503 and late.headers["Pep-Error"] == "draining" and late.headers["Retry-After"], late.status
    except (http.client.HTTPException, ConnectionError):
        pass
    for thread in threads:
        thread.join()
    assert server.wait() == 0
    assert [answers[n][0] for n in range(8)] == [200] * 8, answers
    server.start()
    status, _, _ = server.request("GET", "/v3/enrollment-id?serialNumber=MOCK-SLOW-1500-3")
    assert server.stop() == 0 and status == 200


def contacted(server):
    """How many gateways are touched now: contacted or issued."""
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(server.data, "pep.db"), uri=True)
    try:
        return db.execute("SELECT count(*) FROM identity WHERE state IN (2, 3)").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        db.close()


@test
def an_export_is_cut_off_by_a_kill_and_looks_broken(top):
    server = Server(BUILD, top)
    server.start()
    server.stop()
    fill(os.path.join(server.data, "pep.db"), 50000)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/v3/export/csv")
    reply = connection.getresponse()
    assert reply.status == 200 and reply.read(1000)
    server.kill()
    try:
        reply.read()
        raise AssertionError("half a file looks whole")
    except http.client.IncompleteRead:
        pass
    connection.close()


@test
def a_reader_that_leaves_does_no_harm(top):
    server = Server(BUILD, top)
    server.start()
    server.stop()
    fill(os.path.join(server.data, "pep.db"), 50000)
    server.start()
    for _ in range(20):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/v3/export/json")
        connection.getresponse().read(100)
        connection.close()
    status, headers, body = server.request("GET", "/v3/export/csv?limit=3")
    assert server.stop() == 0
    assert status == 200 and body.count(b"\n") == 4 and headers["Content-Type"].startswith("text/csv"), (status, body)


def fill(path, count):
    """Copies of one real record, straight into the store."""
    db = sqlite3.connect(path)
    names = [r[1] for r in db.execute("PRAGMA table_info(identity)")]

    def row(n):
        known = {"serial": "FILL-%06d" % n, "state": 4, "revision": 4, "created_ms": n + 1, "deployed_ms": n + 2, "lease_until_ms": 0,
                 "attempt": 1, "contacted": 1, "before": 0, "generation": 0, "dispatch_id": "%024x" % n,
                 "enrollment_id": "A-%095d" % n, "hardware_version": "hw"}
        return [known.get(name) for name in names]
    with db:
        db.executemany("INSERT INTO identity VALUES (%s)" % ",".join("?" * len(names)), (row(n) for n in range(count)))
    db.close()


@test
def a_full_disk_is_503_and_heals(top):
    """RLIMIT_FSIZE stands for a full disk: writes fail, reads go on, and after a restart with room everything goes on."""
    server = Server(BUILD, top)
    server.start()
    assert provision(server, "FULL-0")[0] == 200
    server.stop()
    full = Server(BUILD, top)
    full.binary = os.path.join(top, "limited")
    with open(full.binary, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\ntrap '' XFSZ\nulimit -f 400\nexec '%s' \"$@\"\n" % server.binary)
    os.chmod(full.binary, 0o755)
    full.start()
    answers = [provision(full, "FULL-%d" % n, 7000 + n, OU="x" * 128, deviceID="y" * 128) for n in range(1, 400)]
    bad = [a for a in answers if a[0] != 200]
    assert bad, "the disk was not full"
    assert all(a[0] == 503 and a[1]["Pep-Error"] in ("storage_unavailable", "recorded_locally") for a in bad), bad[0]
    assert full.request("GET", "/v3/enrollment-id?serialNumber=FULL-0")[0] == 200
    full.kill()
    server.start()
    for n, answer in enumerate(answers, 1):
        status, _, body = server.request("GET", "/v3/enrollment-id?serialNumber=FULL-%d" % n)
        if answer[0] == 200:
            assert status == 200 and body.decode() == json.loads(answer[2])["enrollmentID"], n
        else:
            assert status == 200 or provision(server, "FULL-%d" % n, 7000 + n)[0] == 200, n
    assert server.stop() == 0


def main():
    global BUILD
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--build", default=build_folder("asan"))
    options = parser.parse_args()
    BUILD = os.path.abspath(options.build)
    passed = failed = 0
    for function in TESTS:
        if options.names and function.__name__ not in options.names:
            continue
        top = tempfile.mkdtemp(prefix="pep-server-")
        try:
            function(top)
            passed += 1
        except Exception:
            failed += 1
            print("FAIL %s: %s" % (function.__name__, traceback.format_exc(limit=-2)), flush=True)
        finally:
            shutil.rmtree(top, ignore_errors=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
