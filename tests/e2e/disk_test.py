#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built pep-server on SQLite and a disk that is full, read-only or broken: 503 and never a false 200, no identity lost or double, reads
go on, ready again when the disk is, without a restart. Last line: N passed, N failed, N skipped.

    disk_test.py [--build FOLDER] [NAME...]

Small file systems are mounted in a namespace of the test's own, which needs no rights where the kernel allows user namespaces. A
library that fails writes and syncs (disk_fault.c) is loaded before the C library for the rest.
"""
import argparse
import errno
import mmap
import os
import resource
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faulty import SLOW, WatchedServer, ask_all, expect_sound, settle, until  # noqa: E402
from server import build_folder  # noqa: E402

BUILD = None
TESTS = []
INSIDE = "PEP_TEST_NAMESPACE"
NO_ROOM = ((503, "storage_unavailable"), (503, "recorded_locally"), (500, "in_doubt"), (409, "in_progress"), SLOW)


class Skip(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


def expect_honest(server, answers):
    """A 200 is on record and in the gateway; all else says what it is. serial -> enrollment identity of the 200s."""
    for serial, (status, code, _) in answers.items():
        assert status == 200 or (status, code) in NO_ROOM, (serial, status, code)
    good = {s: a[2] for s, a in answers.items() if a[0] == 200}
    expect_sound(server, good)
    return good


def expect_reads(server, serial, identity):
    assert server.request("GET", "/healthz")[0] == 200
    assert server.known(serial) == identity
    assert server.request("GET", "/v3/enrollment-ids")[0] == 200
    # An export is audited, and where that cannot be written there is none.
    status, headers, body = server.request("GET", "/v3/export/csv")
    assert (status == 200 and identity.encode() in body) or (status, headers.get("Pep-Error")) == (503, "storage_unavailable"), status


def expect_end(server):
    """It stops in order, and leaves a whole file."""
    assert server.stop() == 0, server.log[-5:]
    db = sqlite3.connect(server.database)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


# --- a small file system ---

def mount(folder, options):
    if not os.environ.get(INSIDE):
        raise Skip("no mount namespace can be made here")
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "pep-test", folder], check=True, capture_output=True)


def fill_up(path):
    """To the last byte."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    size = 1 << 20
    while size:
        try:
            if os.write(fd, b"b" * size) < size:
                size //= 2
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
            size //= 2
    os.close(fd)


@test
def a_full_disk_and_room_again(top):
    server = WatchedServer(BUILD, top)
    mount(server.data, "size=24m")
    server.start()
    first = server.ask("first")[2]
    ballast, answered, refused = os.path.join(server.data, "ballast"), {"first": first}, 0
    for turn in range(4):
        serials = ["full-%d-%03d" % (turn, n) for n in range(150)]
        fill_up(ballast)
        for start in range(0, len(serials), 50):
            answers = ask_all(server, serials[start:start + 50])
            answered.update(expect_honest(server, answers))
            refused += sum(a[0] != 200 for a in answers.values())
        assert refused, "the disk was not full"
        assert not server.is_ready()
        expect_reads(server, "first", first)
        os.unlink(ballast)
        until(server.is_ready, "ready again")
        answered.update(settle(server, serials))
        expect_sound(server, answered)
    expect_end(server)


@test
def a_read_only_disk_at_start(top):
    server = WatchedServer(BUILD, top)
    mount(server.data, "size=24m")
    server.start()
    identity = server.ask("kept")[2]
    assert server.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", server.data], check=True)
    done = subprocess.run([server.binary, "--config", server.conf], capture_output=True, text=True, timeout=60)
    lines = [line for line in done.stderr.splitlines() if line and "msg=stopped" not in line]
    assert done.returncode == 12 and len(lines) == 1 and server.data in lines[0], (done.returncode, lines)
    assert "ead-only" in lines[0] or "cannot be written" in lines[0], lines
    subprocess.run(["mount", "-o", "remount,rw", server.data], check=True)
    server.start()
    expect_sound(server, {"kept": identity})
    expect_end(server)


# --- a limit of the process ---

@test
def files_that_may_not_grow_and_then_may(top):
    """RLIMIT_FSIZE, lifted while the server runs."""
    server = WatchedServer(BUILD, top)
    built, server.binary = server.binary, os.path.join(top, "limited")
    with open(server.binary, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\ntrap '' XFSZ\nexec '%s' \"$@\"\n" % built)
    os.chmod(server.binary, 0o755)
    server.start()
    first = server.ask("first")[2]
    answered = {"first": first}
    for turn in range(3):
        # Less than there is already, so that it does not matter where in the log the next write goes.
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
        serials = ["limit-%d-%02d" % (turn, n) for n in range(60)]
        answers = ask_all(server, serials)
        answered.update(expect_honest(server, answers))
        assert any(a[0] != 200 for a in answers.values()), "there was room"
        expect_reads(server, "first", first)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        until(server.is_ready, "ready again")
        answered.update(settle(server, serials))
        expect_sound(server, answered)
    expect_end(server)


# --- a disk that fails at a chosen write ---

class Disk:
    """The page that disk_fault.c looks at."""
    FORM = "iiii"

    def __init__(self, server, only_database=False):
        self.path = os.path.join(server.folder, "disk")
        with open(self.path, "wb") as f:
            f.write(bytes(struct.calcsize(self.FORM)))
        with open(self.path, "r+b") as f:
            self.page = mmap.mmap(f.fileno(), struct.calcsize(self.FORM))
        asan = os.environ.get("ASAN_OPTIONS", "")
        self.env = {"LD_PRELOAD": os.path.join(BUILD, "tests", "e2e", "disk_fault.so"), "PEP_DISK_FAULT": self.path,
                    "PEP_DISK_FAULT_FOLDER": os.path.realpath(server.data),
                    "ASAN_OPTIONS": asan + (":" if asan else "") + "verify_asan_link_order=0"}

    def fail(self, write=0, sync=0, good=0):
        """From the next call but `good` on, writes or syncs report this errno."""
        self.page[:] = struct.pack(self.FORM, 0, 0, 0, 0)
        self.page[8:12] = struct.pack("i", good)
        self.page[0:8] = struct.pack("ii", write, sync)

    def heal(self):
        """How many calls have failed."""
        made = struct.unpack(self.FORM, self.page)[3]
        self.page[0:8] = struct.pack("ii", 0, 0)
        return made


def sweep(top, least, **fault):
    """The disk fails from the nth call on, for every n of one identity, while one gateway after the other comes. least: calls that one
    identity has at any rate."""
    server = WatchedServer(BUILD, top, lease_ms=1000)
    disk = Disk(server)
    server.start(disk.env)
    first = server.ask("first")[2]
    answered, failed, codes = {"first": first}, 0, set()
    while failed == len(answered) - 1:  # the last one did not get to its fault
        good = failed
        serial = "sweep-%03d" % good
        disk.fail(good=good, **fault)
        answer = server.ask(serial)
        codes.add(answer[:2])
        expect_reads(server, "first", first)
        made = disk.heal()
        failed += made > 0
        expect_honest(server, {serial: answer})
        assert made or answer[0] == 200, (serial, answer)
        until(server.is_ready, "ready again")
        answered.update(settle(server, [serial]))
    expect_sound(server, answered)
    assert failed >= least, "only %d calls failed" % failed
    assert (503, "storage_unavailable") in codes, codes
    expect_end(server)


@test
def no_space_at_each_write(top):
    sweep(top, 8, write=errno.ENOSPC)


@test
def a_disk_that_became_read_only_at_each_write(top):
    sweep(top, 8, write=errno.EROFS)


@test
def an_io_error_at_each_write(top):
    sweep(top, 8, write=errno.EIO)


@test
def a_failed_sync_at_each_sync(top):
    sweep(top, 4, sync=errno.EIO)


@test
def a_broken_disk_under_load(top):
    """All at once: 50 clients, a disk that comes and goes in every way, one server."""
    server = WatchedServer(BUILD, top, lease_ms=1000)
    disk = Disk(server)
    server.start(disk.env)
    first = server.ask("first")[2]
    answered, made = {"first": first}, 0
    faults = [{"write": errno.ENOSPC}, {"write": errno.EROFS}, {"write": errno.EIO}, {"sync": errno.EIO}]
    for turn in range(12):
        serials = ["load-%02d-%02d" % (turn, n) for n in range(50)]
        disk.fail(good=turn * 5, **faults[turn % 4])
        answers = ask_all(server, serials)
        made += disk.heal()
        answered.update(expect_honest(server, answers))
        until(server.is_ready, "ready again")
        answered.update(settle(server, serials))
    expect_sound(server, answered)
    assert made > 12
    expect_end(server)


def run_tests(names):
    passed = failed = skipped = 0
    for function in TESTS:
        if names and function.__name__ not in names:
            continue
        top = tempfile.mkdtemp(prefix="pep-disk-")
        try:
            function(top)
            passed += 1
        except Skip as why:
            skipped += 1
            print("SKIPPED %s: %s" % (function.__name__, why), flush=True)
        except Exception:
            failed += 1
            print("FAIL %s: %s" % (function.__name__, traceback.format_exc(limit=-2)), flush=True)
        finally:
            if os.path.ismount(os.path.join(top, "data")):
                subprocess.run(["umount", "-l", os.path.join(top, "data")], check=False)
            shutil.rmtree(top, ignore_errors=True)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


def main():
    global BUILD
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--build", default=build_folder("asan"))
    options = parser.parse_args()
    BUILD = os.path.abspath(options.build)
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if not os.environ.get(INSIDE) and shutil.which("unshare") and subprocess.run(unshare + ["true"], capture_output=True).returncode == 0:
        os.execvpe(unshare[0], unshare + [sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    return run_tests(options.names)


if __name__ == "__main__":
    sys.exit(main())
