# SPDX-License-Identifier: Apache-2.0
"""What a client can ask of the double. A field that a command has here and is not known is an error."""
import threading
import time

from . import bson
from .engine import Engine, Refused
from .scram import Exchange, Scram

# Fields that say nothing to one server with one copy; what they ask for holds anyway.
COMMON = {"$db", "lsid", "txnNumber", "$clusterTime", "$readPreference", "writeConcern", "readConcern", "maxTimeMS", "apiVersion"}
BEFORE_LOGIN = {"hello", "isMaster", "ismaster", "ping", "saslStart", "saslContinue", "buildInfo", "endSessions"}
WRITES = {"insert", "update", "delete"}
REPLY_SIZE_MAX = 16 * 1024 * 1024


class Hangup(Exception):
    pass


class Session:
    """What a connection has said so far."""

    def __init__(self):
        self.logged_in, self.exchange = False, None


class Server:
    def __init__(self, path=None, user=None, password=None, replica_set=None, wire_version=9):
        self.engine = Engine(path)
        self.scram = Scram(user, password) if user else None
        self.replica_set, self.wire_version, self.address = replica_set, wire_version, None
        self.lock = threading.RLock()
        self.cursors, self.next_cursor = {}, 1
        self.done = {}  # by session: the last numbered write and its reply
        self.fail = None
        self.counts = {}

    def run(self, session, command):
        name = next(iter(command))
        handler = getattr(self, "run_" + name, None)
        try:
            if handler is None:
                raise Refused(59, f"no such command: '{name}'")
            if self.scram and not session.logged_in and name not in BEFORE_LOGIN:
                raise Refused(13, f"command {name} requires authentication")
            level = command.get("readConcern", {}).get("level")
            if level == "linearizable" and not self.replica_set:
                raise Refused(123, "node needs to be a replica set member to use read concern")
            if "txnNumber" in command and not self.replica_set:
                raise Refused(20, "Transaction numbers are only allowed on a replica set member or mongos")
            with self.lock:
                self.counts[name] = self.counts.get(name, 0) + 1
                return self.run_once(session, command, name, handler)
        except Refused as error:
            return {"ok": 0.0, "errmsg": error.message, "code": error.code, "codeName": f"Error{error.code}", **error.more}

    def run_once(self, session, command, name, handler):
        """A retryable write is done once, however often it is sent."""
        failure = self.take_failure(name)
        if failure.get("closeConnection"):
            raise Hangup
        if "errorCode" in failure:
            raise Refused(failure["errorCode"], "failing command due to 'failCommand' failpoint",
                          **({"errorLabels": failure["errorLabels"]} if "errorLabels" in failure else {}))
        number = (bytes(command["lsid"]["id"]), command["txnNumber"]) if "txnNumber" in command else None
        if number and self.done.get(number[0], (None, None))[0] == number[1]:
            reply = self.done[number[0]][1]
        else:
            reply = handler(session, command)
            if number:
                self.done[number[0]] = (number[1], reply)
        if failure.get("closeAfterwards"):
            raise Hangup
        if "writeConcernError" in failure:
            reply = {**reply, "writeConcernError": failure["writeConcernError"]}
        return reply

    def take_failure(self, name):
        if not self.fail or name not in self.fail["data"]["failCommands"]:
            return {}
        data = self.fail["data"]
        self.fail["times"] -= 1
        if self.fail["times"] == 0:
            self.fail = None
        return data

    @staticmethod
    def known(command, *fields):
        unknown = set(command) - COMMON - set(fields) - {next(iter(command))}
        if unknown:
            raise Refused(40415, f"BSON field '{next(iter(command))}.{sorted(unknown)[0]}' is an unknown field.")

    @staticmethod
    def namespace(command):
        return f"{command['$db']}.{next(iter(command.values()))}"

    # --- who is there ---

    def run_hello(self, session, command):
        reply = {"helloOk": True, "ismaster": True, "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000,
                 "maxWriteBatchSize": 100000, "localTime": bson.Date(time.time() * 1000), "logicalSessionTimeoutMinutes": 30,
                 "minWireVersion": 0, "maxWireVersion": self.wire_version, "readOnly": False}
        if self.replica_set:
            reply.update({"setName": self.replica_set, "setVersion": 1, "secondary": False, "hosts": [self.address],
                          "primary": self.address, "me": self.address})
        if self.scram and "saslSupportedMechs" in command:
            reply["saslSupportedMechs"] = ["SCRAM-SHA-256"]
        if "speculativeAuthenticate" in command:
            pass  # not offered: the client starts over with saslStart
        return {**reply, "ok": 1.0}

    run_isMaster = run_ismaster = run_hello

    def run_ping(self, session, command):
        return {"ok": 1.0}

    def run_buildInfo(self, session, command):
        return {"version": "4.4.0", "versionArray": [4, 4, 0, 0], "ok": 1.0}

    def run_endSessions(self, session, command):
        return {"ok": 1.0}

    def run_saslStart(self, session, command):
        if not self.scram or command["mechanism"] != "SCRAM-SHA-256":
            raise Refused(18, "Authentication failed.")
        return self.sasl(session, command, start=True)

    def run_saslContinue(self, session, command):
        return self.sasl(session, command, start=False)

    def sasl(self, session, command, start):
        try:
            payload = bytes(command["payload"])[1:]
            if start:
                session.exchange = Exchange(self.scram)
                answer = session.exchange.start(payload)
            elif session.logged_in:
                answer = b""
            else:
                answer = session.exchange.finish(payload)
                session.logged_in = True
        except (ValueError, KeyError, AttributeError):
            raise Refused(18, "Authentication failed.") from None
        return {"conversationId": 1, "done": session.logged_in, "payload": answer, "ok": 1.0}

    # --- writes ---

    def write_each(self, command, items, one):
        reply, errors = {"n": 0}, []
        for index, item in enumerate(items):
            try:
                one(item, reply)
            except Refused as error:
                errors.append({"index": index, "code": error.code, "errmsg": error.message, **error.more})
                if command.get("ordered", True):
                    break
        if errors:
            reply["writeErrors"] = errors
        return {**reply, "ok": 1.0}

    def run_insert(self, session, command):
        self.known(command, "documents", "ordered")

        def one(document, reply):
            self.engine.insert(self.namespace(command), document)
            reply["n"] += 1
        return self.write_each(command, command["documents"], one)

    def run_update(self, session, command):
        self.known(command, "updates", "ordered")

        def one(update, reply):
            if set(update) - {"q", "u", "multi", "upsert"} or update.get("upsert"):
                raise Refused(40415, f"an update is not known here: {sorted(update)}")
            found, modified = self.engine.update(self.namespace(command), update["q"], update["u"], update.get("multi", False))
            reply["n"] += found
            reply["nModified"] = reply.get("nModified", 0) + modified
        return self.write_each(command, command["updates"], one)

    def run_delete(self, session, command):
        self.known(command, "deletes", "ordered")

        def one(delete, reply):
            reply["n"] += self.engine.delete(self.namespace(command), delete["q"], delete.get("limit", 0))
        return self.write_each(command, command["deletes"], one)

    # --- reads ---

    def cursor(self, namespace, documents, batch_size, name="firstBatch", cursor_id=0):
        batch, size = [], 0
        while documents and len(batch) < batch_size:
            size += len(bson.encode(documents[0])) if size < REPLY_SIZE_MAX else 0
            if batch and size > REPLY_SIZE_MAX:
                break
            batch.append(documents.pop(0))
        if documents and not cursor_id:
            cursor_id, self.next_cursor = self.next_cursor, self.next_cursor + 1
        if documents:
            self.cursors[cursor_id] = documents
        else:
            self.cursors.pop(cursor_id, None)
            cursor_id = 0
        return {"cursor": {"id": bson.Int64(cursor_id), "ns": namespace, name: batch}, "ok": 1.0}

    def run_find(self, session, command):
        self.known(command, "filter", "sort", "hint", "limit", "batchSize", "projection", "singleBatch")
        collection = self.engine.collection(self.namespace(command), make=False)
        found = collection.find(command.get("filter", {}), command.get("hint"), command.get("sort"),
                                abs(command.get("limit", 0))) if collection else []
        hidden = command.get("projection", {})
        if any(hidden.values()):
            raise Refused(2, "only a projection that leaves out fields is known here")
        if hidden:
            found = [{name: value for name, value in document.items() if name not in hidden} for document in found]
        return self.cursor(self.namespace(command), list(found), command.get("batchSize", 101))

    def run_getMore(self, session, command):
        if command["getMore"] not in self.cursors:
            raise Refused(43, f"cursor id {command['getMore']} not found")
        return self.cursor(f"{command['$db']}.{command['collection']}", self.cursors[command["getMore"]],
                           command.get("batchSize", 1 << 30), "nextBatch", command["getMore"])

    def run_killCursors(self, session, command):
        for cursor in command["cursors"]:
            self.cursors.pop(cursor, None)
        return {"cursorsKilled": command["cursors"], "ok": 1.0}

    def run_aggregate(self, session, command):
        """Only what counting sends: $match, $limit, $group of everything."""
        self.known(command, "pipeline", "cursor", "hint")
        collection = self.engine.collection(self.namespace(command), make=False)
        query, limit = {}, 0
        for stage in command["pipeline"]:
            if "$match" in stage:
                query = stage["$match"]
            elif "$limit" in stage:
                limit = stage["$limit"]
            elif stage.get("$group", {}).get("n") != {"$sum": 1}:
                raise Refused(40324, f"Unrecognized pipeline stage: {stage}")
        count = len(collection.find(query, command.get("hint"), limit=limit)) if collection else 0
        return self.cursor(self.namespace(command), [{"_id": 1, "n": count}] if count else [], 101)

    # --- indexes, and what tests need ---

    def run_createIndexes(self, session, command):
        self.known(command, "indexes")
        for index in command["indexes"]:
            if set(index) - {"key", "name", "unique", "background", "v"} or set(index["key"].values()) != {1}:
                raise Refused(197, f"an index is not known here: {index}")
            self.engine.create_index(self.namespace(command), index["name"], list(index["key"]), bool(index.get("unique")))
        return {"ok": 1.0}

    def run_listIndexes(self, session, command):
        collection = self.engine.collection(self.namespace(command), make=False)
        if not collection:
            raise Refused(26, f"ns does not exist: {self.namespace(command)}")
        return self.cursor(self.namespace(command), [index.describe() for index in collection.indexes.values()], 101)

    def run_dropIndexes(self, session, command):
        self.engine.drop_index(self.namespace(command), command["index"])
        return {"ok": 1.0}

    def run_dropDatabase(self, session, command):
        for namespace in [name for name in self.engine.collections if name.startswith(command["$db"] + ".")]:
            self.engine.drop(namespace)
        return {"ok": 1.0}

    def run_configureFailPoint(self, session, command):
        """As the server's failCommand; closeAfterwards is ours: the write is done, its answer is lost."""
        mode = command["mode"]
        self.fail = None if mode == "off" else {"times": mode["times"], "data": command["data"]}
        return {"ok": 1.0}

    def run_countCommands(self, session, command):
        """Ours: how often each command came."""
        return {"counts": dict(self.counts), "ok": 1.0}
