# SPDX-License-Identifier: Apache-2.0
"""The stores that are at hand for tests of moving between them. fresh() gives the storage section of a new and empty one."""
import importlib
import os
import socket
import struct


class Sqlite:
    name = "sqlite"

    def __init__(self, folder):
        self.folder, self.number = folder, 0

    def fresh(self):
        self.number += 1
        return "plugin: sqlite\npath: %s/store%d.db" % (self.folder, self.number)

    def stop(self):
        pass


class Postgres:
    name = "postgres"

    def __init__(self, _folder):
        module = importlib.import_module("postgres_server")
        self.server, self.number = module.PostgresServer(), 0
        self.user = module.USER
        self.server.start()

    def fresh(self):
        self.number += 1
        database = "move%d" % self.number
        self.server.sql("CREATE DATABASE " + database)
        return "plugin: postgres\nhost: %s\nport: '%d'\ndatabase: %s\nuser: %s" % (self.server.folder, self.server.port, database, self.user)

    def stop(self):
        self.server.close()


class Mongo:
    name = "mongo"

    def __init__(self, folder):
        self.server, self.number = importlib.import_module("mongo_server").MongoServer(os.path.join(folder, "mongo")), 0
        self.uri = self.server.start()
        self.name = "mongo (%s)" % self.server.kind

    def fresh(self):
        self.number += 1
        return "plugin: mongo\nuri: %s/%s" % (self.uri, self.database())

    def database(self):
        """The name of the newest one."""
        return "pep_move_%d_%d" % (os.getpid(), self.number)

    def insert(self, documents):
        """Into the newest one's collection of records, past the plugin. Only for a server that asks for no login."""
        bson = importlib.import_module("mongo_double.bson")
        body = struct.pack("<IB", 0, 0) + bson.encode({"insert": "edge_identities", "documents": documents, "$db": self.database()})
        host, port = self.uri.split("://")[1].split("/")[0].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 30) as connection, connection.makefile("rb") as replies:
            connection.sendall(struct.pack("<iiii", len(body) + 16, 1, 0, 2013) + body)
            size = struct.unpack("<iiii", replies.read(16))[0]
            reply = bson.decode(replies.read(size - 16), 5)
        if reply.get("ok") != 1 or reply.get("n") != len(documents):
            raise RuntimeError("the documents were not taken: %r" % reply)

    def stop(self):
        self.server.stop()


def find(build, folder):
    """Every store whose plugin is built, and "NAME: why" for those whose server cannot be had."""
    found, absent = [Sqlite(folder)], []
    for name, kind in (("postgres", Postgres), ("mongo", Mongo)):
        if not os.path.exists(os.path.join(build, "plugins", "lib", name + ".so")):
            continue
        try:
            found.append(kind(folder))
        except (ImportError, OSError, RuntimeError) as error:
            absent.append("%s: %s" % (name, error))
    return found, absent
