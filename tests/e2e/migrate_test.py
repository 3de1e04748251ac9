#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pep-server migrate between every two stores at hand: whole, killed and resumed, and refused where it would not be safe.
Last line: N passed, N failed, N skipped.

    migrate_test.py [--build FOLDER] [WORD]      WORD: only the tests whose name holds it
"""
import argparse
import http.client
import importlib
import json
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import records  # noqa: E402
import stores  # noqa: E402
from server import build_folder  # noqa: E402

CONF = """\
server:
  name: {name}
  port: 0
  data_dir: {data}
  plugin_dir: {plugins}
storage:
{storage}
injector:
  plugin: mock
"""
MANY = 3000
TESTS = []


def each_store(function):
    """A test of one pair: sqlite and each store."""
    TESTS.append((function, ""))
    return function


def mongo_only(function):
    TESTS.append((function, "mongo"))
    return function


def once(function):
    TESTS.append((function, "sqlite"))
    return function


class Place:
    """A folder with configurations, and the processes that were started in it."""

    def __init__(self, build, folder):
        self.build, self.folder, self.number, self.processes = build, folder, 0, []
        self.program = os.path.join(build, "core", "pep-server")

    def conf(self, section, data=None):
        """The path of a configuration with this storage section."""
        self.number += 1
        data = data or os.path.join(self.folder, "data%d" % self.number)
        path = os.path.join(self.folder, "pep%d.yaml" % self.number)
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONF.format(name="test", data=data, plugins=os.path.join(self.build, "plugins", "lib"),
                                   storage="\n".join("  " + line for line in section.splitlines())))
        return path

    def sqlite(self, count=None, data=None):
        """(configuration, path of the file) of a new SQLite store with so many records, or none and no file."""
        self.number += 1
        path = os.path.join(self.folder, "store%d.db" % self.number)
        conf = self.conf("plugin: sqlite\npath: " + path, data)
        if count is not None:
            self.serve(conf, stop=True)
            records.fill(path, count)
        return conf, path

    def start(self, *arguments, **options):
        process = subprocess.Popen([self.program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, errors="replace", **options)
        self.processes.append(process)
        return process

    def serve(self, conf, stop=False):
        """(process, port) of a server that is ready."""
        port_file = conf + ".port"
        if os.path.exists(port_file):
            os.unlink(port_file)
        process = self.start("--config", conf, "--port-file", port_file, "--set", "log.access=false")
        while not os.path.exists(port_file):
            if process.poll() is not None:
                raise AssertionError("the server did not start: " + process.stderr.read())
            time.sleep(0.01)
        with open(port_file, encoding="ascii") as file:
            port = int(file.read())
        if stop:
            process.terminate()
            assert process.wait(60) == 0, process.stderr.read()
        return process, port

    def migrate(self, source, target, expect=0):
        """Its output on both channels."""
        process = self.start("migrate", "--from", source, "--to", target)
        out, err = process.communicate(timeout=300)
        assert process.returncode == expect, "exit %d instead of %d: %s%s" % (process.returncode, expect, out, err)
        return out + err

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()


def said(text, *patterns):
    for pattern in patterns:
        assert re.search(pattern, text), "no %r in %r" % (pattern, text)


def digests(text):
    found = re.findall(r"^--(?:from|to) +(\d+) records, SHA-256 ([0-9a-f]{64})$", text, re.MULTILINE)
    assert len(found) == 2, text
    return found


def get(port, target):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", target)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    assert reply.status == 200, (reply.status, body[:300])
    return body


@each_store
def whole(place, store):
    """10,000 records in all states, there and back."""
    first, first_path = place.sqlite(MANY)
    middle = place.conf(store.fresh())
    last, last_path = place.sqlite()
    there, back = place.migrate(first, middle), place.migrate(middle, last)
    assert records.read(first_path) == records.read(last_path)
    assert len(set(digests(there) + digests(back))) == 1 and digests(there)[0][0] == str(MANY), there + back
    said(there, "copied %d records, 0 were there" % MANY)
    assert {row["state"] for row in records.read(last_path).values()} == set(range(1, 8))
    assert oct(os.stat(last_path).st_mode & 0o777) == "0o600"
    said(place.migrate(first, middle), "copied 0 records, %d were there" % MANY)


@each_store
def a_server_goes_on(place, store):
    """What a server lists and settles on the copy is what it does on the original."""
    source, _ = place.sqlite(200)
    target = place.conf(store.fresh())
    place.migrate(source, target)
    lists = []
    for conf in (source, target):
        _, port = place.serve(conf)
        lists.append([get(port, path).replace(b"%d" % port, b"PORT") for path in
                      ("/export/csv", "/export/json", "/v3/enrollment-ids?limit=1000&order=asc",
                       "/v3/enrollment-id?serialNumber=" + records.record(3, 200)["serial"])])
        process = place.processes[-1]
        process.terminate()
        assert process.wait(60) == 0
    assert lists[0] == lists[1] and len(lists[0][0]) > 5000, [len(text) for text in lists[0] + lists[1]]


@each_store
def killed_and_resumed(place, store):
    source, source_path = place.sqlite(MANY)
    target = place.conf(store.fresh())
    begin = time.monotonic()
    place.migrate(source, target)
    took, middles = time.monotonic() - begin, 0
    for attempt in range(20):
        target, part = place.conf(store.fresh()), 0
        while part < 4:
            process = place.start("migrate", "--from", source, "--to", target)
            try:
                process.wait(took * (0.25 + 0.05 * (attempt % 10)))
                break
            except subprocess.TimeoutExpired:
                process.kill()
            said_before = process.stderr.read()
            found = re.search(r"--to has (\d+) of %d records already" % MANY, said_before)
            middles += bool(found) and int(found.group(1)) < MANY
            part += 1
        if middles >= 2:
            break
    assert middles >= 2, "no kill hit the middle"
    said(place.migrate(source, target), r"--to has \d+ of %d records already" % MANY)
    last, last_path = place.sqlite()
    place.migrate(target, last)
    assert records.read(source_path) == records.read(last_path)


@each_store
def a_signal_stops_it(place, store):
    source, _ = place.sqlite(MANY)
    target = place.conf(store.fresh())
    process = place.start("migrate", "--from", source, "--to", target)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    if process.returncode != 0:  # else it was quicker
        assert process.returncode in (1, -signal.SIGTERM), (process.returncode, err)
    place.migrate(source, target)


@each_store
def subscribers_go_on(place, store):
    """How far a subscriber has been told comes along; what the target knows of him is kept."""
    push = "push:\n  - name: mes\n    plugin: webhook\n    url: http://127.0.0.1:9/\n    secret: ${PEP_TEST_SECRET}\n"
    os.environ["PEP_TEST_SECRET"] = "a secret of thirty-two characters"
    source, source_path = place.sqlite(5)
    middle, (last, last_path) = place.conf(store.fresh()), place.sqlite()
    for conf in (source, last):
        with open(conf, "a", encoding="utf-8") as file:
            file.write(push)
    for text in ("told so far", "told more"):
        with sqlite3.connect(source_path) as db:
            db.execute("INSERT OR REPLACE INTO note VALUES ('push.mes', 7, ?)", (text,))
            db.execute("INSERT OR REPLACE INTO note VALUES ('push.other', 7, ?)", (text,))
        db.close()
        place.migrate(source, middle)
        place.migrate(middle, last)
        with sqlite3.connect(last_path) as db:
            assert db.execute("SELECT * FROM note").fetchall() == [("push.mes", 1, "told so far")]
        db.close()


def post(port, target, body, expect):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", target, json.dumps(body), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    assert reply.status == expect, (reply.status, text[:300])


def provision(port, serial):
    """(status, Pep-Error)"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/v3/identity?ip=10.0.0.1&port=7777&serialNumber=" + serial)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status, reply.getheader("Pep-Error")


@each_store
def orders_go_on(place, store):
    """A full order is full, a long list is whole, and a grant holds, there and back; other orders in the target are refused."""
    source, source_path = place.sqlite()
    middle, (last, last_path) = place.conf(store.fresh()), place.sqlite()
    process, port = place.serve(source)
    post(port, "/v3/orders", {"name": "FULL", "pattern": "F-[0-9]+", "quantity": 1}, 201)
    post(port, "/v3/orders", {"name": "LIST", "serials": ["L-%055d" % i for i in range(2500)]}, 201)
    assert provision(port, "F-1") == (200, None) and provision(port, "L-%055d" % 0) == (200, None)
    replaced = get(port, "/v3/enrollment-id?serialNumber=F-1").decode()
    post(port, "/v3/identities/F-1/grant", {"reason": "RMA 7", "enrollment_id": replaced}, 200)
    process.terminate()
    assert process.wait(60) == 0
    said(place.migrate(source, middle), "copied orders and grants: 9 notes, compared")
    place.migrate(source, middle)  # once more is no harm
    place.migrate(middle, last)
    notes = []
    for path in (source_path, last_path):
        with sqlite3.connect(path) as db:
            notes.append(db.execute("SELECT name, text FROM note ORDER BY name").fetchall())
        db.close()
    assert notes[0] == notes[1] and sum(".list." in name for name, _ in notes[0]) == 3, [name for name, _ in notes[0] + notes[1]]
    process, port = place.serve(middle)
    assert provision(port, "F-2") == (403, "quota") and provision(port, "X-1") == (403, "not_expected")
    assert provision(port, "L-%055d" % 2499) == (200, None)
    assert provision(port, "F-1") == (200, None) and provision(port, "F-1") == (409, "exists")
    process.terminate()
    assert process.wait(60) == 0
    with sqlite3.connect(source_path) as db:
        db.execute("UPDATE note SET text = '{}' WHERE name = 'grants'")
    db.close()
    said(place.migrate(source, last, 5), "the note grants .* not that of --from", "nothing was written")


@each_store
def a_foreign_record(place, store):
    source, _ = place.sqlite(50)
    other, other_path = place.sqlite(1)
    with sqlite3.connect(other_path) as db:
        db.execute("UPDATE identity SET serial = 'FOREIGN-1', enrollment_id = NULL, dispatch_id = NULL")
    db.close()
    target = place.conf(store.fresh())
    place.migrate(other, target)
    said(place.migrate(source, target, 5), "FOREIGN-1 is in --to only", "nothing was written")
    last, last_path = place.sqlite()
    place.migrate(target, last)
    assert list(records.read(last_path)) == ["FOREIGN-1"]


@each_store
def a_different_record(place, store):
    source, source_path = place.sqlite(50)
    target = place.conf(store.fresh())
    place.migrate(source, target)
    with sqlite3.connect(source_path) as db:
        db.execute("UPDATE identity SET verification_key = 'another', revision = revision + 1 WHERE serial = 'GW-000019'")
    db.close()
    said(place.migrate(source, target, 5), "GW-000019 is in --to and differs", "nothing was written")
    last, last_path = place.sqlite()
    place.migrate(target, last)
    assert records.read(last_path)["GW-000019"]["verification_key"] != "another"


@each_store
def one_store_twice(place, store):
    section = store.fresh()
    source, _ = place.sqlite(20)
    target = place.conf(section)
    place.migrate(source, target)
    data = os.path.join(place.folder, "one")
    said(place.migrate(place.conf(section, data), place.conf(section, data), 5), "one and the same store")


@each_store
def work_under_way(place, store):
    source, source_path = place.sqlite(20)
    with sqlite3.connect(source_path) as db:
        db.execute("UPDATE identity SET lease_until_ms = ? WHERE serial = 'GW-000019'", (int(time.time() * 1000) + 3600000,))
    db.close()
    assert records.read(source_path)["GW-000019"]["state"] == records.CLAIMED + 1
    target = place.conf(store.fresh())
    said(place.migrate(source, target, 5), r"1 serials are being worked on \(GW-000019 until 20\d\d-", "nothing was written")
    with sqlite3.connect(source_path) as db:
        db.execute("UPDATE identity SET lease_until_ms = ? WHERE serial = 'GW-000019'", (int(time.time() * 1000) - 1,))
    db.close()
    said(place.migrate(source, target), "copied 20 records, 0 were there")


@once
def a_running_server(place, _store):
    source, source_path = place.sqlite(20)
    target, target_path = place.sqlite()
    place.serve(source)
    said(place.migrate(source, target, 12), "--from: a pep-server runs on data folder .*: stop it first")
    # Also when the configuration names another data folder.
    said(place.migrate(place.conf("plugin: sqlite\npath: " + source_path), target, 12), "another server .* has it")
    place.processes[-3].terminate()
    place.processes[-3].wait(60)
    place.serve(target)
    said(place.migrate(source, target, 12), "--to: a pep-server runs on data folder")
    assert not records.read(target_path)


@once
def outcomes_that_wait(place, _store):
    data = os.path.join(place.folder, "waiting")
    source, _ = place.sqlite(20, data)
    with open(os.path.join(data, "spool", "0123456789abcdef0123456789abcdef.delivered"), "w", encoding="ascii") as file:
        file.write('{"serial":"GW-000000","nonce":"0123456789abcdef0123456789abcdef","enrollment_id":"A-1","attempt":1}')
    target, _ = place.sqlite()
    said(place.migrate(source, target, 5), "1 outcomes wait in .*start it once")
    target, _ = place.sqlite(data=data)
    place.migrate(source, target)


@once
def wrong_arguments(place, _store):
    source, _ = place.sqlite(3)
    empty, _ = place.sqlite(0)
    target, _ = place.sqlite()
    for arguments, code, pattern in (
            ([], 2, "Usage: pep-server migrate"), (["--from", source], 2, "Usage"), (["--from", source, "--to"], 2, "Usage"),
            (["--from", source, "--to", target, "more"], 2, "Usage"), (["--from", source, "--from", source, "--to", target], 2, "Usage"),
            (["--help"], 0, "Exit codes: 0 copied"), (["--from", source + ".gone", "--to", target], 3, "No such file"),
            (["--from", source, "--to", place.conf("plugin: nonsense")], 3, "nonsense"),
            (["--from", source, "--to", place.conf("plugin: sqlite\npaht: x")], 3, "paht"),
            (["--from", source, "--to", place.conf("plugin: mock")], 3, "injector"),
            (["--from", source, "--to", place.conf("plugin: sqlite\npath: /nowhere/at/all")], 12, "--to: .*No such file"),
            (["--from", empty, "--to", target], 5, "holds no records")):
        process = place.start("migrate", *arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, (arguments, process.returncode, out, err)
        said(out + err, pattern)


@once
def a_few_lines_are_enough(place, _store):
    """No injector, no other section."""
    source, _ = place.sqlite(30)
    target = os.path.join(place.folder, "short.yaml")
    with open(target, "w", encoding="utf-8") as file:
        file.write("server: {data_dir: %s/new, plugin_dir: %s/plugins/lib}\nstorage: sqlite\n" % (place.folder, place.build))
    place.migrate(source, target)
    assert len(records.read(place.folder + "/new/pep.db")) == 30


@mongo_only
def from_the_original(place, store):
    """A database as the old tool leaves it, to SQLite."""
    bson = importlib.import_module("mongo_double.bson")
    source, documents = place.conf(store.fresh()), []
    for i in range(300):
        documents.append({
            "_id": bson.ObjectId(struct.pack(">IQ", 0x5f000000 + i, i)), "createdAt": bson.Date(1593000000123), "serialNumber": "OLD-%d" % i,
            "hardwareVersion": "hw", "radioConfig": "00", "ledConfig": "01", "category": "production", "apiAddress": "https://api",
            "gatewayServicesAddress": "https://gw", "verificationKey": "vk-%d" % i, "cloudAddress": "https://gw", "__v": 0,
            "deployed": i % 3 > 0})
        if i % 3:
            documents[-1]["enrollmentID"] = "A-" + ":".join("%02X" % ((i >> 8 * (k % 2) & 255) ^ k) for k in range(32))
    store.insert(documents)
    target, path = place.sqlite()
    said(place.migrate(source, target), "copied 300 records, 0 were there")
    there = records.read(path)
    for i, document in enumerate(documents):
        row = there["OLD-%d" % i]
        assert row["state"] == (records.DEPLOYED if i % 3 else records.FAILED), row
        assert row["dispatch_id"] == (document["_id"].hex() if i % 3 else None), row
        assert row["enrollment_id"] == document.get("enrollmentID") and row["verification_key"] == "vk-%d" % i, row
    _, port = place.serve(target)
    assert get(port, "/v3/enrollment-id?serialNumber=OLD-1").decode() == documents[1]["enrollmentID"]


def run(test, build, folder, store):
    place = Place(build, folder)
    try:
        test(place, store)
    except Exception:  # whatever it is, it is this test's failure
        return traceback.format_exc()
    finally:
        place.close()
        shutil.rmtree(folder)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=build_folder("asan"))
    parser.add_argument("word", nargs="?", default="")
    arguments = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="pep-migrate-") as top:
        found, absent = stores.find(os.path.abspath(arguments.build), top)
        try:
            for test, kind in TESTS:
                for store in found:
                    if arguments.word not in test.__name__ or not store.name.startswith(kind):
                        continue
                    why = run(test, os.path.abspath(arguments.build), tempfile.mkdtemp(dir=top), store)
                    passed, failed = passed + (not why), failed + bool(why)
                    print("%-6s %s, %s%s" % ("FAILED" if why else "ok", test.__name__, store.name, "\n" + why if why else ""), flush=True)
        finally:
            for store in found:
                store.stop()
    skipped = sum(why.startswith(kind) for why in absent for _, kind in TESTS)
    for why in absent:
        print("SKIPPED every test of " + why)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
