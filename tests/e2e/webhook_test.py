#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built pep-server tells a real HTTP receiver of what it deploys: every identity, in order, signed, whatever dies or refuses meanwhile.
Last line: N passed, N failed.

    webhook_test.py [--build FOLDER] [NAME...]
"""
import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import postgres_server  # noqa: E402
import stores  # noqa: E402
from server import Server, build_folder  # noqa: E402

BUILD = None
TESTS = []
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def test(function):
    TESTS.append(function)
    return function


class Receiver:
    """A MES: keeps what it took, in the order in which it came. `answer` decides what it says: a status, or (status, headers)."""

    def __init__(self, answer=None, port=0, tls=None):
        self.taken, self.seen, self.bad = [], [], []
        self.answer = answer or (lambda serial, count: 200)
        self.changed = threading.Condition()
        self.connections = set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                receiver.connections.add(self.request)
                super().setup()

            def do_POST(self):
                receiver.take(self)

            def log_message(self, *args):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

        self.server = Listener(("127.0.0.1", port), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        message_id, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(SECRET[6:])
        expected = "v1," + base64.b64encode(hmac.new(key, b"%s.%s.%s" % (message_id.encode(), at.encode(), body), hashlib.sha256).digest()).decode()
        message = json.loads(body)
        record = message["data"]
        fits = (request.headers["webhook-signature"] == expected and abs(int(at) - time.time()) < 60 and request.path == "/hook?line=1"
                and message["type"] == "identity.deployed" and record["_id"] == message_id and record["deployed"] is True
                and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["timestamp"])
                and request.headers["Content-Type"] == "application/json")
        serial = record["serialNumber"]
        with self.changed:
            self.seen.append(serial)
            answer = self.answer(serial, self.seen.count(serial))
            if not fits:
                self.bad.append((dict(request.headers), body))
        if callable(answer):
            answer = answer()
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status is None:
            request.close_connection = True
            request.connection.close()
            return
        with self.changed:
            if 200 <= status < 300:
                self.taken.append((message_id, serial))
            self.changed.notify_all()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        text = b"" if status < 300 else b"the line is full\nsecond line"
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def stop(self):
        """As if its process had died: connections that are open are gone, too."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait_for(self, what, seconds=60):
        with self.changed:
            assert self.changed.wait_for(what, seconds), "taken: %d, seen: %d, last: %r" % (len(self.taken), len(self.seen), self.seen[-5:])

    def serials(self):
        return [serial for _, serial in self.taken]

    def expect(self, serials):
        """Each at least once, the first of each in this order, and nothing else."""
        first = list(dict.fromkeys(self.serials()))
        assert first == list(serials), "%r instead of %r" % (first, list(serials))
        assert not self.bad, "a message that is wrong: %r" % self.bad[0]


def make(top, receiver, more="", name="test", url=None, **extra):
    """A server that pushes to the receiver; not started."""
    server = Server(BUILD, top, name=name, **extra)
    with open(os.path.join(top, "secret"), "w", encoding="ascii") as f:
        f.write(SECRET + "\n")
        os.fchmod(f.fileno(), 0o600)
    with open(server.conf, "a", encoding="utf-8") as f:
        f.write("push:\n  - name: mes\n    plugin: webhook\n    url: %s\n    secret: file:%s/secret\n%s"
                % (url or "http://127.0.0.1:%d/hook?line=1" % receiver.port, top, "".join("    %s\n" % line for line in more.splitlines())))
    return server


def provision(server, serial, port=7000):
    status, _, body = server.request("POST", "/v3/identity", {"serialNumber": serial, "ip": "127.0.0.1", "port": port})
    assert status == 200, "%s: %d %s" % (serial, status, body)


def push_state(server):
    status, _, body = server.request("GET", "/v3/readyz")
    return status, json.loads(body)["push"][0]


def until(what, seconds=30):
    """Until something holds that nothing tells us of."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not become true in %d s" % seconds
        threading.Event().wait(0.02)


# --- all is well ---

@test
def every_identity_is_told_once_and_in_order(top):
    receiver = Receiver()
    server = make(top, receiver)
    server.start()
    serials = ["GW-%03d" % i for i in range(40)]
    for serial in serials:
        provision(server, serial)
    receiver.wait_for(lambda: len(receiver.taken) >= 40)
    until(lambda: push_state(server)[1] | {"since": 0} == {"name": "mes", "state": "ok", "since": 0, "backlog": 0, "delivered": 40,
                                                           "dead_letters": 0})
    assert server.stop() == 0
    assert server.start()
    provision(server, "GW-040")
    receiver.wait_for(lambda: "GW-040" in receiver.serials())
    assert server.stop() == 0
    receiver.expect(serials + ["GW-040"])
    assert len(receiver.taken) == 41, "an orderly stop is no reason to tell twice"
    receiver.stop()


@test
def many_stations_at_once(top):
    receiver = Receiver()
    server = make(top, receiver)
    server.start()

    def station(number):
        for i in range(15):
            provision(server, "S%d-%02d" % (number, i), 7000 + number)
    threads = [threading.Thread(target=station, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    receiver.wait_for(lambda: len(receiver.taken) >= 120)
    status, _, body = server.request("GET", "/v3/export/json")
    assert status == 200
    assert server.stop() == 0
    assert sorted(set(receiver.serials())) == sorted(record["serialNumber"] for record in json.loads(body))
    assert len(receiver.taken) == 120
    assert not receiver.bad
    receiver.stop()


@test
def a_new_subscriber_begins_now_or_at_the_beginning(top):
    receiver = Receiver()
    for start, expected in (("now", ["GW-2"]), ("beginning", ["GW-1", "GW-2"])):
        folder = os.path.join(top, start)
        server = make(folder, receiver, "from: " + start)
        with open(server.conf, encoding="utf-8") as f:
            conf = f.read()
        with open(server.conf, "w", encoding="utf-8") as f:
            f.write(conf.partition("push:")[0])
        server.start()
        provision(server, "GW-1")
        assert server.stop() == 0
        with open(server.conf, "w", encoding="utf-8") as f:
            f.write(conf)
        receiver.taken.clear()
        server.start()
        until(lambda: push_state(server)[1]["state"] == "ok")
        provision(server, "GW-2")
        receiver.wait_for(lambda: "GW-2" in receiver.serials())
        assert server.stop() == 0
        receiver.expect(expected)
    receiver.stop()


@test
def the_receiver_of_the_manual(top):
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "docs", "plugins", "webhook.md"), encoding="utf-8") as f:
        program = re.search(r"```python\n(.*?)```", f.read(), re.DOTALL).group(1)
    path = os.path.join(top, "receiver.py")
    with open(path, "w", encoding="utf-8") as f:
        f.write(program)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    class Manual:
        pass
    Manual.port = port
    server = make(top, Manual)
    server.start()
    with subprocess.Popen([sys.executable, path, os.path.join(top, "secret"), str(port)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as receiver:
        provision(server, "GW-1")
        provision(server, "GW-2")
        assert [receiver.stdout.readline() for _ in range(2)] == ["GW-1\n", "GW-2\n"]
        until(lambda: push_state(server)[1]["delivered"] == 2)
        receiver.kill()
    assert server.stop() == 0


# --- it goes wrong at the other side ---

@test
def a_receiver_that_is_away_stops_nobody(top):
    receiver = Receiver()
    port = receiver.port
    server = make(top, receiver)
    server.start()
    provision(server, "GW-1")
    receiver.wait_for(lambda: receiver.taken)
    receiver.stop()
    begun = time.monotonic()
    for i in range(2, 12):
        provision(server, "GW-%d" % i)
    assert time.monotonic() - begun < 20, "provisioning waits for the receiver"
    until(lambda: push_state(server)[1]["state"] == "failing" and push_state(server)[1]["backlog"] == 10)
    status, state = push_state(server)
    assert status == 200, "a receiver that is away makes the server not ready"
    assert "127.0.0.1" in state["error"] and "line=1" not in state["error"]
    again = Receiver(port=port)
    again.wait_for(lambda: len(again.taken) >= 10)
    again.expect(["GW-%d" % i for i in range(2, 12)])
    until(lambda: push_state(server)[1]["state"] == "ok")
    assert server.stop() == 0
    assert len([line for line in server.log if "not taken; it is tried again" in line]) == 1, "once per outage"
    assert len([line for line in server.log if "taken again" in line]) == 1
    again.stop()


@test
def errors_come_again_and_keep_the_order(top):
    answers = {("GW-1", 1): 500, ("GW-1", 2): 503, ("GW-2", 1): (429, {"Retry-After": "2"}), ("GW-3", 1): 408, ("GW-4", 1): (None, {})}
    times = []

    def answer(serial, count):
        times.append((serial, time.monotonic()))
        return answers.get((serial, count), 200)
    receiver = Receiver(answer)
    server = make(top, receiver)
    server.start()
    serials = ["GW-%d" % i for i in range(1, 6)]
    for serial in serials:
        provision(server, serial)
    receiver.wait_for(lambda: len(receiver.taken) >= 5)
    assert server.stop() == 0
    receiver.expect(serials)
    assert receiver.seen == ["GW-1", "GW-1", "GW-1", "GW-2", "GW-2", "GW-3", "GW-3", "GW-4", "GW-4", "GW-5"]
    waited = [at for serial, at in times if serial == "GW-2"]
    assert waited[1] - waited[0] >= 1.9, "Retry-After: 2, and it came after %.2f s" % (waited[1] - waited[0])
    receiver.stop()


@test
def a_slow_receiver_is_given_up_and_tried_again(top):
    free = threading.Event()
    receiver = Receiver(lambda serial, count: (lambda: free.wait(20) and 200 or 200) if serial == "GW-1" and count <= 3 else 200)
    server = make(top, receiver, "timeout: 300ms")
    server.start()
    provision(server, "GW-1")
    provision(server, "GW-2")
    until(lambda: push_state(server)[1]["state"] == "failing")
    assert "300 ms" in push_state(server)[1]["error"]
    receiver.wait_for(lambda: "GW-2" in receiver.serials())
    assert server.stop() == 0
    receiver.expect(["GW-1", "GW-2"])
    free.set()
    receiver.stop()


@test
def what_is_refused_becomes_a_dead_letter(top):
    refused = {"GW-2"}
    receiver = Receiver(lambda serial, count: 422 if serial in refused else 200)
    server = make(top, receiver, "attempts: 2")
    server.start()
    for i in range(1, 5):
        provision(server, "GW-%d" % i)
    receiver.wait_for(lambda: "GW-4" in receiver.serials())
    receiver.expect(["GW-1", "GW-3", "GW-4"])
    assert receiver.seen.count("GW-2") >= 2
    until(lambda: push_state(server)[1]["dead_letters"] == 1)
    assert [line for line in server.log if "dead letter" in line and "GW-2" in line and "the line is full" in line], "".join(server.log)
    # It is kept over a restart, tried once, and then again when somebody has mended the receiver.
    assert server.stop() == 0
    seen = len(receiver.seen)
    server.start()
    receiver.wait_for(lambda: len(receiver.seen) == seen + 1)
    until(lambda: push_state(server)[1]["state"] == "ok")
    assert push_state(server)[1]["dead_letters"] == 1
    assert server.stop() == 0
    refused.clear()
    server.start()
    receiver.wait_for(lambda: "GW-2" in receiver.serials())
    until(lambda: push_state(server)[1]["dead_letters"] == 0)
    assert server.stop() == 0
    assert sorted(receiver.serials()) == ["GW-%d" % i for i in range(1, 5)]
    receiver.stop()


@test
def a_redirect_is_not_followed(top):
    receiver = Receiver(lambda serial, count: (307, {"Location": "/elsewhere"}))
    server = make(top, receiver)
    server.start()
    provision(server, "GW-1")
    until(lambda: "redirect" in push_state(server)[1].get("error", ""))
    assert server.stop() == 0
    assert not receiver.bad, "it went elsewhere"
    receiver.stop()


# --- processes die ---

@test
def nothing_is_lost_when_the_server_is_killed(top):
    receiver = Receiver()
    server = make(top, receiver)
    told, serials = 0, []
    for round_number in range(6):
        server.start()
        for i in range(10):
            serials.append("GW-%d-%d" % (round_number, i))
            provision(server, serials[-1])
        if round_number % 2:
            receiver.wait_for(lambda: len(set(receiver.serials())) > told)
        server.kill()
        told = len(set(receiver.serials()))
    server.start()
    receiver.wait_for(lambda: len(set(receiver.serials())) == 60)
    assert server.stop() == 0
    receiver.expect(serials)
    receiver.stop()


@test
def nothing_is_lost_when_it_dies_between_told_and_noted(top):
    receiver = Receiver()
    server = make(top, receiver)
    server.start({"PEP_FAILPOINT": "told:1"})
    status = None
    try:
        status = server.request("POST", "/v3/identity", {"serialNumber": "GW-1", "ip": "127.0.0.1", "port": 7000})[0]
    except OSError:
        pass
    receiver.wait_for(lambda: receiver.taken)
    assert server.wait() != 0, status
    server.start()
    receiver.wait_for(lambda: len(receiver.taken) == 2)
    provision(server, "GW-2")
    receiver.wait_for(lambda: "GW-2" in receiver.serials())
    assert server.stop() == 0
    ids = [message_id for message_id, serial in receiver.taken if serial == "GW-1"]
    assert len(ids) == 2 and ids[0] == ids[1], "told again under another id: %r" % ids
    receiver.expect(["GW-1", "GW-2"])
    receiver.stop()


@test
def nothing_is_lost_when_the_receiver_dies_again_and_again(top):
    receiver = Receiver()
    port, taken = receiver.port, []
    server = make(top, receiver)
    server.start()
    serials = []
    for round_number in range(5):
        for i in range(5):
            serials.append("GW-%d-%d" % (round_number, i))
            provision(server, serials[-1])
        receiver.wait_for(lambda: receiver.taken)
        receiver.stop()
        taken += receiver.taken
        receiver = Receiver(port=port)
    receiver.wait_for(lambda: {serial for _, serial in taken} | set(receiver.serials()) >= set(serials))
    assert server.stop() == 0
    receiver.stop()


# --- several servers on one store ---

def expire(store):
    """As if 90 seconds had passed since the holder, who is dead, wrote the note."""
    store.server.sql("UPDATE pep_note SET text = regexp_replace(text, '\"until_ms\":[0-9]+', '\"until_ms\":1') WHERE name = 'push.mes'",
                     "move%d" % store.number)


@test
def of_two_servers_one_tells_and_the_other_takes_over(top):
    if not os.path.exists(os.path.join(BUILD, "plugins", "lib", "postgres.so")) or not postgres_server.binaries():
        print("SKIP of_two_servers_one_tells_and_the_other_takes_over: PostgreSQL or its plugin is not there", flush=True)
        return
    store = stores.Postgres(top)
    try:
        share(top, store.fresh(), lambda: expire(store))
    finally:
        store.stop()


def share(top, section, let_time_pass):
    receiver = Receiver()
    one, two = (make(os.path.join(top, name), receiver, name=name, storage=section, injector="seed: " + name) for name in ("one", "two"))

    def tell(servers, prefix):
        serials = ["GW-%s-%d" % (prefix, i) for i in range(10)]
        for i, serial in enumerate(serials):
            provision(servers[i % len(servers)], serial)
        return serials

    def states():
        return [push_state(server)[1]["state"] for server in (one, two)]

    def is_told(serials):
        return set(serials) <= set(receiver.serials())
    try:
        one.start()
        until(lambda: push_state(one)[1]["state"] == "ok")
        two.start()
        until(lambda: states() == ["ok", "standby"])
        serials = tell((one, two), "both")
        receiver.wait_for(lambda: is_told(serials))
        assert len(receiver.taken) == len(serials), "both tell"
        one.kill()
        serials += tell((two,), "killed")
        assert push_state(two)[1]["state"] == "standby" and len(receiver.taken) == 10, "it does not wait for the other's time to end"
        let_time_pass()
        until(lambda: push_state(two)[1]["state"] == "ok", 120)
        receiver.wait_for(lambda: is_told(serials))
        one.start()
        until(lambda: states() == ["standby", "ok"])
        assert two.stop() == 0
        begun = time.monotonic()
        serials += tell((one,), "stopped")
        receiver.wait_for(lambda: is_told(serials))
        assert time.monotonic() - begun < 60, "an orderly stop leaves it at once"
        assert one.stop() == 0
        assert set(receiver.serials()) == set(serials) and not receiver.bad
    finally:
        for server in (one, two):
            if server.process and server.process.poll() is None:
                server.kill()
        receiver.stop()


# --- records that appear late ---

@test
def what_is_committed_late_is_told(top):
    receiver = Receiver()
    server = make(top, receiver)
    server.start()
    for serial in ("GW-1", "GW-2", "GW-3"):
        provision(server, serial)
    receiver.wait_for(lambda: len(receiver.taken) == 3)
    assert server.stop() == 0
    # As another server's slow write would: a record whose dispatch id is older than what was told already.
    db = sqlite3.connect(os.path.join(server.data, "pep.db"))
    first = db.execute("SELECT min(dispatch_id) FROM identity").fetchone()[0]
    late = "%024x" % (int(first, 16) - (3 << 40))
    columns = [row[1] for row in db.execute("PRAGMA table_info(identity)") if row[1] not in ("id", "serial", "dispatch_id", "enrollment_id")]
    db.execute("INSERT INTO identity (serial, dispatch_id, enrollment_id, %s) SELECT 'GW-LATE', ?, 'A-late', %s FROM identity LIMIT 1"
               % (", ".join(columns), ", ".join(columns)), (late,))
    db.commit()
    db.close()
    server.start()
    receiver.wait_for(lambda: "GW-LATE" in receiver.serials())
    provision(server, "GW-4")
    receiver.wait_for(lambda: "GW-4" in receiver.serials())
    assert server.stop() == 0
    receiver.expect(["GW-1", "GW-2", "GW-3", "GW-LATE", "GW-4"])
    assert len(receiver.taken) == 5
    receiver.stop()


# --- TLS, and configurations that are refused ---

def make_certificate(top, name):
    key, certificate = os.path.join(top, name + ".key"), os.path.join(top, name + ".crt")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                    certificate, "-days", "1", "-subj", "/CN=mes", "-addext", "subjectAltName=IP:127.0.0.1"], check=True,
                   capture_output=True)
    return certificate, key


@test
def tls_is_verified(top):
    certificate, key = make_certificate(top, "mes")
    other, _ = make_certificate(top, "other")
    receiver = Receiver(tls=(certificate, key))
    url = "https://127.0.0.1:%d/hook?line=1" % receiver.port
    server = make(os.path.join(top, "wrong"), receiver, "ca: " + other, url=url)
    server.start()
    provision(server, "GW-1")
    until(lambda: push_state(server)[1]["state"] == "failing")
    assert "certificate" in push_state(server)[1]["error"].lower(), push_state(server)
    assert server.stop() == 0
    assert not receiver.seen
    server = make(os.path.join(top, "right"), receiver, "ca: " + certificate, url=url)
    server.start()
    provision(server, "GW-2")
    receiver.wait_for(lambda: receiver.taken)
    assert server.stop() == 0
    receiver.expect(["GW-2"])
    receiver.stop()


def call(server, *arguments):
    done = subprocess.run([server.binary, "--config", server.conf, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


@test
def configurations_are_checked(top):
    class Nobody:
        port = 9

    cases = [("attempts: 0", None, "attempts"), ("attempts: many", None, "attempts"), ("from: then", None, "now or beginning"),
             ("tiemout: 1s", None, "timeout"), ("", "ftp://127.0.0.1/", None), ("", "http://user:s3cr3t@127.0.0.1/", None)]
    for number, (more, url, words) in enumerate(cases):
        server = make(os.path.join(top, str(number)), Nobody, more, url=url)
        code, _, err = call(server, "--check-config") if words else call(server)
        assert code == 3, "%r: exit %d: %s" % (more or url, code, err)
        assert (words or "url") in err, err
        assert "s3cr3t" not in err, "a password: " + err
        if words:
            assert re.search(r"pep\.yaml:\d+:\d+: ", err), err
    server = make(os.path.join(top, "good"), Nobody, "attempts: 3")
    code, out, err = call(server, "--print-config")
    assert code == 0 and SECRET[6:] not in out, err
    assert re.search(r'push:\n  - name: mes\n    plugin: webhook .*\n    url: "http', out), out
    assert re.search(r"    attempts: 3  # .*\n    from: now  # default\n", out), out
    with open(server.conf, "w", encoding="utf-8") as f:
        f.write(out)
    assert call(server, "--check-config")[0] == 0, "what it prints cannot be read again"


@test
def each_plugin_in_its_place(top):
    class Nobody:
        port = 9

    server = make(os.path.join(top, "a"), Nobody)
    with open(server.conf, encoding="utf-8") as f:
        conf = f.read()
    with open(server.conf, "w", encoding="utf-8") as f:
        f.write(conf.replace("  - name: json\n", "  - name: webhook\n    url: http://127.0.0.1/\n    secret: file:%s/a/secret\n" % top))
    code, _, err = call(server, "--check-config")
    assert code == 3 and 'name it under "push"' in err, err
    with open(server.conf, "w", encoding="utf-8") as f:
        f.write(conf.partition("push:")[0] + "push:\n  - csv\n")
    code, _, err = call(server, "--check-config")
    assert code == 3 and 'name it under "exporters"' in err, err


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
        top = tempfile.mkdtemp(prefix="pep-webhook-")
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
