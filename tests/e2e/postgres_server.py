#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server under test: a folder and a port of its own, an ordinary user, gone when the test is. Standard library only.

As a program it serves other tests, whatever their language:
  postgres_server.py [--tls]     starts a server, prints one line "FOLDER PORT" (FOLDER: its socket; with --tls also ca.pem
                                 and other.pem), and obeys
                                 lines on its standard input, answering "ok": stop (at once), kill (as a crash), start, pause, wake.
                                 It ends, and removes the folder, when its standard input does.
  postgres_server.py --binaries  prints where the server's programs are; exit 1 if they are nowhere.
"""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

DATABASE, USER = "pep", "pep"
PASSWORD = "correct horse" # of the user "keeper", who may come over TCP; `USER` may come over the socket, and needs none
HBA = """\
local all all trust
hostnossl all keeper 127.0.0.1/32 scram-sha-256
hostssl all keeper 127.0.0.1/32 scram-sha-256
"""
# Every commit reaches the disk, as the plugin demands.
CONF = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
max_connections = 300
shared_buffers = 64MB
fsync = on
logging_collector = off
log_min_messages = warning
autovacuum_naptime = 5s
"""


def binaries():
    """The folder of initdb and postgres: PEP_TEST_POSTGRES_BIN, PATH, or where packages put the newest; None: nowhere."""
    found = shutil.which("initdb")
    places = [os.environ.get("PEP_TEST_POSTGRES_BIN", ""), os.path.dirname(os.path.realpath(found)) if found else ""]
    places += sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda place: int(place.split("/")[4]), reverse=True)
    for place in places:
        if place and all(os.access(os.path.join(place, name), os.X_OK) for name in ("initdb", "postgres")):
            return place
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ordinary_user():
    """PostgreSQL refuses to run as root: whom root becomes. Nothing for anybody else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("there is no user postgres and no user nobody to run PostgreSQL as")


class PostgresServer:
    """start() returns when it answers. `folder` holds its socket and, with TLS, ca.pem; both servers and tests may read it."""

    def __init__(self, tls=False, conf=""):
        self.bin = binaries()
        if not self.bin:
            raise RuntimeError("there is no PostgreSQL here: install it, or set PEP_TEST_POSTGRES_BIN")
        self.user = ordinary_user()
        self.folder = tempfile.mkdtemp(prefix="pep-postgres-")
        os.chmod(self.folder, 0o755)
        self.data = os.path.join(self.folder, "data")
        self.port = free_port()
        self.process = None
        if self.user:
            os.chown(self.folder, self.user["user"], self.user["group"])
        # Another order than that of the bytes is what a factory's database may well have.
        self._run("initdb", "--no-sync", "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C.UTF-8",
                  "--locale-provider=icu", "--icu-locale=en", "-D", self.data)
        self._append("postgresql.conf", CONF.format(port=self.port, folder=self.folder) + conf)
        self._append("pg_hba.conf", HBA, replace=True)
        if tls:
            self._make_certificates()
            self._append("postgresql.conf", "ssl = on\nssl_cert_file = '../server.pem'\nssl_key_file = '../server.key'\n")

    def _run(self, *command, cwd=None):
        program = os.path.join(self.bin, command[0]) if os.sep not in command[0] else command[0]
        done = subprocess.run([program, *command[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=cwd or self.folder, text=True, check=False, **self.user)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stdout[-800:]}")
        return done.stdout

    def _append(self, name, text, replace=False):
        path = os.path.join(self.data, name)
        with open(path, "w" if replace else "a", encoding="utf-8") as file:
            file.write(text)

    def _make_certificates(self):
        """An authority, and a certificate of it for "localhost" alone, so that 127.0.0.1 as a name has to be refused; other.pem has
        signed nothing."""
        openssl = shutil.which("openssl")
        if not openssl:
            raise RuntimeError("openssl is not there to make certificates")
        extensions = os.path.join(self.folder, "extensions")
        for name in ("ca", "other"):
            self._run(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", "/CN=pep test authority", "-keyout", name + ".key", "-out", name + ".pem")
        self._run(openssl, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                  "-keyout", "server.key", "-out", "server.csr")
        with open(extensions, "w", encoding="utf-8") as file:
            file.write("subjectAltName=DNS:localhost\n")
        self._run(openssl, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                  "-extfile", extensions, "-out", "server.pem")
        os.chmod(os.path.join(self.folder, "server.key"), 0o600)

    def answers(self):
        """Does it take connections?"""
        done = subprocess.run([os.path.join(self.bin, "pg_isready"), "-q", "-h", self.folder, "-p", str(self.port), "-t", "1"], check=False)
        return done.returncode == 0

    def start(self):
        is_first = not os.path.exists(os.path.join(self.folder, "log"))
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen([os.path.join(self.bin, "postgres"), "-D", self.data], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, cwd=self.folder, **self.user)
        deadline = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
                    raise RuntimeError("PostgreSQL did not start: " + log.read()[-800:])
            time.sleep(0.02)
        if is_first:
            self.sql(f"CREATE DATABASE {DATABASE}", database="postgres")
            self.sql(f"CREATE ROLE keeper LOGIN PASSWORD '{PASSWORD}'; GRANT ALL ON DATABASE {DATABASE} TO keeper")
        return self.port

    def sql(self, text, database=DATABASE):
        """Runs it as the owner; returns what psql prints, without decoration."""
        return self._run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", USER,
                         "-d", database, "-c", text).strip()

    def stop(self):
        """Without waiting for its clients, but in order."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60) if self.process else None

    def kill(self):
        """As a power cut would: the postmaster and all its children."""
        if self.process and self.process.poll() is None:
            family = self._family()
            self._signal_all(signal.SIGKILL)
            self.process.wait(60)
            # The next start is refused as long as one of them holds the shared memory.
            while any(self._is_alive(pid) for pid in family[1:]):
                time.sleep(0.01)

    def pause(self):
        """It holds its connections, and says nothing."""
        self._signal_all(signal.SIGSTOP)

    def wake(self):
        self._signal_all(signal.SIGCONT)

    def _family(self):
        """Children lead sessions of their own, so they are found by their parent."""
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], stdout=subprocess.PIPE, text=True, check=False)
        return [self.process.pid] + [int(pid) for pid in found.stdout.split()]

    def _signal_all(self, number):
        for pid in self._family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    @staticmethod
    def _is_alive(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                return file.read().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    def close(self):
        """Ends it, and removes everything."""
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def obey(server):
    verbs = {"stop": server.stop, "kill": server.kill, "start": server.start, "pause": server.pause, "wake": server.wake}
    print(server.folder, server.port, flush=True)
    for line in sys.stdin:
        verbs[line.strip()]()
        print("ok", flush=True)


def main():
    if sys.argv[1:] == ["--binaries"]:
        print(binaries() or "PostgreSQL is nowhere")
        return 0 if binaries() else 1
    # What ends the test by a signal to the whole group must not end us before we have cleaned up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = PostgresServer(tls="--tls" in sys.argv[1:])
    try:
        server.start()
        obey(server)
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
