#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fault proxy before a plain echo server: does it break what it was told to, and nothing else?"""
import os
import socket
import socketserver
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fault_proxy import REPLIES, REQUESTS, FaultProxy  # noqa: E402


class Echo(socketserver.BaseRequestHandler):
    """Answers each byte with itself, and notes what reached it."""

    def handle(self):
        try:
            while data := self.request.recv(65536):
                self.server.got += data
                self.request.sendall(data)
        except OSError:
            pass


class EchoServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    got = b""


class FaultProxyTest(unittest.TestCase):
    def setUp(self):
        self.echo = EchoServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=self.echo.serve_forever, args=(0.01,), daemon=True).start()
        self.proxy = FaultProxy(self.echo.server_address)
        self.sockets = []

    def tearDown(self):
        for sock in self.sockets:
            sock.close()
        self.proxy.close()
        self.echo.shutdown()
        self.echo.server_close()

    def connect(self, timeout=10):
        sock = socket.create_connection(("127.0.0.1", self.proxy.port), timeout)
        self.sockets.append(sock)
        return sock

    def read(self, sock, size):
        data = b""
        while len(data) < size:
            more = sock.recv(size - len(data))
            if not more:
                break
            data += more
        return data

    def talk(self, sock, data):
        sock.sendall(data)
        return self.read(sock, len(data))

    def broken(self, sock, data=b""):
        """What still came before the connection was reset."""
        got = b""
        try:
            sock.sendall(data)
            while more := sock.recv(65536):
                got += more
        except ConnectionError:
            return got
        self.fail("ended in order after %r, not reset" % got)

    def works(self):
        self.assertEqual(self.talk(self.connect(), b"still there"), b"still there")

    def until(self, condition):
        end = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), end, "waited too long")
            time.sleep(0.005)

    def test_passes_everything(self):
        data = os.urandom(3000000)
        sock = self.connect()
        threading.Thread(target=sock.sendall, args=(data,), daemon=True).start()
        self.assertEqual(self.read(sock, len(data)), data)
        self.assertEqual(self.proxy.passed, {REQUESTS: len(data), REPLIES: len(data)})
        self.assertEqual((self.proxy.connections, self.proxy.fired), (1, 0))

    def test_passes_the_end_of_one_direction(self):
        sock = self.connect()
        sock.sendall(b"last words")
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(self.read(sock, 100), b"last words")

    def test_delay(self):
        sock = self.connect()
        self.assertEqual(self.talk(sock, b"fast"), b"fast")
        self.proxy.delay(0.1)
        start = time.monotonic()
        self.assertEqual(self.talk(sock, b"slow"), b"slow")
        self.assertGreaterEqual(time.monotonic() - start, 0.2)
        self.proxy.heal()
        self.proxy.delay(0.1, REQUESTS)
        start = time.monotonic()
        self.assertEqual(self.talk(sock, b"slow"), b"slow")
        self.assertGreaterEqual(time.monotonic() - start, 0.1)
        self.proxy.heal()
        self.works()

    def test_cut_after_each_byte(self):
        for direction in (REQUESTS, REPLIES):
            for size in range(11):
                self.echo.got = b""
                sock = self.connect()
                self.assertEqual(self.talk(sock, b"before"), b"before")
                self.proxy.cut(direction, after=size)
                came = self.broken(sock, b"0123456789")
                if direction == REPLIES:
                    self.assertEqual(came, b"0123456789"[:len(came)])
                    self.assertLessEqual(len(came), size)
                    self.assertEqual(self.echo.got, b"before0123456789")
                else:
                    self.assertLessEqual(len(self.echo.got), len(b"before") + size)
                    self.assertTrue(b"before0123456789".startswith(self.echo.got), self.echo.got)
                self.works()
        self.assertEqual(self.proxy.fired, 22)

    def test_bytes_that_pass_before_a_cut_arrive(self):
        self.proxy.cut(REPLIES, after=7)
        sock = self.connect()
        for piece in (b"abc", b"def"):
            self.assertEqual(self.talk(sock, piece), piece)
        self.broken(sock, b"ghi")
        self.assertEqual(self.proxy.passed[REPLIES], 7)

    def test_cut_before_a_match(self):
        """The request does not reach the server."""
        self.proxy.cut(REQUESTS, match=b"COMMIT")
        sock = self.connect()
        self.assertEqual(self.talk(sock, b"INSERT"), b"INSERT")
        self.broken(sock, b"xCOMMITx")
        self.assertNotIn(b"COMMIT", self.echo.got)
        self.assertEqual(self.talk(self.connect(), b"COMMIT"), b"COMMIT")  # once

    def test_a_match_across_packets(self):
        self.proxy.cut(REQUESTS, match=b"COMMIT")
        sock = self.connect()
        for letter in (b"C", b"O", b"C", b"O", b"M", b"M", b"I"):
            self.assertEqual(self.talk(sock, letter), letter)
        self.broken(sock, b"T")
        self.assertEqual(self.echo.got, b"COCOMMI")

    def test_cut_reply(self):
        """The request reaches the server, the answer does not come back."""
        self.proxy.cut_reply(b"COMMIT")
        sock = self.connect()
        self.assertEqual(self.talk(sock, b"INSERT"), b"INSERT")
        self.assertEqual(self.broken(sock, b"COMMIT"), b"")
        self.assertEqual(self.echo.got, b"INSERTCOMMIT")
        self.works()
        self.assertEqual(self.proxy.fired, 1)

    def test_cut_reply_at_each_byte(self):
        for size in range(1, 6):
            self.echo.got = b""
            self.proxy.cut_reply(b"COMMIT", reply_bytes=size)
            passed = self.proxy.passed[REPLIES]
            came = self.broken(self.connect(), b"COMMIT")
            self.assertEqual(came, b"COMMIT"[:len(came)])
            self.assertLessEqual(len(came), size)
            self.assertEqual(self.proxy.passed[REPLIES] - passed, size)
            self.assertEqual(self.echo.got, b"COMMIT")

    def test_counts(self):
        self.proxy.cut(REQUESTS, match=b"X", count=2)
        for _ in range(2):
            self.broken(self.connect(), b"X")
        self.assertEqual(self.talk(self.connect(), b"X"), b"X")
        self.proxy.cut(REQUESTS, match=b"X", count=None)
        for _ in range(5):
            self.broken(self.connect(), b"X")
        self.assertEqual(self.talk(self.connect(), b"Y"), b"Y")
        self.proxy.heal()
        self.assertEqual(self.talk(self.connect(), b"X"), b"X")

    def test_freeze(self):
        old = self.connect(0.2)
        self.assertEqual(self.talk(old, b"before"), b"before")
        self.proxy.freeze()
        new = self.connect(0.2)
        for sock in (old, new):
            sock.sendall(b"during")
            with self.assertRaises(socket.timeout):
                sock.recv(1)
            sock.settimeout(10)
        self.assertEqual(self.echo.got, b"before")
        self.proxy.heal()
        for sock in (old, new):
            self.assertEqual(self.read(sock, 6), b"during")

    def test_refuse(self):
        old = self.connect()
        self.assertEqual(self.talk(old, b"before"), b"before")
        self.proxy.refuse()
        self.assertEqual(self.broken(old), b"")
        for _ in range(3):
            with self.assertRaises(ConnectionRefusedError):
                self.connect()
        self.proxy.refuse()
        self.proxy.heal()
        self.works()

    def test_refuse_while_frozen(self):
        self.proxy.freeze()
        sock = self.connect()
        self.until(lambda: self.proxy.connections == 1)
        self.proxy.refuse()
        self.assertEqual(self.broken(sock), b"")
        self.proxy.heal()
        self.works()

    def test_reset(self):
        old = self.connect()
        self.assertEqual(self.talk(old, b"before"), b"before")
        self.proxy.reset()
        self.assertEqual(self.broken(old), b"")
        self.works()

    def test_a_target_that_is_not_there(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            with FaultProxy(nobody.getsockname()) as proxy:
                with self.assertRaises(ConnectionResetError), socket.create_connection(("127.0.0.1", proxy.port), 10) as sock:
                    sock.recv(1)

    def test_close_ends_all(self):
        sock = self.connect()
        self.assertEqual(self.talk(sock, b"before"), b"before")
        port = self.proxy.port
        self.proxy.close()
        self.assertEqual(self.broken(sock), b"")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 10)


if __name__ == "__main__":
    run = unittest.main(exit=False).result
    failed = len(run.failures) + len(run.errors)
    print("%d passed, %d failed" % (run.testsRun - failed, failed))
    sys.exit(1 if failed or not run.testsRun else 0)
