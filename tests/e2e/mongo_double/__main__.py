#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""python3 -m mongo_double [--data FILE] [--port N] [--user NAME --password-file FILE] [--replica-set NAME] [--tls-cert FILE]
                        [--advertise HOST:PORT] [--old]

A test double for a MongoDB server, on 127.0.0.1. Prints "ready HOST:PORT" and runs until its standard input ends, or it is killed.
It is no database: one process, one copy, everything in memory and in one log file.
"""
import argparse
import socket
import socketserver
import ssl
import struct
import sys
import threading

from . import bson
from .commands import Hangup, Server, Session

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
MESSAGE_SIZE_MAX = 48000000


class Connection(socketserver.BaseRequestHandler):
    def setup(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)

    def read(self, size):
        data = b""
        while len(data) < size:
            part = self.request.recv(size - len(data))
            if not part:
                raise Hangup
            data += part
        return data

    def handle(self):
        session = Session()
        try:
            while True:
                size, request, _, code = struct.unpack("<iiii", self.read(16))
                if not 16 < size <= MESSAGE_SIZE_MAX:
                    raise Hangup
                answer = self.answer(session, code, self.read(size - 16))
                if answer is not None:
                    kind, body = answer
                    self.request.sendall(struct.pack("<iiii", len(body) + 16, 1, request, kind) + body)
        except (Hangup, OSError, ValueError, struct.error, IndexError):
            pass  # the client sees the end of the connection

    def answer(self, session, code, body):
        if code == OP_QUERY:  # only a greeting comes this way
            at = body.index(b"\0", 4) + 9
            reply = self.server.double.run(session, bson.decode(body, at))
            return OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(reply)
        if code != OP_MSG:
            raise Hangup
        flags = struct.unpack_from("<I", body)[0]
        end, at, command, lists = len(body) - 4 * (flags & 1), 4, None, {}
        while at < end:
            kind, size = body[at], struct.unpack_from("<i", body, at + 1)[0]
            if kind == 0:
                command = bson.decode(body, at + 1)
            else:
                name_end = body.index(b"\0", at + 5)
                name, item = body[at + 5:name_end].decode(), name_end + 1
                lists[name] = []
                while item < at + 1 + size:
                    lists[name].append(bson.decode(body, item))
                    item += struct.unpack_from("<i", body, item)[0]
            at += 1 + size
        reply = self.server.double.run(session, {**command, **lists})
        if flags & 2:  # moreToCome: no answer wanted
            return None
        return OP_MSG, struct.pack("<IB", 0, 0) + bson.encode(reply)


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 256
    double = tls = None

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(prog="mongo_double", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", help="the log that is read at the start and written to; none: memory only")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password-file")
    parser.add_argument("--replica-set", help="say that this is a replica set of this name")
    parser.add_argument("--advertise", help="where the replica set says that it is; its own address if not given")
    parser.add_argument("--tls-cert", help="a PEM file with certificate and key: TLS only")
    parser.add_argument("--old", action="store_true", help="say that this is a MongoDB older than 4.4")
    arguments = parser.parse_args()
    password = None
    if arguments.password_file:
        with open(arguments.password_file, encoding="utf-8") as file:
            password = file.read().rstrip("\n")
    with Listener(("127.0.0.1", arguments.port), Connection) as listener:
        listener.double = Server(arguments.data, arguments.user, password, arguments.replica_set, 8 if arguments.old else 9)
        listener.double.address = arguments.advertise or f"127.0.0.1:{listener.server_address[1]}"
        if arguments.tls_cert:
            listener.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            listener.tls.load_cert_chain(arguments.tls_cert)
        print(f"ready 127.0.0.1:{listener.server_address[1]}", flush=True)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        sys.stdin.buffer.read()


main()
