#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built pep-server under load of 16 clients while its database is stopped, killed, paused and started again. Never a false 200, no
identity lost or double, reads go on where they can, and ready again without a restart. Last line: N passed, N failed, N skipped.

    store_faults_restart_test.py [--build FOLDER] [--store NAME]... [--rounds N] [--deadline MS] [--seed N] [NAME...]
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faulty import until  # noqa: E402
from postgres_server import DATABASE, USER  # noqa: E402
from store_faults import Load, parser_of, run_tests  # noqa: E402

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def rounds_of(world, away, back):
    """Again and again, each time at another moment of the load."""
    world.line.ask(7000)
    with Load(world.line):
        for _ in range(world.options.rounds):
            before = len(world.line.answered)
            until(lambda: len(world.line.answered) > before + 5, "some are answered")
            time.sleep(world.rng.uniform(0, 0.1))  # a random moment
            away()
            try:
                until(lambda: not world.server.is_ready(), "not ready")
                assert world.server.request("GET", "/healthz", timeout=10)[0] == 200
            finally:
                back()
            world.expect_ready()
    world.expect_in_time()
    answered = world.finish()
    assert len(answered) > 5 * world.options.rounds


@test
def a_database_that_is_stopped(world):
    rounds_of(world, world.database.server.stop, world.database.server.start)


@test
def a_database_that_is_killed(world):
    rounds_of(world, world.database.server.kill, world.database.server.start)


@test
def a_database_that_is_paused(world):
    rounds_of(world, world.database.server.pause, world.database.server.wake)


@test
def a_table_that_cannot_be_written(world):
    """Somebody holds a lock: what writes is refused in time, reads go on as if nothing was."""
    server = world.database.server
    world.line.ask(7000)
    with Load(world.line):
        until(lambda: len(world.line.answered) > 10, "some are answered")
        holder = subprocess.Popen([os.path.join(server.bin, "psql"), "-X", "-q", "-h", server.folder, "-p", str(server.port), "-U", USER,
                                   "-d", DATABASE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=server.folder)
        holder.stdin.write("BEGIN; LOCK TABLE s%d.identity IN EXCLUSIVE MODE; SELECT 'held';\n" % world.database.number)
        holder.stdin.flush()
        until(lambda: "held" in holder.stdout.readline(), "the lock")
        reads = {told: count for told, count in world.line.told.items() if told[0] != "provision"}
        refused = sum(count for told, count in world.line.told.items() if told[:2] == ("provision", 503))
        until(lambda: sum(count for told, count in world.line.told.items() if told[:2] == ("provision", 503)) > refused + 10, "503")
        holder.stdin.close()
        holder.wait()
    assert all(status == 200 for _, status, _ in (told for told in world.line.told if told[0] != "provision")), world.line.told
    grown = {told for told, count in world.line.told.items() if told[0] != "provision" and count > reads.get(told, 0)}
    assert len(grown) == 3, "not every kind of read went on: %s" % grown
    world.finish()


a_table_that_cannot_be_written.stores = ["postgres"]  # the others have no such locks


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.direct = True
    return run_tests(TESTS, options, ("postgres", "mongo"))


if __name__ == "__main__":
    sys.exit(main())
