# SPDX-License-Identifier: Apache-2.0
"""Lists and exports: whole or not at all."""
import contextlib, os, pty, select, signal, stat, threading

from .place import PAGE, ends, equal, finish
from .server import LIMIT_S, Reply, problem


def test_the_lists_are_both_there_or_none(place):
    server = place.serve(Reply(200, PAGE))
    os.mkdir(os.path.join(place.work, "l.csv"))
    ends(place.run(["list-enrollment-ids", "-e", "csv", "-f", "l"]), 12)
    equal(server.requests, [])
    os.rmdir(os.path.join(place.work, "l.csv"))

    def answer(request):
        os.mkdir(os.path.join(place.work, "l.csv"))
        return Reply(200, PAGE)
    place.serve(answer)
    place.put("l.json", "before")
    equal(ends(place.run(["list-enrollment-ids", "-e", "csv", "-f", "l"]), 12).out, "")
    equal(place.files(), {"l.json": "before", "l.csv": None})


def test_a_list_that_stdout_does_not_take(place):
    place.serve(Reply(200, PAGE))
    place.put("l.json", "before")
    with open("/dev/full", "wb") as full:
        ends(finish(place.start(["list-enrollment-ids", "-e", "csv", "-f", "l"], stdout=full)), 12)
    equal(place.files(), {"l.json": "before"})


def test_devices_are_not_replaced(place):
    server = place.serve(Reply(200, "x"))
    ends(place.run(["export", "-o", "/dev/null"]), 12)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    equal(server.requests, [])


def test_export_streams_to_stdout(place):
    server = place.serve(Reply(200, chunks=[b"a,b\n", b"1,\xff\n"]))
    process = place.start(["export"])
    out, _ = process.communicate(timeout=LIMIT_S)
    equal((process.returncode, out), (0, b"a,b\n1,\xff\n"))
    equal((server.requests[0].raw_path, place.files()), ("/v3/export/csv", {}))


def test_export_passes_its_options_on(place):
    server = place.serve(Reply(200, "x"))
    ends(place.run(["export", "-e", "a b/../c?", "--state", "in_doubt", "--from", "2024-05-06T07:08:09+02:00", "-T", "1795436385803",
                    "--limit", "7", "--last", "&x", "--output", "-"]), 0)
    equal(server.requests[0].path, "/v3/export/a%20b%2F..%2Fc%3F")
    equal(server.requests[0].fields, {"state": "in_doubt", "from": "2024-05-06T07:08:09+02:00", "to": "1795436385803", "limit": "7",
                                      "last": "&x"})


def test_export_file_appears_whole(place):
    shown = []
    place.serve(Reply(200, chunks=[b"a" * 100000, lambda: shown.append(place.files()["x.csv"]), b"b"]))
    place.put("x.csv", "before")
    ended = ends(place.run(["export", "-o", "x.csv"]), 0)
    equal((ended.out, shown), ("", ["before"]))
    assert "100001 bytes saved at x.csv" in ended.err and "MB/s" not in ended.err, ended.err
    equal(place.files(), {"x.csv": "a" * 100000 + "b"})


def test_export_that_breaks_off_leaves_no_file(place):
    for reply in (Reply(200, chunks=[b"a,b\n", b"1,2\n"], how="cut"), Reply(200, "a,b\n1,2\n", how="cut")):
        place.serve(reply)
        ends(place.run(["export", "-o", "x.csv"]), 4)
        equal(place.files(), {})
        place.put("x.csv", "before")
        ends(place.run(["export", "-o", "x.csv"]), 4)
        equal(place.files(), {"x.csv": "before"})
        os.unlink(os.path.join(place.work, "x.csv"))
    place.serve(Reply(200, "a,b\n1,2\n", how="bare"))
    ends(place.run(["export", "-o", "x.csv"]), 11)
    equal(place.files(), {})


def test_export_errors(place):
    for reply, code in ((problem(404, "not_found"), 13), (problem(400, "bad_argument"), 2), (problem(503, "busy"), 11)):
        place.serve(reply)
        assert "the-detail" in ends(place.run(["export", "-o", "x.csv"]), code).err
        equal(place.files(), {})
    server = place.serve(Reply(200, "x"))
    ends(place.run(["export", "-o", "no/such/x.csv"]), 12)
    equal(server.requests, [])


def test_export_interrupted(place):
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        begun = threading.Event()
        server = place.serve(Reply(200, chunks=[b"a" * 100000, begun.set, lambda: server.ended.wait(LIMIT_S)]))
        process = place.start(["export", "-o", "x.csv"])
        assert begun.wait(LIMIT_S)
        process.send_signal(number)
        ends(finish(process), code)
        equal(place.files(), {})


def test_export_waits_as_long_as_something_comes(place):
    pause = threading.Event()
    place.serve(Reply(200, chunks=sum(([b"x", lambda: pause.wait(0.4)] for _ in range(5)), [])))
    equal(ends(place.run(["export"], PEP_TIMEOUT="1"), 0).out, "xxxxx")
    server = place.serve(Reply(200, chunks=[b"x", lambda: server.ended.wait(LIMIT_S)]))
    ends(place.run(["export", "-o", "x.csv"], PEP_TIMEOUT="1"), 10)
    equal(place.files(), {})


def test_export_to_a_reader_that_left(place):
    server = place.serve(Reply(200, chunks=[b"x" * 65536] * 64))
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = place.start(["export"], stdout=write_end)
    os.close(write_end)
    ends(finish(process), 12)
    equal(len(server.requests), 1)


def test_progress_on_a_terminal_only(place):
    pause = threading.Event()
    chunks = sum(([b"x" * 1000, lambda: pause.wait(0.25)] for _ in range(4)), [])
    for argv, term, shown in ((["export", "-o", "x"], "xterm", True), (["export", "-o", "x"], "dumb", False),
                              (["export", "-o", "x", "--quiet"], "xterm", False), (["export", "-o", "x", "--json"], "xterm", False)):
        place.serve(Reply(200, chunks=chunks))
        ours, theirs = pty.openpty()
        process = place.start(argv, stderr=theirs, TERM=term)
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # EIO is the end of a terminal
            while select.select([ours], [], [], LIMIT_S)[0]:
                seen += os.read(ours, 4096) or os.abort()
        os.close(ours)
        ends(finish(process), 0)
        equal((b"MB/s" in seen, b"\x1b" in seen), (shown, shown), (argv, term, seen))
