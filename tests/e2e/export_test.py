#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports of the built server, and pep-cli that takes them: what docs/exports says is what comes, nothing is missed, all is audited.

    export_test.py [WORD]      WORD: only the tests whose name holds it

Prints "N passed, N failed".
"""
import csv, hashlib, io, json, os, re, shutil, signal, sqlite3, subprocess, sys, tempfile, threading, time, traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "bench"))
from common import fill  # noqa: E402

DOCS = os.path.join(TOP, "docs", "exports")
BUILD = build_folder("asan")
EXPORTERS = "- name: jsonl\n- name: sheet\n  plugin: csv\n  profile: inventory\n  spreadsheet_safe: true"
OLD_MS = 1600000000000  # of records that are there before a test begins
IDENTITY = r"A-([0-9A-F]{2}:){31}[0-9A-F]{2}"
TYPES = {"text": r"(?s).*", "identity": IDENTITY, "id": r"[0-9a-f]{24}", "number": r"\d+", "boolean": r"true|false", "version": r"1",
         "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "milliseconds": r"\d{13}", "mac": r"\d{1,3}(,\d{1,3}){5}(,\d{1,3},\d{1,3})?",
         "state": "claimed|contacted|issued|deployed|failed|in_doubt|retired"}


def equal(seen, expected, what="value"):
    assert seen == expected, "%s: expected %.600r, seen %.600r" % (what, expected, seen)


class Place:
    """A server of its own, with `count` old records, and pep-cli for it."""

    def __init__(self, folder, count=0):
        self.folder = folder
        self.server = Server(BUILD, os.path.join(folder, "server"), exporters=EXPORTERS)
        if count:
            self.server.start()
            self.server.stop()
            fill(self.store(), count, OLD_MS)
        self.server.start()
        self.env = dict(os.environ, PEP_SERVER_URL="http://127.0.0.1:%d" % self.server.port)

    def store(self):
        return os.path.join(self.server.data, "pep.db")

    def provision(self, serial, **fields):
        return self.server.request("POST", "/v3/identity", dict({"serialNumber": serial}, **fields))

    def get(self, target, status=200):
        got, headers, body = self.server.request("GET", "/v3/export/" + target)
        equal(got, status, target + " " + body[:200].decode("utf-8", "replace"))
        return headers, body

    def rows(self, target):
        return list(csv.reader(io.StringIO(self.get(target)[1].decode(), newline="")))

    def start(self, *argv):
        return subprocess.Popen([os.path.join(BUILD, "cli", "pep-cli"), "export", *argv], cwd=self.folder, env=self.env, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def export(self, *argv, code=0):
        process = self.start(*argv)
        out, err = process.communicate(timeout=120)
        equal(process.returncode, code, err)
        return json.loads(out) if "--json" in argv else err

    def taken(self, folder):
        """The identities in a folder's files, by file."""
        found, path = {}, os.path.join(self.folder, folder)
        for name in sorted(os.listdir(path)):
            if name.endswith(".csv"):
                with open(os.path.join(path, name), encoding="ascii", newline="") as file:
                    lines = file.read().split("\r\n")
                equal((lines[0], lines[-1]), ("enrollment_identity", ""), name)
                found[name] = lines[1:-1]
        return found

    def deployed(self):
        with sqlite3.connect(self.store()) as db:
            return [row[0] for row in db.execute("SELECT enrollment_id FROM identity WHERE state = 4 ORDER BY dispatch_id")]

    def audit(self, count):
        """So many lines of the audit about exports; the end of an export is written when its reader may have gone already."""
        deadline = time.monotonic() + 60
        while True:
            with open(os.path.join(self.server.data, "audit.jsonl"), encoding="utf-8") as file:
                events = [json.loads(line) for line in file.read().split("\n")[:-1]]
            exports = [event for event in events if event["event"].startswith("export_")]
            if len(exports) >= count or time.monotonic() > deadline:
                assert len(exports) >= count, "only %d exports in the audit" % len(exports)
                return exports


# --- what the documents say ---

def table(page, heading):
    """The rows of the table of a page, as dicts by the words of its first line."""
    with open(os.path.join(DOCS, page), encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    start = next(n for n, line in enumerate(lines) if line.startswith("| " + heading + " |"))
    names = [cell.strip() for cell in lines[start].strip("|").split("|")]
    rows = []
    for line in lines[start + 2:]:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(names, (cell.strip().strip("`") for cell in line.strip("|").split("|")))))
    return rows


def check_schema(schema, value, where="$"):
    """A JSON Schema validator for the keywords that identity.schema.json uses; any other is an error of this test."""
    kinds = {"object": dict, "string": str, "array": list, "integer": int, "boolean": bool}
    for key, rule in schema.items():
        if key == "type":
            assert isinstance(value, kinds[rule]) and (rule == "boolean" or not isinstance(value, bool)), "%s is no %s" % (where, rule)
        elif key == "required":
            assert all(name in value for name in rule), "%s: not all of %s" % (where, rule)
        elif key == "properties":
            for name in set(rule) & set(value):
                check_schema(rule[name], value[name], where + "." + name)
        elif key == "items":
            for item in value:
                check_schema(rule, item, where + "[]")
        elif key in ("enum", "const"):
            assert value in (rule if key == "enum" else [rule]), "%s is %r" % (where, value)
        elif key == "pattern":
            assert re.search(rule, value), "%s is %r" % (where, value)
        elif key in ("minimum", "maximum"):
            assert (value >= rule) if key == "minimum" else (value <= rule), "%s is %r" % (where, value)
        elif key == "minLength":
            assert len(value) >= rule, "%s is too short" % where
        elif key == "oneOf":
            equal(sum(fits(one, value) for one in rule), 1, where)
        elif key == "not":
            assert not fits(rule, value), "%s is what it must not be" % where
        elif key == "if":
            check_schema(schema["then" if fits(rule, value) else "else"], value, where)
        else:
            assert key in ("$schema", "title", "description", "then", "else"), key


def fits(schema, value):
    try:
        check_schema(schema, value)
    except AssertionError:
        return False
    return True


def make_various(place):
    """Identities in several states, with every field that a request can have, and texts that need quoting."""
    equal(place.provision("G-1")[0], 200)
    equal(place.provision("G-2", category='a,"b"', OU="=1+2", deviceID="007", ethernetMAC=[0, 1, 2, 3, 4, 255],
                          sixBMAC=[1, 2, 3, 4, 5, 6, 7, 8], hardwareVersion="w ü", radioConfig="r", ledConfig="02")[0], 200)
    for serial in ("MOCK-REFUSE-1", "MOCK-FAIL-1", "MOCK-INDOUBT-1"):
        equal(place.provision(serial)[0], 500)


def test_the_csv_columns_are_those_of_the_documents(place):
    make_various(place)
    for profile, end in (("legacy", "\n"), ("portal", "\r\n"), ("inventory", "\r\n")):
        columns = table(profile + ".md", "column")
        for state in ("deployed",) if profile == "portal" else ("deployed", "all"):
            target = "csv?profile=%s&state=%s" % (profile, state)
            text = place.get(target)[1].decode()
            assert text.endswith(end) and not text.startswith("\ufeff") and text.count("\r") == (text.count("\n") if end == "\r\n" else 0)
            rows = place.rows(target)
            equal(rows[0], [column["column"] for column in columns], target)
            equal(len(rows), 3 if state == "deployed" else 6, target)
            for row in rows[1:]:
                equal(len(row), len(columns), target)
                for column, value in zip(columns, row):
                    pattern = TYPES[column["type"]]
                    assert re.fullmatch(pattern, value) or (value == "" and column["may be empty"] == "yes"), (target, column, value)
            # Every type has been seen with something in it.
            assert state != "all" or all(any(row[n] for row in rows[1:]) for n in range(len(columns))), rows
    for column, field in zip(table("legacy.md", "column"), place.get("csv?profile=legacy")[1].decode().splitlines()[1].split(",")):
        equal(field.startswith('"'), column["quoted"] == "yes", column["column"])
    equal(place.get("csv")[1], place.get("csv?profile=legacy")[1])
    rows = place.rows("csv?profile=inventory&state=all")
    index = {name: n for n, name in enumerate(rows[0])}
    second = next(row for row in rows if row[1] == "G-2")
    equal([second[index[name]] for name in ("category", "ou", "device_id", "ethernet_mac", "sixb_mac", "state", "generation", "attempts")],
          ['a,"b"', "=1+2", "007", "0,1,2,3,4,255", "1,2,3,4,5,6,7,8", "deployed", "1", "1"])
    safe = next(row for row in place.rows("sheet") if row[1] == "G-2")
    equal([safe[index[name]] for name in ("category", "ou", "device_id")], ['a,"b"', "'=1+2", "'007"])


def test_the_json_members_are_those_of_the_documents(place):
    make_various(place)
    members = [row["member"] for row in table("json.md", "member")]
    required = [row["member"] for row in table("json.md", "member") if row["may be absent"] == "no"]
    with open(os.path.join(DOCS, "identity.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    equal((list(schema["properties"]), schema["required"]), (members, required))
    for row in table("json.md", "member"):
        rule = schema["properties"][row["member"]]
        equal(row["type"], " or ".join(one["type"] for one in rule["oneOf"]) if "oneOf" in rule else rule.get("type", "string"))
    seen = set()
    for state, count in (("deployed", 2), ("all", 5)):
        array = place.get("json?state=" + state)[1].decode()
        lines = place.get("jsonl?state=" + state)[1].decode()
        objects = json.loads(array)
        equal([json.loads(line) for line in lines.splitlines()], objects)
        equal((len(objects), lines.count("\n"), array.splitlines()[0], array[-3:]), (count, count, "[", "\n]\n"))
        for one in objects:
            equal(list(one), [name for name in members if name in one], "order")
            check_schema(schema, one)
            seen |= set(one)
        if state == "deployed":
            listed = json.loads(place.server.request("GET", "/v3/enrollment-ids?order=ASC")[2])["results"]
            equal(objects, listed)
    equal(seen, set(members))
    equal((place.get("json?from=2001-01-01&to=2001-01-02")[1], place.get("jsonl?from=2001-01-01&to=2001-01-02")[1]), (b"[]\n", b""))


def test_all_profiles_hold_the_same_identities(place):
    expected = place.deployed()
    equal([row[0] for row in place.rows("csv?profile=legacy")[1:]], expected)
    equal([row[0] for row in place.rows("csv?profile=portal")[1:]], expected)
    equal([row[0] for row in place.rows("csv?profile=inventory")[1:]], expected)
    equal([one["enrollmentID"] for one in json.loads(place.get("json")[1])], expected)
    equal([json.loads(line)["enrollmentID"] for line in place.get("jsonl")[1].splitlines()], expected)
    for name in os.listdir(DOCS):  # what is not looked at above is not a page of an export
        assert name in ("README.md", "legacy.md", "portal.md", "inventory.md", "json.md", "jsonl.md", "identity.schema.json"), name


test_all_profiles_hold_the_same_identities.count = 3000


# --- what is taken, and when ---

def test_what_is_narrowed(place):
    place.provision("G-1", category="x")
    place.provision("G-2")
    equal([row[1] for row in place.rows("csv?category=x")[1:]], ["G-1"])
    equal([row[1] for row in place.rows("csv?station=127.0.0.1&from=2020-12-01")[1:]], ["G-1", "G-2"])
    equal(len(place.rows("csv?station=127.0.0.2")), 1)
    equal([row[1] for row in place.rows("csv?to=%d" % (OLD_MS + 503))[1:]], ["BENCH-%08d" % n for n in range(3)])
    place.export("-c", "x", "-n", "127.0.0.1", "-o", "x.csv")
    with open(os.path.join(place.folder, "x.csv"), encoding="utf-8") as file:
        equal(len(file.readlines()), 2)


test_what_is_narrowed.count = 5


def test_only_what_is_new_comes_the_second_time(place):
    old = place.deployed()
    place.export("-p", "portal", "-o", "out/")
    place.export("-e", "jsonl", "-C", "cursor", "-o", "all.jsonl")
    for number in range(5):
        equal(place.provision("G-%d" % number)[0], 200)
    place.export("-p", "portal", "-o", "out/")
    place.export("-e", "jsonl", "-C", "cursor", "-o", "new.jsonl")
    new = place.deployed()[len(old):]
    equal(len(new), 5)
    equal(place.taken("out"), {"csv-portal-0001.csv": old, "csv-portal-0002.csv": new})
    with open(os.path.join(place.folder, "new.jsonl"), encoding="utf-8") as file:
        equal([json.loads(line)["enrollmentID"] for line in file], new)


test_only_what_is_new_comes_the_second_time.count = 1000


def test_nothing_is_missed_while_gateways_are_provisioned(place):
    stop, made, wrong = threading.Event(), [], []

    def station(number):
        for turn in range(60):
            status, _, body = place.provision("S%d-%d" % (number, turn), ip="10.0.%d.%d" % (number, turn + 1), port=7777)
            if status == 200:
                made.append(json.loads(body)["enrollmentID"])
            else:
                wrong.append(body)
    stations = [threading.Thread(target=station, args=(number,)) for number in range(4)]
    for thread in stations:
        thread.start()

    def watch():
        for thread in stations:
            thread.join()
        stop.set()
    watcher = threading.Thread(target=watch)
    watcher.start()
    runs = 0
    while not stop.is_set():
        place.export("-p", "portal", "-l", "25", "-o", "out/")
        place.export("-p", "portal", "-C", "cursor", "-o", "run-%d.csv" % runs)
        runs += 1
    watcher.join()
    place.export("-p", "portal", "-l", "25", "-o", "out/")
    place.export("-p", "portal", "-C", "cursor", "-o", "run-%d.csv" % runs)
    equal((wrong, len(made)), ([], 240))
    expected = set(place.deployed())
    assert set(made) <= expected and runs > 1, runs
    taken = place.taken("out")
    equal({identity for file in taken.values() for identity in file}, expected)
    equal([name for name, file in taken.items() if not file or len(set(file)) != len(file)], [])
    seen = set()
    for number in range(runs + 1):
        with open(os.path.join(place.folder, "run-%d.csv" % number), encoding="ascii") as file:
            seen |= set(file.read().split("\n")[1:-1])
    equal({identity.strip() for identity in seen}, expected)


test_nothing_is_missed_while_gateways_are_provisioned.count = 50


def test_more_than_a_file_holds_and_killed_between(place):
    expected = place.deployed()
    out = os.path.join(place.folder, "out")
    first = place.start("-p", "portal", "-o", "out/")
    while not os.path.exists(os.path.join(out, "csv-portal-0001.csv")):
        assert first.poll() is None, first.communicate()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    before = {name: os.stat(os.path.join(out, name)) for name in os.listdir(out) if name.endswith(".csv")}
    assert before and len(before) < 3, before
    result = place.export("-p", "portal", "-o", "out/", "--json")
    for name, status in before.items():
        now = os.stat(os.path.join(out, name))
        equal((now.st_ino, now.st_mtime_ns, now.st_size), (status.st_ino, status.st_mtime_ns, status.st_size), name)
    taken = place.taken("out")
    equal({name: len(file) for name, file in taken.items()},
          {"csv-portal-0001.csv": 100000, "csv-portal-0002.csv": 100000, "csv-portal-0003.csv": 20000})
    equal(sum(taken.values(), []), expected)
    equal(sorted(result["files"] + [name for name in before if name not in result["files"]]), sorted(taken))
    for name in taken:
        assert os.path.getsize(os.path.join(out, name)) < 10000000, name
    equal(sorted(os.listdir(out)), sorted(taken) + ["csv-portal.state"])
    # A format whose lines are longer: fewer of them.
    place.export("-p", "inventory", "-o", "out/")
    sizes = [os.path.getsize(os.path.join(out, name)) for name in os.listdir(out) if name.startswith("csv-inventory-")]
    assert len(sizes) > 3 and max(sizes) < 10000000, sizes


test_more_than_a_file_holds_and_killed_between.count = 220000


def spoil(place, serial, identity):
    with sqlite3.connect(place.store()) as db:
        old = db.execute("SELECT enrollment_id FROM identity WHERE serial = ?", (serial,)).fetchone()[0]
        equal(db.execute("UPDATE identity SET enrollment_id = ? WHERE serial = ?", (identity, serial)).rowcount, 1)
    # The server looks at the file anew when it has written itself.
    equal(place.provision("MOCK-FAIL-" + identity[2:4])[0], 500)
    return old


def test_one_bad_record_stops_the_portal(place):
    old = spoil(place, "BENCH-00001990", "A-" + ":".join(["ab"] * 32))
    headers, body = place.get("csv?profile=portal", 422)
    equal((headers["Pep-Error"], json.loads(body)["code"]), ("not_exportable", "not_exportable"))
    assert "BENCH-00001990" in json.loads(body)["detail"], body
    place.get("csv?profile=inventory")
    ended = place.export("-p", "portal", "-o", "x.csv", "--json", code=1)
    equal((ended["code"], ended["http_status"], ended["retryable"]), ("not_exportable", 422, False))
    assert "BENCH-00001990" in ended["message"], ended
    assert not os.path.exists(os.path.join(place.folder, "x.csv"))
    # The pages before it are files; the page that it is on is none.
    place.export("-p", "portal", "-l", "900", "-o", "out/", code=1)
    equal([len(file) for file in place.taken("out").values()], [900, 900])
    spoil(place, "BENCH-00001990", old)
    place.export("-p", "portal", "-l", "900", "-o", "out/")
    equal(sum(place.taken("out").values(), []), place.deployed())


test_one_bad_record_stops_the_portal.count = 2000


# --- who took it ---

CHAINED = ("seq", "time", "server", "prev", "hash")


def test_every_export_is_audited(place):
    headers, body = place.get("csv?profile=portal&limit=700&category=production&from=2020-01-01")
    place.get("jsonl?limit=0", 400)
    place.server.request("HEAD", "/v3/export/csv")
    begun, ended = place.audit(2)
    fixed = {key: begun[key] for key in begun if key not in CHAINED and key != "request_id"}
    equal(fixed, {"event": "export_begun", "actor": "local", "peer": "127.0.0.1", "exporter": "csv", "profile": "portal", "state": "deployed", "limit": 700,
                  "category": "production", "from_ms": 1577836800000})
    equal({key: ended[key] for key in ended if key not in CHAINED},
          {"event": "export_ended", "actor": "local", "request_id": begun["request_id"], "whole": True, "records": 700, "bytes": len(body),
           "sha256": hashlib.sha256(body).hexdigest(), "audit_head": "%d %s" % (begun["seq"], begun["hash"])})
    equal(headers["Pep-Audit-Head"], ended["audit_head"])
    assert re.fullmatch(TYPES["time"], begun["time"]) and begun["time"] <= ended["time"]
    # By pep-cli: one for each file, with the digest of the file.
    result = place.export("-e", "jsonl", "-l", "800", "-o", "out/", "--json")
    equal(len(result["files"]), 3)
    seq, digest = result["audit_head"].split()
    with open(os.path.join(place.server.data, "audit.jsonl"), encoding="utf-8") as file:
        assert json.loads(file.read().split("\n")[int(seq) - 1])["hash"] == digest
    with open(os.path.join(place.folder, "out", "jsonl.state"), encoding="utf-8") as file:
        equal(json.load(file)["audit_head"], result["audit_head"])
    ended = [event for event in place.audit(8) if event["event"] == "export_ended"][1:]
    for name, event in zip(result["files"], ended):
        with open(os.path.join(place.folder, "out", name), "rb") as file:
            equal(hashlib.sha256(file.read()).hexdigest(), event["sha256"], name)
    equal([event["records"] for event in ended], [800, 800, 400])
    head = place.export("-e", "jsonl", "-o", "one", "--json")["audit_head"].split()
    equal(place.audit(9)[8]["event"], "export_begun")
    equal((int(head[0]), head[1]), (place.audit(9)[8]["seq"], place.audit(9)[8]["hash"]))


test_every_export_is_audited.count = 2000


def test_an_export_that_is_broken_off_is_audited_as_that(place):
    process = place.start("-e", "json")  # nobody reads its stdout, so that it stands still after a pipe's worth
    equal(place.audit(1)[0]["event"], "export_begun")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ended = place.audit(2)[1]
    equal((ended["event"], ended["whole"]), ("export_ended", False))
    assert ended["records"] < 100000, ended


test_an_export_that_is_broken_off_is_audited_as_that.count = 100000


def run(test):
    """None, or why it failed."""
    folder = tempfile.mkdtemp(prefix="pep-export-")
    place = None
    try:
        place = Place(folder, getattr(test, "count", 0))
        test(place)
        equal(place.server.stop(), 0, "exit code of the server")
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "export_test" in frame.filename]
        return "%s: %s (lines %s)" % (type(error).__name__, error, ", ".join(str(frame.lineno) for frame in frames))
    finally:
        if place and place.server.process and place.server.process.poll() is None:
            place.server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return None


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    passed = failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or word not in name:
            continue
        why = run(test)
        passed, failed = passed + (not why), failed + bool(why)
        if why:
            print("FAIL %s: %s" % (name, why), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
