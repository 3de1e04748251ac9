# SPDX-License-Identifier: Apache-2.0
"""The bench of a bad day (i of tests/bench/run): many who watch, many who are slow, and gateways that take a connection and then say
nothing, all at once, with the limits of a configuration that says nothing of them."""
import asyncio
import json
import multiprocessing
import socket
import sys
import threading
import time

from common import LOOKUP, status, wrk
from fcc import start

TABS, SLOW, DEAD = 20, 400, 64
# Where they come from: no address may have more than connections_per_address. wrk and the probe have 127.0.0.1 for themselves.
SLOW_FROM = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
TABS_FROM, DEAD_FROM = "127.0.0.6", "127.0.0.7"
SLOW_REQUEST = b"GET /v3/enrollment-id?serialNumber=BENCH-00000001 HTTP/1.1\r\nHost: bench\r\nX-Slow: " + b"y" * 3600
PROBE_S, ARRIVE_S = 0.02, 60
GONE = (ConnectionError, asyncio.IncompleteReadError)


class Crowd:
    """All of them, in a process of their own. Counts what they have seen."""

    def __init__(self, port, gateway_port):
        self.port, self.gateway_port, self.tasks = port, gateway_port, []
        self.seen = {"events": 0, "cut": 0, "refused": 0, "dead": 0, "other": 0}
        self.present, self.all_present = 0, asyncio.Event()

    def arrived(self):
        self.present += 1
        if self.present == TABS + SLOW + DEAD:
            self.all_present.set()

    def connect(self, address):
        return asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))

    async def tab(self):
        while True:
            reader, writer = await self.connect(TABS_FROM)
            writer.write(b"GET /v3/events HTTP/1.1\r\nHost: bench\r\n\r\n")
            await reader.readuntil(b"event: status\n")
            self.arrived()
            while line := await reader.readline():
                self.seen["events"] += line.startswith(b"event:")
            self.seen["other"] += 1
            writer.close()

    async def slow_one(self, address, counted):
        reader, writer = await self.connect(address)
        end = asyncio.ensure_future(reader.read())
        for byte in SLOW_REQUEST:
            writer.write(bytes([byte]))
            if counted:
                self.arrived()
                counted = False
            done, _ = await asyncio.wait([end], timeout=1)
            if done:
                break
        writer.close()
        return await end

    async def slow(self, number):
        """A byte each second until the server has had enough; then from the beginning. Not all in the same moment."""
        await asyncio.sleep(number / SLOW)
        counted = True
        while True:
            try:
                answer = await self.slow_one(SLOW_FROM[number % len(SLOW_FROM)], counted)
            except GONE:
                answer = b""
            counted = False
            self.seen["refused" if answer.startswith(b"HTTP/1.1 503") else "cut"] += 1

    async def dead(self, number):
        """A station that wants a gateway provisioned that does not answer; then the next one."""
        turn = 0
        while True:
            reader, writer = await self.connect(DEAD_FROM)
            writer.write(b"GET /v3/identity?serialNumber=DEAD-%d-%d&ip=127.1.0.%d&port=%d HTTP/1.1\r\nHost: bench\r\n"
                         b"Connection: close\r\n\r\n" % (number, turn, number + 1, self.gateway_port))
            if turn == 0:
                self.arrived()
            answer = await reader.read()
            self.seen["dead" if b"\r\nPep-Error: in_doubt\r\n" in answer else "other"] += 1
            writer.close()
            turn += 1

    async def stay(self, pipe):
        for make, count in ((self.tab, TABS), (self.slow, SLOW), (self.dead, DEAD)):
            self.tasks += [asyncio.ensure_future(make(*([number] if make != self.tab else []))) for number in range(count)]
        leave = asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        arrival = asyncio.ensure_future(self.all_present.wait())
        while not leave.done():
            done, _ = await asyncio.wait([*self.tasks, leave, arrival], return_when=asyncio.FIRST_COMPLETED)
            for task in done & set(self.tasks):
                task.result()  # none of them ends but by an exception
            if arrival in done:
                pipe.send("here")
                arrival = asyncio.ensure_future(asyncio.Event().wait())
        arrival.cancel()
        for task in self.tasks:
            task.cancel()
        pipe.send(self.seen)


def crowd_process(port, gateway_port, here, pipe):
    here.close()  # so that it ends when the bench does

    async def run():
        await Crowd(port, gateway_port).stay(pipe)
    asyncio.run(run())


class Probe:
    """GET /healthz again and again, each on a connection of its own, as who looks after the server does it."""

    def __init__(self, port):
        self.port, self.took, self.leave = port, [], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def ask(self):
        begin = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            answer = connection.recv(4096)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError("bench: /healthz: %r" % answer)
        self.took.append((time.perf_counter() - begin) * 1000)

    def run(self):
        while not self.leave.wait(PROBE_S):
            self.ask()

    def end(self):
        """Median, 99th percentile and worst, in ms."""
        self.leave.set()
        self.thread.join()
        took = sorted(self.took)
        return took[len(took) // 2], took[len(took) * 99 // 100], took[-1]


def listen_silently():
    """The kernel takes connections for it, at every loopback address, and nobody reads them."""
    silent = socket.socket()
    silent.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    silent.bind(("", 0))
    silent.listen(4096)
    return silent


def look(server, seconds, top=None):
    """Lookups per second (no load without `top`), and what /healthz took meanwhile."""
    probe, rate = Probe(server.port), 0
    if top:
        rate, _ = wrk("http://127.0.0.1:%d" % server.port, LOOKUP.format(count=100000), top, seconds, 16)
    else:
        time.sleep(seconds)
    return rate, probe.end()


def running(server):
    return json.loads(server.request("GET", "/v3/status")[2])["queue"]["running"]


def say_health(what, health):
    print("    /healthz %s: median %.1f ms, p99 %.1f, worst %.1f" % ((what,) + health), flush=True)


def bench_crowd(build, top, seconds):
    server = start(build, top, "i", "", 100000)
    silent = listen_silently()
    here, there = multiprocessing.Pipe()
    crowd = multiprocessing.Process(target=crowd_process, args=(server.port, silent.getsockname()[1], here, there), daemon=True)
    before, alone = look(server, seconds, top)
    memory = status(server.process.pid, "VmRSS")
    crowd.start()
    there.close()
    if not here.poll(ARRIVE_S):
        server.kill()
        sys.exit("bench: they were not all there after %d s; see %s" % (ARRIVE_S, server.log_file))
    here.recv()
    _, unloaded = look(server, max(seconds, 11))  # longer than header_timeout: slow ones have been cut and are there again
    under_way = running(server)
    meanwhile, loaded = look(server, seconds, top)
    under_way = min(under_way, running(server))
    most = status(server.process.pid, "VmHWM")
    here.send("leave")
    seen = here.recv()
    crowd.join()
    while running(server):
        time.sleep(0.1)
    after, _ = look(server, seconds, top)
    server.stop()
    silent.close()
    idle = (before + after) / 2
    print("(i) %d who watch /events, %d who send a byte a second, %d gateways that are silent, at once" % (TABS, SLOW, DEAD))
    print("    they saw %d events; %d slow ones were cut and came again, %d were told busy; %d gateways given up, at least %d under way; "
          "%d surprises" % (seen["events"], seen["cut"], seen["refused"], seen["dead"], under_way, seen["other"]))
    say_health("with lookups, without them all", alone)
    say_health("with them all, without lookups", unloaded)
    say_health("with them all and lookups (goal: under 100)", loaded)
    print("    lookups meanwhile %.0f/s; before and after %.0f/s; ratio %.2f (goal: at least 0.5)" % (meanwhile, idle, meanwhile / idle))
    print("    memory %.1f MB before, at most %.1f MB (goal: under 64)" % (memory, most), flush=True)
