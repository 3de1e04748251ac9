#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fcu injector, end to end: a server, the real runner, a fake tool; and kill -9 of the server while the tool runs.

    fcu_test.py [WORD]      WORD: only the tests whose name holds it

The truth that every answer is compared with is the gateways' own file, which the fake tool writes to disk before it goes on.
Prints "N passed, N failed"; exit 1 if one failed.
"""
import concurrent.futures
import http.client
import json
import os
import re
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

BUILD = build_folder("asan")
TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake-fcu")
CONTACTED, DEPLOYED, FAILED, IN_DOUBT = 2, 4, 5, 6
LIMIT_S = 60


class Line(Server):
    """A server with the fcu injector, an unpacked tool, and gateways that note what they hold."""

    def __init__(self, folder, timeout="10s", lease="20s", **options):
        home = os.path.join(folder, "fcu-home")
        for name in ("config/fcu.yml", "keystore/fcu.crt", "keystore/fcu_private_key.pem"):
            path = os.path.join(home, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as f:
                f.write("use-bootstrap: true\n")
            os.chmod(path, 0o600)
        self.home, self.world, self.calls = home, os.path.join(folder, "world"), os.path.join(folder, "calls")
        values = {"python": sys.executable, "home": home, "script": TOOL, "kill_after": "500ms",
                  "environment": "FAKE_FCU_WORLD=%s FAKE_FCU_CALLS=%s" % (self.world, self.calls), "secret_environment": "FAKE_FCU_PIN",
                  "runner": os.path.join(BUILD, "plugins", "injector", "fcu", "pep-fcu-run"), **options}
        super().__init__(BUILD, folder, injector="\n".join("%s: '%s'" % item for item in values.items()))
        with open(self.conf, encoding="utf-8") as f:
            text = f.read()
        text = text.replace("plugin: mock", "plugin: fcu").replace("timeout: 10s", "timeout: " + timeout).replace(
            "lease: 20s", "lease: " + lease)
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text)

    def ask(self, serial, port=7777, key=None):
        """(status, Pep-Error, body as JSON or text); None: no answer."""
        try:
            status, headers, body = self.request("POST", "/v3/identity", {"serialNumber": serial, "ip": "127.0.0.1", "port": port},
                                                 {"Idempotency-Key": key or "key-" + serial.encode().hex()[:56]}, timeout=LIMIT_S)
        except (OSError, http.client.HTTPException):
            return None
        return status, headers.get("Pep-Error"), json.loads(body) if status == 200 else body.decode()

    def record(self, serial):
        """(state, enrollment id, reason, history), from the store itself."""
        with sqlite3.connect("file:%s?mode=ro" % os.path.join(self.data, "pep.db"), uri=True) as db:
            return db.execute("SELECT state, enrollment_id, reason, history FROM identity WHERE serial = ?", (serial,)).fetchone()

    def held(self, serial):
        """What the gateway took, in order; '-' is an erasure."""
        if not os.path.exists(self.world):
            return []
        with open(self.world, encoding="utf-8", errors="surrogateescape") as f:
            rows = [row.rstrip("\n").rsplit(" ", 2) for row in f]
        return [row[2] for row in rows if row[0] == serial]

    def calls_made(self):
        if not os.path.exists(self.calls):
            return []
        with open(self.calls, encoding="utf-8") as f:
            return [json.loads(row) for row in f]

    def left_behind(self):
        """Files of attempts, ours and the injector's."""
        return [name for folder in ("pending", "fcu") for name in os.listdir(os.path.join(self.data, folder))]


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def equal(got, expected, what):
    check(got == expected, "%s: %r, not %r" % (what, got, expected))


def until(condition, what):
    """Ask again until it holds; the limit is for a test that would hang, not for the thing tested."""
    end = time.monotonic() + LIMIT_S
    while True:
        found = condition()
        if found:
            return found
        check(time.monotonic() < end, "never: " + what)
        time.sleep(0.01)


def ask_and_die(line, serial, ready):
    """Asks, waits until ready(), kills the server with SIGKILL."""
    thread = threading.Thread(target=line.ask, args=(serial,))
    thread.start()
    until(ready, "the moment to die")
    line.kill()
    thread.join()


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


# --- one after the other ---

def test_a_gateway_gets_its_identity(line):
    line.start()
    status, error, body = line.ask("GW-1")
    equal((status, error), (200, None), "answer")
    equal(line.held("GW-1"), ["-", body["enrollmentID"]], "the gateway")
    equal(line.request("GET", "/v3/enrollment-id?serialNumber=GW-1")[2].decode(), body["enrollmentID"], "lookup")
    equal(line.left_behind(), [], "files")
    with open("/proc/%d/limits" % line.process.pid, encoding="ascii") as f:
        equal(re.search(r"Max core file size +(\d+) +(\d+)", f.read()).groups(), ("0", "0"), "core files of the server")
    equal(line.ask("GW-1")[2], body, "the same request again")
    equal(len(line.calls_made()), 1, "calls of the tool")
    equal(line.stop(), 0, "exit code")


def test_what_a_shell_would_have_eaten(line):
    """Serials that the default policy allows and that the original changed or ran; the port and the address likewise."""
    line.start()
    for port, serial in enumerate(["A B", "A'B", "(A)", "A=B", "--help", "A:B/C?D,E.F+G", "A" * 64], 8000):
        status, _, body = line.ask(serial, port)
        equal(status, 200, "answer for %r" % serial)
        equal(line.held(serial)[-1], body["enrollmentID"], "the gateway %r" % serial)
        call = line.calls_made()[-1]
        equal(call["argv"][1:], ["inject", "--endpoint-name=" + serial, "--serial-number=" + serial, "tcp", "--ip=127.0.0.1",
                                 "--port=%d" % port], "arguments")
        equal(set(call["env"]) - {"LC_CTYPE"}, {"PATH", "LC_ALL", "LANG", "FCU_HOME_DIR", "TMPDIR", "FAKE_FCU_WORLD", "FAKE_FCU_CALLS"},
              "environment")
        equal(call["cwd"], line.home, "folder")
    equal(line.stop(), 0, "exit code")


def test_every_way_to_go_wrong(line):
    """Nothing that ran is called undone, nothing unclear a success; and another try is always possible."""
    line.start()
    cases = [("FCU-FAIL", "exit code 1, its last line: ConnectionRefusedError: [Errno 111]; start the gateway's factory program"), ("FCU-IDFAIL", "exit code 3"), ("FCU-CRASH", "signal 11"),
             ("FCU-NOID", "printed no enrollment identity"), ("FCU-TWO", "different enrollment identities"),
             ("FCU-SHORT", "no enrollment identity"), ("FCU-NONSENSE", "no enrollment identity")]
    for port, (serial, words) in enumerate(cases, 8000):
        for again in (1, 2):
            status, error, body = line.ask(serial, port, "key-%s-%d" % (serial, again))
            equal((status, error), (500, "in_doubt"), serial)
            state, candidate, reason, _ = line.record(serial)
            equal(state, IN_DOUBT, serial)
            check(words in reason, "%s: %s" % (serial, reason))
            equal(candidate, line.held(serial)[-1] if serial == "FCU-IDFAIL" else None, "candidate of " + serial)
            equal(line.request("GET", "/v3/enrollment-id?serialNumber=" + serial)[0], 404, "lookup of " + serial)
            check(not re.search("Traceback|/", body.split("\n")[0]) or "Make sure" in body, body)
    for serial in ("FCU-TWICE", "FCU-STDERR", "FCU-FLOOD", "FCU-FORK"):
        status, _, body = line.ask(serial)
        equal((status, body["enrollmentID"]), (200, line.held(serial)[-1]), serial)
    equal(line.left_behind(), [], "files")
    check(not any(is_alive(call["pid"]) for call in line.calls_made()), "something of a tool still runs")
    equal(line.stop(), 0, "exit code")


def test_the_time_limit(line):
    line.start()
    for serial in ("FCU-HANG", "FCU-STUBBORN", "FCU-ENDLESS"):
        begin = time.monotonic()
        status, error, _ = line.ask(serial)
        equal((status, error), (500, "in_doubt"), serial)
        check(time.monotonic() - begin < 20, "%s took %.1f s" % (serial, time.monotonic() - begin))
        check("time limit" in line.record(serial)[2], line.record(serial)[2])
    check(not any(is_alive(call["pid"]) for call in line.calls_made()), "a tool still runs")
    equal(line.stop(), 0, "exit code")


test_the_time_limit.options = {"timeout": "2s", "lease": "4s"}


def test_the_log_has_the_output_and_no_secrets(line):
    line.start({"FAKE_FCU_PIN": "canary-pin-1234"})
    equal(line.ask("FCU-SECRET")[1], "in_doubt", "answer")
    equal(line.calls_made()[0]["env"]["FAKE_FCU_PIN"], "canary-pin-1234", "the tool's environment")
    reason = line.record("FCU-SECRET")[2]
    equal(line.stop(), 0, "exit code")
    log = "".join(line.log)
    check("pin ***, key ***" in log, "the output is not in the log: " + log)
    for secret in ("canary-pin", "5ecaac5ecaac", "c2VjcmV0"):
        check(secret not in log and secret not in reason, secret + " is in log or record")


def test_many_at_once(line):
    line.start()
    serials = ["GW-%d" % i for i in range(24)]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        replies = list(pool.map(line.ask, serials, range(8000, 8024)))
    for serial, (status, _, body) in zip(serials, replies):
        equal((status, body["enrollmentID"] if status == 200 else body), (200, line.held(serial)[-1]), serial)
    equal(line.left_behind(), [], "files")
    equal(line.stop(), 0, "exit code")


test_many_at_once.options = {"parallel": "3", "timeout": "50s", "lease": "90s"}


def test_a_stop_lets_it_finish(line):
    line.start()
    replies = []
    thread = threading.Thread(target=lambda: replies.append(line.ask("FCU-SLOW-1500")))
    thread.start()
    until(lambda: line.held("FCU-SLOW-1500"), "the tool has begun")
    equal(line.stop(), 0, "exit code")
    thread.join()
    equal(replies[0][0], 200, "answer")
    equal(line.record("FCU-SLOW-1500")[:2], (DEPLOYED, line.held("FCU-SLOW-1500")[-1]), "record")


def test_it_does_not_start_without_the_tool(line):
    for name in ("config/fcu.yml", "keystore/fcu.crt", "keystore/fcu_private_key.pem"):
        os.rename(os.path.join(line.home, name), line.home + "/aside")
        line.start(wait=False)
        equal(line.wait(), 3, "exit code without " + name)
        check(name in "".join(line.log), "the log does not name " + name)
        os.rename(line.home + "/aside", os.path.join(line.home, name))
    config = os.path.join(line.home, "config/fcu.yml")
    with open(config, "w", encoding="ascii") as f:
        f.write("use-bootstrap: true\nvendor-id: [\n")
    line.start(wait=False)
    equal(line.wait(), 3, "exit code with an fcu.yml that is not YAML")
    check("config/fcu.yml:3:1: " in "".join(line.log), "the log does not name the line: " + "".join(line.log))
    with open(config, "w", encoding="ascii") as f:
        f.write("update-auth-certificate-file: <%= ENV['FCU_RESOURCES_DIR'] %>/x\n")
    line.start()
    check("fcu.yml:1 uses FCU_RESOURCES_DIR" in "".join(line.log), "no warning: " + "".join(line.log))
    equal(line.stop(), 0, "exit code with all of them")


# --- kill -9 of the server ---

def test_killed_while_it_runs(line):
    """The next start answers at once, holds the serial, and records what the tool did."""
    serial = "FCU-SLOW-4000"
    line.start()
    ask_and_die(line, serial, lambda: line.held(serial))
    equal(line.held(serial), ["-"], "the gateway, when the server died")
    line.start()
    equal(line.record(serial)[0], CONTACTED, "state after the start")
    status, error, _ = line.ask(serial)
    equal((status, error), (409, "in_progress"), "a second request meanwhile")
    equal(line.ask("GW-2", 7778)[0], 200, "another gateway meanwhile")
    until(lambda: line.record(serial)[0] != CONTACTED, "the tool's outcome is recorded")
    equal(line.record(serial)[:2], (DEPLOYED, line.held(serial)[-1]), "record")
    status, _, body = line.ask(serial)
    equal((status, body["enrollmentID"]), (200, line.held(serial)[-1]), "the same request again")
    equal([call["argv"][2] for call in line.calls_made()].count("--endpoint-name=" + serial), 1, "calls of the tool")
    until(lambda: not line.left_behind(), "no files are left")
    equal(line.stop(), 0, "exit code")


test_killed_while_it_runs.options = {"timeout": "15s", "lease": "30s"}


def runner_has_ended(line):
    return [name for name in os.listdir(os.path.join(line.data, "fcu")) if name.endswith(".result") and not name.startswith(".")]


def test_killed_and_it_finished_meanwhile(line):
    line.start()
    ask_and_die(line, "FCU-SLOW-1000", lambda: line.held("FCU-SLOW-1000"))
    until(lambda: runner_has_ended(line), "the runner left its result")
    check_adopted(line, "FCU-SLOW-1000", DEPLOYED, line.held("FCU-SLOW-1000")[-1])


def test_killed_before_it_is_recorded(line):
    """The server dies when the injector has returned; a build without failpoints lives on, and then nothing is adopted."""
    for serial, state in (("GW-1", DEPLOYED), ("FCU-IDFAIL", IN_DOUBT), ("FCU-NOID", IN_DOUBT)):
        line.start({"PEP_FAILPOINT": "injected:1"})
        line.ask(serial)
        line.kill()
        check_adopted(line, serial, state, line.held(serial)[-1] if serial != "FCU-NOID" else None)


def test_killed_before_the_result_is_dropped(line):
    """It is recorded, and the note has ended; the next start drops what the runner left."""
    line.start({"PEP_FAILPOINT": "settled:1"})
    line.ask("GW-1")
    line.kill()
    check_adopted(line, "GW-1", DEPLOYED, line.held("GW-1")[-1])


def check_adopted(line, serial, state, enrollment_id):
    line.start()  # returns when it is ready: what has ended is recorded by then
    equal(line.record(serial)[:2], (state, enrollment_id), "record of " + serial)
    equal(line.left_behind(), [], "files")
    equal(line.stop(), 0, "exit code")


def test_killed_and_nobody_comes_back_in_time(line):
    """The runner keeps the time alone: the tool is dead before the lease ends, and the next start says what is known."""
    serial = "FCU-STUBBORN"
    line.start()
    ask_and_die(line, serial, lambda: line.held(serial))
    until(lambda: runner_has_ended(line), "the runner has ended the tool")
    check(not is_alive(line.calls_made()[0]["pid"]), "the tool outlived its time")
    line.start()
    state, _, reason, _ = line.record(serial)
    equal(state, IN_DOUBT, "state")
    check("time limit" in reason, reason)
    equal(line.ask("FCU-STUBBORN", key="another")[1], "in_doubt", "another try is made")
    equal(len(line.calls_made()), 2, "calls of the tool")
    equal(line.stop(), 0, "exit code")


test_killed_and_nobody_comes_back_in_time.options = {"timeout": "4s", "lease": "8s"}


def test_killed_with_its_runner(line):
    """Nobody can know then: in doubt, and the tool is not left alone."""
    serial = "FCU-BROOD"
    line.start()
    thread = threading.Thread(target=line.ask, args=(serial,))
    thread.start()
    until(lambda: len(line.held(serial)) == 2, "the tool has begun, and two that it started")
    tool, *others = [call["pid"] for call in line.calls_made()]
    with open("/proc/%d/stat" % tool, encoding="ascii") as f:
        runner = int(f.read().rsplit(")", 1)[1].split()[1])
    line.process.send_signal(signal.SIGSTOP)  # it must not see the runner's end
    os.kill(runner, signal.SIGKILL)
    line.kill()
    thread.join()
    until(lambda: not is_alive(tool), "the tool died with its runner")
    check(all(is_alive(pid) for pid in others), "what it started did not")
    line.start()
    until(lambda: not any(is_alive(pid) for pid in others), "what the tool started is ended")
    state, _, reason, _ = line.record(serial)
    equal(state, IN_DOUBT, "state")
    check("runner" in reason, reason)
    equal(line.left_behind(), [], "files")
    equal(line.stop(), 0, "exit code")


def test_killed_many_times(line):
    """The server dies at any moment of many injections; what the gateways hold is on record in the end."""
    serials = ["FCU-SLOW-%d-%d" % (100 * (i % 6), i) for i in range(18)]
    for _ in range(4):
        line.start()
        with concurrent.futures.ThreadPoolExecutor(18) as pool:
            asked = [pool.submit(line.ask, serial, 8000 + i) for i, serial in enumerate(serials)]
            time.sleep(0.4)  # any moment will do: what is tested must hold at all of them
            line.kill()
            concurrent.futures.wait(asked)
    line.start()
    for i, serial in enumerate(serials):
        until(lambda s=serial, p=8000 + i: line.ask(s, p)[0] == 200, serial + " gets its identity")
        state, enrollment_id, _, history = line.record(serial)
        equal((state, enrollment_id), (DEPLOYED, line.held(serial)[-1]), serial)
        for identity in line.held(serial):
            check(identity in ("-", enrollment_id) or identity in (history or ""), "%s is lost: %r, calls %r" % (
                identity, line.record(serial), [call for call in line.calls_made() if any(serial in word for word in call["argv"])]))
    until(lambda: not line.left_behind(), "no files are left")
    equal(line.stop(), 0, "exit code")


# A tool that is ended at its limit between the gateway's certificate and its own print leaves a doubt, not a loss; here none may be.
test_killed_many_times.options = {"parallel": "32", "timeout": "60s", "lease": "120s"}


def run(name, test):
    with tempfile.TemporaryDirectory(prefix="pep-fcu-") as folder:
        line = Line(folder, **getattr(test, "options", {}))
        try:
            test(line)
        except Exception:
            print("FAIL %s\n%s" % (name, traceback.format_exc()), "".join(line.log[-15:]), flush=True)
            return False
        finally:
            if line.process and line.process.poll() is None:
                line.kill()
    return True


def main():
    word = sys.argv[1] if len(sys.argv) == 2 else ""
    results = [run(name, test) for name, test in list(globals().items()) if name.startswith("test_") and word in name]
    print("%d passed, %d failed" % (results.count(True), results.count(False)))
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
