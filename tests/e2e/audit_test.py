#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit of the built server: what is in it, that it is a chain, what pep-server audit finds when somebody tampers, and how it survives
a kill. Last line: N passed, N failed.

    audit_test.py [--build FOLDER] [NAME...]
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

BUILD = None
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def equal(seen, expected, what="value"):
    assert seen == expected, "%s: expected %r, seen %r" % (what, expected, seen)


class Place:
    def __init__(self, top):
        self.server = Server(BUILD, top)
        self.file = os.path.join(self.server.data, "audit.jsonl")
        self.server.start()

    def provision(self, serial, status=200, host=9):
        got, headers, body = self.server.request("GET", "/v3/identity?serialNumber=%s&ip=10.0.0.%d" % (serial, host))
        equal(got, status, body)
        return headers

    def records(self, query=""):
        """By the API: whoever asks sees what was done before."""
        status, headers, body = self.server.request("GET", "/v3/audit" + query)
        equal(status, 200, body)
        equal(headers["Content-Type"], "application/x-ndjson")
        return [json.loads(line) for line in body.decode().splitlines()]

    def lines(self):
        with open(self.file, encoding="utf-8") as file:
            return file.read().splitlines()

    def audit(self, *arguments, code=0):
        done = subprocess.run([self.server.binary, "audit", *arguments], capture_output=True, text=True, timeout=60)
        equal(done.returncode, code, "exit code of %s: %s%s" % (arguments, done.stdout, done.stderr))
        return done.stdout

    def verify(self, *arguments, code=0):
        return json.loads(self.audit("verify", "--json", *arguments, self.server.data, code=code))


@test
def what_was_done_is_in_it(top):
    place = Place(top)
    place.provision("S-1")
    place.provision("S-1", 409)
    status, headers, _ = place.server.request("GET", "/v3/export/csv")
    equal(status, 200)
    records = place.records()
    equal([r["event"] for r in records][:4], ["start", "provision", "provision", "export_begun"])
    equal([r["seq"] for r in records], list(range(1, len(records) + 1)))
    equal({r["server"] for r in records}, {"test"})
    first, second = records[1:3]
    equal((first["serial"], first["outcome"], first["code"], first["attempt"]), ("S-1", "deployed", "deployed", 1))
    assert re.fullmatch("A-([0-9A-F]{2}:){31}[0-9A-F]{2}", first["enrollment_id"]), first
    assert first["actor"] and first["request_id"] and first["ms"] >= 0 and first["station"] == "127.0.0.1", first
    equal((second["outcome"], second["code"], second["attempt"]), ("refused", "exists", 0))
    assert "verification" not in json.dumps(records)
    equal(headers["Pep-Audit-Head"], "%d %s" % (records[3]["seq"], records[3]["hash"]))
    # A part of it, and what a head is.
    equal([r["seq"] for r in place.records("?since_seq=1&limit=2")], [2, 3])
    equal(place.records("?since_seq=%d" % len(place.records())), [])
    status, headers, body = place.server.request("HEAD", "/v3/audit")
    equal((status, body, headers["Pep-Audit-Head"].split()[0].isdigit()), (200, b"", True))
    equal(place.server.request("GET", "/v3/audit?limit=0")[0], 400)
    equal(place.server.stop(), 0)
    last = json.loads(place.lines()[-1])
    equal((last["event"], last["exit"]), ("stop", 0))
    equal(os.stat(place.file).st_mode & 0o777, 0o600)


@test
def anybody_can_check_the_chain(top):
    """With nothing but SHA-256, as docs/audit.md says."""
    place = Place(top)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: place.provision("S-%d" % n, host=n + 1), range(20)))
    place.server.stop()
    prev = "0" * 64
    for line in place.lines():
        body, digest = re.fullmatch(r'(.*),"hash":"([0-9a-f]{64})"}', line).groups()
        equal(hashlib.sha256((body + "}").encode()).hexdigest(), digest)
        equal(json.loads(line)["prev"], prev)
        prev = digest
    result = place.verify()
    equal(result, {"sound": True, "first_seq": 1, "seq": len(place.lines()), "head": prev, "torn": 0})
    assert "head %d %s" % (result["seq"], prev) in place.audit("verify", place.file)
    equal(len(place.audit("show", "--serial", "S-7", place.server.data).splitlines()), 1)
    equal(place.audit("show", place.server.data).splitlines(), place.lines())
    equal(place.audit("show", "--config", place.server.conf, "--set", "server.data_dir=" + place.server.data).splitlines(), place.lines())
    equal(place.audit("show", "--since", "2100-01-01", place.server.data), "")
    equal(len(place.audit("show", "--since", "2020-01-01", place.server.data).splitlines()), len(place.lines()))
    place.audit("verify", "--head", "abc", place.server.data, code=2)
    place.audit("verify", os.path.join(top, "nothing"), code=12)
    place.audit("prove", code=2)
    equal(place.audit("verify", "--config", place.server.conf).split(":")[0], "sound")


@test
def tampering_is_found(top):
    place = Place(top)
    for n in range(6):
        place.provision("S-%d" % n)
    head = place.server.request("GET", "/v3/export/csv")[1]["Pep-Audit-Head"]
    equal(place.verify("--head", head)["sound"], True, "while the server runs")
    place.server.stop()
    lines = place.lines()
    published = int(head.split()[0])

    def expect(changed, kind, seq, line, *arguments):
        with open(place.file, "w", encoding="utf-8") as file:
            file.write("".join(text + "\n" for text in changed))
        result = place.verify(*arguments, code=6)
        equal(result["sound"], False)
        equal((result["fault"]["kind"], result["fault"]["seq"], result["fault"].get("line")), (kind, seq, line))
        text = place.audit("verify", *arguments, place.server.data, code=6)
        assert text.startswith("NOT SOUND (%s): record %d " % (kind, seq)), text

    expect(lines[:3] + [lines[3].replace("deployed", "refused!")] + lines[4:], "altered", 4, 4)
    expect(lines[:3] + lines[4:], "lost", 4, 4)
    expect(lines[:3] + [lines[4], lines[3]] + lines[5:], "reordered", 4, 4)
    expect(lines[:5] + [lines[2]] + lines[5:], "duplicated", 3, 6)
    expect(lines[1:], "lost", 1, 1)
    expect(lines[:published - 1], "headless", published, 0, "--head", head)
    # A server that starts on it tells, and goes on; it cannot make it sound.
    with open(place.file, "w", encoding="utf-8") as file:
        file.write("".join(text + "\n" for text in lines[:3] + lines[4:]))
    place.server.start()
    assert json.loads(place.server.request("GET", "/readyz")[2])["checks"]["audit"] == "altered"
    place.provision("S-after")
    equal([r["event"] for r in place.records()][-3:], ["altered", "start", "provision"])
    equal(place.verify(code=6)["fault"]["seq"], 4)
    equal(place.server.stop(), 0)


@test
def a_kill_leaves_a_chain(top):
    place = Place(top)
    for turn in range(4):
        place.provision("S-%d" % turn)
        head = place.server.request("GET", "/v3/export/csv")[1]["Pep-Audit-Head"]
        place.server.kill()
        # What a loss of power may leave: the beginning of a line.
        with open(place.file, "a", encoding="utf-8") as file:
            file.write('{"seq":%d,"time":"2027' % (int(head.split()[0]) + 1))
        place.server.start()
        result = place.verify("--head", head)
        equal((result["sound"], result["torn"]), (True, turn + 1))
    torn = [r for r in place.records() if r["event"] == "torn"]
    assert torn[0]["text"].startswith('{"seq":') and torn[0]["bytes"] == len(torn[0]["text"]), torn
    equal(place.server.stop(), 0)


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
        top = tempfile.mkdtemp(prefix="pep-audit-")
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
