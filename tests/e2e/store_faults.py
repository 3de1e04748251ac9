# SPDX-License-Identifier: Apache-2.0
"""Databases behind a fault proxy, servers on them, and clients that notice every wrong answer. Standard library only."""
import argparse
import http.client
import json
import os
import random
import shutil
import socket
import sqlite3
import struct
import tempfile
import threading
import time
import traceback

from fault_proxy import FaultProxy
from faulty import STATES, WatchedServer, expect_sound, settle, until
from mongo_double import bson
from mongo_server import MongoServer
from postgres_server import DATABASE, PASSWORD, PostgresServer
from server import build_folder

STEPS = ["claimed", "contacted", "issued", "deployed"]


class Postgres:
    """A server of the test's own; each fresh() is a schema."""

    name = "postgres"

    def __init__(self, folder, tls=False):
        self.server, self.number = PostgresServer(tls), 0
        self.port = self.server.start()
        self.proxy = FaultProxy(("127.0.0.1", self.port))
        self.password = os.path.join(folder, "password")
        with open(self.password, "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")
        os.chmod(self.password, 0o600)

    def fresh(self, deadline_ms=None, port=None):
        """The storage section of an empty store. deadline_ms: the plugin's deadlines, its own if None; port: None is the proxy's."""
        self.number += 1
        text = ("plugin: postgres\nhost: 127.0.0.1\nport: '%d'\ndatabase: %s\nuser: keeper\npassword: file:%s\nschema: s%d\n"
                "sslmode: disable\n" % (port or self.proxy.port, DATABASE, self.password, self.number))
        if deadline_ms:
            text += "connect_timeout: %dms\nquery_timeout: %dms\nwait_timeout: %dms\n" % ((deadline_ms,) * 3)
        return text

    def limit_s(self, deadline_ms):
        """How long one call of the store may take, as docs/plugins/postgres.md says."""
        return (3000 if deadline_ms is None else deadline_ms) * 3 / 1000 + 1

    def rows(self):
        text = self.server.sql("SELECT coalesce(json_agg(json_build_array(serial, state, enrollment_id, history, lease_until_ms)), '[]') "
                               "FROM s%d.identity" % self.number)
        return json.loads(text)

    @staticmethod
    def write_match(serial, step):
        """Bytes of the request that writes this step of a new serial, and of no other. Serial and state are its first parameters."""
        return struct.pack(">i%ds" % len(serial), len(serial), serial.encode()) + struct.pack(">iq", 8, 1 + STEPS.index(step))

    def close(self):
        self.proxy.close()
        self.server.close()


class Mongo:
    """The first server that mongo_server.py finds, or the double; each fresh() is a database."""

    def __init__(self, folder, replica_set=None, double=False):
        self.proxy, self.number = FaultProxy(None), 0
        # A replica set tells its clients where it is: behind the proxy.
        self.server = MongoServer(os.path.join(folder, "mongo-%s" % (replica_set or "one")), replica_set=replica_set, double=double,
                                  advertise="127.0.0.1:%d" % self.proxy.port if replica_set else None)
        self.name = "mongo (%s)" % self.server.kind + (", replica set" if replica_set else "")
        self.replica_set = replica_set
        self.target = self._start()
        self.port = self.target[1]

    def _start(self):
        host, port = self.server.start().split("://")[1].split("/")[0].split(",")[0].rsplit(":", 1)
        self.proxy.target = (host, int(port))
        return self.proxy.target

    def fresh(self, deadline_ms=None, port=None):
        self.number += 1
        options = ["replicaSet=" + self.replica_set] if self.replica_set else []
        if deadline_ms:
            options += ["serverSelectionTimeoutMS=%d" % deadline_ms, "connectTimeoutMS=%d" % deadline_ms]
        return "plugin: mongo\nuri: mongodb://127.0.0.1:%d/%s%s\n%s" % (
            port or self.proxy.port, self.database(), "?" + "&".join(options) if options else "",
            "timeout: %dms\n" % deadline_ms if deadline_ms else "")

    def database(self):
        return "pep_faults_%d_%d" % (os.getpid(), self.number)

    def limit_s(self, deadline_ms):
        """As docs/plugins/mongo.md says."""
        selection, timeout = (3000, 5000) if deadline_ms is None else (deadline_ms, deadline_ms)
        return 2 * (selection + timeout + 2000) / 1000

    def command(self, document):
        """The reply to one command, past plugin and proxy. Only for a server that asks for no login."""
        body = struct.pack("<IB", 0, 0) + bson.encode({**document, "$db": self.database()})
        with socket.create_connection(self.target, 30) as connection, connection.makefile("rb") as replies:
            connection.sendall(struct.pack("<iiii", len(body) + 16, 1, 0, 2013) + body)
            size = struct.unpack("<iiii", replies.read(16))[0]
            reply = bson.decode(replies.read(size - 16), 5)
        if reply.get("ok") != 1:
            raise RuntimeError("the command was refused: %r" % reply)
        return reply

    def rows(self):
        cursor = self.command({"find": "edge_identities", "filter": {}, "hint": "listOrder_1", "batchSize": 100000})["cursor"]
        found = list(cursor["firstBatch"])
        while cursor["id"]:
            cursor = self.command({"getMore": bson.Int64(cursor["id"]), "collection": "edge_identities"})["cursor"]
            found += cursor["nextBatch"]
        return [[d["serialNumber"], d["state"], d.get("enrollmentID"), d.get("history"), d["leaseUntilMs"]] for d in found]

    @staticmethod
    def write_match(serial, step):
        if step == "claimed":  # the first that puts the serial into the order of the list
            return b"\x02listOrder\0" + struct.pack("<i", len(serial) + 2) + b"1" + serial.encode() + b"\0"
        return (b"\x02serialNumber\0" + struct.pack("<i", len(serial) + 1) + serial.encode() + b"\0\x12revision\0" +
                struct.pack("<q", STEPS.index(step)))

    def close(self):
        self.proxy.close()
        self.server.stop()


class Sqlite:
    """A file; there is nothing to put a proxy before."""

    name, proxy = "sqlite", None

    def __init__(self, folder):
        self.folder, self.number = folder, 0

    def fresh(self, deadline_ms=None, port=None):
        self.number += 1
        return "plugin: sqlite\npath: %s" % self.path()

    def path(self):
        return os.path.join(self.folder, "store%d.db" % self.number)

    def rows(self):
        db = sqlite3.connect("file:%s?mode=ro" % self.path(), uri=True, timeout=30)
        try:
            if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise RuntimeError("the database is damaged")
            return db.execute("SELECT serial, state, enrollment_id, history, lease_until_ms FROM identity").fetchall()
        finally:
            db.close()

    def close(self):
        pass


STORES = {"sqlite": Sqlite, "postgres": Postgres, "mongo": Mongo}


class StoreServer(WatchedServer):
    """As WatchedServer, on a fresh store of a database."""

    def __init__(self, build, folder, database, storage=None, lease_ms=4000, **more):
        super().__init__(build, folder, lease_ms, storage=storage or database.fresh(), **more)
        self.database = database

    def records(self):
        return {r[0]: (STATES[r[1]], r[2], r[3] or "", r[4]) for r in self.database.rows()}


# What a request may be answered while the store fails. Everything else is wrong, and so is a 200 that says what is not true.
ALLOWED = {
    "provision": {(503, "storage_unavailable"), (503, "recorded_locally"), (503, "busy"), (500, "in_doubt"), (500, "injector_timeout"),
                  (409, "in_progress")},
    "lookup": {(503, "storage_unavailable"), (503, "busy")},
    "list": {(503, "storage_unavailable"), (503, "busy")},
    "export": {(503, "storage_unavailable"), (503, "busy")},
}


class Line:
    """Clients of one server: what they were told, how long it took, and what of it was wrong."""

    def __init__(self, server, prefix):
        self.server, self.prefix, self.lock = server, prefix, threading.Lock()
        self.count, self.answered, self.open = 0, {}, {}
        self.problems, self.slowest, self.told = [], {}, {}

    def serial(self):
        """One that is not answered yet and nobody asks for just now: an old one, or the next."""
        with self.lock:
            for serial, is_asked in self.open.items():
                if not is_asked:
                    break
            else:
                self.count += 1
                serial = "%s-%04d" % (self.prefix, self.count)
            self.open[serial] = True
            return serial

    def note(self, kind, start, status, code):
        took = time.monotonic() - start
        with self.lock:
            self.slowest[kind] = max(self.slowest.get(kind, 0), took)
            key = (kind, status, code)
            self.told[key] = self.told.get(key, 0) + 1
            if status != 200 and (status, code) not in ALLOWED[kind]:
                self.problems.append("%s was answered %s %s" % (kind, status, code))

    def ask(self, port, serial=None):
        serial, start = serial or self.serial(), time.monotonic()
        status, code, identity = self.server.ask(serial, port=port, timeout=120)
        self.note("provision", start, status, code)
        with self.lock:
            self.open[serial] = False
            if status == 200:
                if self.answered.setdefault(serial, identity) != identity:
                    self.problems.append("%s: answered %s, then %s" % (serial, self.answered[serial], identity))
                del self.open[serial]
        if status == 200 and self.server.truth().get(serial, [None])[-1] != identity:
            self.problems.append("%s: answered %s, its gateway holds %s" % (serial, identity, self.server.truth().get(serial)))
        return status

    def read(self, kind, target, check):
        """check: of the body of a 200, what is wrong with it. A break inside of an answer is allowed, as long as it shows."""
        start = time.monotonic()
        try:
            status, headers, body = self.server.request("GET", target, timeout=120)
        except (http.client.IncompleteRead, ConnectionError):
            if kind != "export":
                raise
            self.note(kind, start, 200, None)
            return
        self.note(kind, start, status, headers.get("Pep-Error"))
        wrong = check(body.decode()) if status == 200 else None
        if wrong:
            with self.lock:
                self.problems.append("%s: %s" % (kind, wrong))

    def look(self):
        with self.lock:
            known = dict(self.answered)
        if known:
            serial = next(reversed(known))
            self.read("lookup", "/v3/enrollment-id?serialNumber=" + serial,
                      lambda body: None if body == known[serial] else "%s is %s, not %s" % (serial, known[serial], body))

    def whole(self, kind, target):
        """A whole list has all that was answered before it was asked for."""
        with self.lock:
            known = dict(self.answered)
        self.read(kind, target, lambda body: ", ".join(s for s in known if s not in body)[:200])

    def listing(self):
        self.whole("list", "/v3/enrollment-ids?limit=1000")

    def export(self):
        self.whole("export", "/v3/export/csv")


class Load:
    """`with Load(line):` 16 clients, 10 that provision and 6 that read, until it ends."""

    def __init__(self, line, provisioners=10, readers=6):
        self.line, self.is_over = line, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number, number < provisioners))
                        for number in range(provisioners + readers)]

    def run(self, number, is_provisioner):
        line, turn = self.line, number
        while not self.is_over.is_set():
            try:
                if is_provisioner:
                    line.ask(10000 + number)
                else:
                    (line.look, line.look, line.listing, line.export)[turn % 4]()
                turn += 1
            except Exception as error:  # for whoever looks at the problems
                line.problems.append("client %d: %r" % (number, error))
                return
            self.is_over.wait(0.01)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


READY_LIMIT_S = 10
# An answer that needs several calls of the store has to wait for at most so many that hang, one after the other.
HANGING_CALLS = {"lookup": 1, "list": 1, "export": 1, "provision": 4}


class World:
    """A database, a server on an empty store of it, and the clients' line."""

    def __init__(self, options, top, database, deadline_ms):
        self.options, self.database, self.proxy, self.rng = options, database, database.proxy, random.Random(options.seed)
        self.deadline_ms = deadline_ms
        database.proxy.heal()
        # Where nothing hangs, no time limit may end what a slow machine is at: the driver of a replica set waits 500 ms after each cut.
        self.server = StoreServer(options.build, top, database, database.fresh(deadline_ms, database.port if options.direct else None),
                                  lease_ms=4000 if deadline_ms else 60000)
        self.server.start()
        self.line = Line(self.server, "sf")

    def expect_ready(self):
        """After the fault, without a restart."""
        start = time.monotonic()
        until(self.server.is_ready, "ready again", READY_LIMIT_S)
        return time.monotonic() - start

    def expect_in_time(self):
        limit_s = self.database.limit_s(self.deadline_ms)
        late = {kind: took for kind, took in self.line.slowest.items() if took > HANGING_CALLS[kind] * limit_s + 2}
        assert not late, "slower than %d s for each call of the store: %s" % (limit_s, late)

    def finish(self):
        """No more faults: all get their identity, and everything is compared with the gateways."""
        self.proxy.heal()
        self.expect_ready()
        answered = dict(self.line.answered)
        answered.update(settle(self.server, list(self.line.open)))
        until(lambda: b'"0 waiting"' in self.server.request("GET", "/readyz")[2], "the spool is empty")
        assert not self.line.problems, "\n".join(self.line.problems[:10])
        expect_sound(self.server, answered)
        self.line.listing()
        self.line.export()
        assert not self.line.problems, "\n".join(self.line.problems[:10])
        assert self.server.stop() == 0, "the server ended with %d: %s" % (self.server.process.returncode, "".join(self.server.log[-20:]))
        return answered


def make_database(build, top, name, is_ours):
    if not os.path.exists(os.path.join(build, "plugins", "lib", name.split("-", maxsplit=1)[0] + ".so")):
        raise RuntimeError("its plugin is not built")
    if name == "postgres":
        return Postgres(top)
    # A server that we have not started cannot be stopped either.
    return Mongo(top, "rs0" if name == "mongo-replica-set" else None, double=is_ours and bool(os.environ.get("PEP_TEST_MONGO_URI")))


def run_on(tests, options, name, database):
    passed = failed = 0
    for function in tests:
        if name not in getattr(function, "stores", [name]) or (options.names and function.__name__ not in options.names):
            continue
        # What the driver does otherwise with a replica set; all the rest only if it was asked for.
        if name == "mongo-replica-set" and not options.store and not hasattr(function, "is_replicated"):
            continue
        top, start = tempfile.mkdtemp(prefix="pep-store-faults-"), time.monotonic()
        world = None
        try:
            world = World(options, top, database, getattr(function, "deadline_ms", options.deadline))
            function(world)
            passed += 1
            told = ", ".join("%s %s %s: %d" % (*key[:2], key[2] or "", count) for key, count in sorted(world.line.told.items(), key=str))
            print("ok   %s: %s (%.1f s) %s; slowest %s" % (name, function.__name__, time.monotonic() - start, told, {
                kind: round(took, 1) for kind, took in world.line.slowest.items()}), flush=True)
        except Exception:
            failed += 1
            print("FAIL %s: %s: %s" % (name, function.__name__, traceback.format_exc(limit=-2)), flush=True)
            if world:
                print("".join(world.server.log[-6:]), flush=True)
        finally:
            database.proxy.heal()
            if world and world.server.process and world.server.process.poll() is None:
                world.server.kill()
            shutil.rmtree(top, ignore_errors=True)
    return passed, failed


def parser_of(doc):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", default=build_folder("asan"))
    parser.add_argument("--store", action="append", choices=["postgres", "mongo", "mongo-replica-set"])
    parser.add_argument("--deadline", type=int, default=700, help="the plugins' deadlines in ms; 0: their own defaults")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.set_defaults(direct=False)
    return parser


def run_tests(tests, options, default_stores=("postgres", "mongo", "mongo-replica-set")):
    """Each test on each store; what cannot be had is skipped, loudly. Returns the exit code."""
    options.build, options.deadline = os.path.abspath(options.build), options.deadline or None
    print("seed %d" % options.seed, flush=True)
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="pep-databases-") as top:
        for name in options.store or default_stores:
            try:
                database = make_database(options.build, top, name, options.direct)
            except (OSError, RuntimeError) as error:
                print("SKIPPED %s: %s" % (name, error))
                skipped += 1
                continue
            try:
                good, bad = run_on(tests, options, name, database)
                passed, failed = passed + good, failed + bad
            finally:
                database.close()
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed + skipped else 0
