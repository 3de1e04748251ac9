#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built pep-server on a store that fails: each fault at each step that is written, and what the caller, the gateway and the record
have of it. Never a false 200, no identity lost or double, and ready again without a restart. Last line: N passed, N failed.

    faulty_test.py [--build FOLDER] [NAME...]
"""
import argparse
import http.client
import os
import shutil
import sys
import tempfile
import threading
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faulty import SLOW, FaultyServer, ask_all, expect_sound, settle, together, until  # noqa: E402
from server import build_folder  # noqa: E402

BUILD = None
TESTS = []
UNAVAILABLE, LOCALLY, DOUBT = (503, "storage_unavailable"), (503, "recorded_locally"), (500, "in_doubt")
DONE = (200, None)


def test(function):
    TESTS.append(function)
    return function


# --- one write fails; the read that looks after it works ---

STEPS = ["claimed", "contacted", "issued", "deployed"]
FAULTS = ["unavailable", "unknown-applied", "unknown-not-applied", "unknown-late", "slow"]


def expected(step, fault, is_blind):
    """What the caller is told."""
    if fault == "slow" or (fault == "unknown-applied" and not is_blind):
        return DONE
    return LOCALLY if step == "deployed" else UNAVAILABLE


def rule_of(step, fault, serial):
    return "call=write state=%s serial=%s times=1 fault=%s ms=300" % (step, serial, fault)


def check_steps(server, cases, answers):
    """Of each case: the answer, what the gateway holds, and that the fault was there."""
    truth = server.truth()
    for serial, (step, fault, is_blind) in cases.items():
        status, code, identity = answers[serial]
        assert (status, code if status != 200 else None) == expected(step, fault, is_blind), (serial, answers[serial])
        assert server.faults(fault, state=step, serial=serial) == 1, (serial, "the fault was not made")
        assert not is_blind or not fault.startswith("unknown") or server.faults("unavailable", "get", serial=serial) == 1, serial
        held = truth.get(serial, [])
        if status == 200 or step == "deployed":
            assert held[-1:] != [None] and held, "%s: the gateway should hold an identity: %s" % (serial, held)
        elif step == "issued":
            assert held == [None], "%s: erased, and no certificate: %s" % (serial, held)
        else:
            assert held == [], "%s: the gateway should be untouched: %s" % (serial, held)
        if status == 200:
            assert held[-1] == identity, (serial, held, identity)


def once_each(top, is_blind):
    """is_blind: the read that is to tell what became of the write fails, too."""
    server = FaultyServer(BUILD, top)
    cases = {"%s-%s" % (step, fault): (step, fault, is_blind) for step in STEPS for fault in FAULTS}
    rules = [rule_of(step, fault, serial) for serial, (step, fault, _) in cases.items()]
    if is_blind:  # two looks are before the claim
        rules += ["call=get serial=%s skip=2 times=1 fault=unavailable" % serial
                  for serial, (_, fault, _) in cases.items() if fault.startswith("unknown")]
    server.rules(*rules)
    server.start()
    check_steps(server, cases, ask_all(server, cases))
    assert server.is_ready()
    delivered = {s: held[-1] for s, held in server.truth().items() if held[-1]}
    server.rules()
    answered = settle(server, list(cases))
    expect_sound(server, answered)
    # What was delivered is not injected a second time.
    again = {s: (identity, answered[s]) for s, identity in delivered.items() if answered[s] != identity}
    assert not again, "injected twice: %s" % again
    assert server.stop() == 0


@test
def each_fault_once_at_each_step(top):
    once_each(top, False)


@test
def each_fault_once_and_nothing_can_be_read_back(top):
    once_each(top, True)


@test
def each_fault_when_a_failed_serial_is_claimed_again(top):
    server = FaultyServer(BUILD, top)
    cases = {"again-%s" % fault: ("claimed", fault, False) for fault in FAULTS}
    server.rules("call=write state=contacted serial=again fault=unavailable")
    server.start()
    for serial, answer in ask_all(server, cases).items():
        assert answer[:2] == UNAVAILABLE, (serial, answer)
    until(lambda: all(r[0] == "failed" for r in server.records().values()), "all have failed")
    server.rules(*(rule_of("claimed", fault, serial) for serial, (_, fault, _) in cases.items()))
    check_steps(server, cases, ask_all(server, cases))
    server.rules()
    expect_sound(server, settle(server, list(cases)))
    assert server.stop() == 0


@test
def each_fault_when_the_end_is_written(top):
    """Refused, failed, in doubt: whether that can be written or not, the answer is the same and no lease stays."""
    server = FaultyServer(BUILD, top)
    ends = {"MOCK-REFUSE": ("failed", (500, "gateway_refused")), "MOCK-FAIL": ("failed", (500, "injector_failed")),
            "MOCK-INDOUBT": ("in_doubt", DOUBT)}
    cases = {"%s-%s" % (start, fault): start for start in ends for fault in FAULTS}
    server.rules(*(rule_of(ends[start][0], serial[len(start) + 1:], serial) for serial, start in cases.items()))
    server.start()
    for serial, answer in ask_all(server, cases).items():
        assert answer[:2] == ends[cases[serial]][1], (serial, answer)
        assert server.faults(state=ends[cases[serial]][0], serial=serial) == 1, serial
    until(lambda: all(r[3] == 0 for r in server.records().values()), "no lease is left")
    records, truth = server.records(), server.truth()
    for serial, start in cases.items():
        # What nobody wrote down is decided by the end of the lease: not more than is known.
        allowed = ["in_doubt"] if start == "MOCK-INDOUBT" else ["failed", "in_doubt"]
        assert records[serial][0] in allowed, (serial, records[serial])
        if truth[serial][-1]:
            assert records[serial][1] == truth[serial][-1], (serial, records[serial], truth[serial])
    expect_sound(server, {})
    assert server.stop() == 0


# --- recovery ---

@test
def each_fault_when_leases_are_ended(top):
    """The attempt is left at each step, and the writes that end its lease fail before one works. Nobody asks in between."""
    server = FaultyServer(BUILD, top, lease_ms=1000)
    ends = {"claimed": "failed", "contacted": "failed", "issued": "in_doubt"}
    following = {"claimed": "contacted", "contacted": "issued"}
    cases, rules = {}, []
    for step, end in ends.items():
        for fault in FAULTS:
            # A delivered outcome would go to the spool; the gateway that is left at "issued" is one whose answer got lost.
            serial = "%s%s-%s" % ("MOCK-INDOUBT-" if step == "issued" else "", step, fault)
            cases[serial] = (step, fault)
            if step in following:
                rules.append("call=write state=%s serial=%s fault=unavailable" % (following[step], serial))
            # How it ended is not written by who knows it; then it is not written when the lease is over.
            rules.append("call=write state=%s serial=%s times=1 fault=unavailable" % (end, serial))
            rules.append("call=write state=%s serial=%s times=2 fault=%s ms=100" % (end, serial, fault))
    server.rules(*rules)
    server.start()
    for serial, answer in ask_all(server, cases).items():
        assert answer[:2] == (DOUBT if cases[serial][0] == "issued" else UNAVAILABLE), (serial, answer)
    until(lambda: all(r[3] == 0 for r in server.records().values()), "no lease is left")
    records = server.records()
    for serial, (step, fault) in cases.items():
        assert records[serial][0] == ends[step], (serial, records[serial])
        assert server.faults(fault, state=ends[step], serial=serial) >= (3 if fault == "unavailable" else 1), (serial, fault)
    server.rules()
    expect_sound(server, settle(server, [s for s in cases if not s.startswith("MOCK")]))
    assert server.stop() == 0


@test
def each_fault_when_the_spool_is_replayed(top):
    """Delivered, and not stored; the replays fail, too, until one works. Nobody asks in between, no gateway is touched again."""
    server = FaultyServer(BUILD, top)
    serials = ["spool-" + fault for fault in FAULTS]
    server.rules(*("call=write state=deployed serial=%s times=1 fault=unavailable" % s for s in serials),
                 *("call=write state=deployed serial=spool-%s times=3 fault=%s ms=100" % (f, f) for f in FAULTS))
    server.start()
    for serial, answer in ask_all(server, serials).items():
        assert answer[:2] == LOCALLY, (serial, answer)
    truth = server.truth()
    until(lambda: all(server.known(s) == truth[s][-1] for s in serials), "all are known without being asked for")
    until(lambda: server.request("GET", "/readyz")[2].count(b"0 waiting"), "the spool is empty")
    for fault in FAULTS:
        assert server.faults(fault, state="deployed", serial="spool-" + fault), fault
    expect_sound(server, settle(server, serials))
    assert server.truth() == truth, "a gateway was touched again"
    assert server.stop() == 0


@test
def a_kill_while_each_step_is_held(top):
    """The store does not answer, and the server is killed meanwhile."""
    server = FaultyServer(BUILD, top)
    serials = {step: "held-" + step for step in STEPS}
    server.rules(*("call=write state=%s serial=%s fault=hold" % item for item in serials.items()))
    server.start()
    asked = []
    for number, serial in enumerate(serials.values()):
        asked.append(threading.Thread(target=swallow, args=(server, serial, 10000 + number)))
        asked[-1].start()
    until(lambda: server.faults("hold") == len(STEPS), "all are held")
    server.kill()
    for thread in asked:
        thread.join()
    server.rules()
    server.start()
    answered = settle(server, list(serials.values()))
    expect_sound(server, answered)
    assert server.stop() == 0


def swallow(server, serial, port):
    try:
        server.ask(serial, port=port)
    except (OSError, http.client.HTTPException):
        pass


# --- the store is away as a whole ---

def outage(server):
    """What everybody is told while nothing of the store works."""
    assert server.request("GET", "/healthz")[0] == 200
    status, headers, _ = server.request("GET", "/readyz")
    assert status == 503 and headers["Pep-Error"] == "storage_unavailable" and headers["Retry-After"], status
    for method, target, body in (("GET", "/v3/enrollment-id?serialNumber=before", None), ("GET", "/v3/enrollment-ids", None),
                                 ("GET", "/v3/export/csv", None), ("GET", "/v3/export/json", None),
                                 ("POST", "/v3/identity", {"serialNumber": "away", "ip": "127.0.0.1", "port": 7001})):
        status, headers, _ = server.request(method, target, body)
        assert status == 503 and headers["Pep-Error"] == "storage_unavailable" and headers["Retry-After"], (target, status)


@test
def an_outage_and_ready_again(top):
    server = FaultyServer(BUILD, top)
    server.start()
    before = server.ask("before")[2]
    for _ in range(3):
        server.rules("call=any fault=unavailable")
        outage(server)
        server.rules()
        assert server.is_ready() and server.known("before") == before
        assert server.request("GET", "/v3/export/csv")[0] == 200
    assert "away" not in server.truth()
    expect_sound(server, settle(server, ["away", "before"]))
    assert server.stop() == 0


@test
def a_store_that_only_reads(top):
    """Writes fail, reads go on: lists, lookups, exports, and the replay of what was answered before."""
    server = FaultyServer(BUILD, top)
    server.start()
    before = server.ask("before")[2]
    server.rules("call=write fault=unavailable", "call=ping fault=unavailable")
    assert not server.is_ready()
    assert server.ask("new", port=7001)[:2] == UNAVAILABLE
    assert server.known("before") == before and server.ask("before")[2] == before
    assert server.request("GET", "/v3/enrollment-ids")[0] == 200
    status, _, body = server.request("GET", "/v3/export/csv")
    assert status == 200 and before.encode() in body
    assert server.truth().get("new") is None
    server.rules()
    expect_sound(server, settle(server, ["before", "new"]))
    assert server.stop() == 0


@test
def an_export_that_breaks_off_looks_broken(top):
    server = FaultyServer(BUILD, top)
    server.start()
    serials = ["export-%03d" % n for n in range(200)]
    for first in range(0, 200, 50):
        assert all(a[0] == 200 for a in ask_all(server, serials[first:first + 50]).values())
    for name in ("csv", "json"):
        for skip in (1, 100, 200):
            server.rules("call=next skip=%d fault=unavailable" % skip)
            try:
                status, headers, body = server.request("GET", "/v3/export/" + name)
                assert status == 503, "%s: after %d records, a whole answer of %d bytes: %d" % (name, skip, len(body), status)
            except (http.client.IncompleteRead, ConnectionError):
                pass
            until(lambda: server.faults(call="next"), "the log line of the fault", 5)
        server.rules()
        status, _, body = server.request("GET", "/v3/export/" + name)
        assert status == 200 and all(s.encode() in body for s in serials), name
    assert server.stop() == 0


@test
def a_frozen_store_leaves_the_rest_alone(top):
    """Reads and writes hang; /healthz answers; all are answered when the store comes back."""
    server = FaultyServer(BUILD, top)
    server.start()
    before = server.ask("before")[2]
    server.rules("call=get fault=hold")
    results = {}
    asked = [threading.Thread(target=lambda n=n: results.setdefault(n, server.known("before"))) for n in range(16)]
    asked += [threading.Thread(target=lambda: results.setdefault("new", server.ask("new", port=7001)))]
    for thread in asked:
        thread.start()
    until(lambda: server.faults("hold", "get") >= 2, "somebody is held")
    for _ in range(20):
        assert server.request("GET", "/healthz", timeout=5)[0] == 200
    assert not results
    server.rules()
    for thread in asked:
        thread.join()
    assert all(results[n] == before for n in range(16)) and results["new"][0] == 200, results
    expect_sound(server, {"before": before, "new": results["new"][2]})
    assert server.stop() == 0


@test
def many_ask_for_one_serial_on_a_slow_store(top):
    server = FaultyServer(BUILD, top, lease_ms=10000)
    server.rules("call=write ms=100 fault=slow")
    server.start()
    answers = together({n: lambda n=n: server.ask("same", key="key-%d" % n, port=10000 + n) for n in range(20)})
    good = [a for a in answers.values() if a[0] == 200]
    assert len(good) == 1, answers
    assert all(a[0] == 409 for a in answers.values() if a is not good[0]), answers
    assert server.truth()["same"] == [None, good[0][2]]
    expect_sound(server, {"same": good[0][2]})
    assert server.stop() == 0


@test
def a_store_that_fails_now_and_then(top):
    """Every third write and every fifth read, in all ways at once, while 200 serials are asked for until all are answered."""
    server = FaultyServer(BUILD, top, lease_ms=1000)
    server.start()
    answered, serials = {}, ["mixed-%03d" % n for n in range(200)]
    ways = ["unavailable", "unknown-applied", "unknown-not-applied", "unknown-late", "slow"]
    for turn in range(8):
        server.rules(*("call=write skip=%d times=1 ms=30 fault=%s" % (skip, ways[(turn + skip // 3) % 5]) for skip in range(0, 150, 3)),
                     *("call=read skip=%d times=1 fault=unavailable" % skip for skip in range(0, 50, 5)))
        open_ones = [s for s in serials if s not in answered][:60]
        for serial, (status, code, identity) in ask_all(server, open_ones).items():
            if status == 200:
                answered[serial] = identity
            else:
                assert (status, code) in (UNAVAILABLE, LOCALLY, DOUBT, SLOW, (409, "in_progress")), (serial, status, code)
    assert len(answered) > 50 and sum(server.faults(way) for way in ways) > 100
    server.rules()
    early = dict(answered)
    answered.update(settle(server, [s for s in serials if s not in answered]))
    expect_sound(server, answered)
    assert all(server.ask(s)[2] == identity for s, identity in list(early.items())[:20])
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
        top = tempfile.mkdtemp(prefix="pep-faulty-")
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
