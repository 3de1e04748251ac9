#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""/status, /events, /metrics and /version of the built server: what happened is what they show. Prints "N passed, N failed".

    glance_test.py [WORD]      WORD: only the tests whose name holds it
"""
import http.client, json, os, re, shutil, subprocess, sys, tempfile, time, traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

BUILD = build_folder("asan")
# A zone in which it is about noon, so that no day ends within a test.
NOON = {"TZ": "NOON%d" % (time.gmtime().tm_hour - 12)}
SAMPLE = re.compile(r'^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.]+)$')


def equal(seen, expected, what="value"):
    assert seen == expected, "%s: expected %.600r, seen %.600r" % (what, expected, seen)


def provision(server, serial, status=200):
    fields = {"serialNumber": serial, "ip": "127.0.0.1"}
    got, _, body = server.request("POST", "/v3/identity", fields)
    equal(got, status, serial + " " + body[:200].decode())


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in ("at_ms", "ms")}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def status_of(server):
    got, headers, body = server.request("GET", "/v3/status")
    equal((got, headers["Content-Type"]), (200, "application/json"))
    return json.loads(body)


def check_metrics(text):
    """What promtool looks at, for where it is not: one HELP and TYPE each, samples behind them, none twice. Returns the samples."""
    samples, types, current = {}, {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            assert current not in types, "twice: " + line
            assert line.split(" ", 3)[3].strip(), "no help: " + line
            types[current] = None
            continue
        if line.startswith("# TYPE "):
            equal(line.split(" ")[2], current)
            types[current] = line.split(" ")[3]
            assert types[current] in ("counter", "gauge", "histogram"), line
            continue
        found = SAMPLE.match(line)
        assert found, "not a sample: " + line
        name = found.group(1)
        family = re.sub(r"_(bucket|sum|count)$", "", name) if types[current] == "histogram" else name
        equal(family, current, line)
        assert types[current] != "counter" or name.endswith("_total"), line
        assert name + (found.group(2) or "") not in samples, "twice: " + line
        samples[name + (found.group(2) or "")] = float(found.group(3))
    assert text.endswith("\n") and None not in types.values()
    return samples


def metrics_of(server):
    got, headers, body = server.request("GET", "/metrics")
    equal((got, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
    return body.decode()


class Watcher:
    """GET /v3/events, line by line."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self.connection.request("GET", "/v3/events")
        self.reply = self.connection.getresponse()
        self.status, self.headers = self.reply.status, self.reply.headers

    def next(self):
        """The JSON of the next event."""
        while True:
            line = self.reply.readline()
            assert line, "the stream has ended"
            if line == b"event: status\n":
                data = self.reply.readline()
                assert data.startswith(b"data: "), data
                equal(self.reply.readline(), b"\n")
                return json.loads(data[6:])
            assert line in (b":\n", b"\n"), line

    def close(self):
        self.reply.close()
        self.connection.close()


def test_version(folder):
    server = Server(BUILD, folder)
    server.start()
    version = json.loads(server.request("GET", "/version")[2])
    equal(version["name"], "pep-server")
    assert re.fullmatch(r"\d+\.\d+", version["abi"]) and re.match(r"\d+\.\d+\.\d+", version["version"])
    assert version["commit"] is None or re.fullmatch(r"[0-9a-f]{7,40}\+?", version["commit"]), version
    equal([(p["kind"], p["plugin"]) for p in version["plugins"]],
          [("storage", "sqlite"), ("injector", "mock"), ("exporter", "csv"), ("exporter", "json")])
    equal(server.stop(), 0)


def test_status_is_what_happened_and_comes_back(folder):
    server = Server(BUILD, folder)
    server.start(NOON)
    provision(server, "A-1")
    provision(server, "A-2")
    provision(server, "A-1", status=409)
    provision(server, "MOCK-REFUSE-1", status=500)
    seen = status_of(server)
    today = seen["today"]
    equal((today["units"], today["attempts"], today["first_pass"], today["failed"]), (2, 4, 2, 2))
    equal((len(seen["hours"]), sum(h["units"] for h in seen["hours"])), (24, 2))
    equal([(f["code"], f["count"]) for f in sorted(seen["failures"], key=lambda f: f["code"])],
          [("exists", 1), ("gateway_refused", 1)])
    equal([r["serial"] for r in seen["recent"]], ["MOCK-REFUSE-1", "A-1", "A-2", "A-1"])
    last = seen["stations"][0]["last"]
    equal((last["serial"], last["outcome"], last["code"]), ("MOCK-REFUSE-1", "failed", "gateway_refused"))
    assert last["detail"] and last["advice"], last
    equal({c["name"]: c["ok"] for c in seen["checks"]}, {"storage": True, "spool": True, "disk": True, "audit": True})
    equal(seen["queue"], {"running": 0, "running_limit": 64, "waiting": 0, "waiting_limit": 128})
    equal(seen["authority"], {"not_after_ms": None})
    equal(server.stop(), 0)
    # Another start: out of the audit, whose clock is read a moment later.
    server.start(NOON)
    again = status_of(server)
    for member in ("today", "recent", "failures", "stations"):
        equal(without_times(again[member]), without_times(seen[member]), member)
    equal(sum(h["units"] for h in again["hours"]), 2)
    equal(server.stop(), 0)


def test_events(folder):
    server = Server(BUILD, folder, server="event_clients: 2")
    server.start()
    watchers = [Watcher(server), Watcher(server)]
    for watcher in watchers:
        equal((watcher.status, watcher.headers["Content-Type"]), (200, "text/event-stream"))
        equal(watcher.next()["today"]["units"], 0)
    status, headers, _ = server.request("GET", "/v3/events")
    equal((status, headers["Pep-Error"]), (503, "busy"))
    provision(server, "E-1")
    for watcher in watchers:
        while watcher.next()["today"]["units"] != 1:
            pass
    # A stop ends the streams as it should, at once, and says so with the last chunk.
    equal(server.stop(), 0)
    for watcher in watchers:
        watcher.reply.read()
        watcher.close()


def test_metrics(folder):
    server = Server(BUILD, folder, exporters="- name: jsonl")
    server.start()
    provision(server, "M-1")
    provision(server, "M-1", status=409)
    provision(server, "MOCK-FAIL-1", status=500)
    equal(server.request("GET", "/v3/export/csv")[0], 200)
    equal(server.request("GET", "/v3/enrollment-id?serialNumber=nobody")[0], 404)
    equal(server.request("GET", "/nothing")[0], 404)
    text = metrics_of(server)
    samples = check_metrics(text)
    for name, number in {
            'pep_injections_total{injector="mock",result="deployed",reason="deployed"}': 1,
            'pep_injections_total{injector="mock",result="refused",reason="exists"}': 1,
            'pep_injections_total{injector="mock",result="failed",reason="injector_failed"}': 1,
            "pep_injection_seconds_count": 2, 'pep_injection_seconds_bucket{le="+Inf"}': 2,
            'pep_exports_total{exporter="csv",result="begun"}': 1, 'pep_exports_total{exporter="csv",result="broken"}': 0,
            'pep_http_requests_total{route="/identity",status="2xx"}': 1,
            'pep_http_requests_total{route="/identity",status="5xx"}': 1,
            'pep_http_requests_total{route="/enrollment-id",status="4xx"}': 1,
            'pep_http_requests_total{route="other",status="4xx"}': 1,
            "pep_queue_depth": 0, "pep_inflight": 0, "pep_spool_entries": 0, "pep_log_dropped_total": 0, "pep_event_clients": 0,
            'pep_check_ok{check="storage"}': 1}.items():
        equal(samples.get(name), number, name)
    assert any(s.startswith("pep_build_info{") for s in samples) and not any("M-1" in s for s in samples)
    assert "pep_order_remaining" not in text and "pep_ca_not_after_seconds" not in text
    if shutil.which("promtool"):
        told = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        equal((told.returncode, told.stdout, told.stderr), (0, "", ""), "promtool")
    equal(server.stop(), 0)
    # What is in the store is counted when the server starts, by a thread that nobody waits for.
    server.start()
    while 'pep_units{state="deployed"} 1\n' not in text:
        text = metrics_of(server)
    equal(check_metrics(text)['pep_units{state="failed"}'], 1)
    equal(server.stop(), 0)


def test_orders(folder):
    server = Server(BUILD, folder)
    server.start()
    status, _, body = server.request("POST", "/v3/orders", {"name": "week-48", "customer": "Acme \"North\"", "quantity": 5,
                                                           "pattern": "O-[0-9]+"})
    assert status in (200, 201), (status, body)
    watcher = Watcher(server)
    while not (orders := watcher.next()["orders"]):
        pass
    equal(orders, [{"name": "week-48", "customer": "Acme \"North\"", "quantity": 5, "done": 0, "reserved": 0, "open": True}])
    provision(server, "O-1")
    provision(server, "X-1", status=403)
    while watcher.next()["orders"][0]["done"] != 1:
        pass
    samples = check_metrics(metrics_of(server))
    equal(samples['pep_order_remaining{order="week-48"}'], 4)
    equal(samples['pep_injections_total{injector="mock",result="refused",reason="not_expected"}'], 1)
    watcher.close()
    equal(server.stop(), 0)


def test_authority(folder):
    ca = os.path.join(folder, "ca")
    subprocess.run([os.path.join(BUILD, "core", "pep-server"), "ca", "init", ca], check=True, stdout=subprocess.DEVNULL)
    server = Server(BUILD, folder)
    with open(server.conf, encoding="utf-8") as f:
        text = f.read()
    certificate, key = os.path.join(ca, "ca.crt"), os.path.join(ca, "ca.key")
    fcc = "\n  ".join(["plugin: fcc", "ca_key: " + key, "ca_certificate: " + certificate,
                       "bootstrap_uri: coaps://bootstrap.example.com:5684", "bootstrap_ca: " + certificate])
    with open(server.conf, "w", encoding="utf-8") as f:
        f.write(text.replace("plugin: mock", fcc))
    server.start()
    ends_ms = status_of(server)["authority"]["not_after_ms"]
    named = re.search(r"^pep_ca_not_after_seconds\{certificate=\"injector\"\} (\d+)$", metrics_of(server), re.MULTILINE)
    equal(int(named.group(1)) * 1000, ends_ms)
    told = subprocess.run([os.path.join(BUILD, "core", "pep-server"), "ca", "inspect", certificate], check=True,
                          capture_output=True, text=True).stdout
    end = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ends_ms // 1000))
    assert end in told, (end, told)
    equal(server.stop(), 0)


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    tests = [(n, f) for n, f in globals().items() if n.startswith("test_") and word in n]
    failed = 0
    for name, test in tests:
        with tempfile.TemporaryDirectory(prefix="pep-glance-") as folder:
            try:
                test(folder)
            except Exception:  # noqa: BLE001 - one failed test must not hide the others
                failed += 1
                print("FAILED " + name)
                traceback.print_exc()
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
