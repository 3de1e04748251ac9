# SPDX-License-Identifier: Apache-2.0
"""The request on disk, its key, and its retry; Retry-After."""
import json, os, re, signal, socket, stat

from .place import IDENTITY, IDENTITY_ARGV, ends, equal, finish
from .server import Reply, problem


def test_lost_reply_then_retry_sends_the_same_key(place):
    server = place.serve(Reply(how="lose"), Reply(200, IDENTITY, {"Pep-Replay": "1"}))
    place.put("identity.json", "before")
    ended = ends(place.run(IDENTITY_ARGV), 4)
    equal(ended.out, "")
    assert "run again" in ended.err, ended.err
    equal(place.files(), {"identity.json": "before"})
    ended = ends(place.run(IDENTITY_ARGV), 0)
    first, second = server.requests
    assert re.fullmatch(r"[0-9a-f]{32}", first.key), first.key
    equal(second.key, first.key, "second key")
    equal(place.files(), {"identity.json": json.dumps(IDENTITY)})
    equal(place.notes(), [])


def test_the_note_is_on_disk_when_the_request_comes(place):
    seen = []

    def answer(request):
        for path in place.notes():
            seen.append((json.load(open(path))["idempotency_key"], stat.S_IMODE(os.stat(path).st_mode),
                         stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode)))
        return Reply(200, IDENTITY)
    server = place.serve(answer)
    ends(place.run(IDENTITY_ARGV), 0)
    equal(seen, [(server.requests[0].key, 0o600, 0o700)])
    equal(place.notes(), [])


def test_fresh_requests_have_fresh_keys(place):
    server = place.serve(Reply(200, IDENTITY))
    ends(place.run(IDENTITY_ARGV), 0)
    ends(place.run(IDENTITY_ARGV), 0)
    assert server.requests[0].key != server.requests[1].key


def test_other_fields_are_another_request(place):
    server = place.serve(Reply(how="lose"))
    for extra in ([], ["-w", "other"], ["-s", "S-2"], ["-i", "10.0.0.6", "-p", "7001", "-w", "other"]):
        ends(place.run(IDENTITY_ARGV + extra), 4)
    plain, hardware, serial, address = (request.key for request in server.requests)
    equal(len({plain, hardware, serial}), 3, "different keys")
    equal(address, hardware, "the key with another address and port")


def test_another_folder_or_server_is_another_request(place):
    server = place.serve(Reply(how="lose"))
    ends(place.run(IDENTITY_ARGV), 4)
    place.work = os.path.join(place.top, "second")
    os.mkdir(place.work)
    ends(place.run(IDENTITY_ARGV), 4)
    ends(place.run(IDENTITY_ARGV, PEP_SERVER_URL=server.url + "/prefix"), 4)
    equal(len({request.key for request in server.requests}), 3, "different keys")
    equal(server.requests[2].path, "/prefix/v3/identity")


def refusal(place, reply, code):
    server = place.serve(reply, Reply(200, IDENTITY))
    ends(place.run(IDENTITY_ARGV), code)
    kept = len(place.notes())
    equal(place.files(), {}, "files")
    ends(place.run(IDENTITY_ARGV), 0)
    os.unlink(os.path.join(place.work, "identity.json"))
    equal(place.notes(), [])
    equal(server.requests[0].key == server.requests[1].key, bool(kept), "same key again")
    return kept


def test_definite_refusals_remove_the_note(place):
    for reply, code in ((problem(400, "bad_argument"), 2), (problem(403, "endpoint_not_allowed"), 7), (Reply(409, "x", code="exists"), 6),
                        (problem(422, "idempotency_mismatch"), 1), (Reply(500, "x", code="gateway_unreachable"), 8),
                        (Reply(500, "x", code="gateway_refused"), 9), (Reply(500, "x", code="injector_failed"), 11)):
        equal(refusal(place, reply, code), 0, "notes after %d %s" % (reply.status, reply.headers["Pep-Error"]))


def test_open_outcomes_keep_the_note(place):
    for reply, code in ((problem(503, "busy"), 11), (problem(503, "recorded_locally"), 11), (Reply(500, "x", code="in_doubt"), 11),
                        (Reply(500, "x", code="injector_timeout"), 10), (problem(409, "in_progress"), 1), (problem(500, "internal"), 11),
                        (problem(504, "timeout"), 10), (Reply(200, "<html>"), 11), (Reply(200, IDENTITY, how="cut"), 4),
                        (Reply(200, json.dumps(IDENTITY), how="bare"), 11), (Reply(302, "", {"Location": "/x"}), 11)):
        equal(refusal(place, reply, code), 1, "notes after %d %s %s" % (reply.status, reply.headers, reply.how))


def test_a_refusal_does_not_forget_an_earlier_lost_reply(place):
    # The retry comes from a network that is not allowed; the identity must not be lost for that.
    server = place.serve(Reply(how="lose"), problem(403, "endpoint_not_allowed"), problem(401, "not_authenticated"), Reply(200, IDENTITY))
    for code in (4, 7, 5, 0):
        ends(place.run(IDENTITY_ARGV), code)
    equal(len({request.key for request in server.requests}), 1, "keys")


def test_no_server_leaves_no_note(place):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ends(place.run(IDENTITY_ARGV, PEP_SERVER_URL="http://127.0.0.1:%d" % unused.getsockname()[1]), 4)
    equal(place.notes(), [])
    equal(place.files(), {})


def test_timeout_keeps_the_key(place):
    server = place.serve(Reply(how="hang"), Reply(200, IDENTITY))
    ends(place.run(IDENTITY_ARGV, PEP_TIMEOUT="1"), 10)
    ends(place.run(IDENTITY_ARGV), 0)
    equal(server.requests[0].key, server.requests[1].key)


def stopped(place, number, code):
    server = place.serve(Reply(how="hang"), Reply(200, IDENTITY))
    place.put("identity.json", "before")
    process = place.start(IDENTITY_ARGV)
    server.wait_for_request()
    process.send_signal(number)
    ended = ends(finish(process), code)
    equal(ended.out, "")
    equal(place.files(), {"identity.json": "before"})
    ends(place.run(IDENTITY_ARGV), 0)
    equal(server.requests[0].key, server.requests[1].key)
    equal(place.notes(), [])


def test_interrupt_keeps_the_key(place):
    stopped(place, signal.SIGINT, 130)


def test_terminate_keeps_the_key(place):
    stopped(place, signal.SIGTERM, 143)


def test_kill_keeps_the_key(place):
    stopped(place, signal.SIGKILL, -9)


def test_home_that_cannot_be_written(place):
    server = place.serve(Reply(how="lose"), Reply(200, IDENTITY))
    home = os.path.join(place.top, "file")
    open(home, "w").close()
    ends(place.run(IDENTITY_ARGV, HOME=home), 4)
    equal(list(place.files()), [".identity.json.pending"])
    equal(stat.S_IMODE(os.stat(os.path.join(place.work, ".identity.json.pending")).st_mode), 0o600)
    ends(place.run(IDENTITY_ARGV, HOME=home), 0)
    equal(list(place.files()), ["identity.json"])
    equal(server.requests[0].key, server.requests[1].key)


def test_xdg_state_home(place):
    place.serve(Reply(how="lose"), Reply(200, IDENTITY))
    folder = os.path.join(place.top, "state")
    ends(place.run(IDENTITY_ARGV, XDG_STATE_HOME=folder), 4)
    equal(len(os.listdir(os.path.join(folder, "pep"))), 1)
    equal(place.notes(), [])
    ends(place.run(IDENTITY_ARGV, XDG_STATE_HOME=folder), 0)
    equal(os.listdir(os.path.join(folder, "pep")), [])


def test_a_folder_in_the_way_of_identity_json(place):
    path = os.path.join(place.work, "identity.json")

    def answer(request):
        os.mkdir(path)
        return Reply(200, IDENTITY)
    server = place.serve(answer, Reply(200, IDENTITY))
    equal(ends(place.run(IDENTITY_ARGV), 12).out, "")
    equal(place.files(), {"identity.json": None})
    os.rmdir(path)
    ends(place.run(IDENTITY_ARGV), 0)
    equal(server.requests[0].key, server.requests[1].key)


def test_stdout_that_takes_nothing(place):
    server = place.serve(Reply(200, IDENTITY))
    place.put("identity.json", "before")
    with open("/dev/full", "wb") as full:
        ends(finish(place.start(IDENTITY_ARGV, stdout=full)), 12)
    equal(place.files(), {"identity.json": "before"})
    ends(place.run(IDENTITY_ARGV), 0)
    equal(server.requests[0].key, server.requests[1].key)
    equal(place.files(), {"identity.json": json.dumps(IDENTITY)})


def test_the_original_server_is_asked_by_get(place):
    server = place.serve(Reply(404, "Cannot POST /v3/identity"), Reply(200, IDENTITY))
    ends(place.run(IDENTITY_ARGV + ["-w", "a&b=c"]), 0)
    equal([(request.method, request.path) for request in server.requests], [("POST", "/v3/identity"), ("GET", "/v3/identity")])
    equal(server.requests[0].fields, server.requests[1].fields)
    equal(server.requests[1].fields["hardwareVersion"], "a&b=c")
    equal(server.requests[1].fields["verificationKey"], "verification-key-does-not-exist")


def test_retry_after_is_honoured(place):
    for status in (503, 429):
        server = place.serve(problem(status, "busy", {"Retry-After": "1"}), Reply(200, IDENTITY))
        ended = ends(place.run(IDENTITY_ARGV), 0)
        assert "trying again in 1 s" in ended.err, ended.err
        equal(len(server.requests), 2)
        equal(server.requests[0].key, server.requests[1].key)


def test_retry_after_beyond_the_time_limit(place):
    for seconds in ("60", "99999999999999999999"):
        server = place.serve(problem(503, "busy", {"Retry-After": seconds}))
        ends(place.run(["get-enrollment-id", "-s", "S-1"], PEP_TIMEOUT="5"), 11)
        equal(len(server.requests), 1)


def test_retry_after_until_the_time_limit(place):
    server = place.serve(problem(429, "too_many_requests", {"Retry-After": "1"}))
    ends(place.run(["get-enrollment-id", "-s", "S-1"], PEP_TIMEOUT="2"), 7)
    equal(len(server.requests), 2)


def test_other_replies_are_not_repeated(place):
    for reply, code in ((problem(503, "busy"), 11), (problem(409, "in_progress", {"Retry-After": "1"}), 1),
                        (problem(500, "internal", {"Retry-After": "1"}), 11), (Reply(how="lose"), 4)):
        server = place.serve(reply)
        ends(place.run(["get-enrollment-id", "-s", "S-1"]), code)
        equal(len(server.requests), 1)


def test_interrupt_while_waiting(place):
    server = place.serve(problem(503, "busy", {"Retry-After": "60"}))
    process = place.start(["get-enrollment-id", "-s", "S-1"])
    server.wait_for_request()
    process.stderr.readline()  # "... trying again": it waits now, or is about to
    process.send_signal(signal.SIGINT)
    ends(finish(process), 130)
