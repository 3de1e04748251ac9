# SPDX-License-Identifier: Apache-2.0
"""Finding the server on the network, with a responder of the test's own."""
import os
import socket
import ssl
import struct
import subprocess
import threading

PIN = "sha256//" + "A" * 43 + "="


class Keyed:
    """Somebody with a key of its own, and its pin; says nothing after the handshake."""

    def __init__(self, board, label):
        folder = os.path.join(board.top, label)
        made = subprocess.run([os.path.join(board.build, "core", "pep-server"), "tls", "init", folder], check=True,
                              stdout=subprocess.PIPE, text=True)
        self.pin = made.stdout.split()[-1]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key"))
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.met = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            peer, _ = self.socket.accept()
            with peer:
                if peer.recv(1, socket.MSG_PEEK) == b"!":
                    return
                try:
                    with self.context.wrap_socket(peer, server_side=True) as stream:
                        self.met.append(stream.recv(4096))
                except OSError:  # it does not like our key
                    self.met.append(b"")

    def close(self):
        with socket.create_connection(("127.0.0.1", self.port)) as peer:
            peer.send(b"!")
        self.thread.join()
        self.socket.close()


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def record(owner, kind, data):
    return name(owner) + struct.pack(">HHIH", kind, 0x8001, 10, len(data)) + data


class Responder:
    """Answers as mDNS does to a one-shot query, at a loopback address. `split`: one record in each answer, as asked."""

    def __init__(self, servers, split=False, noise=False):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.servers, self.split, self.noise = servers, split, noise
        self.at = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def records(self, kind, owner):
        for label, (port, txt) in self.servers.items():
            service, host = label + "._pep._tcp.local", label + ".local"
            own = {12: record("_pep._tcp.local", 12, name(service)), 33: record(service, 33, struct.pack(">HHH", 0, 0, port) + name(host)),
                   16: record(service, 16, b"".join(bytes([len(t)]) + t.encode() for t in txt) or b"\0"),
                   1: record(host, 1, socket.inet_aton("127.0.0.1"))}
            if not self.split and kind == 12:
                yield from own.values()
            elif kind == 12 or owner in (name(service), name(host)):
                yield own[kind]

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(2048)
            if query == b"end":
                return
            kind, = struct.unpack(">H", query[-4:-2])
            answers = list(self.records(kind, query[12:-4]))
            if self.noise:
                for size in range(0, 40, 3):
                    self.socket.sendto((query[:2] + b"\x84\0\0\0\0\x09\0\0\0\0\xc0\x0c" + b"\xc0" * 40)[:size], peer)
                self.socket.sendto(b"\xff\xff" + query[2:], peer)
            if answers:
                self.socket.sendto(query[:2] + b"\x84\0" + struct.pack(">HHHH", 0, len(answers), 0, 0) + b"".join(answers), peer)

    def close(self):
        self.socket.sendto(b"end", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


def look(board, servers, *more, code=0, split=False, noise=False, **env):
    responder = Responder(servers, split, noise)
    try:
        return board.run("--dry-run", "--discover-time", "1", *more, code=code, PEP_SERVER_URL="", PEP_MDNS=responder.at, **env)
    finally:
        responder.close()


def address(result):
    found, = (step["detail"] for step in result["plan"] if step["step"] == "find_server")
    return found


def test_a_found_server_needs_the_key_of_our_pin(board):
    ours, evil = Keyed(board, "ours"), Keyed(board, "evil")
    here, token = "https://127.0.0.1:%d (found" % ours.port, {"PEP_TOKEN": "pep_secret"}
    try:
        one = {"line-1": (ours.port, ["pin=" + ours.pin])}
        assert here in address(look(board, one, PEP_PIN=ours.pin))
        assert here in address(look(board, one, split=True, noise=True, PEP_PIN=PIN + ";" + ours.pin))
        # Whoever announces our pin, first, without the key of it, gets nothing to see: neither by another key nor without TLS.
        for lie in ((evil.port, ["pin=" + ours.pin]), (evil.port, ["pin=" + ours.pin, "scheme=http"])):
            assert here in address(look(board, {"a-lie": lie, **one}, PEP_PIN=ours.pin, **token))
            assert look(board, {"a-lie": lie}, code=4, PEP_PIN=ours.pin, **token)["code"] == "no_server"
        assert set(evil.met) <= {b""}, evil.met
    finally:
        ours.close()
        evil.close()


def test_a_pin_is_not_asked_of_a_server_without_tls(board):
    board.old_identity()
    result = board.run(code=3, PEP_PIN=PIN)
    assert "no TLS" in result["message"] and board.told()["serialNumber"] == "OLD", result


def test_a_found_server_needs_its_pin(board):
    one = {"line-1": (5151, ["pin=" + PIN])}
    result = look(board, one, code=3)
    assert result["code"] == "untrusted_server" and PIN in result["message"], result
    result = look(board, one, code=4, PEP_PIN=PIN.replace("A", "B"))
    assert result["code"] == "no_server" and "our pin" in result["message"], result
    assert "https://127.0.0.1:5151" in address(look(board, one, "--trust-found"))


def test_several_servers(board):
    two = {"line-1": (5151, ["pin=" + PIN]), "evil": (666, ["pin=" + PIN.replace("A", "E")])}
    assert "several" in look(board, two, "--trust-found", code=3)["message"]
    assert look(board, {}, "--trust-found", code=4)["code"] == "no_server"
    board.run("--dry-run", code=3, PEP_SERVER_URL="", PEP_MDNS="nonsense")


def test_provisioned_by_a_server_that_was_found(board):
    here = {"line-1": (board.line.server.port, ["scheme=http"])}
    responder = Responder(here, split=True)
    try:
        board.run("--trust-found", "--discover-time", "1", PEP_SERVER_URL="", PEP_MDNS=responder.at)
    finally:
        responder.close()
    board.check_provisioned()
