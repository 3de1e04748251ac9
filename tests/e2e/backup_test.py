#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pep-server backup and restore: beside a server that provisions, with damaged files, full disks, servers that were killed.
Last line: N passed, N failed, N skipped.

    backup_test.py [--build FOLDER] [WORD]      WORD: only the tests whose name holds it
"""
import argparse
import contextlib
import glob
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import records  # noqa: E402
import stores  # noqa: E402
from server import Server, build_folder  # noqa: E402

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Place:
    """A folder, a server, and where its store and its backups are."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.server = Server(build, os.path.join(folder, "server"))
        self.store = os.path.join(self.server.data, "pep.db")
        self.file = os.path.join(folder, "backup.db")

    def run(self, command, *arguments, expect=0, says=(), preexec=None):
        done = subprocess.run([self.server.binary, command, "--config", self.server.conf, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=300, check=False, preexec_fn=preexec)
        said = done.stdout + done.stderr
        assert done.returncode == expect, "exit %d instead of %d: %s" % (done.returncode, expect, said)
        for pattern in says:
            assert re.search(pattern, said), "no %r in %r" % (pattern, said)
        return said

    def fill(self, count):
        """A store with so many records of every kind, and no server."""
        self.server.start()
        assert self.server.stop() == 0
        records.fill(self.store, count)

    def provision(self, serial):
        """True: the server says that it is deployed."""
        body = {"serialNumber": serial, "ip": "127.0.0.1"}
        return self.server.request("POST", "/v3/identity", body)[0] == 200

    def kept(self):
        return sorted(glob.glob(self.store + ".before-restore-*Z"))

    def leftovers(self):
        return [name for name in os.listdir(self.folder) if "partial" in name] + glob.glob(self.store + ".restoring*") + glob.glob(self.store + ".incoming*")

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()


def check_file(path):
    """One sound file, its owner's alone."""
    assert oct(os.stat(path).st_mode & 0o777) == "0o600"
    assert not os.path.exists(path + "-wal") and not os.path.exists(path + "-shm") and not os.path.exists(path + "-journal")
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % path, uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA journal_mode").fetchall() == [("delete",)]


@test
def there_and_back(place):
    place.fill(3000)
    before = records.read(place.store, ())
    place.run("backup", place.file, says=["holds 3000 records"])
    check_file(place.file)
    assert records.read(place.file, ()) == before, "revisions, too"
    assert not os.path.exists(place.store + "-wal"), "a clean store stays clean"
    os.unlink(place.store)
    place.run("restore", place.file, says=["3000 records"])
    assert records.read(place.store, ()) == before and not place.kept()
    place.server.start()
    assert place.server.stop() == 0
    assert not place.leftovers()


@test
def while_it_provisions(place):
    """Whatever the server had confirmed before a backup began is in it, deployed."""
    place.server.start()
    confirmed, stop, lock = [], threading.Event(), threading.Lock()

    def station(number):
        i = 0
        while not stop.is_set():
            serial = "S%d-%d" % (number, i)
            i += 1
            if place.provision(serial):
                with lock:
                    confirmed.append(serial)

    threads = [threading.Thread(target=station, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        counts = []
        for number in range(6):
            with lock:
                expected = set(confirmed)
            path = "%s.%d" % (place.file, number)
            place.run("backup", path)
            check_file(path)
            there = records.read(path)
            missing = [serial for serial in expected if there.get(serial, {}).get("state") != records.DEPLOYED]
            assert not missing, missing[:5]
            counts.append(len(there))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert counts == sorted(counts) and counts[-1] > counts[0] and confirmed, counts
    assert place.server.stop() == 0
    now = records.read(place.store)
    assert all(now[serial]["state"] == records.DEPLOYED for serial in confirmed)
    assert not place.leftovers()


@test
def back_to_an_older_one(place):
    place.server.start()
    assert place.provision("OLD-1")
    place.run("backup", place.file)
    assert place.provision("NEW-1")
    place.run("restore", place.file, expect=12, says=["another server .process %d. has it" % place.server.process.pid])
    assert place.provision("NEW-2"), "the server goes on"
    assert place.server.stop() == 0
    said = place.run("restore", place.file, says=["1 records", "is kept as "])
    assert place.kept() and place.kept()[0] in said
    assert set(records.read(place.kept()[0])) == {"OLD-1", "NEW-1", "NEW-2"}
    assert set(records.read(place.store)) == {"OLD-1"}
    place.server.start()
    assert place.server.request("GET", "/v3/enrollment-id?serialNumber=OLD-1")[0] == 200
    assert place.server.request("GET", "/v3/enrollment-id?serialNumber=NEW-1")[0] == 404
    assert place.server.stop() == 0


@test
def after_a_kill(place):
    """What is in the log of a server that was killed is in the backup; a restore keeps that store, log and all."""
    place.server.start()
    assert all(place.provision("K-%d" % i) for i in range(5))
    place.server.kill()
    assert os.path.getsize(place.store + "-wal") > 0
    place.run("backup", place.file, says=["holds 5 records"])
    assert os.path.getsize(place.store + "-wal") > 0, "the next start has to see that it was killed"
    with contextlib.closing(sqlite3.connect(place.file)) as db, db:
        db.execute("DELETE FROM identity WHERE serial <> 'K-0'")
    place.run("restore", place.file, says=["1 records"])
    assert len(records.read(place.kept()[0])) == 5 and set(records.read(place.store)) == {"K-0"}
    place.server.start()
    assert place.server.stop() == 0


@test
def in_place_of_a_damaged_store(place):
    """The log of the damaged store must not get into the new one."""
    place.server.start()
    assert place.provision("D-0")
    place.run("backup", place.file)
    assert all(place.provision("D-%d" % i) for i in range(1, 9))
    place.server.kill()
    with open(place.store, "r+b") as file:
        file.write(os.urandom(4096))
    log = open(place.store + "-wal", "rb").read()
    place.run("restore", place.file, says=["1 records"])
    kept = place.kept()[0]
    assert open(kept + "-wal", "rb").read() == log, "not a byte of it is lost"
    assert set(records.read(place.store)) == {"D-0"} and not os.path.exists(place.store + "-wal")
    place.server.start()
    assert place.server.request("GET", "/v3/enrollment-id?serialNumber=D-0")[0] == 200
    assert place.server.stop() == 0


@test
def a_copy_of_the_file_is_a_backup(place):
    """What people made with cp while the server was stopped."""
    place.fill(100)
    shutil.copy(place.store, place.file)
    place.run("restore", place.file, says=["100 records"])


@test
def no_sound_backup(place):
    place.fill(2000)
    before = records.read(place.store)
    place.run("backup", place.file)
    good = open(place.file, "rb").read()

    def refuse(name, content, *says):
        path = os.path.join(place.folder, name)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        place.run("restore", path, expect=5, says=["nothing was changed", *says])
        assert records.read(place.store) == before and not place.kept() and not place.leftovers(), name

    for number in range(1, 12):
        at = len(good) * number // 12 // 4096 * 4096
        refuse("flipped", good[:at] + bytes(byte ^ 0x5a for byte in good[at:at + 64]) + good[at + 64:], "no sound backup")
    refuse("cut", good[:len(good) // 2], "no sound backup")
    refuse("text", b"this is no backup\n" * 100, "no sound backup")
    refuse("empty", b"", "it is no pep store")
    refuse("gone", None, "No such file")
    with contextlib.closing(sqlite3.connect(place.folder + "/other")) as db, db:
        db.execute("CREATE TABLE identity (serial TEXT)")
    refuse("other", None, "it is no pep store")
    for sql, why in (("PRAGMA user_version = 99", "newer version"), ("DROP INDEX identity_enrollment", "unique index")):
        shutil.copy(place.file, place.folder + "/changed")
        with contextlib.closing(sqlite3.connect(place.folder + "/changed")) as db, db:
            db.execute(sql)
        refuse("changed", None, why)
    shutil.copy(place.file, place.folder + "/hot")
    with open(place.folder + "/hot-wal", "wb") as file:
        file.write(b"x" * 100)
    refuse("hot", None, "in use or after a crash")


@test
def a_damaged_store_gives_no_backup(place):
    place.fill(2000)
    with open(place.store, "r+b") as file:
        file.seek(os.path.getsize(place.store) // 2 // 4096 * 4096)
        file.write(os.urandom(64))
    place.run("backup", place.file, expect=1, says=["no backup was made", "damaged"])
    assert not os.path.exists(place.file) and not place.leftovers()


@test
def nothing_is_overwritten(place):
    place.fill(10)
    with open(place.file, "w", encoding="ascii") as file:
        file.write("precious")
    place.run("backup", place.file, expect=5, says=["is there already"])
    with open(place.file, encoding="ascii") as file:
        assert file.read() == "precious"


@test
def wrong_places(place):
    place.fill(10)
    place.run("backup", os.path.join(place.folder, "no/such/folder/b.db"), expect=1, says=["No such file"])
    place.run("backup", expect=2, says=["Usage: pep-server backup"])
    place.run("restore", "a", "b", expect=2, says=["Usage: pep-server restore"])
    place.run("backup", place.file, "--set", "storage.path=gone.db", expect=12, says=["there is no store", "gone.db"])
    assert not os.path.exists(os.path.join(place.server.data, "gone.db")), "looking makes no store"
    place.run("backup", place.file, "--set", "storage.nonsense=1", expect=3, says=["nonsense"])
    assert not os.path.exists(place.file) and not place.leftovers()


def small_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))


@test
def a_full_disk(place):
    place.fill(3000)
    before = records.read(place.store)
    place.run("backup", place.file, expect=12, says=["cannot write"], preexec=small_files)
    assert not os.path.exists(place.file) and not place.leftovers()
    place.run("backup", place.file)
    place.run("restore", place.file, expect=12, says=["the store is as it was"], preexec=small_files)
    assert records.read(place.store) == before and not place.leftovers() and not place.kept()


@test
def killed_on_the_way(place):
    """A backup has its name when it is whole, and the store is there at every moment of a restore."""
    place.fill(20000)
    whole = len(records.read(place.store))
    place.run("backup", place.file)
    for command, path in (("backup", place.file + ".2"), ("restore", place.file)):
        begin = time.monotonic()
        place.run(command, path)
        took = time.monotonic() - begin
        for part in range(1, 10):
            if command == "backup":
                os.path.exists(path) and os.unlink(path)
            process = subprocess.Popen([place.server.binary, command, "--config", place.server.conf, path], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(took * part / 10)
            process.kill()
            process.wait()
            if os.path.exists(path):
                check_file(path)
            assert len(records.read(place.store)) == whole
    shutil.copy(place.file, place.store + ".restoring")  # as if killed between the last two steps
    place.run("backup", place.file + ".3", expect=12, says=["a restore of it was interrupted", "run pep-server restore again"])
    done = subprocess.run([place.server.binary, "--config", place.server.conf], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 12 and "a restore of it was interrupted" in done.stderr, done.stderr
    place.run("restore", place.file)
    place.server.start()
    assert place.server.stop() == 0


@test
def other_stores_have_their_own_tools(place):
    found, _ = stores.find(place.build, place.folder)
    place.fill(10)
    try:
        for store in found[1:]:
            conf = os.path.join(place.folder, "other.yaml")
            with open(conf, "w", encoding="utf-8") as file:
                file.write("server: {data_dir: %s, plugin_dir: %s/plugins/lib}\nstorage:\n" % (place.server.data, place.build))
                file.writelines("  %s\n" % line for line in store.fresh().splitlines())
            for command in ("backup", "restore"):
                place.run(command, "--config", conf, place.file, expect=5, says=["own tools", "pg_dump", "mongodump"])
            assert not os.path.exists(place.file) and not place.leftovers()
    finally:
        for store in found:
            store.stop()


def run(function, build, folder):
    place = Place(build, folder)
    try:
        function(place)
    except Exception:  # whatever it is, it is this test's failure
        return traceback.format_exc()
    finally:
        place.close()
        shutil.rmtree(folder)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=build_folder("asan"))
    parser.add_argument("word", nargs="?", default="")
    arguments = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="pep-backup-") as top:
        for function in TESTS:
            if arguments.word not in function.__name__:
                continue
            why = run(function, os.path.abspath(arguments.build), tempfile.mkdtemp(dir=top))
            passed, failed = passed + (not why), failed + bool(why)
            print("%-6s %s%s" % ("FAILED" if why else "ok", function.__name__, "\n" + why if why else ""), flush=True)
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
