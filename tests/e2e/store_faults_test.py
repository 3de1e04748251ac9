#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built pep-server, its database, and a proxy between them that delays, cuts, freezes and refuses. Never a false 200, no identity
lost or double, an answer in time, and ready again without a restart. Last line: N passed, N failed, N skipped.

    store_faults_test.py [--build FOLDER] [--store NAME]... [--cuts N] [--offsets N] [--deadline MS] [--seed N] [NAME...]
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fault_proxy import REPLIES, REQUESTS  # noqa: E402
from faulty import ask_all, together, until  # noqa: E402
from store_faults import READY_LIMIT_S, STEPS, Load, parser_of, run_tests  # noqa: E402

TESTS = []


def test(function):
    TESTS.append(function)
    return function


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


the_reply_of_each_write_cut_at_each_byte.deadline_ms = None  # nothing hangs, and nothing is refused because the machine is slow


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
        world.expect_ready()
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


a_slow_network.deadline_ms = None


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
def many_readers_while_the_database_is_away(world):
    """They do not wait for it one behind the other."""
    world.line.ask(7000)
    for fault in (world.proxy.refuse, world.proxy.freeze):
        fault()
        until(lambda: not world.server.is_ready(), "not ready")
        together({number: world.line.look for number in range(80)})
        world.proxy.heal()
        world.expect_ready()
    assert world.line.told == {("provision", 200, None): 1, ("lookup", 503, "storage_unavailable"): 160}, world.line.told
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


for replicated in (the_reply_of_each_write_cut_at_each_byte, every_connection_cut_under_load, a_frozen_network):
    replicated.is_replicated = True


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--cuts", type=int, default=40, help="connections that are cut after a random number of bytes")
    parser.add_argument("--offsets", type=int, default=24, help="so many of the bytes of a reply, at random; 0: each")
    return run_tests(TESTS, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
