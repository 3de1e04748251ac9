# SPDX-License-Identifier: Apache-2.0
"""The journald sealing key: never lost before the server has the new one, whatever is killed when."""
import contextlib, itertools, json, os, signal, stat

from .place import IDENTITY, IDENTITY_ARGV, Place, ends, equal, finish
from .server import Reply, problem

SUDO = """#!/bin/sh
# Does what is asked, without becoming root. journalctl makes key N: the file holds "sealing N", the verification key is "key-N".
# KILL_AT=N and KILL_WHEN=before|after: pep-cli is killed at the N-th call.
n=$(($(wc -l <"$TOP/sudo.log" 2>/dev/null || echo 0) + 1))
echo "$*" >>"$TOP/sudo.log"
[ "$n" = "$KILL_AT" ] && [ "$KILL_WHEN" = before ] && { kill -9 $PPID; exit 1; }
if [ "$1" = journalctl ]; then
	k=$(($(cat "$TOP/keys" 2>/dev/null || echo 0) + 1))
	echo $k >"$TOP/keys"
	rm -f "$PEP_FSS_FILE"
	[ -n "$BREAK" ] && exit 1
	[ -d "$(dirname "$PEP_FSS_FILE")" ] && echo "sealing $k" >"$PEP_FSS_FILE"
	[ "$n" = "$KILL_AT" ] && { kill -9 $PPID; exit 1; }
	echo "key-$k"
	echo "second line"
	exit 0
fi
"$@"
status=$?
[ "$n" = "$KILL_AT" ] && kill -9 $PPID
exit $status
"""


class KeyServer:
    """What a pep-server keeps of one serial, with `mishaps` on the way: "refuse" and "busy" do nothing; "lose-before" and "lose-after" close
    the connection before or after the identity is made."""

    def __init__(self, mishaps=()):
        self.record, self.mishaps = None, list(mishaps)

    def __call__(self, request):
        if request.path == "/v3/verification-key":
            return Reply(200, self.record[1]["verificationKey"]) if self.record else Reply(404, "Not found!", code="not_found")
        mishap = self.mishaps.pop(0) if self.mishaps else None
        if mishap == "refuse":
            return problem(403, "endpoint_not_allowed")
        if mishap == "busy":
            return problem(503, "busy")
        if mishap == "lose-before":
            return Reply(how="lose")
        fields = {name: value for name, value in request.fields.items() if name not in ("ip", "port")}
        replay = self.record == (request.key, fields)
        if self.record and not replay:
            return Reply(409, "Identity with this serial number exists already!", code="exists")
        self.record = (request.key, fields)
        return Reply(how="lose") if mishap == "lose-after" else Reply(200, IDENTITY, {"Pep-Replay": str(int(replay))})

    def key(self):
        return self.record and self.record[1]["verificationKey"]


KEY_ARGV = IDENTITY_ARGV + ["-k", "-e", "30s"]


def prepare_keys(place, mishaps=(), old="sealing old\n"):
    with open(os.path.join(place.bin, "sudo"), "w") as file:
        file.write(SUDO)
    os.chmod(os.path.join(place.bin, "sudo"), 0o755)
    if old:
        os.mkdir(os.path.join(place.top, "journal"))
        with open(place.env["PEP_FSS_FILE"], "w") as file:
            file.write(old)
        os.chmod(place.env["PEP_FSS_FILE"], 0o600)
    server = KeyServer(mishaps)
    place.serve(server)
    return server


def journal(place):
    folder = os.path.join(place.top, "journal")
    return {name: open(os.path.join(folder, name)).read().strip() for name in sorted(os.listdir(folder))}


def calls(place):
    path = os.path.join(place.top, "sudo.log")
    return open(path).read().splitlines() if os.path.exists(path) else []


def test_key_accepted(place):
    server = prepare_keys(place)
    ended = ends(place.run(KEY_ARGV + ["-v"]), 0)
    equal(journal(place), {"fss": "sealing 1"})
    equal(server.key(), "key-1")
    fss = place.env["PEP_FSS_FILE"]
    equal(calls(place), ["cp --preserve=all -- %s %s.pep-saving" % (fss, fss), "sync -- %s.pep-saving" % fss,
                         "mv -f -- %s.pep-saving %s.pep-saved" % (fss, fss), "journalctl --setup-keys --force --interval=30s",
                         "rm -f -- %s.pep-saved" % fss])
    assert "key-1" not in ended.err and "sudo journalctl --setup-keys --force --interval=30s" in ended.err, ended.err
    equal(place.notes(), [])


def test_key_without_an_old_one_is_one_call(place):
    server = prepare_keys(place, old=None)
    ends(place.run(KEY_ARGV), 0)
    equal(calls(place), ["journalctl --setup-keys --force --interval=30s"])
    equal(server.key(), "key-1")


def test_key_refused_brings_the_old_one_back(place):
    server = prepare_keys(place, ["refuse"])
    ends(place.run(KEY_ARGV), 7)
    equal(journal(place), {"fss": "sealing old"})
    equal(stat.S_IMODE(os.stat(place.env["PEP_FSS_FILE"]).st_mode), 0o600)
    equal((server.key(), place.notes(), place.files()), (None, [], {}))


def test_key_when_no_server_is_there(place):
    prepare_keys(place)
    ends(place.run(KEY_ARGV, PEP_SERVER_URL="http://127.0.0.1:1"), 4)
    equal((journal(place), place.notes()), ({"fss": "sealing old"}, []))


def test_key_generation_that_fails(place):
    prepare_keys(place)
    ended = ends(place.run(KEY_ARGV, BREAK="1"), 1)
    assert "Error while generating verification key" in ended.err, ended.err
    equal((journal(place), place.notes(), place.servers[-1].requests), ({"fss": "sealing old"}, [], []))


def test_key_nothing_is_done_before_the_checks(place):
    prepare_keys(place)
    os.mkdir(os.path.join(place.work, "identity.json"))
    ends(place.run(KEY_ARGV), 12)
    ends(place.run(KEY_ARGV, PEP_SERVER_URL="x"), 3)
    equal(calls(place), [])


def test_key_lost_reply_keeps_both_and_makes_no_other(place):
    for mishap in ("lose-before", "lose-after", "busy"):
        with contextlib.closing(Place(place.cli)) as place:
            server = prepare_keys(place, [mishap])
            ended = ends(place.run(KEY_ARGV + ["-v"]), 11 if mishap == "busy" else 4)
            equal(journal(place), {"fss": "sealing 1", "fss.pep-saved": "sealing old"}, mishap)
            equal(json.load(open(place.notes()[0]))["verification_key"], "key-1")
            assert "key-1" not in ended.err
            ended = ends(place.run(KEY_ARGV + ["-v"]), 0)
            assert "key-1" not in ended.err
            equal((journal(place), server.key(), place.notes()), ({"fss": "sealing 1"}, "key-1", []), mishap)
            equal(sum(call.startswith("journalctl") for call in calls(place)), 1, "keys made")


def test_key_lost_reply_then_other_fields(place):
    # The first request made the identity; the second is another one, is told so, and must not bring the old key back.
    server = prepare_keys(place, ["lose-after"])
    ends(place.run(KEY_ARGV), 4)
    ends(place.run(KEY_ARGV + ["-w", "other"]), 6)
    equal((journal(place), server.key(), place.notes()), ({"fss": "sealing 1"}, "key-1", []))


def test_key_lost_reply_then_another_got_the_serial(place):
    server = prepare_keys(place, ["lose-before"])
    ends(place.run(KEY_ARGV), 4)
    server.record = ("somebody", {"verificationKey": "theirs"})
    ends(place.run(KEY_ARGV), 6)
    equal((journal(place), place.notes()), ({"fss": "sealing old"}, []))


def test_key_lost_reply_then_refused(place):
    # Not known still: the refusal is about the second request only.
    server = prepare_keys(place, ["lose-after", "refuse"])
    ends(place.run(KEY_ARGV), 4)
    ends(place.run(KEY_ARGV), 7)
    equal(journal(place), {"fss": "sealing 1", "fss.pep-saved": "sealing old"})
    ends(place.run(KEY_ARGV), 0)
    equal((journal(place), server.key(), place.notes()), ({"fss": "sealing 1"}, "key-1", []))


def test_key_second_request_has_to_wait(place):
    prepare_keys(place, ["lose-before"])
    ends(place.run(KEY_ARGV), 4)
    ended = ends(place.run(KEY_ARGV + ["-s", "S-2"]), 1)
    note = place.notes()[0]
    assert note in ended.err, ended.err
    equal(journal(place), {"fss": "sealing 1", "fss.pep-saved": "sealing old"})
    # Given up, as the message says: the old key comes back first, and is the one that is saved then.
    os.unlink(note)
    ends(place.run(KEY_ARGV + ["-s", "S-2"]), 0)
    equal((journal(place), place.notes()), ({"fss": "sealing 2"}, []))


def test_key_two_at_once(place):
    server = prepare_keys(place)
    stub = place.serve(Reply(how="hang"), server)
    first = place.start(KEY_ARGV)
    stub.wait_for_request()
    ended = ends(place.run(KEY_ARGV), 1)
    assert "another pep-cli" in ended.err, ended.err
    first.send_signal(signal.SIGINT)
    ends(finish(first), 130)
    ends(place.run(KEY_ARGV), 0)
    equal((journal(place), server.key()), ({"fss": "sealing 1"}, "key-1"))


def killed_at_every_step(cli, mishaps, first_code):
    """Kills pep-cli before and after each sudo call, then runs it again: the old key is never lost before the server has the new one, and in
    the end the machine seals with the key that the server has, or with the old one."""
    kills = 0
    for when, number in itertools.product(("before", "after"), range(1, 20)):
        with contextlib.closing(Place(cli)) as place:
            server = prepare_keys(place, mishaps)
            first = place.run(KEY_ARGV, KILL_AT=str(number), KILL_WHEN=when)
            if first.code != -9:
                ends(first, first_code)
                continue
            kills += 1
            held = journal(place)
            if server.record is None:
                whole = [name for name in ("fss", "fss.pep-saved") if held.get(name) == "sealing old"]
                assert whole, "killed %s call %d: the old key is lost: %r" % (when, number, held)
            server.mishaps = []
            ends(place.run(KEY_ARGV), 0)
            held = {name: text for name, text in journal(place).items() if name != "fss.pep-saving"}
            equal(held, {"fss": server.key().replace("key-", "sealing ")}, "killed %s call %d" % (when, number))
            equal(place.notes(), [])
            equal(place.files(), {"identity.json": json.dumps(IDENTITY)})
    return kills


def test_key_killed_at_every_step_of_a_success(place):
    equal(killed_at_every_step(place.cli, [], 0), 10)


def test_key_killed_at_every_step_of_a_refusal(place):
    equal(killed_at_every_step(place.cli, ["refuse"], 7), 10)


def test_key_killed_during_the_request(place):
    for accepted in (False, True):
        with contextlib.closing(Place(place.cli)) as place:
            server = prepare_keys(place)

            def answer(request):
                if accepted:
                    server(request)
                return Reply(how="hang")
            stub = place.serve(answer, server)
            process = place.start(KEY_ARGV)
            stub.wait_for_request()
            process.kill()
            ends(finish(process), -9)
            equal(journal(place), {"fss": "sealing 1", "fss.pep-saved": "sealing old"})
            ends(place.run(KEY_ARGV), 0)
            equal((journal(place), server.key(), place.notes()), ({"fss": "sealing 1"}, "key-1", []))


def test_key_is_not_shown_by_an_echo(place):
    prepare_keys(place)
    place.serve(lambda request: Reply(400, "bad: " + json.dumps(request.fields), code="bad_argument"))
    ended = ends(place.run(KEY_ARGV + ["-v", "--json"]), 2)
    assert "key-1" not in ended.err + ended.out, ended.err


def test_key_is_not_shown_with_the_original_server(place):
    prepare_keys(place)
    place.serve(Reply(404, "Cannot POST"), Reply(200, IDENTITY))
    ended = ends(place.run(KEY_ARGV + ["-v"]), 0)
    assert "key-1" not in ended.err, ended.err
