#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mongo_server.py [--data FOLDER] [--port N] [--replica-set NAME] [--user NAME --password-file FILE] [--tls-cert FILE] [--double]

Gets the MongoDB-compatible server for the tests, prints "KIND URI" (without a database or password), and runs until its standard input ends.
The first of: $PEP_TEST_MONGO_URI, mongod on PATH, FerretDB on PATH or in the cache (scripts/install-ferretdb), the double in mongo_double/.
What needs faults made in the server takes the double (--double); so does user, password, TLS or a replica set where there is no mongod.
"""
import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
START_LIMIT_S = 60


def ferretdb():
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pep", "bin", "ferretdb")
    return shutil.which("ferretdb") or (cache if os.access(cache, os.X_OK) else None)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class MongoServer:
    """start() returns when it takes connections; kill() and start() again is a crash and a restart on the same port and data."""

    def __init__(self, folder, port=0, replica_set=None, user=None, password_file=None, tls_cert=None, old=False, double=False,
                 advertise=None):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.port, self.process = folder, port, None
        plain = not (replica_set or user or tls_cert or old)
        self.outside = os.environ.get("PEP_TEST_MONGO_URI") if plain and not double else None
        self.extra = []
        for option, value in (("--replica-set", replica_set), ("--user", user), ("--password-file", password_file),
                              ("--tls-cert", tls_cert), ("--advertise", advertise)):
            self.extra += [option, value] if value else []
        self.extra += ["--old"] if old else []
        if self.outside:
            self.kind = "PEP_TEST_MONGO_URI"
        elif plain and not double and shutil.which("mongod"):
            self.kind = "mongod"
        elif plain and not double and ferretdb():
            self.kind = "ferretdb"
        else:
            self.kind = "double"

    def command(self):
        if self.kind == "mongod":
            return [shutil.which("mongod"), "--bind_ip", "127.0.0.1", "--port", str(self.port), "--dbpath", self.folder,
                    "--unixSocketPrefix", self.folder]
        if self.kind == "ferretdb":
            return [ferretdb(), "--handler=sqlite", f"--sqlite-url=file:{self.folder}/", f"--listen-addr=127.0.0.1:{self.port}",
                    "--telemetry=disable", "--debug-addr=-", f"--state-dir={self.folder}"]
        return [sys.executable, "-m", "mongo_double", "--data", os.path.join(self.folder, "log.bson"), "--port", str(self.port), *self.extra]

    @property
    def uri(self):
        return self.outside or f"mongodb://127.0.0.1:{self.port}"

    def start(self):
        if self.outside:
            return self.uri
        double = self.kind == "double"
        if not double:
            self.port = self.port or free_port()
        with open(os.path.join(self.folder, "server.log"), "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=HERE, stdin=subprocess.PIPE, stderr=log,
                                            stdout=subprocess.PIPE if double else log)
        if double:
            line = self.process.stdout.readline().decode()
            if not line.startswith("ready "):
                raise RuntimeError(f"the server did not start; see {self.folder}/server.log")
            self.port = int(line.rsplit(":", 1)[1])
        else:
            self.wait()
        return self.uri

    def wait(self):
        end = time.monotonic() + START_LIMIT_S
        while self.process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                threading.Event().wait(0.05)  # it does not tell when it is ready
        raise RuntimeError(f"the server did not start; see {self.folder}/server.log")

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def pause(self):
        """It holds its connections, and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if not self.process:
            return
        self.process.stdin.close()
        if self.kind != "double":
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--replica-set")
    parser.add_argument("--user")
    parser.add_argument("--password-file")
    parser.add_argument("--tls-cert")
    parser.add_argument("--old", action="store_true")
    parser.add_argument("--double", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pep-mongo-") as folder:
        server = MongoServer(arguments.data or folder, arguments.port, arguments.replica_set, arguments.user,
                             arguments.password_file, arguments.tls_cert, arguments.old, arguments.double)
        server.start()
        print(server.kind, server.uri, flush=True)
        sys.stdin.buffer.read()
        server.stop()


if __name__ == "__main__":
    main()
