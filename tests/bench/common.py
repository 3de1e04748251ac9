# SPDX-License-Identifier: Apache-2.0
"""What the benches share: a server with records in it, load, what it costs, and how a figure is printed."""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))
from server import Server  # noqa: E402

LOOKUP = """\
local n = 0
request = function()
  n = n + 7919
  return wrk.format("GET", "/v3/enrollment-id?serialNumber=BENCH-" .. string.format("%08d", n % {count}))
end
"""
PROVISION = """\
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
function init() n = 0 end
request = function()
  n = n + 1
  local host = id * 4000000 + n
  return wrk.format("GET", string.format("/v3/identity?serialNumber=LINE-%d-%08d&ip={net}.%d.%d.%d&port={port}", id, n,
    math.floor(host / 65536) % 256, math.floor(host / 256) % 256, host % 256))
end
"""


def say(letter, what, ours, yardstick, ratio, goal):
    print("(%s) %s\n    pep-server %s; yardstick %s; ratio %s (goal: %s)" % (letter, what, ours, yardstick, ratio, goal), flush=True)


def fill(path, count, base_ms=1790000000000):
    """Deployed records straight into a store that the server has made; one each millisecond."""
    import sqlite3
    db = sqlite3.connect(path)
    names = [r[1] for r in db.execute("PRAGMA table_info(identity)")]
    db.execute("PRAGMA synchronous=OFF")
    first = db.execute("SELECT count(*) FROM identity").fetchone()[0]

    def row(n):
        hexed = "%064X" % (n * 0x9E3779B97F4A7C15 % 2**256)
        known = {"serial": "BENCH-%08d" % n, "state": 4, "revision": 4, "created_ms": base_ms + n, "deployed_ms": base_ms + 500 + n,
                 "lease_until_ms": 0, "attempt": 1, "contacted": 1, "before": 0, "generation": 0,
                 "dispatch_id": "%08x%06x%010x" % (base_ms // 1000 + n // 1000, n % 1000, n),
                 "enrollment_id": "A-" + ":".join(hexed[i:i + 2] for i in range(0, 64, 2)),
                 "hardware_version": "izuma-edge-gateway", "radio_config": "00", "led_config": "01", "category": "production",
                 "api_address": "https://api.us-east-1.mbedcloud.com",
                 "gateway_services_address": "https://gateways.us-east-1.mbedcloud.com", "verification_key": "verification-key-does-not-exist",
                 "nonce": "%032x" % n, "owner": "bench/1", "request_digest": "%064x" % n, "station": "127.0.0.1", "request_id": "b-%d" % n}
        return [known.get(name) for name in names]
    with db:
        db.executemany("INSERT INTO identity VALUES (%s)" % ",".join("?" * len(names)), (row(n) for n in range(first, count)))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("ANALYZE")
    db.close()


def wrk(url, script, top, seconds, connections, strict=False):
    """Requests per second, and the 99th percentile as wrk writes it. strict: anything but an answer of 200 is the end."""
    path = os.path.join(top, "load.lua")
    with open(path, "w", encoding="ascii") as f:
        f.write(script)
    out = subprocess.run(["wrk", "-t2", "-c%d" % connections, "-d%ds" % seconds, "--latency", "-s", path, url], check=True,
                         capture_output=True, text=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if bad or "Socket errors" in out:
        note = " ".join(line.strip() for line in out.splitlines() if "Non-2xx" in line or "Socket" in line)
        if strict:
            sys.exit("bench: " + note)
        print("    note: " + note)
    return float(re.search(r"Requests/sec:\s*([\d.]+)", out).group(1)), re.search(r"99%\s+(\S+)", out).group(1)


def status(pid, key):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(re.search(r"^%s:\s+(\d+) kB" % key, f.read(), re.M).group(1)) / 1024


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        parts = f.read().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def fresh(build, top, name, count=0, **extra):
    server = Server(build, os.path.join(top, name), log_file=os.path.join(top, name + ".log"), **extra)
    if count:
        server.start()
        server.stop()
        fill(os.path.join(server.data, "pep.db"), count)
    server.start()
    return server
