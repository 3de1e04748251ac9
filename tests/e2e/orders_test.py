#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Production orders and what an operator does, with the built pep-server and pep-cli: import, refusals, the last place of an order between two
servers of one store, RMA, resolve, retire. Last line: N passed, N failed.

    orders_test.py [--build FOLDER] [NAME...]
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stores  # noqa: E402
from server import Server, build_folder  # noqa: E402

BUILD = None
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def cli(server, *arguments):
    """(exit code, stdout, stderr) of pep-cli against this server."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PEP_")}
    env["PEP_SERVER_URL"] = "http://127.0.0.1:%d" % server.port
    done = subprocess.run([os.path.join(BUILD, "cli", "pep-cli"), *arguments], env=env, cwd=server.folder, capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def good(result):
    assert result[0] == 0, result
    return json.loads(result[1])


def provision(server, serial, key=None, port=7777):
    """(status, Pep-Error, body)"""
    headers = {"Idempotency-Key": key} if key else {}
    status, head, body = server.request("GET", "/v3/identity?" + urllib.parse.urlencode(
        {"serialNumber": serial, "ip": "10.0.0.1", "port": port}), headers=headers)
    return status, head.get("Pep-Error"), body


def outcome(server, serial, port=7777):
    return provision(server, serial, port=port)[:2]


def order(server, name):
    status, _, body = server.request("GET", "/v3/orders/" + name)
    assert status == 200, body
    return json.loads(body)


def counts(server, name):
    seen = order(server, name)
    return seen["done"], seen["reserved"]


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def audited(server, event):
    path = os.path.join(server.data, "audit.jsonl")
    with open(path, encoding="utf-8") as f:
        return [line for line in map(json.loads, f) if line["event"] == event]


@test
def the_day_of_an_order(top):
    server = Server(BUILD, os.path.join(top, "a"))
    server.start()
    try:
        assert outcome(server, "OLD-1") == (200, None)  # no orders: as ever
        path = write(top, "po.csv", "Colour;Serial Number;Customer\nred;GW-1;ACME\nblue;OLD-1;ACME\nred;GW-2;ACME\nred;GW-1;ACME\n"
                                    "red;MOCK-UNREACHABLE-3;ACME\n")
        arguments = ["order", "import", "--name", "PO-1", "--file", path, "--category", "acme"]
        code, _, said = cli(server, *arguments, "--dry-run")
        assert code == 1, said
        assert "line 3: OLD-1: it has its identity already" in said and "line 5: GW-1: it stands in line 2 already" in said, said
        assert cli(server, *arguments)[0] == 1  # all or nothing
        assert cli(server, "order", "show", "--name", "PO-1")[0] == 13
        write(top, "po.csv", "Colour;Serial Number;Customer\nred;GW-1;ACME\nred;GW-2;ACME\nred;MOCK-UNREACHABLE-3;ACME\n")
        report = good(cli(server, *arguments, "--dry-run"))
        assert (report["good"], report["bad"], report["ignored_columns"]) == (3, 0, ["Colour"]), report
        assert cli(server, "order", "show", "--name", "PO-1")[0] == 13 and not audited(server, "order_import")
        assert good(cli(server, *arguments, "--quantity", "2"))["quantity"] == 2
        assert audited(server, "order_import")[0]["order"] == "PO-1"
        assert cli(server, *arguments)[0] == 1  # the name is taken

        assert outcome(server, "GW-9") == (403, "not_expected")
        code, _, said = cli(server, "get-one-identity", "-s", "GW-9", "-i", "10.0.0.1", "-p", "7777")
        assert code == 7 and "no order expects" in said, (code, said)
        assert outcome(server, "MOCK-UNREACHABLE-3") == (500, "gateway_unreachable")
        assert outcome(server, "MOCK-UNREACHABLE-3") == (500, "gateway_unreachable")
        assert counts(server, "PO-1") == (0, 0)  # what has failed takes no place
        first = provision(server, "GW-1", "key-1")
        assert first[0] == 200 and json.loads(first[2])["category"] == "acme", first
        assert provision(server, "GW-1", "key-1") == first and outcome(server, "GW-1") == (409, "exists")
        assert counts(server, "PO-1") == (1, 0)
        assert outcome(server, "GW-2") == (200, None)
        assert outcome(server, "MOCK-UNREACHABLE-3") == (403, "quota")
        assert provision(server, "GW-1", "key-1") == first
        assert counts(server, "PO-1") == (2, 0)
        listed = cli(server, "order", "list")[1]
        assert "PO-1\topen\t2/2\t0\tACME" in listed, listed
        assert good(cli(server, "order", "close", "--name", "PO-1"))["open"] is False
        assert cli(server, "order", "close", "--name", "PO-1")[0] == 1
        assert outcome(server, "MOCK-UNREACHABLE-3") == (403, "not_expected")
        assert provision(server, "GW-1", "key-1") == first  # what was given stays given
        assert len(audited(server, "order_close")) == 1
    finally:
        assert server.stop() == 0


@test
def many_at_once_on_one_server(top):
    server = Server(BUILD, os.path.join(top, "a"), server="injections: 16")
    server.start()
    try:
        words = ["order", "import", "--name", "PO-1", "--pattern", "GW-[0-9]+"]
        assert cli(server, *words, "--quantity", "5", "--file", "x.csv")[0] == 2 and cli(server, *words)[0] == 2
        told = good(cli(server, *words, "--quantity", "5", "--dry-run"))
        assert told["dry_run"] and told["pattern"] == "GW-[0-9]+" and server.request("GET", "/v3/orders/PO-1")[0] == 404, told
        status, _, body = server.request("POST", "/v3/orders", {"name": "PO-1", "pattern": "GW-[0-9]+", "quantity": 5})
        assert status == 201, body
        codes = []
        threads = [threading.Thread(target=lambda i=i: codes.append(outcome(server, "GW-%d" % i, 7000 + i))) for i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes.count((200, None)) == 5 and codes.count((403, "quota")) == 11, codes
        assert counts(server, "PO-1") == (5, 0)
    finally:
        assert server.stop() == 0


@test
def a_killed_server_leaves_no_place_behind(top):
    server = Server(BUILD, os.path.join(top, "a"))
    server.start()
    try:
        server.request("POST", "/v3/orders", {"name": "PO-1", "pattern": ".*", "quantity": 1})
        status, code, _ = provision(server, "MOCK-INDOUBT-1")
        assert (status, code) == (500, "in_doubt")
        assert counts(server, "PO-1") == (0, 1)  # it may have one
        assert outcome(server, "GW-2") == (403, "quota")
        server.kill()
        server.start()
        assert counts(server, "PO-1") == (0, 1)
        assert outcome(server, "GW-2") == (403, "quota")
        record = json.loads(server.request("GET", "/v3/identities/MOCK-INDOUBT-1")[2])
        assert record["state"] == "in_doubt" and "verification" not in json.dumps(record), record
        attempt = str(record["contacted"])
        assert cli(server, "resolve", "MOCK-INDOUBT-1", "-a", attempt, "-o", "failed", "-r", "read it")[0] == 1  # no evidence
        assert cli(server, "resolve", "MOCK-INDOUBT-1", "-a", "7", "-o", "failed", "-r", "read it")[0] == 1
        assert not audited(server, "resolve")
        shown = good(cli(server, "resolve", "MOCK-INDOUBT-1", "-a", attempt, "-o", "failed", "--gateway-read", "--program-ended", "-r",
                         "read it"))
        assert shown["state"] == "failed" and "read it" in shown["reason"], shown
        assert len(audited(server, "resolve")) == 1
        wait_for(lambda: counts(server, "PO-1") == (0, 0))
        assert outcome(server, "GW-2") == (200, None)
    finally:
        assert server.stop() == 0


def wait_for(condition):
    """Polls, as an operator would; recovery looks at places every 200 ms."""
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never came")


@test
def rma_and_retire(top):
    server = Server(BUILD, os.path.join(top, "a"))
    server.start()
    try:
        server.request("POST", "/v3/orders", {"name": "PO-1", "serials": ["GW/1"]})
        assert outcome(server, "GW/1") == (200, None)
        first = json.loads(cli(server, "status", "GW/1")[1])
        assert (first["state"], first["attempt"], first["history"]) == ("deployed", 1, []), first
        assert cli(server, "reprovision", "GW/1")[0] == 2  # no reason
        assert cli(server, "reprovision", "GW/1", "-r", "RMA 7", "-i", "A-00")[0] == 1
        assert cli(server, "reprovision", "NOBODY", "-r", "RMA 7")[0] == 13
        assert good(cli(server, "reprovision", "GW/1", "-r", "RMA 7"))["enrollment_id"] == first["enrollment_id"]
        assert audited(server, "grant")[0]["reason"] == "RMA 7"
        assert json.loads(cli(server, "status", "GW/1")[1])["grant"]["reason"] == "RMA 7"
        server.kill()
        server.start()  # the grant outlives it
        assert outcome(server, "GW/1") == (200, None)
        assert outcome(server, "GW/1") == (409, "exists")  # once
        second = json.loads(cli(server, "status", "GW/1")[1])
        assert second["generation"] == 2 and "grant" not in second, second
        assert second["history"][0]["enrollment_id"] == first["enrollment_id"] != second["enrollment_id"], second
        assert counts(server, "PO-1") == (1, 0)
        assert good(cli(server, "retire", "GW/1", "-r", "scrapped"))["state"] == "retired"
        assert cli(server, "retire", "GW/1", "-r", "scrapped")[0] == 1
        assert outcome(server, "GW/1") == (409, "exists")
        assert len(audited(server, "retire")) == 1
        seen = json.loads(server.request("GET", "/v3/identities/GW%2F1/events")[2])
        told = [(event["event"], event.get("outcome"), event.get("code") or event.get("reason")) for event in seen["events"]]
        assert told == [("provision", "deployed", "deployed"), ("grant", None, "RMA 7"), ("provision", "deployed", "deployed"),
                        ("provision", "refused", "exists"), ("retire", None, "scrapped"), ("provision", "refused", "exists")], told
        assert all(event["actor"] and "verification" not in json.dumps(event) for event in seen["events"]) and seen["complete"], seen
        assert server.request("GET", "/identities/GW%2F1/events")[2] == server.request("GET", "/v3/identities/GW%2F1/events")[2]
        assert server.request("GET", "/v3/identities/NOBODY/events")[0] == 404
        assert server.request("POST", "/v3/identities/GW%2F1/events", {})[0] == 404
    finally:
        assert server.stop() == 0


@test
def orders_may_be_required(top):
    server = Server(BUILD, os.path.join(top, "a"))
    with open(server.conf, "a", encoding="utf-8") as f:
        f.write("orders:\n  required: true\n")
    server.start()
    try:
        assert outcome(server, "GW-1") == (403, "not_expected")
        assert server.request("GET", "/v3/identities/GW-1")[0] == 404  # there is no record, but it was seen
        seen = json.loads(server.request("GET", "/v3/identities/GW-1/events")[2])
        assert [event["code"] for event in seen["events"]] == ["not_expected"] and seen["complete"], seen
    finally:
        assert server.stop() == 0


@test
def two_servers_fight_for_the_last_place(top):
    found, absent = stores.find(BUILD, top)
    try:
        for why in absent:
            print("skipped: " + why)
        for store in found:
            if store.name != "sqlite":  # which two servers cannot share
                fight_on(os.path.join(top, store.name), store.fresh())
    finally:
        for store in found:
            store.stop()


def fight_on(top, storage):
    servers = [Server(BUILD, os.path.join(top, name), name=name, storage=storage) for name in ("a", "b")]
    try:
        for server in servers:
            server.start()
        for turn in range(6):
            name, pattern = "PO-%d" % turn, "T%d-[ab]" % turn
            assert servers[0].request("POST", "/v3/orders", {"name": name, "pattern": pattern, "quantity": 1})[0] == 201
            codes = []
            barrier = threading.Barrier(2)

            def fight(server, serial, barrier=barrier, codes=codes):
                barrier.wait()
                codes.append(outcome(server, serial))

            threads = [threading.Thread(target=fight, args=(servers[i], "T%d-%s" % (turn, "ab"[i]))) for i in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(codes) == [(200, None), (403, "quota")], codes
            assert counts(servers[turn % 2], name) == (1, 0)
        assert servers[1].request("POST", "/v3/orders/PO-0/close")[0] == 200
        assert order(servers[0], "PO-0")["open"] is False
    finally:
        ended = [server.stop() for server in servers if server.process]
    assert ended == [0, 0], ended


def main():
    global BUILD
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=build_folder("asan"))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    BUILD = os.path.abspath(options.build)
    passed = failed = 0
    for function in TESTS:
        if options.names and function.__name__ not in options.names:
            continue
        top = tempfile.mkdtemp(prefix="pep-orders-")
        try:
            function(top)
            passed += 1
        except Exception:
            failed += 1
            print("FAIL %s: %s" % (function.__name__, traceback.format_exc(limit=-3)), flush=True)
        finally:
            shutil.rmtree(top, ignore_errors=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
