#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS, from the certificate to pep-cli: what is refused, what a reload does to open connections, client certificates, pins, tokens.
Last line: N passed, N failed.

    tls_test.py [NAME...]
"""
import hashlib
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

BUILD = build_folder("asan")
CLI = os.path.join(BUILD, "cli", "pep-cli")
PIN = re.compile(r"sha256//[A-Za-z0-9+/]{43}=")
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def tool(*arguments, folder="."):
    subprocess.run(arguments, check=True, capture_output=True, cwd=folder, stdin=subprocess.DEVNULL, timeout=60)


def own(*arguments, code=0):
    """Standard output of a command of pep-server, or of what it complains."""
    done = subprocess.run([os.path.join(BUILD, "core", "pep-server"), *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, "exit %d: %s%s" % (done.returncode, done.stdout, done.stderr)
    return done.stderr if code else done.stdout


def certify(folder, name, issuer="ca", days=2, usage="clientAuth", more=()):
    """NAME.crt and NAME.key, signed by ISSUER of the same folder; a negative number of days: it has ended."""
    tool("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".csr",
         "-subj", "/CN=" + name, "-addext", "extendedKeyUsage=" + usage, *more, folder=folder)
    with open(os.path.join(folder, name + ".ext"), "w", encoding="ascii") as f:
        f.write("extendedKeyUsage=%s\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n" % usage)
    tool("openssl", "x509", "-req", "-in", name + ".csr", "-CA", issuer + ".crt", "-CAkey", issuer + ".key", "-CAcreateserial",
         "-days", str(days), "-extfile", name + ".ext", "-out", name + ".crt", folder=folder)
    os.chmod(os.path.join(folder, name + ".key"), 0o600)


def authority(folder, name="ca"):
    tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
         "-out", name + ".crt", "-days", "2", "-subj", "/CN=" + name, folder=folder)


def fingerprint(path):
    with open(path, encoding="ascii") as f:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()


class Line:
    """A server with TLS in a folder of its own."""

    def __init__(self, top, more="", tokens=False, **extra):
        self.top = top
        self.server = Server(BUILD, top, **extra)
        if not os.path.exists(os.path.join(top, "tls.crt")):
            self.pin = own("tls", "init", top).split()[-1]
        with open(self.server.conf, "a", encoding="utf-8") as f:
            f.write("tls:\n  certificate: %s/tls.crt\n  key: %s/tls.key\n%s" % (top, top, "".join("  %s\n" % m for m in more.splitlines())))
            if tokens:
                f.write("access:\n  tokens: %s/tokens\n" % top)

    def path(self, name):
        return os.path.join(self.top, name)

    def context(self, ca=None, client=None):
        context = ssl.create_default_context(cafile=ca or self.path("tls.crt"))
        if client:
            context.load_cert_chain(self.path(client + ".crt"), self.path(client + ".key"))
        return context

    def connect(self, context=None):
        return http.client.HTTPSConnection("localhost", self.server.port, timeout=30, context=context or self.context())

    def ask(self, path="/v3/enrollment-ids", context=None, headers=None):
        connection = self.connect(context)
        try:
            return ask(connection, path, headers)
        finally:
            connection.close()

    def cli(self, code, *arguments, url=None, **env):
        """Standard error of pep-cli, which must end like this."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PEP_")}
        done = subprocess.run([CLI, "list-enrollment-ids", "-f", self.path("list"), *arguments], capture_output=True, text=True, check=False,
                              timeout=60, env={**clean, "PEP_SERVER_URL": url or "https://localhost:%d" % self.server.port, **env})
        assert done.returncode == code, "exit %d instead of %d: %s" % (done.returncode, code, done.stderr)
        return done.stderr

    def wait_for(self, pattern, count=1):
        """The next lines of the log, up to this."""
        while sum(1 for line in list(self.server.log) if re.search(pattern, line)) < count:
            assert self.server.process.poll() is None, "the server has ended: " + "".join(self.server.log[-3:])
        return [line for line in self.server.log if re.search(pattern, line)][-1]

    def reload(self, pattern, count=1):
        self.server.process.send_signal(signal.SIGHUP)
        return self.wait_for(pattern, count)


def ask(connection, path="/healthz", headers=None):
    connection.request("GET", path, headers=headers or {})
    reply = connection.getresponse()
    return reply.status, reply.read()


def holds(text, *patterns):
    for pattern in patterns:
        assert re.search(pattern, text), "no %r in %r" % (pattern, text)


@test
def init_makes_a_certificate_that_clients_can_pin(top):
    folder = os.path.join(top, "made")
    lines = own("tls", "init", "--host", "line-1.example", "--host", "10.1.2.3", "--host", "fd00::1", "--days", "30", folder).split()
    assert lines[:2] == [folder + "/tls.key", folder + "/tls.crt"] and PIN.fullmatch(lines[2]), lines
    assert stat.S_IMODE(os.stat(folder + "/tls.key").st_mode) == 0o600
    shown = own("tls", "show", folder + "/tls.crt")
    holds(shown, r"^hosts line-1\.example 10\.1\.2\.3 fd00::1\n", r"\nuntil \d{4}-\d\d-\d\d ", r"\n" + re.escape(lines[2]) + r"\n$")
    holds(own("tls", "init", folder, code=1), "nothing is overwritten")
    assert own("tls", "show", folder + "/tls.crt") == shown
    holds(own("tls", "show", folder + "/tls.key", code=1), "not a certificate")
    for bad in (["init"], ["init", "--days", "0", folder], ["init", "--host", "a b", folder], ["init", "--host", "", folder], ["show"],
                ["what"]):
        own("tls", *bad, code=2)
    # What another program makes of it.
    text = subprocess.run(["openssl", "x509", "-in", folder + "/tls.crt", "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    holds(text, "CA:FALSE", "TLS Web Server Authentication", r"DNS:line-1\.example, IP Address:10\.1\.2\.3, IP Address:FD00:", "prime256v1")


def takes(line, ciphers, expected):
    """Does the server take one of these of TLS 1.2? And never a session of before, which would outlive a reload."""
    context, session = line.context(), None
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    for _ in range(2):
        try:
            with socket.create_connection(("localhost", line.server.port), timeout=30) as raw, \
                    context.wrap_socket(raw, server_hostname="localhost", session=session) as wrapped:
                assert expected, ciphers + " was taken"
                assert not wrapped.session_reused
                session = wrapped.session
        except ssl.SSLError:
            assert not expected, ciphers + " was refused"


@test
def the_protocol(top):
    line = Line(top)
    line.server.start()
    holds(line.wait_for("msg=certificate"), re.escape(line.pin))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = line.context()
        context.minimum_version = context.maximum_version = version
        connection = line.connect(context)
        assert ask(connection) == (200, b"ok\n")
        assert connection.sock.cipher()[2] == 256, connection.sock.cipher()
        connection.close()
    takes(line, "ECDHE-ECDSA-AES128-GCM-SHA256", False)
    # Plain HTTP is not answered.
    with socket.create_connection(("127.0.0.1", line.server.port), timeout=30) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
        try:
            assert not plain.recv(100).startswith(b"HTTP")
        except ConnectionResetError:
            pass
    # What the HTTP library would answer twice is mended under TLS, too.
    with socket.create_connection(("127.0.0.1", line.server.port), timeout=30) as raw, \
            line.context().wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=True) as wrapped:
        wrapped.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n")
        reply = b"".join(iter(lambda: wrapped.recv(4096), b""))
    assert reply.startswith(b"HTTP/1.1 400 ") and reply.count(b"HTTP/1.1") == 1, reply
    # A certificate of another kind.
    tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tls.key", "-out", "tls.crt", "-days", "2", "-subj", "/CN=rsa",
         "-addext", "subjectAltName=DNS:localhost", folder=top)
    line.reload("msg=reloaded what=tls")
    for ciphers, good in (("ECDHE-RSA-AES256-GCM-SHA384", True), ("ECDHE-RSA-CHACHA20-POLY1305", True), ("AES256-GCM-SHA384", False),
                          ("DHE-RSA-AES256-GCM-SHA384", False), ("ECDHE-RSA-AES256-SHA384", False), ("ECDHE-RSA-AES128-GCM-SHA256", False)):
        takes(line, ciphers, good)
    line.server.stop()
    with open(line.server.conf, "a", encoding="utf-8") as f:
        f.write('  minimum: "1.3"\n')
    line.server.start()
    old = line.context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        line.ask(context=old)
        raise AssertionError("TLS 1.2 was taken")
    except (ssl.SSLError, ConnectionResetError):
        pass
    assert line.ask()[0] == 200
    assert line.server.stop() == 0


@test
def requests_wait_and_streams_flow(top):
    line = Line(top)
    line.server.start()
    connection = line.connect()
    for i in range(60):
        target = "/v3/identity?serialNumber=S-%03d&ip=127.0.0.1&port=7000" % i
        assert ask(connection, target)[0] == 200
    status, body = ask(connection, "/v3/export/json")
    assert status == 200 and all(b"S-%03d" % i in body for i in range(60)), body[:200]
    connection.close()
    assert line.server.stop() == 0


@test
def what_cannot_be_used_is_refused(top):
    line = Line(top)

    def refused(*patterns):
        for more in ((), ("--check-config",)):
            done = subprocess.run([line.server.binary, "--config", line.server.conf, *more], capture_output=True, text=True, check=False,
                                  timeout=60)
            assert done.returncode == 3, done
            holds(done.stderr, *patterns)
            assert "PRIVATE" not in done.stderr

    key = line.path("tls.key")
    for mode, why in ((0o644, "chmod 600"), (0o620, "group can change"), (0o604, "chmod 600")):
        os.chmod(key, mode)
        refused(re.escape(key), why)
    os.chmod(key, 0o600)
    shutil.copy(key, line.path("good.key"))
    own("tls", "init", line.path("other"))
    shutil.copy(line.path("other/tls.key"), key)
    refused("is not the key of tls.certificate")
    tool("openssl", "pkcs8", "-topk8", "-in", line.path("good.key"), "-out", key, "-passout", "pass:secret")
    refused(r"tls\.key .*: .*not encrypted")
    os.unlink(key)
    refused("tls.key: cannot be read: No such file")
    shutil.copy(line.path("good.key"), key)
    os.chmod(key, 0o600)
    shutil.copy(line.path("tls.crt"), line.path("good.crt"))
    with open(line.path("tls.crt"), "w", encoding="ascii") as f:
        f.write("no certificate\n")
    refused(r"tls\.certificate .*in PEM")
    shutil.copy(line.path("good.crt"), line.path("tls.crt"))
    with open(line.server.conf, "a", encoding="utf-8") as f:
        f.write("  client_ca: %s\n" % key)
    refused(r"tls\.client_ca .*in PEM")


@test
def a_reload_drops_no_connection(top):
    line = Line(top)
    line.server.start()
    old, old_context = line.connect(), line.context()
    assert ask(old)[0] == 200
    first_pin, key = line.pin, line.path("tls.key")
    # A bad one, in every way that happens while files are copied, changes nothing.
    shutil.copy(line.path("tls.crt"), line.path("first.crt"))
    own("tls", "init", line.path("next"))
    shutil.copy(line.path("next/tls.crt"), line.path("tls.crt"))
    holds(line.reload('msg="not reloaded'), "what=tls", "is not the key of")
    assert line.ask("/healthz", old_context)[0] == 200
    shutil.copy(line.path("next/tls.key"), key)
    os.chmod(key, 0o644)
    holds(line.reload('msg="not reloaded', 2), "what=tls", "chmod 600")
    assert ask(old)[0] == 200 and line.ask("/healthz", old_context)[0] == 200
    # A good one.
    os.chmod(key, 0o600)
    line.reload("msg=reloaded what=tls")
    new_pin = line.wait_for("msg=certificate", 4)
    assert first_pin not in new_pin and PIN.search(new_pin).group() == own("tls", "show", line.path("tls.crt")).split()[-1]
    assert ask(old)[0] == 200, "the open connection was dropped"
    assert line.ask("/healthz")[0] == 200
    try:
        line.ask("/healthz", old_context)
        raise AssertionError("a new connection got the old certificate")
    except ssl.SSLCertVerificationError:
        pass
    for _ in range(20):
        assert ask(old)[0] == 200
    old.close()
    assert line.server.stop() == 0
    with open(os.path.join(line.server.data, "audit.jsonl"), encoding="utf-8") as f:
        assert sum('"reload"' in entry for entry in f) == 3


@test
def client_certificates(top):
    authority(top)
    authority(top, "stranger")
    certify(top, "station-7")
    certify(top, "station-8")
    certify(top, "late", days=-1)
    certify(top, "a-server", usage="serverAuth")
    certify(top, "foreign", issuer="stranger")
    line = Line(top, "client_ca: %s/ca.crt" % top, tokens=True)
    for name in ("station-7", "late", "a-server", "foreign"):
        own("token", "add", "--config", line.server.conf, "--certificate", fingerprint(line.path(name + ".crt")), name)
    line.server.start()
    assert line.ask()[0] == 401
    assert line.ask(context=line.context(client="station-7"))[0] == 200
    holds(line.wait_for("path=/v3/enrollment-ids status=200"), r"\bactor=station-7\b")
    assert line.ask(context=line.context(client="station-8"))[0] == 401, "a certificate that nobody has let in"
    # These are in the file, but TLS does not vouch for them.
    for count, name in enumerate(("late", "a-server", "foreign"), 1):
        assert line.ask(context=line.context(client=name))[0] == 401, name
        holds(line.wait_for("client certificate is not accepted", count), "reason=", r"peer=127\.0\.0\.1")
    # A header can say anything.
    for name in ("X-Client-Cert", "X-SSL-Client-Verify", "X-SSL-Client-SHA256", "Client-Cert", "X-Forwarded-Client-Cert", "Ssl-Client-S-Dn"):
        assert line.ask(headers={name: fingerprint(line.path("station-7.crt"))})[0] == 401
    # Every request of a connection is the certificate's.
    connection = line.connect(line.context(client="station-7"))
    for _ in range(3):
        assert ask(connection, "/v3/enrollment-ids")[0] == 200
    connection.close()
    # Another authority from the next connection on.
    shutil.copy(line.path("stranger.crt"), line.path("ca.crt"))
    line.reload("msg=reloaded what=tls")
    assert line.ask(context=line.context(client="station-7"))[0] == 401
    assert line.ask(context=line.context(client="foreign"))[0] == 200
    # pep-cli shows one, too.
    line.cli(5, "--pin", line.pin)
    line.cli(0, "--pin", line.pin, "--cert", line.path("foreign.crt"), "--key", line.path("foreign.key"))
    line.cli(0, PEP_PIN=line.pin, PEP_CERT=line.path("foreign.crt"), PEP_KEY=line.path("foreign.key"))
    holds(line.cli(3, "--pin", line.pin, "--cert", line.path("foreign.crt")), "go together")
    holds(line.cli(4, "--pin", line.pin, "--cert", line.path("foreign.crt"), "--key", line.path("station-7.key")), "--cert and --key")
    assert line.server.stop() == 0


@test
def the_cli_trusts_by_authority_or_pin(top):
    line = Line(top)
    line.server.start()
    wrong = "sha256//" + "A" * 43 + "="
    said = line.cli(4)
    holds(said, "cannot trust", "--ca FILE", "--pin " + re.escape(line.pin), "tls show")
    line.cli(0, "--pin", line.pin)
    line.cli(0, PEP_PIN=line.pin)
    line.cli(0, "--pin", line.pin, PEP_PIN=wrong)
    line.cli(0, "--pin", wrong + ";" + line.pin)
    holds(line.cli(4, "--pin", wrong, PEP_PIN=line.pin), "another key", re.escape(line.pin))
    line.cli(0, "--ca", line.path("tls.crt"))
    line.cli(0, PEP_CA=line.path("tls.crt"))
    line.cli(0, "--ca", line.path("tls.crt"), PEP_CA="/nowhere")
    line.cli(0, "--ca", line.path("tls.crt"), "--pin", line.pin)
    own("tls", "init", line.path("other"))
    holds(line.cli(4, "--ca", line.path("other/tls.crt")), "another --ca FILE")
    # Both must hold.
    line.cli(4, "--ca", line.path("other/tls.crt"), "--pin", line.pin)
    line.cli(4, "--ca", line.path("tls.crt"), "--pin", wrong)
    # A name that is not in the certificate: the authority does not vouch for it, the pin does.
    line.cli(4, "--ca", line.path("tls.crt"), url="https://127.0.0.2:%d" % line.server.port)
    for bad in ("sha256//short=", line.pin[:-1], line.pin + ";", "sha1//x", line.path("tls.crt"), line.pin + " "):
        holds(line.cli(3, "--pin", bad), "is not a pin")
    holds(line.cli(3, "--ca", "/nowhere"), "cannot read /nowhere")
    holds(line.cli(4, "--ca", line.path("tls.key")), "another --ca FILE")
    # Not retried, and said so.
    done = subprocess.run([CLI, "get-enrollment-id", "-s", "X", "--json"], capture_output=True, text=True, check=False, timeout=60,
                          env={**os.environ, "PEP_SERVER_URL": "https://localhost:%d" % line.server.port})
    assert done.returncode == 4 and '"retryable":false' in done.stdout.replace(" ", "") and '"tls"' in done.stdout, done.stdout
    # https where nobody speaks it.
    assert line.server.stop() == 0
    plain = Server(BUILD, os.path.join(top, "plain"))
    plain.start()
    holds(line.cli(4, url="https://127.0.0.1:%d" % plain.port), "check that it speaks https")
    assert plain.stop() == 0


@test
def the_cli_and_a_certificate_that_has_ended(top):
    authority(top)
    certify(top, "tls", days=-1, usage="serverAuth")
    line = Line(top)
    line.server.start()
    holds(line.wait_for("has expired"), r"tls\.crt")
    pin = own("tls", "show", line.path("tls.crt")).split()[-1]
    holds(line.cli(4, "--ca", line.path("ca.crt")), "cannot trust")
    line.cli(0, "--pin", pin)
    assert line.server.stop() == 0


@test
def the_cli_and_tokens(top):
    line = Line(top, tokens=True)

    def add(*arguments):
        found = re.search(r"\bpep_[A-Za-z0-9._~+/=-]+", own("token", "add", "--config", line.server.conf, *arguments))
        assert found, "no token was printed"
        return found.group()

    good, narrow = add("station-1"), add("--scope", "audit", "auditor")
    line.server.start()
    file = line.path("token")
    with open(file, "w", encoding="ascii") as f:
        f.write(good + "\n")
    os.chmod(file, 0o600)
    pinned = {"PEP_PIN": line.pin}
    line.cli(5, **pinned)
    line.cli(5, PEP_TOKEN="pep_wrong", **pinned)
    line.cli(5, PEP_TOKEN=narrow, **pinned)
    assert line.cli(0, PEP_TOKEN=good, **pinned) == ""
    assert line.cli(0, PEP_TOKEN_FILE=file, **pinned) == ""
    assert line.cli(0, "--token-file", file, **pinned) == ""
    line.cli(0, "--token-file", file, PEP_TOKEN="pep_wrong", **pinned)
    line.cli(5, PEP_TOKEN="pep_wrong", PEP_TOKEN_FILE=file, **pinned)
    line.cli(0, PEP_TOKEN="", PEP_TOKEN_FILE=file, **pinned)
    os.chmod(file, 0o644)
    holds(line.cli(0, "--token-file", file, **pinned), "others have rights to .*chmod 600")
    for text in ("", "two words", "a\tb", "x" * 600, "ümlaut"):
        with open(file, "w", encoding="utf-8") as f:
            f.write(text + "\n")
        said = line.cli(3, "--token-file", file, **pinned)
        holds(said, "--token-file gives is not a token")
        assert not text or text not in said, "the message shows the token"
    holds(line.cli(3, "--token-file", "/nowhere", **pinned), "cannot read /nowhere")
    assert good not in line.cli(0, "-v", PEP_TOKEN=good, **pinned)
    # To somebody who is not the server, no token is sent: the handshake ends before.
    line.cli(4, PEP_TOKEN=good, PEP_PIN="sha256//" + "A" * 43 + "=")
    assert line.server.stop() == 0
    assert not any(good in entry for entry in line.server.log)


@test
def the_cli_says_when_a_token_is_not_protected(top):
    line = Line(top)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    # Nobody is there: what matters is said before. 0.0.0.0 leads here, too, but does not look like it.
    for url, said in (("http://127.0.0.1:%d" % port, False), ("http://localhost:%d" % port, False), ("http://[::1]:%d" % port, False),
                      ("https://127.0.0.1:%d" % port, False), ("http://0.0.0.0:%d" % port, True)):
        assert ("in the clear" in line.cli(4, url=url, PEP_TOKEN="pep_x")) == said, url
        assert "in the clear" not in line.cli(4, url=url), url


@test
def the_key_of_an_authority_is_private(top):
    own("ca", "init", top + "/ca")
    server = Server(BUILD, top)
    with open(server.conf, encoding="utf-8") as f:
        text = f.read()
    options = {"key_mode": "by_device", "ca_key": top + "/ca/ca.key", "ca_certificate": top + "/ca/ca.crt",
               "bootstrap_uri": "coaps://b.example:5684", "bootstrap_ca": top + "/ca/ca.crt", "update_certificate": top + "/ca/ca.crt",
               "manufacturer": "Test", "model_number": "GW-2", "device_type": "gateway", "vendor_id": "42fa7b48-1a65-43aa-890f-8c704daade54",
               "class_id": "c56f3a62-b52b-4ef6-95a0-db7a6e3b5b21", "timezone": "Europe/Helsinki", "utc_offset": '"+02:00"'}
    with open(server.conf, "w", encoding="utf-8") as f:
        f.write(text.replace("  plugin: mock\n", "  plugin: fcc\n" + "".join("  %s: %s\n" % pair for pair in options.items())))
    server.start()
    assert server.stop() == 0
    os.chmod(top + "/ca/ca.key", 0o640 if os.geteuid() else 0o644)
    done = subprocess.run([server.binary, "--config", server.conf], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3, done
    holds(done.stderr, "ca_key", "chmod 600")


def main():
    wanted, failed, passed = sys.argv[1:], 0, 0
    for function in TESTS:
        if wanted and function.__name__ not in wanted:
            continue
        top = tempfile.mkdtemp(prefix="pep-tls-")
        try:
            function(top)
            passed += 1
            print("ok   " + function.__name__)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print("FAIL " + function.__name__)
            traceback.print_exc(file=sys.stdout)
        finally:
            shutil.rmtree(top, ignore_errors=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
