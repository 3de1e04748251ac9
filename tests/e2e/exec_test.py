#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built pep-server exports through programs: the one in the manual, and those that hang, flood, crash and dawdle. Last line: N passed,
N failed.

    exec_test.py [--build FOLDER] [NAME...]
"""
import argparse
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

BUILD = None
TESTS = []
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test(function):
    TESTS.append(function)
    return function


def python_of(text):
    """The program of the manual."""
    return re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)


def make(top, program, more="", gateways=0, **extra):
    """A running server whose exporter `it` runs the program, with some gateways."""
    server = Server(BUILD, top, **extra)
    path = os.path.join(top, "program.py")
    with open(path, "w", encoding="utf-8") as f:
        f.write(program)
    with open(server.conf, "a", encoding="utf-8") as f:
        f.write("  - name: it\n    plugin: exec\n    command: %s -u %s%s\n%s"
                % (sys.executable, path, "" if "command:" in more else " " + top, "".join("    %s\n" % line for line in more.splitlines())))
    server.start()
    for i in range(gateways):
        status, _, body = server.request("POST", "/v3/identity", {"serialNumber": "GW-%03d" % i, "ip": "127.0.0.1", "port": 7000 + i})
        assert status == 200, body
    return server


def export(server, arguments=""):
    """(status, headers, body, whole)"""
    try:
        status, headers, body = server.request("GET", "/v3/export/it" + arguments, timeout=60)
        return status, headers, body, True
    except http.client.IncompleteRead as error:
        return 200, {}, error.partial, False


def gone(pid):
    try:
        os.kill(pid, 0)
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            return f.read().split(") ")[1].startswith("Z")
    except (OSError, IndexError):
        return True


def until(what, seconds=30):
    """Until something holds that nothing tells us of."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not become true in %d s" % seconds
        threading.Event().wait(0.02)


def said(server, words):
    until(lambda: any(words in line for line in server.log))


def still_works(server):
    status, _, body = server.request("POST", "/v3/identity", {"serialNumber": "AFTER", "ip": "127.0.0.1", "port": 9000})
    assert status == 200, body
    assert server.stop() == 0


ECHO = "import sys\nfor line in sys.stdin: print(line, end='')\n"


@test
def the_program_of_the_manual(top):
    with open(os.path.join(TOP, "docs", "plugins", "exec.md"), encoding="utf-8") as f:
        manual = f.read()
    program = python_of(manual)
    assert program.count("\n") <= 24, "the example of the manual is to be short"
    server = make(top, program, "media_type: application/xml\nsuffix: xml", gateways=3)
    status, headers, body, whole = export(server)
    assert status == 200 and whole, body
    assert headers["Content-Type"] == "application/xml"
    assert headers["Content-Disposition"] == 'attachment; filename="identities.xml"'
    labels = xml.etree.ElementTree.fromstring(body)
    assert [label.get("serial") for label in labels] == ["GW-000", "GW-001", "GW-002"]
    assert all(label.get("id").startswith("A-") for label in labels)
    # It says no, before anything was sent.
    status, _, body, _ = export(server, "?category=nothing-has-it")
    assert status == 500, (status, body)
    said(server, "no gateway to print a label for")
    still_works(server)


@test
def a_line_is_the_object_of_the_json_exporter(top):
    server = make(top, ECHO, gateways=5)
    _, _, body, whole = export(server)
    assert whole
    _, _, array = server.request("GET", "/v3/export/json")
    assert [json.loads(line) for line in body.splitlines()] == json.loads(array)
    still_works(server)


@test
def one_that_hangs_keeps_nobody_else_waiting(top):
    program = ("import os, sys, time\nopen(sys.argv[1] + '/begun', 'w')\n"
               "while not os.path.exists(sys.argv[1] + '/go'): time.sleep(0.02)\nprint('done')\n")
    server = make(top, program, gateways=1, server="workers: 1")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(export(server)))
    thread.start()
    until(lambda: os.path.exists(os.path.join(top, "begun")))
    # The program may be silent for 30 s; none of these waits for it.
    for path in ("/v3/readyz", "/v3/enrollment-id?serialNumber=GW-000"):
        status, _, body = server.request("GET", path, timeout=15)
        assert status == 200, (path, body)
    with open(os.path.join(top, "go"), "w", encoding="utf-8"):
        pass
    thread.join()
    status, _, body, whole = answers[0]
    assert status == 200 and whole and body == b"done\n", answers
    still_works(server)


@test
def it_may_write_before_it_reads_and_much_more(top):
    # Both pipes are full before it reads a byte; then 100 kB for each line; then 5 MB when its input has ended.
    program = ("import sys\nout = sys.stdout\nout.write('x' * 3000000)\nout.flush()\n"
               "for line in sys.stdin:\n    out.write('y' * 100000)\n    out.flush()\nout.write('z' * 5000000)\n")
    server = make(top, program, gateways=20)
    status, _, body, whole = export(server)
    assert status == 200 and whole
    assert body == b"x" * 3000000 + b"y" * 2000000 + b"z" * 5000000, len(body)
    still_works(server)


@test
def many_records_in_flat_memory(top):
    # Its answer is as large as what it got; the server has no room for either.
    server = make(top, ECHO, gateways=1)
    count = 20000
    import sqlite3  # pylint: disable=import-outside-toplevel
    assert server.stop() == 0
    db = sqlite3.connect(os.path.join(server.data, "pep.db"))
    columns = [row[1] for row in db.execute("PRAGMA table_info(identity)") if row[1] not in ("id", "serial", "dispatch_id", "enrollment_id")]
    names = ", ".join(columns)
    db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO identity (serial, dispatch_id, "
               "enrollment_id, %s) SELECT 'X-' || i, printf('%%024x', i), 'A-' || i, %s FROM n, (SELECT * FROM identity LIMIT 1)"
               % (count, names, names))
    db.commit()
    db.close()
    server.start()
    status, _, body, whole = export(server)
    assert status == 200 and whole
    assert body.count(b"\n") == count + 1
    still_works(server)


@test
def a_slow_reader_is_waited_for(top):
    server = make(top, "import sys\nsys.stdin.read()\nsys.stdout.write('z' * 8000000)\n", "silence: 500ms\ntimeout: 2s", gateways=1)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /v3/export/it HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        size, slow_until = 0, time.monotonic() + 3
        while True:
            part = connection.recv(16384 if time.monotonic() < slow_until else 1 << 20)
            if not part:
                break
            size += len(part)
            if time.monotonic() < slow_until:
                threading.Event().wait(0.05)
    assert size > 8000000, size
    still_works(server)


@test
def one_that_hangs_is_killed_with_its_children(top):
    program = ("import os, subprocess, sys, time\nchild = subprocess.Popen(['sleep', '1000'])\n"
               "open(sys.argv[1] + '/pids', 'w').write('%d %d\\n' % (os.getpid(), child.pid))\ntime.sleep(1000)\n")
    server = make(top, program, "silence: 500ms", gateways=2)
    begun = time.monotonic()
    status, _, body, _ = export(server)
    assert status == 500 and time.monotonic() - begun < 20, (status, body)
    with open(os.path.join(top, "pids"), encoding="ascii") as f:
        pids = [int(pid) for pid in f.read().split()]
    until(lambda: all(gone(pid) for pid in pids))
    said(server, "neither read nor wrote")
    still_works(server)


@test
def one_that_dawdles_is_killed_by_the_time_limit(top):
    program = "import sys, time\nsys.stdin.read()\nwhile True:\n    print('.', flush=True)\n    time.sleep(0.05)\n"
    server = make(top, program, "silence: 5s\ntimeout: 1s", gateways=1)
    begun = time.monotonic()
    status, _, body, _ = export(server)
    assert status == 500 and time.monotonic() - begun < 20, (status, body)
    said(server, "took longer than 1000 ms")
    still_works(server)


@test
def a_flood_stops_at_the_reader(top):
    program = "import os, sys\nopen(sys.argv[1] + '/pids', 'w').write(str(os.getpid()))\nwhile True: os.write(1, b'f' * 65536)\n"
    server = make(top, program, "timeout: 1h", gateways=1)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /v3/export/it HTTP/1.1\r\nHost: x\r\n\r\n")
        size = 0
        while size < 20000000:
            size += len(connection.recv(1 << 20))
    with open(os.path.join(top, "pids"), encoding="ascii") as f:
        pid = int(f.read())
    until(lambda: gone(pid))
    still_works(server)


@test
def a_crash_breaks_the_transfer_off(top):
    for number, (end, words) in enumerate((("sys.exit(3)", "exit code 3"), ("os.kill(os.getpid(), 11)", "signal 11"),
                                           ("os.kill(os.getpid(), 9)", "signal 9"))):
        for size in (10, 3000000):
            program = "import os, sys\nsys.stdin.read()\nsys.stdout.write('p' * %d)\nsys.stdout.flush()\n%s\n" % (size, end)
            server = make(os.path.join(top, "%d-%d" % (number, size)), program, gateways=1)
            status, _, body, whole = export(server)
            assert status == 500 if size == 10 else not whole, (end, size, status, whole)
            said(server, words)
            still_works(server)


@test
def a_crash_in_the_middle_ends_the_walk(top):
    server = make(top, "import sys\nsys.stdin.readline()\nsys.stdin.close()\nimport os\nos.close(0)\nsys.exit(4)\n", gateways=10)
    status, _, _, _ = export(server)
    assert status == 500
    said(server, "exit code 4")
    still_works(server)


@test
def it_may_stop_reading_and_be_content(top):
    server = make(top, "import os, sys\nprint(sys.stdin.readline()[:1])\nos.close(0)\nprint('enough')\nsys.stdout.flush()\nos._exit(0)\n",
                  gateways=10)
    status, _, body, whole = export(server)
    assert (status, body, whole) == (200, b"{\nenough\n", True)
    still_works(server)


@test
def a_reader_that_leaves_kills_it(top):
    program = ("import os, sys\nopen(sys.argv[1] + '/pids', 'w').write(str(os.getpid()))\nsys.stdin.read()\n"
               "while True: sys.stdout.write('x' * 10000)\n")
    server = make(top, program, gateways=1)
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(b"GET /v3/export/it HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(1000)
    connection.close()
    with open(os.path.join(top, "pids"), encoding="ascii") as f:
        pid = int(f.read())
    until(lambda: gone(pid))
    still_works(server)


@test
def what_it_says_is_logged_and_bounded(top):
    program = ("import sys\nprint('first\\x1b[31m line', file=sys.stderr)\nfor i in range(20000): print('noise %d' % i, file=sys.stderr)\n"
               "for line in sys.stdin: pass\nprint('done')\n")
    server = make(top, program, gateways=1)
    status, _, body, whole = export(server)
    assert (status, body, whole) == (200, b"done\n", True)
    said(server, "is dropped")
    lines = [line for line in server.log if "says: " in line]
    assert "first" in lines[0] and "\x1b" not in lines[0], lines[0]
    assert len(lines) < 3000, len(lines)
    still_works(server)


@test
def it_has_nothing_of_the_server(top):
    program = ("import json, os, signal, sys\nsys.stdin.read()\nprint(json.dumps({'env': dict(os.environ), 'fds': sorted(int(n) for n in "
               "os.listdir('/proc/self/fd')), 'cwd': os.getcwd(), 'argv': sys.argv[1:], 'own': os.getpgid(0) == os.getpid(), "
               "'blocked': sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "
               "'pipe': [l for l in open('/proc/self/status') if l.startswith('SigIgn')]}))\n")
    os.environ["PEP_TEST_SECRET"] = "must not get there"
    try:
        server = make(top, program, "environment: A=b C=", gateways=1)
    finally:
        del os.environ["PEP_TEST_SECRET"]
    status, _, body, _ = export(server)
    assert status == 200, server.log[-3:]
    found = json.loads(body)
    found["env"].pop("LC_CTYPE", None)  # Python's own
    assert found["env"] == {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "A": "b", "C": ""}, found["env"]
    assert len(found["fds"]) == 4 and found["fds"][:3] == [0, 1, 2], found["fds"]  # and the folder's own
    assert found["cwd"] == "/" and found["argv"] == [top] and found["own"] and not found["blocked"]
    still_works(server)


@test
def several_at_once(top):
    server = make(top, ECHO, gateways=10)
    bodies = []

    def one():
        bodies.append(export(server)[2])
    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 8 and len(set(bodies)) == 1 and bodies[0].count(b"\n") == 10
    still_works(server)


@test
def commands_are_checked(top):
    cases = [("command: labels.py", "whole path"), ("environment: A", "NAME=VALUE"), ("suffix: 'a\"b'", "suffix"),
             ("silnce: 1s", "silence")]
    for number, (more, words) in enumerate(cases):
        server = Server(BUILD, os.path.join(top, str(number)))
        with open(server.conf, "a", encoding="utf-8") as f:
            f.write("  - name: it\n    plugin: exec\n%s    %s\n" % ("" if "command" in more else "    command: /bin/cat\n", more))
        done = subprocess.run([server.binary, "--config", server.conf], capture_output=True, text=True, timeout=60)
        assert done.returncode == 3 and words in done.stderr, (more, done.returncode, done.stderr)
    server = Server(BUILD, os.path.join(top, "absent"))
    with open(server.conf, "a", encoding="utf-8") as f:
        f.write("  - name: it\n    plugin: exec\n    command: /nowhere/labels\n")
    server.start()
    assert export(server)[0] == 500
    said(server, "/nowhere/labels cannot be started: No such file")
    still_works(server)


def main():
    global BUILD
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--build", default=build_folder("asan"))
    options = parser.parse_args()
    BUILD = os.path.abspath(options.build)
    passed = failed = 0
    for function in TESTS:
        if options.names and function.__name__ not in options.names:
            continue
        top = tempfile.mkdtemp(prefix="pep-exec-")
        try:
            function(top)
            passed += 1
        except Exception:
            failed += 1
            print("FAIL %s: %s" % (function.__name__, traceback.format_exc(limit=-2)), flush=True)
        finally:
            shutil.rmtree(top, ignore_errors=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
