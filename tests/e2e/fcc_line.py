# SPDX-License-Identifier: Apache-2.0
"""A factory line for the fcc injector: a throw-away certificate authority, a pep-server, simulated gateways. Standard library only."""
import json
import os
import sqlite3
import subprocess
import threading

from server import Server

DEPLOYED, FAILED, IN_DOUBT = 4, 5, 6
OPTIONS = """\
key_mode: {mode}
ca_key: {ca}/ca.key
ca_certificate: {ca}/ca.crt
bootstrap_uri: coaps://bootstrap.example.com:5684
bootstrap_ca: {ca}/ca.crt
update_certificate: {ca}/ca.crt
manufacturer: Test
model_number: GW-2
device_type: gateway
vendor_id: 42fa7b48-1a65-43aa-890f-8c704daade54
class_id: c56f3a62-b52b-4ef6-95a0-db7a6e3b5b21
timezone: Europe/Helsinki
utc_offset: "+02:00"
"""


class Line:
    """One server, in one key mode."""

    def __init__(self, build, folder, mode, options=""):
        self.build, self.folder = build, folder
        os.makedirs(folder)
        ca = os.path.join(folder, "ca")
        binary = os.path.join(build, "core", "pep-server")
        subprocess.run([binary, "ca", "init", ca], check=True, stdout=subprocess.DEVNULL)
        self.server = Server(build, os.path.join(folder, "server"), name="fcc-" + mode.replace("_", "-"),
                             server="injections: 64\ninjection_queue: 64", injector=OPTIONS.format(mode=mode, ca=ca) + options)
        with open(self.server.conf, encoding="utf-8") as f:
            conf = f.read()
        with open(self.server.conf, "w", encoding="utf-8") as f:
            f.write(conf.replace("plugin: mock", "plugin: fcc"))
        self.server.start()

    def ask(self, serial, port, key=None):
        """(HTTP status, Pep-Error, body) of one request for an identity."""
        headers = {"Idempotency-Key": key} if key else {}
        status, head, body = self.server.request("POST", "/v3/identity", {"serialNumber": serial, "ip": "127.0.0.1", "port": port},
                                                 headers, timeout=60)
        return status, head.get("Pep-Error"), body.decode()

    def records(self):
        """{serial: (state, enrollment id, history, reason)} of the store."""
        db = sqlite3.connect("file:%s?mode=ro" % os.path.join(self.server.data, "pep.db"), uri=True)
        try:
            return {row[0]: row[1:] for row in db.execute("SELECT serial, state, enrollment_id, history, reason FROM identity")}
        finally:
            db.close()

    def end(self):
        """Stop; the exit code. What it logged stays in server.log."""
        return self.server.stop()


class Gateways:
    """Simulated gateways, one process of them. ports[serial], and after end(): held[serial], codes[serial]."""

    def __init__(self, build, count, prefix, faults=(), first=1):
        command = [os.path.join(build, "fcc-sim", "pep-fcc-sim"), "--count", str(count), "--json", "--serial-prefix", prefix,
                   "--first", str(first)]
        for fault in faults:
            command += ["--fault", fault]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.ports, self.held, self.codes = {}, {}, {}
        while len(self.ports) < count:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("the simulated gateways did not start")
            self.take(json.loads(line))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def take(self, event):
        if event["event"] == "listening":
            self.ports[event["serial"]] = event["port"]
        elif event["event"] == "ended":
            # A gateway that refused may have kept the certificate in its store, but it does not use it, and has said so.
            accepted = event["returnStatus"] == 0 and event["enrollmentID"]
            self.held[event["serial"]] = event["enrollmentID"].upper() if accepted else None
            self.codes[event["serial"]] = event["exitCode"]

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                self.take(json.loads(line))

    def end(self):
        """Those that still wait are ended, as their power would be cut."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)
        self.reader.join(30)
        self.process.stdout.close()


def untruths(serial, reply, record, held):
    """What is wrong about one gateway: the reply (HTTP status), its record, and what it holds."""
    if record is None:
        return ["%s: no record" % serial]
    state, enrollment_id, history, _ = record
    known = {enrollment_id} | {attempt.get("enrollment_id") for attempt in json.loads(history or "[]")}
    found = []
    if held and held not in known:
        found.append("lost: the gateway holds %s, the record knows %s" % (held, known))
    if state not in (DEPLOYED, FAILED, IN_DOUBT):
        found.append("the record is left in state %d" % state)
    if state == DEPLOYED and held != enrollment_id:
        found.append("deployed with %s, and the gateway holds %s" % (enrollment_id, held))
    if state == FAILED and held:
        found.append("failed, and the gateway holds %s" % held)
    if (reply == 200) != (state == DEPLOYED):
        found.append("answered %d with the record in state %d" % (reply, state))
    return ["%s: %s" % (serial, text) for text in found]
