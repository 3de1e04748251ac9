#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built pep-server and databases that ask for TLS and a password: the right ones work, each wrong one is one clear line, and no line
tells a password. Last line: N passed, N failed, N skipped.

    store_faults_login_test.py [--build FOLDER] [--store postgres|mongo]...
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faulty import WatchedServer, until  # noqa: E402
from mongo_server import MongoServer  # noqa: E402
from postgres_server import DATABASE, PASSWORD, PostgresServer  # noqa: E402
from server import build_folder  # noqa: E402

WRONG = "wrong-" + PASSWORD.replace(" ", "-")


class Authority:
    """Certificates for tests; ca.pem signs, other.pem has signed nothing."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("ca", "other"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                         "-subj", "/CN=pep test " + name, "-keyout", name + ".key", "-out", name + ".pem")

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise RuntimeError("openssl failed: " + done.stdout[-400:])

    def path(self, name):
        return os.path.join(self.folder, name)

    def certificate(self, name, days=2):
        """NAME.pem, for localhost alone, with its key in NAME.key, and both in NAME.both. days < 0: it has expired."""
        with open(self.path("extensions"), "w", encoding="utf-8") as file:
            file.write("subjectAltName=DNS:localhost\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                     "-keyout", name + ".key", "-out", name + ".csr")
        self.openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days),
                     "-extfile", "extensions", "-out", name + ".pem")
        with open(self.path(name + ".both"), "w", encoding="ascii") as both:
            for part in (".pem", ".key"):
                with open(self.path(name + part), encoding="ascii") as file:
                    both.write(file.read())
        return self.path(name)

    def password(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.chmod(self.path(name), 0o600)
        return self.path(name)


class Case:
    """A server that must start and work, or end with a line. `said`: a pattern of that line."""

    def __init__(self, name, storage, said=None):
        self.name, self.storage, self.said = name, storage, said

    def run(self, build, top):
        folder = tempfile.mkdtemp(dir=top)
        server = WatchedServer(build, folder, storage=self.storage)
        try:
            if self.said is None:
                server.start()
                assert server.ask("serial")[0] == 200 and server.is_ready()
                assert server.stop() == 0
            else:
                server.start(wait=False)
                assert server.port is None, "it started"
                code = server.wait()
                errors = [line for line in server.log if "level=error" in line or "level=err " in line]
                assert code == 12, (code, server.log)
                assert len(errors) == 1 and re.search(self.said, errors[0]), server.log
            self.expect_secret(server)
        finally:
            if server.process.poll() is None:
                server.kill()

    @staticmethod
    def expect_secret(server):
        text = "".join(server.log)
        assert PASSWORD not in text and WRONG not in text, "the log tells a password: " + text


def postgres_cases(authority, build, top):
    server = PostgresServer(tls=True)
    try:
        server.start()
        ca, other = (os.path.join(server.folder, name + ".pem") for name in ("ca", "other"))
        good, bad = authority.password("good", PASSWORD), authority.password("bad", WRONG)

        def storage(host="localhost", password=good, root=ca, mode="verify-full", user="keeper", database=DATABASE):
            text = "plugin: postgres\nhost: %s\nport: '%d'\ndatabase: %s\nuser: %s\nsslmode: %s\n"
            text %= (host, server.port, database, user, mode)
            return text + ("password: file:%s\n" % password if password else "") + ("sslrootcert: %s\n" % root if root else "")

        yield Case("verify-full", storage())
        yield Case("verify-ca, another name", storage("127.0.0.1", mode="verify-ca"))
        yield Case("another authority", storage(root=other), "certificate verify failed.*correct storage.sslrootcert")
        yield Case("another name", storage("127.0.0.1"), "does not match host name.*correct storage")
        yield Case("no authority", storage(root=authority.path("nowhere.pem")),
                   "root certificate file.*nowhere.pem.* does not exist.*storage.sslrootcert")
        yield Case("wrong password", storage(password=bad), "password authentication failed.*correct storage.user and storage.password")
        yield Case("no password", storage(password=None), "no password supplied.*storage.password")
        yield Case("no such user", storage(user="nobody2"), "no pg_hba.conf entry|authentication failed")
        yield Case("no such database", storage(database="nowhere"), "nowhere.*does not exist.*storage.database")
        outlive_a_password(server, storage(), build, top)
        expired = authority.certificate("expired", -1)
        server.stop()
        for name in ("server.pem", "server.key"):
            shutil.copyfile(expired + name[6:], os.path.join(server.folder, name))
        shutil.copyfile(authority.path("ca.pem"), ca)
        server.start()
        yield Case("expired certificate", storage(), "certificate verify failed: .*server's certificate: has it expired")
    finally:
        server.close()


def outlive_a_password(server, storage, build, top):
    """The password is changed under a running server: 503, one kind of line, no secret, and ready again when it is changed back."""
    pep = WatchedServer(build, tempfile.mkdtemp(dir=top), storage=storage)
    pep.start()
    try:
        assert pep.ask("before")[0] == 200
        server.sql("ALTER ROLE keeper PASSWORD 'changed'")
        server.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'keeper'")
        assert not pep.is_ready() and pep.ask("after", port=7001)[:2] == (503, "storage_unavailable")
        server.sql("ALTER ROLE keeper PASSWORD '%s'" % PASSWORD)
        until(pep.is_ready, "ready again")
        assert pep.ask("after", port=7001)[0] == 200 and pep.stop() == 0
        assert any("password authentication failed" in line for line in pep.log), pep.log
        Case.expect_secret(pep)
    finally:
        if pep.process.poll() is None:
            pep.kill()


def mongo_cases(authority, _build, top):
    good, bad = authority.password("good", PASSWORD), authority.password("bad", WRONG)
    servers = []

    def start(name, **more):
        servers.append(MongoServer(os.path.join(top, "mongo-" + name), double=True, **more))
        servers[-1].start()
        return servers[-1].port

    def storage(port, options="&tls=true&tlsCAFile=" + authority.path("ca.pem"), host="localhost", user="keeper@", password=good):
        return "plugin: mongo\nuri: mongodb://%s%s:%d/pep?serverSelectionTimeoutMS=1000%s\n%s" % (
            user, host, port, options, "password: file:%s\n" % password if password else "")

    try:
        port = start("good", user="keeper", password_file=good, tls_cert=authority.certificate("server") + ".both")
        expired = start("expired", user="keeper", password_file=good, tls_cert=authority.certificate("expired", -1) + ".both")
        tls = "TLS handshake failed.*check tls, tlsCAFile"
        yield Case("TLS, verified, with a password", storage(port))
        yield Case("another authority", storage(port, "&tls=true&tlsCAFile=" + authority.path("other.pem")), tls)
        yield Case("another name", storage(port, host="127.0.0.1"), tls)
        yield Case("no authority", storage(port, "&tls=true&tlsCAFile=" + authority.path("nowhere.pem")),
                   "tlsCAFile .*nowhere.pem.* cannot be read: No such file")
        yield Case("no TLS", storage(port, ""), "cannot open .*(No suitable servers|socket)")
        yield Case("wrong password", storage(port, password=bad), "Authentication failed.*check the user in uri")
        yield Case("no password", storage(port, password=None), "there is a user in it, but no password")
        yield Case("no user", storage(port, user="", password=None), "requires authentication")
        yield Case("expired certificate", storage(expired), tls)
    finally:
        for server in servers:
            server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=build_folder("asan"))
    parser.add_argument("--store", action="append", choices=["postgres", "mongo"])
    options = parser.parse_args()
    build, counts = os.path.abspath(options.build), {"passed": 0, "failed": 0, "skipped": 0}
    kinds = {"postgres": postgres_cases, "mongo": mongo_cases}
    for name in options.store or kinds:
        top = tempfile.mkdtemp(prefix="pep-login-")
        try:
            if not os.path.exists(os.path.join(build, "plugins", "lib", name + ".so")):
                raise FileNotFoundError("its plugin is not built")
            for case in kinds[name](Authority(top), build, top):
                try:
                    case.run(build, top)
                    counts["passed"] += 1
                except AssertionError:
                    counts["failed"] += 1
                    print("FAIL %s: %s: %s" % (name, case.name, traceback.format_exc(limit=-1)), flush=True)
        except FileNotFoundError as error:
            counts["skipped"] += 1
            print("SKIPPED %s: %s" % (name, error), flush=True)
        except (AssertionError, RuntimeError):
            counts["failed"] += 1
            print("FAIL %s: %s" % (name, traceback.format_exc(limit=-2)), flush=True)
        finally:
            shutil.rmtree(top, ignore_errors=True)
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
