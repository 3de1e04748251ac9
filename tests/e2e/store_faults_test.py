#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built pep-server, its database, and a proxy between them that delays, cuts, freezes and refuses. Never a false 200, no identity
lost or double, an answer in time, and ready again without a restart. Last line: N passed, N failed, N skipped.

    store_faults_test.py [--build FOLDER] [--store NAME]... [--cuts N] [--offsets N] [--deadline MS] [--seed N] [NAME...]
"""
import argparse
import os
import random
import shutil
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fault_proxy import REPLIES, REQUESTS  # noqa: E402
from faulty import ask_all, expect_sound, settle, together, until  # noqa: E402
from server import build_folder  # noqa: E402
from store_faults import STEPS, Line, Load, Mongo, Postgres, StoreServer  # noqa: E402

TESTS = []
READY_LIMIT_S = 10
# An answer that needs several calls of the store has to wait for at most so many that hang, one after the other.
HANGING_CALLS = {"lookup": 1, "list": 1, "export": 1, "provision": 4}


def test(function):
    TESTS.append(function)
    return function


class World:
    """A database, a server on an empty store of it, and the clients' line."""

    def __init__(self, options, top, database, is_hasty):
        self.options, self.database, self.proxy, self.rng = options, database, database.proxy, random.Random(options.seed)
        self.deadline_ms = options.deadline if is_hasty else None
        database.proxy.heal()
        self.server = StoreServer(options.build, top, database, database.fresh(self.deadline_ms))
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


@test
def the_reply_of_each_write_cut_at_each_byte(world):
    """The write is done, its answer breaks off; what became of it is read back, so the answer is the right one."""
    cases, whole = [], []
    for step in STEPS:
        size = cut_one(world, step)
        offsets = range(1, size)
        whole.append((step, size))
        if world.options.offsets:
            offsets = world.rng.sample(offsets, min(world.options.offsets, size - 1))
        cases += [(step, offset) for offset in offsets]
    world.rng.shuffle(cases)
    for first in range(0, len(cases), 16):
        serials = {"cut-%s-%d" % case: case for case in cases[first:first + 16]}
        fired = world.proxy.fired
        for serial, (step, offset) in serials.items():
            world.proxy.cut_reply(world.database.write_match(serial, step), offset)
        for serial, (status, code, identity) in ask_all(world.server, serials).items():
            assert status == 200, (serial, status, code)
            world.line.answered[serial] = identity
        assert world.proxy.fired == fired + len(serials), "%d cuts were made, not %d" % (world.proxy.fired - fired, len(serials))
        world.proxy.heal()
    # The whole reply, and the reset with it: the step is known, but it is the next one that finds the connection gone.
    for step, size in whole:
        world.proxy.cut_reply(world.database.write_match("whole-" + step, step), size)
        world.line.ask(7000, "whole-" + step)
        world.proxy.heal()
    truth = world.server.truth()
    assert all(truth[s] == [None, identity] for s, identity in world.line.answered.items()), "a gateway was touched twice"
    world.finish()


def cut_one(world, step):
    """The reply to this step is cut before its first byte. Returns the reply's size."""
    serial = "none-of-" + step
    world.proxy.cut_reply(world.database.write_match(serial, step), 0)
    status, code, identity = world.server.ask(serial)
    assert status == 200, (serial, status, code)
    world.line.answered[serial] = identity
    return len(world.proxy.lost[-1])


@test
def cuts_after_some_bytes(world):
    """Each connection that is at that byte breaks, whatever it is that it carries: logins, writes, pages of a list."""
    for _ in range(3):
        world.line.ask(7000)
    cuts = [(direction, world.rng.choice((world.rng.randrange(64), world.rng.randrange(1024), world.rng.randrange(8192))))
            for direction in (REQUESTS, REPLIES) for _ in range(world.options.cuts // 2)]
    world.rng.shuffle(cuts)
    for turn, (direction, after) in enumerate(cuts):
        if turn % 4 == 0:
            world.proxy.reset()  # so that logins are cut, too
        world.proxy.cut(direction, after, count=world.rng.choice((1, 2, 4)))
        together({"ask": lambda: world.line.ask(10000), "again": lambda: world.line.ask(10001), "look": world.line.look,
                  "list": world.line.listing, "export": world.line.export})
        world.proxy.heal()
    assert world.proxy.fired > len(cuts) // 4, "only %d cuts were made" % world.proxy.fired
    world.expect_in_time()
    world.finish()


@test
def every_connection_cut_under_load(world):
    with Load(world.line):
        for _ in range(20):
            time.sleep(world.rng.uniform(0, 0.1))  # a random moment of the load
            world.proxy.reset()
        until(lambda: len(world.line.answered) > 20, "some are answered")
    world.expect_in_time()
    world.finish()


@test
def a_slow_network(world):
    """Each packet waits, for less than the deadlines: slow, and nothing else."""
    world.proxy.delay(0.02)
    with Load(world.line):
        until(lambda: len(world.line.answered) > 20, "some are answered", 60)
    wrong = {told: count for told, count in world.line.told.items() if told[1] != 200}
    assert not wrong, wrong
    world.finish()


@test
def a_network_slower_than_the_deadlines(world):
    """Requests arrive when nobody waits for them any more, and may still be carried out."""
    world.line.ask(7000)
    with Load(world.line):
        for direction in (REQUESTS, REPLIES):
            until(lambda: world.server.is_ready(), "ready", READY_LIMIT_S)
            world.proxy.delay((world.deadline_ms or 3000) * 2 / 1000 + 2, direction)
            refused = sum(count for (_, status, _), count in world.line.told.items() if status == 503)
            until(lambda: sum(count for (_, status, _), count in world.line.told.items() if status == 503) > refused + 16, "503", 60)
            world.proxy.heal()
    world.expect_in_time()
    world.finish()


@test
def a_frozen_network(world):
    """Nothing comes and nothing goes, for longer than every deadline: clients are told so in time, and the rest of the server goes on."""
    world.line.ask(7000)
    with Load(world.line):
        for _ in range(2):
            until(lambda: len(world.line.answered) > 10, "some are answered")
            world.proxy.freeze()
            for _ in range(5):
                start = time.monotonic()
                assert world.server.request("GET", "/healthz", timeout=10)[0] == 200 and time.monotonic() - start < 5
                status, _, _ = world.server.request("GET", "/readyz", timeout=60)
                assert status == 503, status
            world.proxy.heal()
            world.expect_ready()
    world.expect_in_time()
    world.finish()


@test
def a_database_that_refuses(world):
    world.line.ask(7000)
    with Load(world.line):
        for _ in range(3):
            until(lambda: len(world.line.answered) > 10, "some are answered")
            world.proxy.refuse()
            until(lambda: not world.server.is_ready(), "not ready")
            refused = sum(count for (_, status, _), count in world.line.told.items() if status == 503)
            until(lambda: sum(count for (_, status, _), count in world.line.told.items() if status == 503) > refused + 16, "503", 60)
            world.proxy.heal()
            world.expect_ready()
    world.expect_in_time()
    world.finish()


@test
def stopping_while_the_database_is_away(world):
    """The end of the server does not wait for a database that does not answer; what was delivered is in the spool, and known later on."""
    world.line.ask(7000)
    with Load(world.line):
        until(lambda: len(world.line.answered) > 5, "some are answered")
        world.proxy.freeze()
        until(lambda: not world.server.is_ready(), "not ready")
    start = time.monotonic()
    assert world.server.stop() == 0
    assert time.monotonic() - start < 25, "the end took %.0f s" % (time.monotonic() - start)
    world.proxy.heal()
    world.server.start()
    world.finish()


def databases(options, top):
    """(name, function that makes it) of each kind that was asked for and whose plugin is built; what cannot be made is skipped, loudly."""
    kinds = {"postgres": lambda: Postgres(top), "mongo": lambda: Mongo(top),
             "mongo-replica-set": lambda: Mongo(top, replica_set="rs0")}
    for name in options.store or kinds:
        if os.path.exists(os.path.join(options.build, "plugins", "lib", name.split("-", maxsplit=1)[0] + ".so")):
            yield name, kinds[name]
        else:
            yield name, None


def run(options, name, database):
    passed = failed = 0
    for function in TESTS:
        if options.names and function.__name__ not in options.names:
            continue
        top, start = tempfile.mkdtemp(prefix="pep-store-faults-"), time.monotonic()
        world = None
        try:
            # Where nothing hangs the plugin's own deadlines do no harm.
            world = World(options, top, database, function is not the_reply_of_each_write_cut_at_each_byte)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--build", default=build_folder("asan"))
    parser.add_argument("--store", action="append", choices=["postgres", "mongo", "mongo-replica-set"])
    parser.add_argument("--cuts", type=int, default=40, help="connections that are cut after a random number of bytes")
    parser.add_argument("--offsets", type=int, default=0, help="so many of the bytes of a reply, at random; 0: each")
    parser.add_argument("--deadline", type=int, default=700, help="the plugins' deadlines in ms; 0: their own defaults")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    options.build, options.deadline = os.path.abspath(options.build), options.deadline or None
    print("seed %d" % options.seed, flush=True)
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="pep-databases-") as top:
        for name, make in databases(options, top):
            try:
                database = make() if make else None
            except RuntimeError as error:
                print("SKIPPED %s: %s" % (name, error))
                database = None
            if not database:
                skipped += 1
                continue
            try:
                good, bad = run(options, name, database)
                passed, failed = passed + good, failed + bad
            finally:
                database.close()
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
