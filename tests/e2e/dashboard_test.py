#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dashboard in a real browser, on a line of fifteen simulated gateways. Prints "N passed, N failed".

dashboard/drive.mjs looks at the page with Chromium; here are the servers and the gateways. The browser's side asks for them with a line
of JSON ({"do": ...}) and reads one back; all its other lines are for the log. --pictures FOLDER keeps what docs/ shows.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fcc_line import Gateways, Line  # noqa: E402
from server import Server, build_folder  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
STATIONS = 15


class Stage:
    """What the browser's side may ask for; each method answers with something for JSON."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.line = Line(build, os.path.join(folder, "line"), "by_device")
        self.server = self.line.server
        self.guarded = None

    def url(self):
        return f"http://127.0.0.1:{self.server.port}"

    def kill(self):
        self.server.kill()

    def start(self):
        """At the port that the page knows."""
        with open(self.server.conf, encoding="utf-8") as f:
            conf = f.read()
        with open(self.server.conf, "w", encoding="utf-8") as f:
            f.write(conf.replace("port: 0", f"port: {self.server.port}", 1))
        self.server.start()

    def ask(self, station, serial, port):
        """The request of one station: each has an address of its own. The reply's status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60, source_address=(f"127.0.1.{station}", 0))
        try:
            connection.request("POST", "/v3/identity", json.dumps({"serialNumber": serial, "ip": "127.0.0.1", "port": port}),
                               {"Content-Type": "application/json"})
            return connection.getresponse().status
        finally:
            connection.close()

    def gateways(self, count, first=1, faults=()):
        """One unit at each station from the first on; {serial: status of the reply}."""
        crew = Gateways(self.build, count, "GW-", faults, first)
        try:
            with concurrent.futures.ThreadPoolExecutor(STATIONS) as pool:
                units = [(first + i, serial, crew.ports[serial]) for i, serial in enumerate(sorted(crew.ports))]
                return dict(zip((serial for _, serial, _ in units), pool.map(lambda unit: self.ask(*unit), units)))
        finally:
            crew.end()

    def guard(self):
        """A second server, which lets in only who has a token: its address, and a token that may read."""
        self.guarded = Server(self.build, os.path.join(self.folder, "guarded"), name="guarded")
        with open(self.guarded.conf, "a", encoding="utf-8") as f:
            f.write("access:\n  tokens: tokens\n")
        os.makedirs(self.guarded.data, mode=0o700, exist_ok=True)
        token = subprocess.run([self.guarded.binary, "token", "add", "--person", "--config", self.guarded.conf, "ann"], check=True,
                               capture_output=True, text=True).stdout.split()[-1]
        return {"url": f"http://127.0.0.1:{self.guarded.start()}", "token": token}

    def end(self):
        """What was wrong at the end, in words."""
        wrong = []
        for server in filter(None, (self.server, self.guarded)):
            code = server.stop()
            if code:
                wrong.append(f"server {server.folder} ended with {code}\n" + "".join(server.log[-30:]))
        return wrong


def serve(stage, browser):
    """Until the browser's side has said what came out: [passed, failed]."""
    counts = [0, 1]
    for line in browser.stdout:
        if not line.startswith("{"):
            print(line, end="", flush=True)
            continue
        wish = json.loads(line)
        verb = wish.pop("do")
        if verb == "end":
            counts = [wish["passed"], wish["failed"]]
            continue
        browser.stdin.write(json.dumps(getattr(stage, verb)(**wish)) + "\n")
        browser.stdin.flush()
    return counts


def chromium():
    return os.environ.get("PEP_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--pictures", metavar="FOLDER", default="", help="also write the pictures of docs/ into this folder")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="pep-dashboard-") as folder:
        stage = Stage(build_folder("asan"), folder)
        try:
            with subprocess.Popen(["node", os.path.join(HERE, "dashboard", "drive.mjs"), stage.url(), chromium(), arguments.pictures],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as browser:
                passed, failed = serve(stage, browser)
            if browser.returncode:
                print(f"FAIL the browser's side ended with {browser.returncode}")
                failed += 1
        finally:
            wrong = stage.end()
        for text in wrong:
            print("FAIL " + text)
        failed += len(wrong)
        print(f"{passed} passed, {failed} failed")
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
