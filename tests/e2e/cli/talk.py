# SPDX-License-Identifier: Apache-2.0
"""What is said where: --json, --quiet, messages, wrong calls, completion."""
import json, os, pty, re, subprocess

from .place import IDENTITY, IDENTITY_ARGV, PAGE, ends, equal
from .server import LIMIT_S, Reply, problem


def test_json_of_results(place):
    place.serve(Reply(200, IDENTITY, {"Pep-Replay": "1"}))
    result = ends(place.run(IDENTITY_ARGV + ["--json"]), 0).json()
    equal(result, {"command": "get-one-identity", "exit_code": 0, "code": "ok", "retryable": False, "file": "identity.json",
                   "replayed": True, "request_id": "stub-1", "identity": IDENTITY})
    equal(place.files()["identity.json"], json.dumps(IDENTITY))
    place.serve(Reply(200, 'A-1 "x"'))
    result = ends(place.run(["--json", "get-enrollment-id", "-s", "S-1"]), 0).json()
    equal((result["enrollment_id"], result["serial_number"]), ('A-1 "x"', "S-1"))
    result = ends(place.run(["get-verification-key", "-s", "S-1", "--json"]), 0).json()
    equal(result["verification_key"], 'A-1 "x"')
    place.serve(Reply(200, PAGE))
    result = ends(place.run(["list-enrollment-ids", "--json", "-e", "csv", "-f", "l"]), 0).json()
    equal([result[name] for name in ("json_file", "csv_file", "count", "more")], ["l.json", "l.csv", 1, True])
    place.serve(Reply(200, "a,b\n"))
    result = ends(place.run(["export", "--json", "-o", "x.csv"]), 0).json()
    equal((result["file"], result["bytes"]), ("x.csv", 4))
    assert ends(place.run(["version", "--json"]), 0).json()["version"]
    equal(ends(place.run(["--json", "-V"]), 0).json(), ends(place.run(["version", "--json"]), 0).json() | {"command": "pep-cli"})
    assert "Usage: pep" in ends(place.run(["help", "export", "--json"]), 0).json()["usage"]
    assert "complete -F" in ends(place.run(["completion", "bash", "--json"]), 0).json()["script"]


def test_json_of_errors(place):
    place.serve(problem(409, "in_progress"))
    result = ends(place.run(IDENTITY_ARGV + ["--json"]), 1).json()
    equal([result[name] for name in ("command", "exit_code", "code", "retryable", "http_status", "request_id")],
          ["get-one-identity", 1, "in_progress", True, 409, "stub-1"])
    assert "the-detail" in result["message"], result
    for argv, code, word, retryable in ((["get-one-identity", "--json"], 2, "usage", False), (["--json"], 2, "usage", False),
                                        (["nonsense", "--json"], 2, "usage", False),
                                        (["get-enrollment-id", "-z", "--json"], 2, "usage", False),
                                        (["export", "--json"], 2, "usage", False)):
        result = ends(place.run(argv), code).json()
        equal((result["exit_code"], result["code"], result["retryable"]), (code, word, retryable), argv)
    for env, code, word, retryable in (({"PEP_TIMEOUT": "x"}, 3, "configuration", False),
                                       ({"PEP_SERVER_URL": "http://127.0.0.1:1"}, 4, "unreachable", True)):
        result = ends(place.run(["get-enrollment-id", "-s", "x", "--json"], **env), code).json()
        equal((result["exit_code"], result["code"], result["retryable"]), (code, word, retryable), env)
    place.serve(Reply(500, "Make sure you are running fcc-example\n\n", code="gateway_refused"))
    assert ends(place.run(IDENTITY_ARGV + ["--json"]), 9).json()["message"].endswith("fcc-example")
    place.serve(Reply(500, b"\xff\xfe broken", code="internal"))
    equal(ends(place.run(["get-enrollment-id", "-s", "x", "--json"]), 11).json()["code"], "internal")


def test_every_line_of_json_is_one_object(place):
    place.serve(problem(503, "busy", {"Retry-After": "1"}), Reply(200, IDENTITY))
    ended = ends(place.run(IDENTITY_ARGV + ["--json", "-v"]), 0)
    equal(ended.out.count("\n"), 1)


def test_quiet_says_nothing(place):
    place.serve(problem(503, "busy", {"Retry-After": "1"}), Reply(200, IDENTITY))
    equal(ends(place.run(IDENTITY_ARGV + ["--quiet", "-v"]), 0).err, "")
    place.serve(Reply(404, "Not found!", code="not_found"))
    assert "Not found!" in ends(place.run(["get-enrollment-id", "-s", "x", "--quiet"]), 13).err


def test_progress_is_drawn_on_a_terminal_that_does_not_get_the_export(place):
    for argv, shown in ((["export", "-o", "x.csv"], True), (["export", "-o", "x.csv", "--quiet"], False), (["export"], False)):
        place.serve(Reply(200, "a,b\n"))
        text = on_terminal(place, argv)
        equal("\x1b[K" in text, shown, argv)
        equal("a,b" in text, argv == ["export"], argv)


def on_terminal(place, argv):
    """What a terminal gets that is both standard output and standard error."""
    ours, theirs = pty.openpty()
    process = place.start(argv, stdout=theirs, stderr=theirs, TERM="xterm")
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 4096):
            text += part
    except OSError: # the other end is closed
        pass
    os.close(ours)
    equal(process.wait(LIMIT_S), 0, argv)
    return text.decode()


def test_an_error_is_one_line_that_moves_no_cursor(place):
    place.serve(Reply(500, "one\x1b[2J\r\ntwo\x07 \u009b31m", code="internal"))
    ended = ends(place.run(["get-enrollment-id", "-s", "x"]), 11)
    equal(ended.err.count("\n"), 1)
    assert "one [2J two" in ended.err and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", ended.err), repr(ended.err)
    assert "HTTP 500 internal, request id stub-1" in ended.err, ended.err


def test_a_password_in_the_address_is_not_shown(place):
    server = place.serve(Reply(200, "A-1"))
    url = server.url.replace("http://", "http://me:hush@")
    ended = ends(place.run(["get-enrollment-id", "-s", "x", "-v"], PEP_SERVER_URL=url), 0)
    assert "hush" not in ended.err and server.url in ended.err, ended.err
    assert server.requests[0].headers["Authorization"].startswith("Basic ")


def test_proxies_and_redirects_are_not_used(place):
    server = place.serve(Reply(302, "", {"Location": "/v3/verification-key?serialNumber=x"}))
    ends(place.run(["get-enrollment-id", "-s", "x"], http_proxy="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1"), 11)
    equal(len(server.requests), 1)


def test_wrong_calls(place):
    server = place.serve(Reply(200, IDENTITY))
    for argv in (["get-one-identity", "--no-such"], ["get-one-identity", "-s"], ["get-one-identity", "--serial-number"],
                 ["get-one-identity", "-s", "x", "-i", "y", "-p", "z", "extra"], ["get-enrollment-id"], ["get-enrollment-id", "-s", ""],
                 ["list-enrollment-ids", "-e", "xml"], ["list-enrollment-ids", "--format=", "more"], ["export", "-z"], ["export", "-o"],
                 ["help", "nonsense"], ["completion"], ["completion", "csh"], ["version", "--json=yes"], ["-x"], ["--nonsense", "version"],
                 ["export", "--json", "-o", "-"]):
        ended = ends(place.run(argv), 2)
        if "--json" not in argv:
            equal(ended.out, "", argv)
        assert ended.err.startswith("pep-cli: "), (argv, ended.err)
    equal(ends(place.run(["get-enrollment-id", "-s", b"\xff"]), 2).out, "")
    equal(server.requests, [])


def test_values_that_look_like_options(place):
    server = place.serve(Reply(200, "x"))
    ends(place.run(["get-enrollment-id", "-s", "--json"]), 0)
    equal(server.requests[0].fields, {"serialNumber": "--json"})


def complete(place, *words):
    script = 'source <("$0" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pep_cli; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, place.cli, *words], cwd=place.work, env=place.env, stdout=subprocess.PIPE, check=True,
                          timeout=LIMIT_S)
    return done.stdout.decode().split()


def test_bash_completion(place):
    place.put("some_file", "")
    equal(complete(place, "pep-cli", "get-e"), ["get-enrollment-id"])
    equal(complete(place, "pep-cli", "-v", "exp"), ["export"])
    equal(complete(place, "pep-cli", "export", "--out"), ["--output"])
    equal(complete(place, "pep-cli", "export", "-o", "some"), ["some_file"])
    equal(complete(place, "pep-cli", "list-enrollment-ids", "-e", ""), ["json", "csv"])
    equal(complete(place, "pep-cli", "completion", "z"), ["zsh"])
    equal(complete(place, "pep-cli", "help", "ver"), ["version"])
    equal(complete(place, "pep-cli", "get-enrollment-id", "-s", ""), [])
