# SPDX-License-Identifier: Apache-2.0
"""pep-cli doctor, and what pep-cli is made of."""
import http.server
import json
import os
import pty
import subprocess
import threading


def test_links_with_libcurl_and_jansson_alone(board):
    text = subprocess.run(["readelf", "-d", board.cli], check=True, stdout=subprocess.PIPE, text=True).stdout
    needed = {line.split("[")[1].split("]")[0] for line in text.splitlines() if "(NEEDED)" in line}
    extra = {name for name in needed if not name.startswith(("libcurl", "libjansson", "libc.", "libasan", "libubsan", "libtsan", "libgcc_s",
                                                             "libm.", "ld-linux"))}
    assert extra == set() and any(name.startswith("libcurl") for name in needed), needed
    assert os.path.getsize(board.cli) > 0


def doctor(board, *more, code=0, **env):
    """{name: level} of its checks, and the checks."""
    argv = board.argv(*more)
    argv[1] = "doctor"
    before = board.digest()
    process = board.start(argv=argv, **env)
    board.ended = process.communicate(timeout=60)
    assert process.returncode == code, process.returncode
    result = json.loads(board.ended[0])
    assert board.digest() == before, "doctor has changed something"
    assert all(check.get("fix") for check in result["checks"] if check["level"] != "ok"), result
    assert result["failures"] == sum(check["level"] == "fail" for check in result["checks"])
    return {check["name"]: check["level"] for check in result["checks"]}, result["checks"]


def test_doctor_finds_all_well(board):
    os.makedirs(os.path.dirname(board.store))
    levels, checks = doctor(board, *board.with_led(), *board.with_hook())
    assert set(levels.values()) == {"ok"}, checks
    assert set(levels) == {"serial", "server", "clock", "token", "record", "interface", "fcc", "identity-file", "store", "state", "space", "identity",
                           "led", "hook", "service"}, checks


def test_doctor_finds_what_is_wrong(board):
    board.old_identity()
    os.chmod(board.client, 0o644)
    board.put(os.path.join(board.root, "proc", "device-tree", "serial-number"), "0000\n")
    levels, checks = doctor(board, "--parsec", "--led", "/nonexistent", code=1, PEP_SERVER_URL="http://127.0.0.1:1")
    assert {name for name, level in levels.items() if level == "fail"} == {"serial", "server", "fcc", "parsec"}, checks
    assert levels["led"] == levels["identity"] == "warn", checks
    board.use("deb")
    os.symlink("/", os.path.join(board.root, "var/lib/pelion/mbed"))
    levels, checks = doctor(board, "-s", "S-1", code=1)
    assert levels["store"] == "fail", checks


def test_doctor_for_people(board):
    argv = [word for word in board.argv() if word != "--json"]
    argv[1] = "doctor"
    text = board.run(argv=argv)
    assert "\033" not in text and text.endswith(" 0 failures\n"), text
    assert any(line.startswith("ok    server") for line in text.splitlines()), text
    ours, theirs = pty.openpty()
    process = subprocess.Popen(argv, env=dict(board.env, TERM="xterm"), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0 and b"\033[32mok" in shown, shown


def test_doctor_sees_a_clock_that_is_wrong_and_a_token_that_is_unknown(board):
    server = http.server.HTTPServer(("127.0.0.1", 0), Strict)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        levels, checks = doctor(board, code=1, PEP_SERVER_URL="http://127.0.0.1:%d" % server.server_port)
        assert levels["clock"] == "fail" and levels["token"] == "fail" and levels["server"] == "ok", checks
        # Whoever is not let in clears nothing.
        board.old_identity()
        assert board.run(code=5, PEP_SERVER_URL="http://127.0.0.1:%d" % server.server_port)["exit_code"] == 5
        assert board.told()["serialNumber"] == "OLD"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_who_answers_otherwise_changes_nothing(board):
    """By status and Pep-Error: what is said of the serial, then whether we may provision."""
    board.old_identity()
    board.put(board.identity, json.dumps({"serialNumber": board.serial, "enrollmentID": "A-OLD"}))
    cases = [((503, ""), (503, ""), 11), ((302, ""), (302, ""), 11), ((403, ""), (400, ""), 7), ((404, "not_found"), (403, "not_allowed"), 5),
             ((403, "not_allowed"), (400, "bad_request"), 6), ((200, ""), (404, ""), 6)]
    for first, second, code in cases:
        Odd.answers = {True: first, False: second}
        server = http.server.HTTPServer(("127.0.0.1", 0), Odd)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            result = board.run(code=code, PEP_SERVER_URL="http://127.0.0.1:%d" % server.server_port)
            assert board.told()["enrollmentID"] == "A-OLD" and board.lines("starts") == [], result
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Odd(http.server.BaseHTTPRequestHandler):
    """Not what one expects of a server."""

    def do_GET(self):
        status, error = Odd.answers[self.path.startswith("/v3/enrollment-id")]
        self.send_response(status)
        if error:
            self.send_header("Pep-Error", error)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"A")

    def log_message(self, *_):
        pass


class Strict(http.server.BaseHTTPRequestHandler):
    """A server of another time that knows nobody."""

    def do_GET(self):
        self.send_response_only(401)
        self.send_header("Date", "Thu, 01 Jan 2015 00:00:00 GMT")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
