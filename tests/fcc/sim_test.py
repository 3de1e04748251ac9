#!/usr/bin/env python3
"""sim_test.py PEP_FCC_SIM: what pep-fcc-sim does beside being a faithful gateway: many at once, faults, the store, a factory line.

The tool's side is played with recorded messages of transcripts.jsonl. The last line is "N passed, N failed".
"""
import concurrent.futures
import errno
import hashlib
import http.server
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 60
ADDRESS = re.compile(r"Client IP Address and Port :\s+127\.0\.0\.1:(\d+)$")


def load():
    scenarios = {}
    with open(os.path.join(HERE, "transcripts.jsonl"), encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            scenarios.setdefault(line["name"], []).append(line)
    return scenarios


SCENARIOS = load()


def sent(name, index=0):
    """The frame that the tool sent, its note."""
    line = [line for line in SCENARIOS[name] if line["direction"] == "tool->device"][index]
    return bytes.fromhex(line["hex"]), line["note"]


def answered(name, index=0):
    return bytes.fromhex([line for line in SCENARIOS[name] if line["direction"] == "device->tool"][index]["hex"])


GOOD, NOTE = sent("ok_by_tool")
ENROLLMENT_ID = NOTE.rsplit(" ", 1)[1]


def read_all(connection):
    data = b""
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionError:
            return data
        if not part:
            return data
        data += part


def connect(port):
    return socket.create_connection(("127.0.0.1", port), LIMIT_S)


def wait_until_refused(port):
    """The gateway has ended."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        try:
            with connect(port) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                read_all(connection)
        except ConnectionRefusedError:
            return
    raise AssertionError("it goes on listening")


def inject(port, frame=GOOD):
    """All that the gateway says to one message, up to its close."""
    with connect(port) as connection:
        connection.sendall(frame)
        return read_all(connection)


def read_frame(connection):
    """One whole answer with a payload, the connection stays open."""
    data = b""
    while len(data) < 16 or len(data) < 16 + struct.unpack("<I", data[12:16])[0] + 32:
        part = connection.recv(1)
        if not part:
            raise AssertionError(f"closed after {data.hex()}")
        data += part
    return data


def status_of(answer):
    """ReturnStatus of an answer with a payload."""
    at = answer.index(b"ReturnStatus") + len(b"ReturnStatus")
    return answer[at] if answer[at] < 24 else answer[at + 1]


def cbor_head(major, number):
    return bytes([major << 5 | number]) if number < 24 else struct.pack(">BH", major << 5 | 25, number)


def cbor(value):
    if isinstance(value, int):
        return cbor_head(0, value)
    if isinstance(value, str):
        return cbor_head(3, len(value.encode())) + value.encode()
    return cbor_head(4, len(value)) + b"".join(cbor_map(*entry) for entry in value)


def cbor_map(*pairs):
    return cbor_head(5, len(pairs)) + b"".join(cbor(key) + cbor(value) for key, value in pairs)


def frame_of(payload):
    return b"mbedprov" + struct.pack("<I", len(payload)) + payload + hashlib.sha256(payload).digest()


class Sim:
    def __init__(self, *options):
        self.process = subprocess.Popen([PROGRAM, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def port(self):
        for line in self.process.stdout:
            found = ADDRESS.search(line.rstrip("\n"))
            if found:
                return int(found.group(1))
        raise AssertionError("no address line: " + self.process.stderr.read())

    def end(self):
        output, errors = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, output, errors


class OneGateway(unittest.TestCase):
    def test_success_is_the_recorded_answer(self):
        with Sim() as sim:
            self.assertEqual(inject(sim.port()), answered("ok_by_tool"))
            self.assertEqual(sim.end()[0], 0)

    def test_the_store_holds_what_was_sent(self):
        with tempfile.TemporaryDirectory() as root:
            folder = os.path.join(root, "store")
            with Sim("--store", folder, "--print") as sim:
                inject(sim.port())
                code, output, _ = sim.end()
            self.assertEqual(code, 0)
            with open(f"{folder}/mbed.EndpointName.param", "rb") as file:
                self.assertEqual(file.read(), b"gw-ok-by-tool")
            with open(f"{folder}/mbed.BootstrapDeviceCert.crt", "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            self.assertEqual("A-" + ":".join(digest[i:i + 2] for i in range(0, 64, 2)), ENROLLMENT_ID)
            self.assertTrue(os.path.exists(f"{folder}/mbed.BootstrapDevicePrivateKey.key"))
            self.assertIn("mbed.EndpointName = gw-ok-by-tool", output)
            self.assertIn(ENROLLMENT_ID, output)
            with open(f"{folder}/mbed.BootstrapDevicePrivateKey.key", "rb") as file:
                self.assertNotIn(file.read().hex(), output)

    def test_the_first_message_erases_and_nothing_before_does(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("old.param", "mine.txt"):
                with open(f"{folder}/{name}", "wb"):
                    pass
            with Sim("--store", folder) as sim:
                inject(sim.port(), sent("err_bad_hash")[0])
                self.assertEqual(sim.end()[0], 1)
            self.assertEqual(sorted(os.listdir(folder)), ["mine.txt", "old.param"])
            with Sim("--store", folder) as sim:
                inject(sim.port(), sent("err_cbor_garbage")[0])
                self.assertEqual(sim.end()[0], 0)
            self.assertEqual(os.listdir(folder), ["mine.txt"])

    def test_a_chain_is_one_item_with_a_file_for_each_certificate(self):
        with tempfile.TemporaryDirectory() as folder:
            with Sim("--store", folder) as sim:
                self.assertEqual(inject(sim.port(), sent("ok_by_tool_chain")[0]), answered("ok_by_tool_chain"))
                self.assertEqual(sim.end()[0], 0)
            self.assertIn("mbed.BootstrapDeviceCert.crt", os.listdir(folder))
            self.assertIn("mbed.BootstrapDeviceCert~2.crt", os.listdir(folder))

    def test_sigterm_ends_it(self):
        with Sim() as sim:
            with connect(sim.port()) as connection:
                connection.sendall(GOOD[:100])
                sim.process.send_signal(signal.SIGTERM)
                self.assertEqual(sim.end()[0], 130)

    def test_json(self):
        with Sim("--json", "--print") as sim:
            first = json.loads(sim.process.stdout.readline())
            self.assertEqual((first["event"], first["ip"], first["serial"]), ("listening", "127.0.0.1", "SIM-000001"))
            inject(first["port"])
            events = [json.loads(line) for line in sim.end()[1].splitlines()]
        self.assertEqual(events[-1], {"event": "ended", "serial": "SIM-000001", "exitCode": 0, "messages": 1, "returnStatus": 0,
                                      "enrollmentID": ENROLLMENT_ID})
        values = {event["name"]: event["value"] for event in events[:-1]}
        self.assertEqual(values["mbed.UseBootstrap"], "01000000")
        self.assertEqual(values["mbed.BootstrapDevicePrivateKey"], "(private)")

    def test_wrong_use(self):
        for options in (["--count", "0"], ["--fault", "refuse:99"], ["--fault", "2-1=slow:1"], ["--serial-prefix", "a/b"], ["--port", "0"],
                        ["--provision", "ftp://x"], ["--provision", "http://"], ["--ip", "gateway"], ["what"], ["--port", "65535", "--count", "2"], ["--store"]):
            with self.subTest(options=options), Sim(*options) as sim:
                code, output, errors = sim.end()
                self.assertEqual((code, output, len(errors.splitlines())), (2, "", 1))

    def test_what_keeps_it_from_starting_is_told(self):
        with socket.socket() as taken, tempfile.NamedTemporaryFile() as file:
            taken.bind(("127.0.0.1", 0))
            port = str(taken.getsockname()[1])
            for options, words in ((["--port", port], f"port {port}: Address already in use"), (["--store", file.name], file.name),
                                   (["--store", file.name + "/x/y"], file.name)):
                with self.subTest(options=options), Sim(*options) as sim:
                    code, output, errors = sim.end()
                    self.assertEqual((code, output, len(errors.splitlines())), (1, "", 1))
                    self.assertIn(words, errors)

    def test_help_that_nobody_gets_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.DEVNULL, check=False).returncode, 1)

    def test_text_is_not_cut_inside_a_character(self):
        text = "x" * 127 + "\u00e9" * 40
        parameter = cbor_map(("SchemeVersion", "0.0.1"), ("Verify", 0), ("ConfigParams", [(("Name", "own"), ("Data", text))]))
        with Sim("--json", "--print") as sim:
            inject(json.loads(sim.process.stdout.readline())["port"], frame_of(parameter))
            item = json.loads(sim.end()[1].splitlines()[0])
        self.assertEqual((item["value"], item["size"]), ("x" * 127 + "...", 207))


class Faults(unittest.TestCase):
    def test_refuse(self):
        for fault, status in (("refuse", 1), ("refuse:25", 25)):
            with self.subTest(fault=fault), Sim("--fault", fault) as sim:
                self.assertEqual(status_of(inject(sim.port())), status)
                self.assertEqual(sim.end()[0], 0)

    def test_refuse_the_second_message(self):
        with Sim("--fault", "refuse:16:2") as sim:
            with connect(sim.port()) as connection:
                connection.sendall(sent("ok_two_part_session", 0)[0])
                self.assertEqual(read_frame(connection), answered("ok_two_part_session", 0))
                connection.sendall(sent("ok_two_part_session", 1)[0])
                self.assertEqual(status_of(read_frame(connection)), 16)

    def test_drop(self):
        whole = answered("ok_by_tool")
        for size in (0, 1, 12, len(whole) - 1):
            with self.subTest(size=size), Sim("--fault", f"drop:{size}") as sim:
                self.assertEqual(inject(sim.port()), whole[:size])
                self.assertEqual(sim.end()[0], 1)

    def test_no_answer(self):
        with Sim("--fault", "no-answer") as sim:
            with connect(sim.port()) as connection:
                connection.sendall(GOOD)
                connection.shutdown(socket.SHUT_WR)
                self.assertEqual(read_all(connection), b"")
            self.assertEqual(sim.end()[0], 1)

    def test_double(self):
        with Sim("--fault", "double") as sim:
            self.assertEqual(inject(sim.port()), 2 * answered("ok_by_tool"))

    def test_disabled(self):
        with Sim("--fault", "disabled") as sim:
            self.assertEqual(inject(sim.port()), b"mbedprov" + struct.pack("<I", 9))
            self.assertEqual(sim.end()[0], 1)
        with Sim("--fault", "disabled", "--json") as sim:
            inject(json.loads(sim.process.stdout.readline())["port"])
            self.assertIsNone(json.loads(sim.end()[1])["returnStatus"])

    def test_wrong_cn(self):
        with Sim("--fault", "wrong-cn") as sim:
            self.assertEqual(status_of(inject(sim.port())), 14)
        with Sim("--fault", "wrong-cn") as sim:
            with connect(sim.port()) as connection:
                connection.sendall(sent("ok_by_device")[0])
                self.assertIn(b"another-gateway", read_frame(connection))

    def test_slow(self):
        with Sim("--fault", "slow:300") as sim:
            port = sim.port()
            start = time.monotonic()
            self.assertEqual(inject(port), answered("ok_by_tool"))
            self.assertGreaterEqual(time.monotonic() - start, 0.3)

    def test_only_the_devices_meant(self):
        with Sim("--count", "4", "--fault", "2-3=refuse:8", "--fault", "*3=double") as sim:
            answers = [inject(sim.port()) for _ in range(4)]
            self.assertEqual(sim.end()[0], 0)
        self.assertEqual([status_of(answer) for answer in answers], [0, 8, 8, 0])
        self.assertEqual([answer.count(b"mbedprov") for answer in answers], [1, 1, 2, 1])


class Many(unittest.TestCase):
    def test_fifty_at_once(self):
        with tempfile.TemporaryDirectory() as folder, Sim("--count", "50", "--store", folder, "--serial-prefix", "GW", "--first", "7") as sim:
            ports = [sim.port() for _ in range(50)]
            self.assertEqual(len(set(ports)), 50)
            with concurrent.futures.ThreadPoolExecutor(50) as pool:
                self.assertEqual(set(pool.map(inject, ports)), {answered("ok_by_tool")})
            self.assertEqual(sim.end()[0], 0)
            self.assertEqual(sorted(os.listdir(folder)), [f"GW{number:06}" for number in range(7, 57)])
            self.assertIn("mbed.BootstrapDeviceCert.crt", os.listdir(f"{folder}/GW000056"))


    def test_an_end_is_told_when_it_comes(self):
        with Sim("--count", "3", "--json") as sim:
            ports = [json.loads(sim.process.stdout.readline())["port"] for _ in range(3)]
            inject(ports[2])
            self.assertEqual(json.loads(sim.process.stdout.readline())["serial"], "SIM-000003")
            sim.process.send_signal(signal.SIGINT)
            code, output, _ = sim.end()
        self.assertEqual((code, {json.loads(line)["exitCode"] for line in output.splitlines()}), (1, {130}))

    def test_one_that_cannot_start_ends_all(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            with Sim("--count", "3", "--port", str(port - 1)) as sim:
                code, _, errors = sim.end()
        self.assertEqual((code, len(errors.splitlines())), (1, 1))

    def test_a_thousand(self):
        with Sim("--count", "1000") as sim:
            ports = {sim.port() for _ in range(1000)}
            self.assertEqual(len(ports), 1000)
            sim.process.send_signal(signal.SIGTERM)
            self.assertEqual(sim.end()[0], 1)


class FakePep(http.server.ThreadingHTTPServer):
    """Injects a recorded message into every gateway that asks, and tells its enrollment identity."""
    request_queue_size = 64

    def __init__(self, reply=None):
        super().__init__(("127.0.0.1", 0), FakePepHandler)
        self.reply, self.requests, self.lock = reply, [], threading.Lock()

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.shutdown()
        self.thread.join()
        self.server_close()


class FakePepHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append((self.path, request))
        status, error, identity = self.server.reply(request) if self.server.reply else self.deliver(request)
        body = json.dumps({"enrollmentID": identity} if identity else {"title": "x"}).encode()
        self.send_response(status)
        if error:
            self.send_header("Pep-Error", error)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:  # the asker was stopped
            self.close_connection = True

    def deliver(self, request):
        answer = inject(request["port"])
        if answer == answered("ok_by_tool"):
            return 200, None, ENROLLMENT_ID
        return (500, "gateway_refused", None) if len(answer) > 16 else (500, "in_doubt", None)

    def log_message(self, *arguments):
        pass


class Line(unittest.TestCase):
    def run_line(self, pep, *options):
        with Sim("--provision", f"http://127.0.0.1:{pep.server_port}/", "--json", *options) as sim:
            code, output, errors = sim.end()
        self.assertEqual(errors, "")
        return code, json.loads(output.splitlines()[-1])

    def test_all_units(self):
        with FakePep() as pep:
            code, numbers = self.run_line(pep, "--count", "40", "--stations", "8")
        self.assertEqual((code, numbers["units"], numbers["provisioned"], numbers["failed"], numbers["failures"]), (0, 40, 40, 0, {}))
        self.assertAlmostEqual(numbers["unitsPerHour"], 40 * 3600 / numbers["seconds"], delta=0.02 * numbers["unitsPerHour"])
        self.assertEqual(sorted(request["serialNumber"] for _, request in pep.requests), [f"SIM-{n:06}" for n in range(1, 41)])
        self.assertEqual({path for path, _ in pep.requests}, {"/v3/identity"})
        self.assertEqual({request["ip"] for _, request in pep.requests}, {"127.0.0.1"})

    def test_failures_are_counted(self):
        with FakePep() as pep:
            code, numbers = self.run_line(pep, "--count", "6", "--fault", "1=refuse:13", "--fault", "2-3=drop:5")
        self.assertEqual((code, numbers["provisioned"], numbers["failures"]), (1, 3, {"gateway_refused": 1, "in_doubt": 2}))

    def test_a_success_that_the_gateway_does_not_know_of(self):
        with FakePep(lambda request: (200, None, ENROLLMENT_ID)) as pep:
            self.assertEqual(self.run_line(pep, "--count", "2")[1]["failures"], {"not_at_the_gateway": 2})

    def test_an_error_is_not_a_success_whatever_it_is_called(self):
        with FakePep(lambda request: (500, "provisioned", None)) as pep:
            self.assertEqual(self.run_line(pep)[1]["failures"], {"provisioned": 1})

    def test_a_port_stays_with_its_gateway_until_pep_has_answered(self):
        outcome = []

        def deliver(request):
            with connect(request["port"]) as connection:
                connection.sendall(GOOD)
                read_frame(connection)
                # Reset: without a wait of the kernel, which would keep the port, too.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wait_until_refused(request["port"])
            with socket.socket() as other:
                try:
                    other.bind(("127.0.0.1", request["port"]))
                    outcome.append("taken by another")
                except OSError as error:
                    outcome.append(error.errno)
            return 200, None, ENROLLMENT_ID
        with FakePep(deliver) as pep:
            self.run_line(pep)
        self.assertEqual(outcome, [errno.EADDRINUSE])

    def test_another_identity_than_the_gateway_holds(self):
        def lie(request):
            inject(request["port"])
            return 200, None, ENROLLMENT_ID[:-1] + ("0" if ENROLLMENT_ID[-1] != "0" else "1")
        with FakePep(lie) as pep:
            self.assertEqual(self.run_line(pep)[1]["failures"], {"other_identity": 1})

    def test_nobody_there(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            with Sim("--provision", f"http://127.0.0.1:{closed.getsockname()[1]}", "--count", "3") as sim:
                code, output, errors = sim.end()
        self.assertEqual((code, len(errors.splitlines())), (1, 1))
        self.assertIn("connect", errors)
        self.assertIn("3 units, 0 provisioned, 3 failed", output)
        self.assertIn("failed: unreachable 3", output)

    def test_sigterm_ends_a_line_that_waits(self):
        asked = threading.Event()
        leave = threading.Event()

        def wait(request):
            asked.set()
            leave.wait(LIMIT_S)
            return 500, "in_doubt", None
        with FakePep(wait) as pep:
            try:
                with Sim("--provision", f"http://127.0.0.1:{pep.server_port}", "--count", "3", "--stations", "1") as sim:
                    self.assertTrue(asked.wait(LIMIT_S))
                    sim.process.send_signal(signal.SIGTERM)
                    code, output, _ = sim.end()
            finally:
                leave.set()
        self.assertEqual(code, 1)
        self.assertIn("1 units, 0 provisioned, 1 failed", output)


if __name__ == "__main__":
    PROGRAM = sys.argv[1]
    result = unittest.main(argv=sys.argv[:1] + sys.argv[2:], exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
