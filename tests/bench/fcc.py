# SPDX-License-Identifier: Apache-2.0
"""The benches of the fcc injector (f, g, h of tests/bench/run). Their gateways are pep-bench-gateway, which looks at nothing, so that the
injector is measured and not the simulator; how it does with pep-fcc-sim is a note."""
import json
import os
import resource
import selectors
import socket
import sqlite3
import subprocess
import sys
import threading
import time

from common import LOOKUP, PROVISION, cpu_seconds, fill, say, status, wrk
from fcc_line import OPTIONS
from server import Server

INJECTIONS = 64
MANY, DELAY_S = 1000, 5
# What 1,000 gateways at once need; the connections are twice injections + injection_queue, and those of wrk beside them.
LIMITS = "injections: %d\ninjection_queue: 64\nconnections: 2400\nconnections_per_address: 1200" % MANY
DEPLOYED = 4


class Gateways:
    """pep-bench-gateway: one process, any number of gateways at 127.x.y.z."""

    def __init__(self, build, delay_s=0):
        self.program = os.path.join(build, "tests", "bench", "pep-bench-gateway")
        self.process = subprocess.Popen([self.program, "serve", str(int(delay_s * 1000))], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def end(self):
        """(messages answered, size of the last one)"""
        answered, size = self.process.communicate("\n")[0].split()
        return int(answered), int(size)

    def replay(self, count, size):
        """Median and 99th percentile in ms of a tool that does nothing else."""
        out = subprocess.run([self.program, "replay", str(self.port), str(count), str(size)], check=True, capture_output=True).stdout
        return [int(n) / 1000 for n in out.split()]


def children_seconds():
    """CPU of all programs that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bare(build, *arguments):
    program = os.path.join(build, "tests", "bench", "pep-bench-bare")
    return float(subprocess.run([program, *map(str, arguments)], check=True, capture_output=True).stdout)


def start(build, top, name, limits, count=0):
    """A server with the fcc injector, by_tool, a throw-away CA, and so many deployed records."""
    ca = os.path.join(top, name + "-ca")
    subprocess.run([os.path.join(build, "core", "pep-server"), "ca", "init", ca], check=True, stdout=subprocess.DEVNULL)
    server = Server(build, os.path.join(top, name), log_file=os.path.join(top, name + ".log"), server=limits,
                    injector=OPTIONS.format(mode="by_tool", ca=ca))
    with open(server.conf, encoding="utf-8") as f:
        conf = f.read()
    with open(server.conf, "w", encoding="utf-8") as f:
        f.write(conf.replace("plugin: mock", "plugin: fcc"))
    server.start()
    if count:
        server.stop()
        fill(os.path.join(server.data, "pep.db"), count)
        server.start()
    return server


def deployed(server, like):
    db = sqlite3.connect(os.path.join(server.data, "pep.db"))
    try:
        return db.execute("SELECT count(*) FROM identity WHERE state = ? AND serial LIKE ?", (DEPLOYED, like)).fetchone()[0]
    finally:
        db.close()


def expect_equal(what, here, there):
    if here != there:
        sys.exit("bench: %s: %d against %d" % (what, here, there))


def bench_injections(build, top, seconds):
    before = children_seconds()
    keys, spent = [bare(build, "keys", seconds, INJECTIONS)], children_seconds() - before
    server, gateways = start(build, top, "f", "injections: %d\nconnections_per_address: 1000" % INJECTIONS), Gateways(build)
    ours, p99 = wrk("http://127.0.0.1:%d" % server.port, PROVISION.format(net=127, port=gateways.port), top, seconds, INJECTIONS,
                    strict=True)
    cpu = [cpu_seconds(process.pid) * 1e6 for process in (server.process, gateways.process)]
    server.stop()
    count = deployed(server, "LINE-%")
    expect_equal("identities deployed, and messages that gateways took", count, gateways.end()[0])
    injector = alone(build, top, seconds)
    keys.append(bare(build, "keys", seconds, INJECTIONS))
    yardstick = sum(keys) / 2
    say("f", "injections, fcc by_tool, %d in parallel, instant gateways, SQLite; gateways and load on the same cores" % INJECTIONS,
        "%.0f/s (p99 %s)" % (ours, p99), "GnuTLS alone, the key pair and the signature, %d threads: %.0f/s" % (INJECTIONS, yardstick),
        "%.2f" % (ours / yardstick), "at least 0.5")
    print("    note: CPU of one, which others on this machine disturb less: server %.0f us, gateway %.0f us; yardstick %.0f us" %
          (cpu[0] / count, cpu[1] / count, spent * 1e6 / keys[0] / seconds))
    print("    note: the injector without HTTP and store: %.0f/s, ratio %.2f" % (injector, injector / yardstick))
    print("    note: the server with pep-fcc-sim, which looks at everything: %.0f/s" % simulated(build, top, seconds), flush=True)


def alone(build, top, seconds):
    """Injections per second of the plugin itself."""
    gateways = Gateways(build)
    lines = OPTIONS.format(mode="by_tool", ca=os.path.join(top, "f-ca")).splitlines()
    options = [line.replace(": ", "=", 1).replace('"', "") for line in lines]
    rate = subprocess.run([os.path.join(build, "tests", "bench", "pep-bench-inject"), os.path.join(build, "plugins", "lib", "fcc.so"),
                           str(gateways.port), str(seconds), str(INJECTIONS), *options], check=True, capture_output=True).stdout
    gateways.end()
    return float(rate)


def simulated(build, top, seconds):
    """Injections per second where each gateway is a pep-fcc-sim, which also asks."""
    server, count = start(build, top, "f-sim", "injections: %d\nconnections_per_address: 1000" % INJECTIONS), 250 * seconds
    out = subprocess.run([os.path.join(build, "fcc-sim", "pep-fcc-sim"), "--provision", "http://127.0.0.1:%d" % server.port,
                          "--count", str(count), "--stations", str(INJECTIONS), "--json"],
                         check=False, capture_output=True, text=True).stdout
    server.stop()
    line = json.loads(out.splitlines()[-1])
    if line["failed"]:
        sys.exit("bench: with pep-fcc-sim %d of %d failed: %s" % (line["failed"], count, line["failures"]))
    return line["provisioned"] / line["seconds"]


class Callers:
    """Requests for so many identities at once, each on a connection of its own, from this one thread."""

    def __init__(self, port, gateway_port, count):
        self.waiting, self.selector = {}, selectors.DefaultSelector()
        for n in range(count):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
            self.selector.register(caller, selectors.EVENT_WRITE)
            self.waiting[caller] = ("GET /v3/identity?serialNumber=MANY-%06d&ip=127.1.%d.%d&port=%d HTTP/1.1\r\nHost: bench\r\n\r\n" %
                                    (n, n // 250, n % 250 + 1, gateway_port)).encode()

    def step(self, caller):
        """Send what was not sent yet, else take the first line of the answer."""
        if self.waiting[caller]:
            sent = caller.send(self.waiting[caller])
            self.waiting[caller] = self.waiting[caller][sent:]
            if not self.waiting[caller]:
                self.selector.modify(caller, selectors.EVENT_READ)
            return
        answer = caller.recv(65536)
        if not answer.startswith(b"HTTP/1.1 200 "):
            sys.exit("bench: a gateway was not provisioned: %r" % answer[-300:])
        self.selector.unregister(caller)
        caller.close()
        del self.waiting[caller]

    def run(self):
        """Seconds until the last one had its answer."""
        begin = time.monotonic()
        while self.waiting:
            for key, _ in self.selector.select():
                self.step(key.fileobj)
        self.selector.close()
        return time.monotonic() - begin


def bench_thousand(build, top, seconds):
    server, gateways = start(build, top, "g", LIMITS, 100000), Gateways(build, DELAY_S)
    rates, url, pid = [], "http://127.0.0.1:%d" % server.port, server.process.pid

    def lookups():
        rates.append(wrk(url, LOOKUP.format(count=100000), top, max(seconds, DELAY_S + 2), 16, strict=True)[0])
    lookups()
    before = status(pid, "VmRSS")
    load = threading.Thread(target=lookups)
    load.start()
    took = Callers(server.port, gateways.port, MANY).run()
    load.join()
    most = status(pid, "VmHWM")
    lookups()
    server.stop()
    expect_equal("gateways provisioned", deployed(server, "MANY-%"), MANY)
    expect_equal("messages that gateways took", gateways.end()[0], MANY)
    idle = (rates[0] + rates[2]) / 2
    print("(g) %d gateways that each take %d s, at once (%s)" % (MANY, DELAY_S, LIMITS.replace("\n", ", ")))
    print("    all done in %.1f s (goal: under 10), memory %.1f KB each (%.1f to %.1f MB; goal: under 64 KB)" %
          (took, (most - before) * 1024 / MANY, before, most))
    print("    lookups meanwhile %.0f/s; before and after %.0f/s; ratio %.2f (goal: at least 0.7)" %
          (rates[1], idle, rates[1] / idle), flush=True)


def one_by_one(port, gateway_port, count):
    """Sorted times in ms of so many requests, one after the other on one connection."""
    took, line = [], socket.create_connection(("127.0.0.1", port))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for n in range(count):
        request = "GET /v3/identity?serialNumber=ONE-%06d&ip=127.0.0.1&port=%d HTTP/1.1\r\nHost: bench\r\n\r\n" % (n, gateway_port)
        begin = time.perf_counter()
        line.sendall(request.encode())
        answer = line.recv(65536)
        took.append((time.perf_counter() - begin) * 1000)
        if not answer.startswith(b"HTTP/1.1 200 "):
            sys.exit("bench: a gateway was not provisioned: %r" % answer[-300:])
    line.close()
    return sorted(took)


def bench_added(build, top, _seconds):
    count, writes = 200, 3  # claimed, issued, deployed
    server, gateways = start(build, top, "h", ""), Gateways(build)
    took = one_by_one(server.port, gateways.port, count)
    server.stop()
    answered, size = gateways.end()
    expect_equal("messages that gateways took", answered, count)
    gateways = Gateways(build)
    own = gateways.replay(count, size)
    gateways.end()
    commits = writes * 1000 / bare(build, "commits", os.path.join(top, "bare-h.db"), 1000)
    median, p99 = took[count // 2], took[count * 99 // 100]
    print("(h) one injection at a time, %d of them, fcc by_tool, instant gateway: request to answer %.2f ms (p99 %.2f)" %
          (count, median, p99))
    print("    the gateway's own (the same %d bytes from a bare tool) %.2f ms (p99 %.2f); fcc and the server add %.2f ms (p99 %.2f)," %
          (size, own[0], own[1], median - own[0], p99 - own[1]))
    print("    of which %d durable writes, on bare SQLite, take %.2f ms" % (writes, commits), flush=True)
