# SPDX-License-Identifier: Apache-2.0
"""Three built servers on one store behind HAProxy, their gateways, and what must be true of it all. Standard library only."""
import hashlib
import http.client
import importlib
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from server import Server

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(HERE, "..", "..", "conf", "examples", "haproxy.cfg")
STATES = ["none", "claimed", "contacted", "issued", "deployed", "failed", "in_doubt", "retired"]
ACTIVE = ("claimed", "contacted", "issued")
RECORD = {"serial": "serialNumber", "state": "state", "enrollment_id": "enrollmentID", "dispatch_id": "dispatchID", "history": "history",
          "lease_until_ms": "leaseUntilMs", "owner": "owner", "attempt": "attempt", "contacted": "contacted", "created_ms": "createdAt"}
TIMEOUT_MS, LEASE_MS = 1200, 1500


def free_port():
    """Not one that the kernel gives to outgoing connections: it has to stay free while its server is down."""
    while True:
        port = random.randint(12000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def until(condition, what, limit_s=30):
    """Polls; a condition that never comes fails the test. Returns what it came to."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %d s for: %s" % (limit_s, what))
        time.sleep(0.01)


class Clock:
    """The wall clock of one computer, as the programs on it see it."""

    def __init__(self, build, path):
        self.path = path
        # Beside the clock, since a database runs as a user who may not be able to look into the build folder.
        self.env = {"LD_PRELOAD": shutil.copyfile(os.path.join(build, "tests", "e2e", "cluster_clock.so"), path + ".so"), "PEP_CLOCK": path}
        self.jump(0)
        os.chmod(path, 0o644)
        os.chmod(path + ".so", 0o755)

    def jump(self, ahead_ms):
        """From now on it is so much ahead of the true time."""
        with open(self.path, "r+b" if os.path.exists(self.path) else "w+b") as file:
            file.write(struct.pack("=q", ahead_ms))


class Background:
    """A request that is under way; answer() waits for it."""

    def __init__(self, function):
        self.result = None
        self.thread = threading.Thread(target=self._run, args=(function,), daemon=True)
        self.thread.start()

    def _run(self, function):
        self.result = function()

    def answer(self, limit_s=60):
        self.thread.join(limit_s)
        assert not self.thread.is_alive(), "a request got no answer in %d s" % limit_s
        return self.result


class Answer:
    """status 0: the connection broke before there was a whole answer."""

    def __init__(self, status=0, headers=None, body=b""):
        self.status, self.headers, self.body = status, headers or {}, body
        self.code = self.headers.get("Pep-Error")
        self.identity = json.loads(body)["enrollmentID"] if status == 200 else None
        self.server = self.headers.get("Pep-Server")

    def __repr__(self):
        return "(%s, %s, %s)" % (self.status, self.code, self.identity)


class Member(Server):
    """One of the servers. Its mock gateways make identities that tell who made them: `seed` is its folder's name."""

    def __init__(self, build, top, mark, name, store, gateways):
        self.name, self.mark, self.is_as_usual = name, mark, True
        folder = os.path.join(top, mark)
        super().__init__(build, folder, name=name, injector="seed: %s\ngateways: %s" % (mark, gateways),
                         server="injections: 64\nconnections_per_address: 1000", log="")
        self.clock = Clock(build, os.path.join(folder, "clock"))
        self.fixed = free_port() # HAProxy knows it
        with open(self.conf, encoding="utf-8") as file:
            text = file.read()
        for old, new in (("port: 0", "port: %d" % self.fixed), ("plugin: sqlite", store), ("recovery_interval: 200ms", "recovery_interval: 100ms")):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        self.text = text
        self.times(TIMEOUT_MS, LEASE_MS)

    def times(self, timeout_ms, lease_ms):
        """For the next start."""
        self.is_usual = (timeout_ms, lease_ms) == (TIMEOUT_MS, LEASE_MS)
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(self.text.replace("timeout: 10s", "timeout: %dms" % timeout_ms).replace("lease: 20s", "lease: %dms" % lease_ms))

    def begin(self, failpoint=None, wait=True):
        asan = os.environ.get("ASAN_OPTIONS", "")
        env = {**self.clock.env, "ASAN_OPTIONS": asan + (":" if asan else "") + "verify_asan_link_order=0"}
        self.is_as_usual = self.is_usual and not failpoint
        if failpoint:
            env["PEP_FAILPOINT"] = failpoint
        return self.start(env, wait)

    def again(self, failpoint=None):
        """Stops it in order, if it runs, and starts it."""
        if self.is_alive():
            assert self.stop() == 0, self.log[-20:]
        self.begin(failpoint)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)

    def is_paused(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "T"

    def makes(self, serial, attempt):
        """The identity that its gateway gets; see the mock injector's README."""
        text = b"%s\0%s" % (self.mark.encode(), serial.encode()) + (b"\0%d" % attempt if attempt > 1 else b"")
        digest = hashlib.sha256(text).hexdigest().upper()
        return "A-" + ":".join(digest[i:i + 2] for i in range(0, 64, 2))


class PostgresStore:
    name = "postgres"

    def __init__(self, build, top):
        module = importlib.import_module("postgres_server")
        self.server = module.PostgresServer()
        self.clock = Clock(build, os.path.join(top, "store-clock"))
        with environment(self.clock.env):
            self.server.start()
        self.conf = "plugin: postgres\n  host: %s\n  port: '%d'\n  database: %s\n  user: %s" % (
            self.server.folder, self.server.port, module.DATABASE, module.USER)

    def rows(self):
        columns = ", ".join(RECORD)
        text = self.server.sql("SELECT coalesce(json_agg(row_to_json(r)), '[]') FROM (SELECT %s FROM pep.identity) AS r" % columns)
        return json.loads(text)

    def stop(self):
        self.server.close()


class MongoStore:
    def __init__(self, build, top):
        self.server = importlib.import_module("mongo_server").MongoServer(os.path.join(top, "mongo"))
        self.name = "mongo (%s)" % self.server.kind
        self.clock = Clock(build, os.path.join(top, "store-clock"))
        with environment(self.clock.env):
            self.uri = self.server.start()
        if self.server.kind not in ("mongod", "double"):
            self.clock = None # not ours to set
        self.database = "pep_cluster_%d" % os.getpid()
        self.conf = "plugin: mongo\n  uri: %s/%s" % (self.uri, self.database)

    def rows(self):
        found = self.command({"find": "edge_identities", "filter": {}, "hint": {"_id": 1}, "batchSize": 1000000, "singleBatch": True, "$db": self.database})
        return [{name: document.get(key) for name, key in RECORD.items()} for document in found["cursor"]["firstBatch"]]

    def command(self, command):
        """Only for a server that asks for no login."""
        bson = importlib.import_module("mongo_double.bson")
        body = struct.pack("<IB", 0, 0) + bson.encode(command)
        host, port = self.uri.split("://")[1].split("/")[0].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 30) as connection, connection.makefile("rb") as replies:
            connection.sendall(struct.pack("<iiii", len(body) + 16, 1, 0, 2013) + body)
            size = struct.unpack("<iiii", replies.read(16))[0]
            reply = bson.decode(replies.read(size - 16), 5)
        assert reply.get("ok") == 1, reply
        return reply

    def stop(self):
        if self.server.outside:
            self.command({"dropDatabase": 1, "$db": self.database})
        self.server.stop()


STORES = {"postgres": PostgresStore, "mongo": MongoStore}


class environment:
    """For what is started meanwhile."""

    def __init__(self, more):
        self.more, self.before = more, {}

    def __enter__(self):
        self.before = {name: os.environ.get(name) for name in self.more}
        os.environ.update(self.more)

    def __exit__(self, *_):
        for name, value in self.before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Proxy:
    """HAProxy with the example's configuration, but for addresses, and checks that come sooner."""

    def __init__(self, top, members):
        self.port, self.log, path = free_port(), os.path.join(top, "haproxy.log"), os.path.join(top, "haproxy.cfg")
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read()
        changes = [(r"bind :5151", "bind 127.0.0.1:%d" % self.port), (r"inter 2s fastinter 500ms", "inter 200ms fastinter 100ms")]
        changes += [(r"server line-%d 10\.20\.0\.1%d:5151" % (n, n), "server %s 127.0.0.1:%d" % (member.mark, member.fixed))
                    for n, member in enumerate(members, 1)]
        for old, new in changes:
            text, count = re.subn(old, new, text)
            assert count == 1, old
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["haproxy", "-db", "-f", path], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.answers, "HAProxy")

    def answers(self):
        assert self.process.poll() is None, "HAProxy ended; see " + self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def is_up(self, mark):
        """Does it send requests to this server, by what it said last?"""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        return text.rfind("servers/%s is DOWN" % mark) <= text.rfind("servers/%s is UP" % mark)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Cluster:
    def __init__(self, build, storage, seed):
        self.build, self.rng = build, random.Random(seed)
        self.top = tempfile.mkdtemp(prefix="pep-cluster-")
        os.chmod(self.top, 0o755) # the database's user reads its clock
        self.gateways = os.path.join(self.top, "gateways")
        self.answered, self.ports, self.lock = {}, {}, threading.Lock()
        self.store, self.proxy, self.members, self.strangers = None, None, [], []
        self.store = STORES[storage](build, self.top)
        for mark in "abc":
            self.members.append(self.make(mark, mark))
        self.begin_all()
        self.proxy = Proxy(self.top, self.members)

    def make(self, mark, name):
        member = Member(self.build, self.top, mark, name, self.store.conf, self.gateways)
        if mark not in "abc":
            self.strangers.append(member)
        return member

    def begin_all(self):
        for member in self.members:
            if not member.is_alive():
                member.begin()

    def restore(self):
        """Whatever a test has left: three servers that run as usual, on time."""
        if self.store.clock:
            self.store.clock.jump(0)
        for member in self.members + self.strangers:
            member.clock.jump(0)
            if member.is_alive():
                member.wake()
            if member.is_alive() and (member in self.strangers or not member.is_as_usual):
                member.kill()
            member.times(TIMEOUT_MS, LEASE_MS)
        self.begin_all()

    def close(self):
        codes = []
        for member in self.members + self.strangers:
            if member.is_alive():
                member.wake()
                codes.append(member.stop())
        if self.proxy:
            self.proxy.stop()
        if self.store:
            self.store.stop()
        shutil.rmtree(self.top, ignore_errors=True)
        return codes

    # --- requests ---

    def ask(self, where, serial, key=None, timeout=30):
        """Asks a server, or HAProxy. A 200 is remembered: no other identity may ever be answered for that serial."""
        with self.lock:
            port = self.ports.setdefault(serial, 1 + len(self.ports)) # a gateway of its own; nobody connects to a mock
        body = json.dumps({"serialNumber": serial, "ip": "127.0.0.1", "port": port})
        connection = http.client.HTTPConnection("127.0.0.1", getattr(where, "fixed", where.port), timeout=timeout)
        try:
            connection.request("POST", "/v3/identity", body, {"Content-Type": "application/json", "Idempotency-Key": key or "key-" + serial})
            reply = connection.getresponse()
            answer = Answer(reply.status, reply.headers, reply.read())
        except (OSError, http.client.HTTPException):
            return Answer()
        finally:
            connection.close()
        if answer.status == 200:
            with self.lock:
                self.answered.setdefault(serial, set()).add(answer.identity)
        return answer

    def begin_ask(self, where, serial, key=None):
        return Background(lambda: self.ask(where, serial, key))

    def ask_until_deployed(self, where, serial, key=None, limit_s=30):
        """As a station does: again, as long as it is told to. Never told anything that a station cannot live with."""
        def once():
            answer = self.ask(where, serial, key)
            assert answer.status in (0, 200) or answer.code in (
                "in_progress", "injector_timeout", "gateway_unreachable", "in_doubt"), answer
            return answer if answer.status == 200 else None
        return until(once, "%s deployed" % serial, limit_s)

    def look(self, where, serial):
        """(enrollment identity, who is said to have done it) as everybody is told."""
        connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=30)
        try:
            connection.request("GET", "/v3/enrollment-id?serialNumber=" + serial)
            reply = connection.getresponse()
            return reply.read().decode(), reply.headers.get("Pep-Server")
        finally:
            connection.close()

    # --- truth ---

    def record(self, serial):
        for row in self.store.rows():
            if row["serial"] == serial:
                return {**row, "state": STATES[row["state"]]}
        return {"state": "none", "owner": ""}

    def state(self, serial):
        return self.record(serial)["state"]

    def held(self, serial=None):
        """All that the gateway ever held, in order; None where it was erased. Without a serial: of all."""
        held = {}
        if os.path.exists(self.gateways):
            with open(self.gateways, encoding="ascii") as file:
                for line in file:
                    name, _attempt, identity = line.rsplit(None, 2)
                    held.setdefault(name, []).append(None if identity == "-" else identity)
        return held if serial is None else held.get(serial, [])

    def maker(self, record):
        """Whose identity it is."""
        made = {m.makes(record["serial"], record["contacted"]): m for m in self.members + self.strangers}
        return made.get(record["enrollment_id"])

    def problems(self):
        """What is wrong once nothing is under way: the invariants of docs/identity-life.md."""
        rows, held, found = self.store.rows(), self.held(), []
        records = {row["serial"]: row for row in rows}
        owners = {}
        for serial, row in records.items():
            state, identity = STATES[row["state"]], row["enrollment_id"]
            past = [entry for entry in json.loads(row["history"] or "[]")]
            last = held.get(serial, [None])[-1]
            for name in {identity, row["dispatch_id"]} | {entry.get("enrollmentID") for entry in past} - {None}:
                if name and owners.setdefault(name, serial) != serial:
                    found.append("unique: %s is that of %s and %s" % (name, serial, owners[name]))
            if state == "deployed" and last != identity:
                found.append("true: %s is deployed with %s, its gateway holds %s" % (serial, identity, last))
            if state == "failed" and identity and last == identity:
                found.append("true: %s has failed, its gateway holds %s" % (serial, identity))
            if state in ACTIVE or row["lease_until_ms"]:
                found.append("live: %s is left %s with a lease" % (serial, state))
            maker = self.maker(row) if state == "deployed" else None
            if state == "deployed" and (not maker or row["owner"].rsplit("/", 1)[0] != maker.name):
                found.append("owner: %s was deployed by %s, the record says %s" % (serial, maker and maker.name, row["owner"]))
        for serial, identities in held.items():
            row = records.get(serial, {"enrollment_id": None, "history": ""})
            found += ["recorded: the gateway %s had %s, the record does not know it" % (serial, identity) for identity in identities
                      if identity and identity != row["enrollment_id"] and identity not in (row["history"] or "")]
        for serial, identities in self.answered.items():
            row = records.get(serial)
            if not row or STATES[row["state"]] != "deployed" or identities != {row["enrollment_id"]}:
                found.append("honest: %s was answered %s, the record says %s" % (serial, identities, row and row["enrollment_id"]))
        for member in self.members:
            spool = os.path.join(member.data, "spool")
            left = [name for name in os.listdir(spool) if name.endswith(".delivered")]
            if left:
                found.append("facts: %d outcomes still wait in the spool of %s" % (len(left), member.mark))
        return found

    def expect_sound(self):
        problems = self.problems()
        assert not problems, "\n".join(problems[:20])
