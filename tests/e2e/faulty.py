# SPDX-License-Identifier: Apache-2.0
"""Servers for tests of faults: one that is compared with its gateways, and one whose store fails on demand. Standard library only."""
import json
import os
import re
import shutil
import sqlite3
import threading
import time

from server import Server

SLOW = (500, "injector_timeout")
STATES = ["none", "claimed", "contacted", "issued", "deployed", "failed", "in_doubt", "retired"]


class WatchedServer(Server):
    """As Server, on sqlite. Gateways note what they hold in self.gateways; claims of a lost attempt end after lease_ms."""

    def __init__(self, build, folder, lease_ms=2000, **extra):
        self.gateways = os.path.join(folder, "gateways")
        super().__init__(build, folder, injector="seed: faulty\ngateways: " + self.gateways,
                         server="injections: 64\nconnections_per_address: 1000", **extra)
        self.database = os.path.join(self.data, "pep.db")
        self.edit(("timeout: 10s", "timeout: %dms" % (lease_ms * 4 // 5)), ("lease: 20s", "lease: %dms" % lease_ms),
                  ("recovery_interval: 200ms", "recovery_interval: 50ms"))

    def edit(self, *changes):
        """Replaces texts of the configuration; each is there once."""
        with open(self.conf, encoding="utf-8") as f:
            text = f.read()
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text)

    def ask(self, serial, key=None, port=7000, timeout=30):
        """(status, Pep-Error or None, enrollment identity or None)"""
        status, headers, body = self.request("POST", "/v3/identity", {"serialNumber": serial, "ip": "127.0.0.1", "port": port},
                                             {"Idempotency-Key": key or "key-" + serial}, timeout)
        return status, headers.get("Pep-Error"), json.loads(body)["enrollmentID"] if status == 200 else None

    def known(self, serial):
        """The enrollment identity that the server tells everybody, or the status if it tells none."""
        status, _, body = self.request("GET", "/v3/enrollment-id?serialNumber=" + serial)
        return body.decode() if status == 200 else status

    def is_ready(self):
        return self.request("GET", "/readyz")[0] == 200

    def records(self):
        """serial -> (state, enrollment identity, history, lease), straight from the store."""
        db = sqlite3.connect("file:%s?mode=ro" % self.database, uri=True, timeout=30)
        try:
            rows = db.execute("SELECT serial, state, enrollment_id, history, lease_until_ms FROM identity").fetchall()
        finally:
            db.close()
        return {r[0]: (STATES[r[1]], r[2], r[3] or "", r[4]) for r in rows}

    def truth(self):
        """serial -> all that the gateway ever held, in order; None where it was erased."""
        held = {}
        if os.path.exists(self.gateways):
            with open(self.gateways, encoding="ascii") as f:
                for row in f:
                    serial, _attempt, identity = row.rsplit(None, 2)
                    held.setdefault(serial, []).append(None if identity == "-" else identity)
        return held

    def problems(self, answered):
        """What is wrong with store and gateways. answered: serial -> enrollment identity of a 200."""
        records, truth, found, owners = self.records(), self.truth(), [], {}
        for serial, held in truth.items():
            record = records.get(serial, ("none", None, "", 0))
            found += ["%s: its gateway had %s, the record does not know it" % (serial, identity)
                      for identity in held if identity and identity != record[1] and identity not in record[2]]
        for serial, (state, identity, _, _) in records.items():
            if identity and owners.setdefault(identity, serial) != serial:
                found.append("%s: %s is that of %s, too" % (serial, identity, owners[identity]))
            if state == "deployed" and truth.get(serial, [None])[-1] != identity:
                found.append("%s: deployed with %s, the gateway holds %s" % (serial, identity, truth.get(serial)))
        for serial, identity in answered.items():
            if records.get(serial, ("none", None))[:2] != ("deployed", identity):
                found.append("%s: answered %s, the record says %s" % (serial, identity, records.get(serial)))
        return found


class FaultyServer(WatchedServer):
    """With the faulty plugin around sqlite. What a rule can say stands in tests/plugins/faulty/rules.h."""

    def __init__(self, build, folder, **more):
        super().__init__(build, folder, **more)
        plugins = os.path.join(folder, "plugins")
        shutil.copytree(os.path.join(build, "plugins", "lib"), plugins)
        shutil.copy(os.path.join(build, "tests", "plugins", "lib", "faulty.so"), plugins)
        os.makedirs(self.data, exist_ok=True)
        self.rules_file = os.path.join(self.data, "rules")
        self.edit(("plugin: sqlite", "plugin: faulty\n  file: %s\n  options: path=pep.db" % os.path.join(plugins, "sqlite.so")),
                  ("plugin_dir: " + os.path.join(build, "plugins", "lib"), "plugin_dir: " + plugins))

    def rules(self, *lines):
        """From now on; none: no faults. Counts of earlier rules are forgotten."""
        fresh = self.rules_file + ".new"
        with open(fresh, "w", encoding="ascii") as f:
            f.write("".join(line + "\n" for line in lines))
        os.rename(fresh, self.rules_file)

    def faults(self, fault="[a-z-]+", call="[a-z]+", state="[a-z_]+", serial="[^\"]+"):
        """How many such faults were made; all are regular expressions."""
        line = re.compile("msg=\"faulty %s at %s state=%s serial=%s\"" % (fault, call, state, serial))
        return sum(bool(line.search(text)) for text in list(self.log))


def until(condition, what, limit_s=30):
    """Polls; a condition that never comes fails the test."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited %d s for: %s" % (limit_s, what))
        time.sleep(0.01)


def together(calls):
    """name -> what its function returned, all at once."""
    results = {}

    def run(name, function):
        try:
            results[name] = function()
        except Exception as error:  # for the thread that looks at the results
            results[name] = error
    threads = [threading.Thread(target=run, args=item) for item in calls.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, result in results.items():
        if isinstance(result, Exception):
            raise AssertionError("%s: %r" % (name, result))
    return results


def ask_all(server, serials):
    """serial -> (status, Pep-Error, enrollment identity), all asked for at once."""
    return together({s: lambda s=s, n=n: server.ask(s, port=10000 + n) for n, s in enumerate(serials)})


def settle(server, serials):
    """No more faults: all get their identity, without a restart. serial -> enrollment identity."""
    answered = {}

    def round_is_last():
        for serial, (status, code, identity) in ask_all(server, [s for s in serials if s not in answered]).items():
            if status == 200:
                answered[serial] = identity
            else:  # a lost claim holds until its lease ends; a busy machine may need longer than the short time limit of these servers
                assert (status, code) in ((409, "in_progress"), SLOW), (serial, status, code)
        return len(answered) == len(serials)
    until(round_is_last, "every serial has its identity", 60)
    return answered


def expect_sound(server, answered):
    problems = server.problems(answered)
    assert not problems, "\n".join(problems)
    wrong = {s: server.known(s) for s, identity in answered.items() if server.known(s) != identity}
    assert not wrong, "the server tells other identities: %s" % wrong
