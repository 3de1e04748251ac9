# SPDX-License-Identifier: Apache-2.0
"""Exports into a folder, and cursors: what is complete stays, what is new comes, whatever ends pep-cli when."""
import itertools, json, os, shutil, signal, subprocess

from .place import Place, ends, equal, finish
from .server import LIMIT_S, Reply, problem


def record_id(number):
    return "%024x" % number


def cursor_at(number):
    return "c" * 8 + "%016x" % number


class Store:
    """What a pep-server has to export: records 1 to `count` of `size` bytes. The cursor of a walk is that of the records that it began with."""

    def __init__(self, count, size=10):
        self.count, self.size, self.mishaps = count, size, []

    def line(self, number):
        return b"%0*d\n" % (self.size - 1, number)

    def after(self, fields):
        last, since = fields.get("last", ""), fields.get("since", "")
        return int(last, 16) if last else int(since[8:], 16) if since else 0

    def __call__(self, request):
        mishap = self.mishaps.pop(0) if self.mishaps else None
        if callable(mishap):
            mishap = mishap()
        if isinstance(mishap, Reply):
            return mishap
        first = self.after(request.fields) + 1
        end = min(self.count, first - 1 + int(request.fields["limit"])) if "limit" in request.fields else self.count
        headers = {"Pep-Records": str(end - first + 1), "Content-Disposition": 'attachment; filename="identities.csv"'}
        if "last" not in request.fields:
            headers["Pep-Cursor"] = cursor_at(self.count)
        if end < self.count:
            headers["Pep-Next"] = record_id(end)
        return Reply(200, chunks=[b"head\n"] + [self.line(n) for n in range(first, end + 1)], headers=headers, how=mishap)


def content(place, folder="out"):
    """The complete files and their records."""
    path = os.path.join(place.work, folder)
    found = {}
    for name in sorted(os.listdir(path)):
        if not name.endswith((".state", ".part")):
            with open(os.path.join(path, name), encoding="ascii") as file:
                lines = file.read().splitlines()
            equal(lines[0], "head", name)
            found[name] = [int(line[-9:]) for line in lines[1:]]
    return found


def test_folder_pages_then_only_what_is_new(place):
    store = Store(7)
    server = place.serve(store)
    argv = ["export", "-p", "portal", "-l", "3", "-o", "out/"]
    ended = ends(place.run(argv + ["--json"]), 0)
    first = {"csv-portal-0001.csv": [1, 2, 3], "csv-portal-0002.csv": [4, 5, 6], "csv-portal-0003.csv": [7]}
    equal(content(place), first)
    result = ended.json()
    equal([result[key] for key in ("folder", "files", "records", "bytes", "cursor")], ["out", sorted(first), 7, 85, cursor_at(7)])
    equal([request.fields for request in server.requests],
          [{"profile": "portal", "limit": "3"}, {"profile": "portal", "limit": "3", "last": record_id(3)},
           {"profile": "portal", "limit": "3", "last": record_id(6)}])
    assert "nothing new" in ends(place.run(argv), 0).err
    equal(content(place), first)
    # Moved away files are not missed, an existing folder needs no slash.
    os.unlink(os.path.join(place.work, "out", "csv-portal-0003.csv"))
    store.count = 9
    ends(place.run(["export", "-p", "portal", "-S", "deployed", "-o", "out"]), 0)
    equal(content(place), {"csv-portal-0001.csv": [1, 2, 3], "csv-portal-0002.csv": [4, 5, 6], "csv-portal-0004.csv": [8, 9]})
    equal(server.requests[-1].fields, {"profile": "portal", "limit": "100000", "since": cursor_at(7)})


def test_folder_without_records_has_no_file(place):
    place.serve(Store(0))
    ends(place.run(["export", "-o", "out/"]), 0)
    equal(content(place), {})


def test_folder_goes_on_after_a_lost_connection(place):
    for mishap, code in ((Reply(how="lose"), 4), ("cut", 4), (problem(503, "storage_unavailable"), 11), (problem(422, "not_exportable"), 1)):
        shutil.rmtree(os.path.join(place.work, "out"), ignore_errors=True)
        store = Store(5)
        server = place.serve(store)
        argv = ["export", "-l", "2", "-o", "out/"]
        store.mishaps = [None, mishap]
        ends(place.run(argv), code)
        equal(content(place), {"csv-0001.csv": [1, 2]})
        # What comes meanwhile is in this walk or in the next, which begins where this one began to read.
        store.count = 6
        assert "continuing behind csv-0001" in ends(place.run(argv), 0).err
        equal(content(place), {"csv-0001.csv": [1, 2], "csv-0002.csv": [3, 4], "csv-0003.csv": [5, 6]})
        ends(place.run(argv), 0)
        equal(server.requests[-1].fields["since"], cursor_at(5))
        equal(content(place)["csv-0004.csv"], [6])


def test_folder_goes_on_after_kill(place):
    # Killed within each request in turn, and in between, by the records that a page has already.
    for page, at in itertools.product(range(4), (0, 1, 2)):
        shutil.rmtree(os.path.join(place.work, "out"), ignore_errors=True)
        store = Store(7)
        server = place.serve(store)
        running = []

        def strike(server=server, running=running, at=at):
            # The reply hangs after `at` lines, so that the kill finds it there.
            return Reply(200, chunks=[b"head\n"] + [b"%d\n" % n for n in range(at)] +
                         [lambda: running[0].kill(), lambda: server.ended.wait(0.05)], headers={"Pep-Records": "2"})
        store.mishaps = [None] * page + [strike]
        argv = ["export", "-l", "2", "-o", "out/"]
        running.append(place.start(argv))
        equal(finish(running[0]).code, -signal.SIGKILL)
        equal(len(content(place)), page)
        ends(place.run(argv), 0)
        equal(content(place), {"csv-0001.csv": [1, 2], "csv-0002.csv": [3, 4], "csv-0003.csv": [5, 6], "csv-0004.csv": [7]}, (page, at))


STRIKE = """
/* Kills the process before the KILL_AT-th call that changes a folder or flushes something. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void count(void)
{
	static long calls;
	const char *at = getenv("KILL_AT");
	if (at && ++calls == strtol(at, NULL, 10))
		kill(getpid(), SIGKILL);
}
#define STRUCK(type, name, parameters, arguments) \
	type name parameters { count(); return ((type (*) parameters)dlsym(RTLD_NEXT, #name)) arguments; }
STRUCK(int, rename, (const char *a, const char *b), (a, b))
STRUCK(int, renameat2, (int c, const char *a, int d, const char *b, unsigned e), (c, a, d, b, e))
STRUCK(int, link, (const char *a, const char *b), (a, b))
STRUCK(int, unlink, (const char *a), (a))
STRUCK(int, fsync, (int a), (a))
STRUCK(int, close, (int a), (a))
"""


def test_folder_killed_at_every_step_on_disk(place):
    place.serve(Store(3))
    with open(os.path.join(place.top, "strike.c"), "w", encoding="ascii") as file:
        file.write(STRIKE)
    strike = os.path.join(place.top, "strike.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", strike, os.path.join(place.top, "strike.c"), "-ldl"], check=True)
    options = place.env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    argv, expected = ["export", "-l", "2", "-o", "out/"], {"csv-0001.csv": [1, 2], "csv-0002.csv": [3]}
    out = os.path.join(place.work, "out")
    for point in itertools.count(1):
        shutil.rmtree(out, ignore_errors=True)
        ended = place.run(argv, LD_PRELOAD=strike, ASAN_OPTIONS=options, KILL_AT=str(point))
        if ended.code == 0:
            break
        equal(ended.code, -signal.SIGKILL, ended.err)
        seen = content(place) if os.path.isdir(out) else {}
        equal(seen, {name: expected[name] for name in seen}, "complete files before call %d" % point)
        ends(place.run(argv), 0)
        equal(content(place), expected, "after a kill before call %d" % point)
        equal(sorted(os.listdir(out)), sorted(expected) + ["csv.state"])
    assert point > 20, point


def test_folder_files_are_below_ten_million_bytes(place):
    # 40 records of 900,000 bytes: 11 fit. The limit goes 40, 20, 10.
    store = Store(40, size=900000)
    server = place.serve(store)
    argv = ["export", "-l", "40", "-o", "out/"]
    ends(place.run(argv), 0)
    equal([len(records) for records in content(place).values()], [10] * 4)
    equal([request.fields["limit"] for request in server.requests], ["40", "20", "10", "10", "10", "10"])
    store.count = 41
    ends(place.run(argv), 0)
    equal(server.requests[-1].fields["limit"], "10")
    # A file of 10,000,000 bytes is too large, one byte less is not.
    for size, code in ((10000000 - 5, 1), (10000000 - 6, 0)):
        place.serve(Store(1, size=size))
        ended = ends(place.run(["export", "-l", "2", "-o", "out%d/" % size]), code)
        assert code == 0 or "10000000 bytes" in ended.err, ended.err


def test_folder_of_something_else_is_refused(place):
    store = Store(3)
    server = place.serve(store)
    ends(place.run(["export", "-p", "portal", "-o", "out/"]), 0)
    asked = len(server.requests)
    ends(place.run(["export", "-p", "portal", "-c", "production", "-o", "out/"]), 2)
    ends(place.run(["export", "-p", "portal", "-o", "out/"], PEP_SERVER_URL=server.url + "/other"), 2)
    for argv in (["-S", "all"], ["-t", record_id(1)], ["-C", "cursor"], ["-l", "0"], ["-l", "many"], ["-e", "a/b"], ["-p", ".."]):
        ends(place.run(["export", "-o", "out/"] + argv), 2)
    equal(len(server.requests), asked)
    # Another profile is another export; what is in the way stays.
    place.put("out/csv-legacy-0001.csv", "mine")
    ends(place.run(["export", "-p", "legacy", "-o", "out/"]), 12)
    with open(os.path.join(place.work, "out", "csv-legacy-0001.csv"), encoding="ascii") as file:
        equal(file.read(), "mine")
    os.unlink(os.path.join(place.work, "out", "csv-legacy-0001.csv"))
    ends(place.run(["export", "-p", "legacy", "-o", "out/"]), 0)
    equal(content(place)["csv-legacy-0001.csv"], [1, 2, 3])
    place.put("out/csv-portal.state", "{}")
    ends(place.run(["export", "-p", "portal", "-o", "out/"]), 12)
    place.put("file", "")
    ends(place.run(["export", "-o", "file/"]), 12)
    ends(place.run(["export", "-o", "no/such/"]), 12)


def test_folder_with_two_at_once(place):
    store = Store(3)
    stub = place.serve(Reply(how="hang"), store)
    first = place.start(["export", "-o", "out/"])
    stub.wait_for_request()
    ended = ends(place.run(["export", "-o", "out/", "--json"]), 1)
    equal((ended.json()["code"], ended.json()["retryable"]), ("folder_busy", True))
    first.send_signal(signal.SIGINT)
    ends(finish(first), 130)
    equal(content(place), {})
    ends(place.run(["export", "-o", "out/"]), 0)
    equal(content(place), {"csv-0001.csv": [1, 2, 3]})


def test_folder_needs_a_server_that_counts(place):
    place.serve(Reply(200, chunks=[b"head\n1\n"]))
    ends(place.run(["export", "-o", "out/"]), 11)
    equal(content(place), {})


def read(place, name):
    with open(os.path.join(place.work, name), encoding="ascii") as file:
        return file.read()


def test_cursor_file(place):
    store = Store(3)
    server = place.serve(store)
    ends(place.run(["export", "-C", "cursor", "-o", "x"]), 0)
    equal((read(place, "x"), read(place, "cursor")), ("head\n" + "".join(store.line(n).decode() for n in (1, 2, 3)), cursor_at(3) + "\n"))
    equal(server.requests[0].fields, {})
    store.count = 4
    # To stdout too; the cursor after everything is out.
    equal(ends(place.run(["export", "--cursor-file", "cursor"]), 0).out, "head\n" + store.line(4).decode())
    equal((server.requests[1].fields, read(place, "cursor")), ({"since": cursor_at(3)}, cursor_at(4) + "\n"))
    for mishap, code in ((Reply(how="lose"), 4), ("cut", 4), (Reply(200, chunks=[b"x"]), 11)):
        store.mishaps = [mishap]
        ends(place.run(["export", "-C", "cursor", "-o", "x"]), code)
        equal((len(read(place, "x").splitlines()), read(place, "cursor")), (4, cursor_at(4) + "\n"))
    with open("/dev/full", "wb") as full:
        ends(finish(place.start(["export", "-C", "cursor"], stdout=full)), 12)
    equal(read(place, "cursor"), cursor_at(4) + "\n")
    place.put("cursor", "")
    ends(place.run(["export", "-C", "cursor", "-o", "x"]), 0)
    equal(server.requests[-1].fields, {})
    asked = len(server.requests)
    for argv in (["-s", cursor_at(1)], ["-l", "1"], ["-t", record_id(1)], ["-T", "2027-01-01"], ["-S", "all"]):
        ends(place.run(["export", "-C", "cursor", "-o", "x"] + argv), 2)
    place.put("cursor", "nonsense\n")
    ends(place.run(["export", "-C", "cursor", "-o", "x"]), 12)
    ends(place.run(["export", "-C", "no/such", "-o", "x"]), 12)
    equal(len(server.requests), asked)


def test_export_says_cursor_and_next(place):
    place.serve(Store(3))
    result = ends(place.run(["export", "-l", "2", "-o", "x", "--json"]), 0).json()
    equal([result[key] for key in ("records", "cursor", "next")], [2, cursor_at(3), record_id(2)])
    ended = ends(place.run(["export", "-l", "2", "-t", record_id(2), "-o", "x", "--json"]), 0)
    equal(json.dumps(sorted(set(ended.json()) & {"records", "cursor", "next"})), '["records"]')
    assert "--last " + record_id(2) in ends(place.run(["export", "-l", "2", "-o", "x"]), 0).err


def test_headers_that_are_none(place):
    wrong = {"Pep-Cursor": "../../etc/passwd", "Pep-Next": "zz", "Pep-Records": "-3", "Content-Disposition": 'a; filename="x./../y"'}
    place.serve(Reply(200, chunks=[b"head\n"], headers=wrong))
    result = ends(place.run(["export", "-o", "x", "--json"]), 0).json()
    equal(set(result) & {"records", "cursor", "next"}, set())
    place.serve(Reply(200, chunks=[b"head\n1\n"], headers=dict(wrong, **{"Pep-Records": "1"})))
    with_suffix = ends(place.run(["export", "-o", "out/", "--json"]), 0).json()
    equal(with_suffix["files"], ["csv-0001"])
