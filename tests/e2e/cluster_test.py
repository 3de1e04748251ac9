#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three built pep-servers on one store behind HAProxy: killed, paused, with wrong clocks, under one name. The same serial is injected once,
and the invariants of docs/identity-life.md hold. Last line: N passed, N failed, N skipped.

    cluster_test.py [--rounds N] [--seed N] [--storage postgres|mongo|none] [--build FOLDER] [NAME...]

--rounds is how often chance rules at the end (killed, paused, clocks), 3 unless you say otherwise. Without --storage each store has a process of its
own, and the examples in conf/ are tested, too. The mock gateways write what they hold into a file of their own: that is the truth.
"""
import argparse
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import EXAMPLE, LEASE_MS, STORES, Background, Cluster, until  # noqa: E402
from server import build_folder  # noqa: E402

PLACES = ("claimed", "contacted", "issued", "injected")
HOUR_MS = 3600 * 1000
OPTIONS = None
TESTS = []


def test(function):
    TESTS.append(function)
    return function


@test
def one_serial_asked_for_everywhere_at_once(cluster):
    everywhere = [*cluster.members, cluster.proxy]
    for member in cluster.members: # nothing is to end early on a busy machine
        member.times(20000, 60000)
        member.again()
    for turn in range(6):
        serial = ("MOCK-SLOW-%d-" % (turn * 40) if turn % 2 else "race-") + str(turn)
        barrier = threading.Barrier(len(everywhere) * 4)

        def ask(n, serial=serial, barrier=barrier):
            barrier.wait()
            return cluster.ask(everywhere[n % len(everywhere)], serial, "key-%s-%d" % (serial, n))
        answers = [request.answer() for request in [Background(lambda n=n: ask(n)) for n in range(barrier.parties)]]
        good = [answer for answer in answers if answer.status == 200]
        assert len(good) == 1, answers
        assert all(answer.code in ("in_progress", "exists", "200") for answer in answers if answer is not good[0]), answers
        assert cluster.held(serial) == [None, good[0].identity]
        assert cluster.maker(cluster.record(serial)).name == good[0].server


@test
def a_lost_answer_is_repeated_by_any_server(cluster):
    a, b, c = cluster.members
    first = cluster.ask(a, "replay", "a-key")
    assert first.status == 200 and first.server == "a" and first.headers["Pep-Replay"] == "0", first
    for where in (b, c, cluster.proxy, a):
        again = cluster.ask(where, "replay", "a-key")
        assert again.status == 200 and again.headers["Pep-Replay"] == "1" and again.body == first.body and again.server == "a", again
        assert cluster.ask(where, "replay", "another-key").code == "exists"
        assert cluster.ask(where, "another", "a-key").code == "idempotency_mismatch"
        assert cluster.look(where, "replay") == (first.identity, "a")
    assert cluster.held("replay") == [None, first.identity] and cluster.held("another") == []


@test
def others_free_what_a_dead_server_held(cluster):
    a, b, _ = cluster.members
    for first, second in (PLACES[:2], PLACES[2:]):
        serials = {"dead-" + place: member for place, member in ((first, a), (second, b))}
        for serial, member in serials.items():
            member.again(serial.split("-")[1] + ":1")
            assert cluster.ask(member, serial).status == 0
            assert member.wait() == -9
        for serial in serials:
            # Another key: the same station, or another one that does not know what happened.
            answer = cluster.ask_until_deployed(cluster.proxy, serial, "later-" + serial)
            assert answer.server == "c" and cluster.record(serial)["attempt"] >= 2, answer
        cluster.begin_all()
        for serial in serials:
            assert cluster.state(serial) == "deployed" and cluster.look(a, serial)[1] == "c"


@test
def its_own_next_start_frees_it_at_once(cluster):
    a, b, _ = cluster.members
    a.times(20000, 60000)
    for place, state in zip(PLACES, ("failed", "failed", "in_doubt", "in_doubt")):
        serial = "own-" + place
        a.again(place + ":1")
        assert cluster.ask(a, serial).status == 0 and a.wait() == -9
        assert cluster.ask(b, serial).code == "in_progress" # for a minute, for all that b knows
        a.begin()
        assert cluster.state(serial) == state
        assert cluster.ask(b, serial).status == 200


@test
def paused_over_the_end_of_its_lease(cluster):
    a, b, _ = cluster.members
    for place in PLACES:
        serial = "paused-" + place
        a.again(place + ":1:stop")
        request = cluster.begin_ask(a, serial)
        until(a.is_paused, "the pause at " + place)
        later = Background(lambda serial=serial: cluster.ask_until_deployed(b, serial, "later-" + serial))
        # Its gateway serves a, if a has connected: nobody gets through to it before a goes on, only the record can be taken over.
        if place in ("contacted", "issued"):
            until(lambda serial=serial: cluster.record(serial)["contacted"] > 1, "another attempt has taken over")
        else:
            later.answer()
        a.wake()
        late, answer = request.answer(), later.answer()
        assert late.status != 200 and late.code is not None, late
        record = cluster.record(serial)
        assert (record["state"], record["enrollment_id"]) == ("deployed", answer.identity) and cluster.look(a, serial) == (answer.identity, "b")
        assert cluster.held(serial)[-1] == answer.identity
        if place == "injected": # its gateway had an identity, which is a fact for ever
            assert cluster.held(serial) == [None, a.makes(serial, 1), None, answer.identity]
            assert a.makes(serial, 1) in record["history"] and '"delivered"' in record["history"], record
        else: # it was too late to send anything
            assert [identity for identity in cluster.held(serial) if identity] == [answer.identity]
        assert cluster.ask(a, serial + "-next").status == 200


@test
def a_late_fact_wins_over_a_claim_and_names_who_did_it(cluster):
    a, b, c = cluster.members
    a.again("injected:1:stop")
    b.again("claimed:1:stop")
    late = cluster.begin_ask(a, "fact", "key-a")
    until(a.is_paused, "the pause after the gateway's answer")
    until(lambda: cluster.state("fact") == "in_doubt", "the end of the lease")
    early = cluster.begin_ask(b, "fact", "key-b")
    until(b.is_paused, "the pause after the claim")
    assert cluster.record("fact")["owner"].startswith("b/")
    a.wake()
    answer = late.answer()
    assert answer.status == 200 and answer.server == "a" and answer.identity == a.makes("fact", 1), answer
    b.wake()
    assert early.answer().status in (409, 500)
    assert cluster.held("fact") == [None, answer.identity]
    assert cluster.look(c, "fact") == (answer.identity, "a")


@test
def one_name_used_twice(cluster):
    a, b, _ = cluster.members
    namesake, copy = cluster.make("d", "a"), cluster.make("e", "a")
    assert a.stop() == 0
    shutil.copytree(a.data, copy.data) # a server that was cloned, disk and all
    a.times(20000, 60000)
    for other in (namesake, copy):
        serial = "name-" + other.mark
        a.again("contacted:1:stop")
        request = cluster.begin_ask(a, serial)
        until(a.is_paused, "the pause")
        other.begin()
        assert cluster.state(serial) == "contacted"
        assert any("another server on this store has this server's name" in line for line in other.log), other.log[-5:]
        assert cluster.ask(other, serial).code == "in_progress"
        a.wake()
        answer = request.answer()
        assert answer.status == 200 and cluster.held(serial) == [None, answer.identity], answer
    assert cluster.ask(namesake, "name-d-2").status == 200 and cluster.ask(copy, "name-e-2").status == 200
    # What cannot be harmless is refused: two servers in one data folder.
    with open(namesake.conf, encoding="utf-8") as file:
        text = file.read().replace(namesake.data, b.data)
    assert namesake.stop() == 0 and copy.stop() == 0
    with open(namesake.conf, "w", encoding="utf-8") as file:
        file.write(text)
    namesake.begin(wait=False)
    assert namesake.wait() == 12 and any("in use by another pep-server" in line for line in namesake.log), namesake.log


@test
def clocks_of_servers_that_jump(cluster):
    a, b, c = cluster.members
    for turn, ahead_ms in enumerate((365 * 24 * HOUR_MS, -365 * 24 * HOUR_MS)):
        serial = "clock-%d" % turn
        a.clock.jump(ahead_ms)
        b.clock.jump(-ahead_ms)
        a.times(20000, 60000)
        a.again("contacted:1:stop")
        request = cluster.begin_ask(a, serial)
        until(a.is_paused, "the pause")
        a.clock.jump(-ahead_ms)
        assert cluster.ask(b, serial).code == "in_progress" and cluster.ask(c, serial).code == "in_progress"
        a.wake()
        answer = request.answer()
        assert answer.status == 200 and cluster.held(serial) == [None, answer.identity], answer
        # Times in records are the database's.
        if cluster.store.clock:
            assert abs(cluster.record(serial)["created_ms"] - time.time() * 1000) < 60000
        for n, where in enumerate((a, b, c)):
            assert cluster.ask(where, "%s-%d" % (serial, n)).status == 200


@test
def the_clock_of_the_database_jumps(cluster):
    a, b, _ = cluster.members
    if not cluster.store.clock:
        return
    a.times(20000, 60000)
    for turn, place in enumerate(PLACES[:3], 1):
        serial = "db-clock-" + place
        a.again(place + ":1:stop")
        request = cluster.begin_ask(a, serial)
        until(a.is_paused, "the pause at " + place)
        assert cluster.ask(b, serial).code == "in_progress"
        cluster.store.clock.jump(HOUR_MS * turn) # its lease is over, though it lives and is in time
        later = Background(lambda serial=serial: cluster.ask_until_deployed(b, serial, "later-" + serial))
        if place == "claimed":
            later.answer()
        else: # and has said so: until then a late fact of a would win
            until(lambda serial=serial: cluster.record(serial)["contacted"] > 1, "another attempt has taken over")
        a.wake()
        late, answer = request.answer(), later.answer()
        # What a sends comes before what b sends, since a was there first; then b's is what counts.
        assert late.status != 200 and cluster.held(serial)[-1] == answer.identity, (late, answer)
    cluster.store.clock.jump(-HOUR_MS)
    for n, where in enumerate((a, b)):
        assert cluster.ask_until_deployed(where, "db-clock-%d" % n).status == 200


@test
def the_proxy_leaves_out_who_is_away(cluster):
    a, b, c = cluster.members
    until(lambda: all(cluster.proxy.is_up(mark) for mark in "abc"), "three servers that are in")
    a.kill()
    b.pause()
    # Until the checks have seen it, a request may meet the paused one, and waits; afterwards none does.
    until(lambda: Background(lambda: cluster.ask(cluster.proxy, "away", timeout=1)).answer().status == 200, "an answer of c")
    until(lambda: not cluster.proxy.is_up("a") and not cluster.proxy.is_up("b"), "two servers that are out")
    for n in range(10):
        answer = cluster.ask(cluster.proxy, "away-%d" % n)
        assert answer.status == 200 and answer.server == "c", answer
    b.wake()
    a.begin()
    until(lambda: all(cluster.proxy.is_up(mark) for mark in "abc"), "three servers that are in again")
    c.stop()
    assert cluster.ask_until_deployed(cluster.proxy, "back").server in "ab"


class Chance:
    """Rounds in which everything happens at a random moment, while stations ask for serials everywhere."""
    CLIENTS = 20

    def __init__(self, cluster):
        self.cluster, self.rng, self.count, self.open, self.done = cluster, cluster.rng, 0, [], {}
        self.faults = {}

    def station(self, serial, deadline, wheres):
        """Asks at all these places, one after the other, until it is answered or the round is over."""
        while time.monotonic() < deadline:
            answer = self.cluster.ask(wheres[0], serial, timeout=10)
            if answer.status == 200:
                return
            assert answer.status in (0, 502, 503, 504) or answer.code in ("in_progress", "injector_timeout", "gateway_unreachable", "in_doubt", "exists"), answer
            assert answer.code != "exists", answer
            wheres = wheres[1:] + wheres[:1]
            time.sleep(0.02)

    def trouble(self, member):
        """One server's fate in this round; returns what puts it right at the round's end."""
        kind = self.rng.choice(["killed", "killed at a place", "paused", "clock", "well"])
        self.faults[kind] = self.faults.get(kind, 0) + 1
        time.sleep(self.rng.uniform(0, 0.3))
        if kind == "killed":
            member.kill()
        elif kind == "killed at a place":
            member.kill()
            member.begin("%s:%d" % (self.rng.choice(PLACES + ("before-write", "after-write", "lapsed")), self.rng.randint(1, 8)), wait=False)
        elif kind == "paused":
            member.pause()
        elif kind == "clock":
            member.clock.jump(self.rng.randint(-HOUR_MS * 10000, HOUR_MS * 10000))
        return kind

    def round(self):
        cluster, rng = self.cluster, self.rng
        everywhere = [*cluster.members, cluster.proxy, cluster.proxy]
        while len(self.open) < self.CLIENTS:
            self.count += 1
            self.open.append(rng.choice(["chance-%d", "MOCK-SLOW-100-%d", "MOCK-SLOW-400-%d"]) % self.count)
        deadline = time.monotonic() + 1.0
        stations = [Background(lambda s=s: self.station(s, deadline, rng.sample(everywhere, len(everywhere)))) for s in self.open for _ in range(2)]
        kinds = {member.mark: Background(lambda m=member: self.trouble(m)) for member in cluster.members}
        kinds = {mark: request.answer() for mark, request in kinds.items()}
        if cluster.store.clock and rng.random() < 0.4:
            cluster.store.clock.jump(rng.choice([0, HOUR_MS, -HOUR_MS]))
        time.sleep(rng.uniform(0.1, 1.2) * LEASE_MS / 1000) # over the leases, or not
        for member in cluster.members:
            if member.is_alive():
                member.wake()
            if kinds[member.mark] == "killed at a place" and member.is_alive():
                member.kill()
            elif not member.is_alive():
                member.wait()
            if not member.is_alive():
                member.begin()
            member.clock.jump(0)
        for station in stations:
            station.answer()
        self.open = [serial for serial in self.open if serial not in cluster.answered]


@test
def whatever_happens(cluster):
    chance = Chance(cluster)
    for _ in range(OPTIONS.rounds):
        chance.round()
    if cluster.store.clock:
        cluster.store.clock.jump(0)
    # No more faults. What a jump of the database's clock has left in the future is freed by its holder's next start.
    for member in cluster.members:
        member.again()
    for serial in chance.open:
        cluster.ask_until_deployed(cluster.proxy, serial)
    for serial in list(cluster.answered):
        if serial.startswith(("chance-", "MOCK-SLOW-")) and "-key" not in serial:
            answer = cluster.ask(cluster.rng.choice(cluster.members), serial, "key-" + serial)
            assert answer.status == 200 or answer.code == "exists", answer
    print("chance, %s: %d rounds, %d identities; servers were %s" % (
        cluster.store.name, OPTIONS.rounds, chance.count, ", ".join("%s %d times" % (k, v) for k, v in sorted(chance.faults.items()))), flush=True)


def run_tests(storage):
    passed = failed = 0
    try:
        cluster = Cluster(OPTIONS.build, storage, OPTIONS.seed)
    except Exception:
        print("FAIL %s: the cluster did not start: %s" % (storage, traceback.format_exc(limit=-2)))
        return 0, 1
    for function in TESTS:
        if OPTIONS.names and function.__name__ not in OPTIONS.names:
            continue
        start = time.monotonic()
        try:
            function(cluster)
            cluster.restore()
            until(lambda: all(row["lease_until_ms"] == 0 for row in cluster.store.rows()), "no leases")
            cluster.expect_sound()
            passed += 1
        except Exception:
            failed += 1
            print("FAIL %s, %s: %s" % (storage, function.__name__, traceback.format_exc(limit=-2)), flush=True)
            for member in cluster.members:
                print("     log of %s: %s" % (member.mark, "     ".join(member.log[-8:])))
            cluster.restore()
        if OPTIONS.verbose:
            print("%s, %s: %.1f s" % (storage, function.__name__, time.monotonic() - start), flush=True)
    codes = cluster.close()
    if any(codes):
        failed += 1
        print("FAIL %s: servers ended with %s" % (storage, codes))
    return passed, failed


def examples_are_good():
    """Those for many servers, with the programs that read them."""
    folder = os.path.dirname(EXAMPLE)
    subprocess.run(["haproxy", "-c", "-q", "-f", EXAMPLE], check=True)
    with tempfile.TemporaryDirectory(prefix="pep-cluster-") as top:
        with open(os.path.join(top, "password"), "w", encoding="utf-8") as file:
            file.write("secret\n")
        os.chmod(os.path.join(top, "password"), 0o600)
        server = os.path.join(OPTIONS.build, "core", "pep-server")
        tokens = os.path.join(top, "tokens.yaml")
        with open(tokens, "w", encoding="utf-8") as file:
            file.write("server:\n  data_dir: %s\nstorage:\n  plugin: sqlite\ninjector:\n  plugin: mock\naccess:\n  tokens: tokens\n" % top)
        subprocess.run([server, "token", "add", "--config", tokens, "line-1"], check=True, capture_output=True)
        for name in ("factory-cluster", "factory-postgres", "factory-mongo"):
            subprocess.run([server, "--config", os.path.join(folder, name + ".yaml"), "--check-config",
                            # Without a data folder it does not connect to the database, which is not here.
                            "--set", "server.data_dir=" + os.path.join(top, "none"), "--set", "access.tokens=" + os.path.join(top, "tokens"),
                            "--set", "server.plugin_dir=" + os.path.join(OPTIONS.build, "plugins", "lib"),
                            "--set", "storage.password=file:" + os.path.join(top, "password")], check=True, stdout=subprocess.DEVNULL)


def each_in_its_process():
    """Every store, side by side: they wait for leases more than they work."""
    counts = [0, 0, 0]
    try:
        examples_are_good()
        counts[0] += 1
    except (OSError, subprocess.SubprocessError) as error:
        counts[1] += 1
        print("FAIL examples: %s" % error)
    command = [sys.executable, os.path.abspath(__file__), "--rounds", str(OPTIONS.rounds), "--seed", str(OPTIONS.seed), "--build", OPTIONS.build,
               *(["--verbose"] if OPTIONS.verbose else []), *OPTIONS.names]
    runs = {}
    for storage in STORES:
        if storage == "postgres" and not importlib.import_module("postgres_server").binaries():
            print("SKIPPED postgres: there is no PostgreSQL here")
            counts[2] += 1
            continue
        runs[storage] = subprocess.Popen([*command, "--storage", storage], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    for storage, run in runs.items():
        lines = run.communicate()[0].splitlines() or ["0 passed, 1 failed"]
        print("\n".join(lines[:-1]))
        try:
            passed, failed = (int(part.split()[0]) for part in lines[-1].split(", ")[:2])
        except ValueError:
            passed, failed = 0, 1
            print("FAIL %s: %s" % (storage, lines[-1]))
        counts[0], counts[1] = counts[0] + passed, counts[1] + failed
    return counts


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--storage", choices=STORES)
    parser.add_argument("--build", default=build_folder("asan"))
    parser.add_argument("--verbose", action="store_true", help="how long each test took")
    OPTIONS = parser.parse_args()
    OPTIONS.build = os.path.abspath(OPTIONS.build)
    if not OPTIONS.storage:
        print("cluster_test: seed %d" % OPTIONS.seed, flush=True)
    passed, failed, skipped = each_in_its_process() if not OPTIONS.storage else (*run_tests(OPTIONS.storage), 0)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
