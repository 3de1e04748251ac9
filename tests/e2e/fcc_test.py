#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fcc injector, end to end: a server, simulated gateways, every fault that they know. Prints "N passed, N failed"."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fcc_line import DEPLOYED, FAILED, IN_DOUBT, Gateways, Line, untruths  # noqa: E402
from server import build_folder  # noqa: E402

BUILD = build_folder("asan")
IDENTITY = re.compile(r"A-([0-9A-F]{2}:){31}[0-9A-F]{2}")

# Fault, key mode, what the record says, Pep-Error, a word of the reason.
FAULTS = [
    ("refuse:14", "by_device", FAILED, "gateway_refused", "status 14"),
    ("refuse:14:2", "by_device", FAILED, "gateway_refused", "the name in the certificate"),
    ("refuse:13", "by_tool", FAILED, "gateway_refused", "expired"),
    ("slow:300", "by_device", DEPLOYED, None, None),
    ("slow:300", "by_tool", DEPLOYED, None, None),
    ("drop:0", "by_device", FAILED, "gateway_unreachable", "it has no certificate"),
    ("drop:20", "by_device", FAILED, "gateway_unreachable", "it has no certificate"),
    ("drop:20:2", "by_device", IN_DOUBT, "in_doubt", "it may have its certificate"),
    ("drop:20", "by_tool", IN_DOUBT, "in_doubt", "it may have its certificate"),
    ("no-answer", "by_device", FAILED, "injector_timeout", "no whole answer"),
    ("no-answer:2", "by_device", IN_DOUBT, "in_doubt", "no whole answer"),
    ("no-answer", "by_tool", IN_DOUBT, "in_doubt", "no whole answer"),
    ("wrong-cn", "by_device", FAILED, "injector_failed", "its name is not the serial number"),
    ("wrong-cn", "by_tool", FAILED, "gateway_refused", "status 14"),
    ("double", "by_tool", DEPLOYED, None, None),
    ("disabled", "by_device", FAILED, "gateway_refused", "communication status 9"),
    ("disabled", "by_tool", IN_DOUBT, "in_doubt", "communication status 9"),
]


def ask_all(line, gateways):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return dict(zip(gateways.ports, pool.map(lambda serial: line.ask(serial, gateways.ports[serial]), gateways.ports)))


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def fifteen_at_once(lines, mode):
    """The line of the manual: 15 gateways, each with an identity of its own that its record names."""
    gateways = Gateways(BUILD, 15, "FIFTEEN-" + mode.replace("_", "-") + "-")
    try:
        replies = ask_all(lines[mode], gateways)
    finally:
        gateways.end()
    records = lines[mode].records()
    for serial, (status, _, body) in replies.items():
        check(status == 200, "%s: %d %s" % (serial, status, body))
        wrong = untruths(serial, status, records.get(serial), gateways.held.get(serial))
        check(not wrong, "\n".join(wrong))
        check(IDENTITY.fullmatch(gateways.held[serial]), gateways.held[serial])
        check(gateways.codes[serial] == 0, "exit code %d" % gateways.codes[serial])
        check(json.loads(body)["serialNumber"] == serial, body)
    check(len(set(gateways.held.values())) == 15, "two gateways with one identity")


def fault(lines, name, mode, state, error, words):
    serial_prefix = "F-%s-%s-" % (name.replace(":", "-"), mode.replace("_", "-"))
    gateways = Gateways(BUILD, 1, serial_prefix, [name])
    try:
        (serial, (status, code, body)), = ask_all(lines[mode], gateways).items()
    finally:
        gateways.end()
    record = lines[mode].records().get(serial)
    wrong = untruths(serial, status, record, gateways.held.get(serial))
    check(not wrong, "\n".join(wrong))
    check(record[0] == state and code == error, "state %d, %s: %s" % (record[0], code, body))
    check(words is None or words in record[3], record[3])


def double_by_device(lines):
    """The copy of the first answer is not taken for the last one, whenever it comes."""
    gateways = Gateways(BUILD, 1, "TWICE-", ["double"])
    try:
        (serial, (status, _, body)), = ask_all(lines["by_device"], gateways).items()
    finally:
        gateways.end()
    record = lines["by_device"].records().get(serial)
    wrong = untruths(serial, status, record, gateways.held.get(serial))
    check(not wrong, "\n".join(wrong))
    check(record[0] in (FAILED, IN_DOUBT), body)


def nobody_there(lines, mode):
    gateways = Gateways(BUILD, 1, "GONE-")
    gateways.end()
    (serial, port), = gateways.ports.items()
    status, code, body = lines[mode].ask(serial, port)
    check(status == 500 and code == "gateway_unreachable", "%d %s %s" % (status, code, body))


def retry_after_doubt(lines, mode):
    """What is in doubt is tried again with a new key; the old identity stays in the history."""
    first = Gateways(BUILD, 1, "AGAIN-", ["drop:20" if mode == "by_tool" else "drop:20:2"])
    (serial, port), = first.ports.items()
    try:
        check(lines[mode].ask(serial, port)[1] == "in_doubt", "not in doubt")
    finally:
        first.end()
    old = lines[mode].records()[serial][1]
    check(first.held[serial] == old, "the gateway holds %s, the record says %s" % (first.held[serial], old))
    second = Gateways(BUILD, 1, "AGAIN-")
    try:
        status, _, body = lines[mode].ask(serial, second.ports[serial])
    finally:
        second.end()
    state, now, history, _ = lines[mode].records()[serial]
    check(status == 200 and state == DEPLOYED, body)
    check(now == second.held[serial] and now != old and old in history, "history %s" % history)


def no_key_material_in_the_log(lines, mode):
    with open(os.path.join(lines[mode].folder, "ca", "ca.key"), encoding="ascii") as f:
        secret = "".join(line.strip() for line in f if not line.startswith("-----"))
    log = "".join(lines[mode].server.log)
    check(log and secret[:24] not in log and "PRIVATE KEY" not in log, "the key is in the log")


def bad_configurations(lines, mode):
    """Each stops the server with one line, before it listens."""
    line = lines[mode]
    with open(line.server.conf, encoding="utf-8") as f:
        conf = f.read()
    path = os.path.join(line.folder, "bad.yaml")
    os.chmod(os.path.join(line.folder, "ca", "ca.crt"), 0o600)  # else it is refused as a key before it is read
    for old, new, words in [("key_mode: " + mode, "key_mode: by_hand", "key_mode must be"),
                            ("coaps://bootstrap", "https://bootstrap", "coap:// or coaps://"),
                            ("42fa7b48-", "42fa7b48", "vendor_id"),
                            ("ca_certificate: ", "ca_certificate: /nowhere", "cannot read ca_certificate"),
                            ("/ca.key", "/ca.crt", "give a private key in PEM")]:
        check(old in conf, old)
        with open(path, "w", encoding="utf-8") as f:
            f.write(conf.replace(old, new, 1).replace(line.server.data, os.path.join(line.folder, "bad")))
        ended = subprocess.run([line.server.binary, "--config", path], capture_output=True, text=True, check=False, timeout=30)
        said = [text for text in ended.stderr.splitlines() if words in text]
        check(ended.returncode == 3 and len(said) == 1, "exit %d: %s" % (ended.returncode, ended.stderr))


MORE = """answer_timeout: 1s
entropy: by_tool
root_of_trust: by_tool
enrollment_id_parameter: true
parameters: "site=Oulu, hall 1; line:int=-7; key-check.value:hex=00ff"
"""


def more_settings(folder, mode):
    """Seeds and parameters of the factory's own: a gateway takes them, and stores the parameters."""
    line = Line(BUILD, os.path.join(folder, "more-" + mode), mode, MORE)
    try:
        gateways = Gateways(BUILD, 1, "MORE-")
        try:
            (serial, (status, _, body)), = ask_all(line, gateways).items()
        finally:
            gateways.end()
        check(status == 200, body)
        wrong = untruths(serial, status, line.records().get(serial), gateways.held.get(serial))
        check(not wrong, "\n".join(wrong))
    finally:
        check(line.end() == 0, "".join(line.server.log[-20:]))


def no_secure_element(folder):
    """A gateway without one says so before it has anything."""
    line = Line(BUILD, os.path.join(folder, "se"), "by_device", "secure_element: true")
    try:
        gateways = Gateways(BUILD, 1, "SE-")
        try:
            (serial, (_, code, body)), = ask_all(line, gateways).items()
        finally:
            gateways.end()
        check(code == "gateway_refused", body)
        state, _, _, reason = line.records()[serial]
        check(state == FAILED and "status 37" in reason and "secure_element" in reason, reason)
    finally:
        line.end()


def cases(lines, folder):
    yield "fault double, by_device", lambda: double_by_device(lines)
    yield "no secure element", lambda: no_secure_element(folder)
    for mode in lines:
        yield "fifteen at once, " + mode, lambda mode=mode: fifteen_at_once(lines, mode)
        yield "nobody there, " + mode, lambda mode=mode: nobody_there(lines, mode)
        yield "retry after doubt, " + mode, lambda mode=mode: retry_after_doubt(lines, mode)
        yield "more settings, " + mode, lambda mode=mode: more_settings(folder, mode)
        yield "bad configurations, " + mode, lambda mode=mode: bad_configurations(lines, mode)
    for row in FAULTS:
        yield "fault %s, %s" % row[:2], lambda row=row: fault(lines, *row)
    for mode in lines:
        yield "no key in the log, " + mode, lambda mode=mode: no_key_material_in_the_log(lines, mode)


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="pep-fcc-") as folder:
        lines = {mode: Line(BUILD, os.path.join(folder, mode), mode, "answer_timeout: 1s") for mode in ("by_device", "by_tool")}
        try:
            for name, run in cases(lines, folder):
                try:
                    run()
                    passed += 1
                except (AssertionError, OSError, RuntimeError) as error:
                    failed += 1
                    print("FAILED %s: %s" % (name, error))
        finally:
            for mode, line in lines.items():
                code = line.end()
                if code:
                    failed += 1
                    print("FAILED the server of %s ended with %d:\n%s" % (mode, code, "".join(line.server.log[-40:])))
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
