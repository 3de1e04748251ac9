# SPDX-License-Identifier: Apache-2.0
"""Finding the server on the network, with a responder of the test's own."""
import socket
import struct
import threading

PIN = "sha256//" + "A" * 43 + "="


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


def test_a_found_server_needs_its_pin(board):
    one = {"line-1": (5151, ["pin=" + PIN])}
    assert "https://127.0.0.1:5151 (found" in address(look(board, one, PEP_PIN=PIN))
    assert "https://127.0.0.1:5151 (found" in address(look(board, one, split=True, noise=True, PEP_PIN=PIN.replace("A", "C") + ";" + PIN))
    result = look(board, one, code=3)
    assert result["code"] == "untrusted_server" and PIN in result["message"], result
    result = look(board, one, code=4, PEP_PIN=PIN.replace("A", "B"))
    assert result["code"] == "no_server" and "with our pin" in result["message"], result
    assert "https://127.0.0.1:5151" in address(look(board, one, "--trust-found"))


def test_several_servers(board):
    two = {"line-1": (5151, ["pin=" + PIN]), "evil": (666, ["pin=" + PIN.replace("A", "E")])}
    assert "https://127.0.0.1:5151 (found" in address(look(board, two, PEP_PIN=PIN))
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
