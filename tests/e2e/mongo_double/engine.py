# SPDX-License-Identifier: Apache-2.0
"""Collections with indexes in memory and a log in a file, which is read again at the next start.

Stricter than a MongoDB server: what it does not know is an error, and a query that no index answers is refused, as with notablescan.
"""
import bisect
import os
import struct

from . import bson

END = (300,)  # behind every key


class Refused(Exception):
    def __init__(self, code, message, **more):
        super().__init__(message)
        self.code, self.message, self.more = code, message, more


def compare(operator, value, wanted):
    a, b = bson.key(value), bson.key(wanted)
    if operator == "$eq":
        return a == b
    if operator == "$ne":
        return a != b
    if a[0] != b[0]:  # ranges stay within a type
        return False
    if operator == "$gt":
        return a > b
    if operator == "$gte":
        return a >= b
    if operator == "$lt":
        return a < b
    if operator == "$lte":
        return a <= b
    raise Refused(2, f"unknown operator: {operator}")


def is_operators(condition):
    return isinstance(condition, dict) and condition and next(iter(condition)).startswith("$")


def matches(document, query):
    for name, condition in query.items():
        if name.startswith("$") or "." in name:
            raise Refused(2, f"unknown top level operator or path: {name}")
        value = document.get(name)
        if not is_operators(condition):
            if not compare("$eq", value, condition):
                return False
            continue
        for operator, wanted in condition.items():
            if operator == "$exists":
                if (name in document) != bool(wanted):
                    return False
            elif not compare(operator, value, wanted):
                return False
    return True


class Index:
    def __init__(self, name, fields, unique):
        self.name, self.fields, self.unique = name, fields, unique
        self.entries = []  # (key of field 1, ..., key of _id), sorted

    def entry(self, document):
        return tuple(bson.key(document.get(name)) for name in self.fields) + (bson.key(document["_id"]),)

    def taken(self, entry):
        """Does another document have these keys?"""
        at = bisect.bisect_left(self.entries, entry[:-1])
        while at < len(self.entries) and self.entries[at][:-1] == entry[:-1]:
            if self.entries[at] != entry:
                return True
            at += 1
        return False

    def add(self, entry):
        bisect.insort(self.entries, entry)

    def drop(self, entry):
        at = bisect.bisect_left(self.entries, entry)
        assert self.entries[at] == entry
        del self.entries[at]

    def bounds(self, query):
        """The slice of entries that a query can need, and which fields have one value in it."""
        low, fixed = (), 0
        for name in self.fields:
            condition = query.get(name, ...)
            if condition is ... or is_operators(condition):
                break
            low += (bson.key(condition),)
            fixed += 1
        condition = query.get(self.fields[fixed], ...) if fixed < len(self.fields) else ...
        begin, end = low, low + (END,)
        if is_operators(condition):
            for operator, wanted in condition.items():
                wanted = bson.key(wanted) if operator != "$exists" else None
                if operator == "$gt":
                    begin = low + (wanted, END)
                elif operator == "$gte":
                    begin = low + (wanted,)
                elif operator == "$lt":
                    end = low + (wanted,)
                elif operator == "$lte":
                    end = low + (wanted, END)
        return bisect.bisect_left(self.entries, begin), bisect.bisect_left(self.entries, end), fixed

    def describe(self):
        return {"v": 2, "key": {name: 1 for name in self.fields}, "name": self.name, **({"unique": True} if self.unique else {})}


class Collection:
    def __init__(self, namespace):
        self.namespace = namespace
        self.documents = {}  # by the key of _id
        self.indexes = {"_id_": Index("_id_", ["_id"], True)}

    def check(self, document):
        for index in self.indexes.values():
            if index.unique and index.taken(index.entry(document)):
                shown = {name: document.get(name) for name in index.fields}
                raise Refused(11000, f"E11000 duplicate key error collection: {self.namespace} index: {index.name} dup key: {shown}",
                              keyPattern={name: 1 for name in index.fields}, keyValue=shown)

    def insert(self, document):
        if bson.key(document["_id"]) in self.documents:
            raise Refused(11000, f"E11000 duplicate key error collection: {self.namespace} index: _id_", keyPattern={"_id": 1})
        self.check(document)
        self.put(document)

    def put(self, document):
        key = bson.key(document["_id"])
        self.remove(key)
        self.documents[key] = document
        for index in self.indexes.values():
            index.add(index.entry(document))

    def remove(self, key):
        old = self.documents.pop(key, None)
        if old is not None:
            for index in self.indexes.values():
                index.drop(index.entry(old))

    def create_index(self, name, fields, unique):
        for index in self.indexes.values():
            same = index.fields == fields and index.unique == unique
            if index.name == name and same:
                return False
            if index.name == name:
                raise Refused(86, f"An existing index has the same name as the requested index, but other keys or options: {name}")
            if index.fields == fields:
                raise Refused(85, f"Index already exists with a different name: {index.name}")
        index = Index(name, fields, unique)
        for document in self.documents.values():
            entry = index.entry(document)
            if unique and index.taken(entry):
                raise Refused(11000, f"E11000 duplicate key error collection: {self.namespace} index: {name} dup key: "
                              f"{ {field: document.get(field) for field in fields} }")
            index.add(entry)
        self.indexes[name] = index
        return True

    def choose(self, query, hint):
        if hint is not None:
            for index in self.indexes.values():
                if hint in (index.name, {name: 1 for name in index.fields}):
                    return index
            raise Refused(2, "error processing query: planner returned error: bad hint: "
                          "hint provided does not correspond to an existing index")
        for index in self.indexes.values():
            condition = query.get(index.fields[0], ...)
            if condition is not ... and not is_operators(condition):
                return index
        raise Refused(291, f"No indexed plans available, and running with 'notablescan': {list(query)}")

    def find(self, query, hint=None, sort=None, limit=0):
        """Documents in order. They are not copied: whoever changes one puts a new one in its place."""
        if not self.documents:
            return []
        index = self.choose(query, hint)
        low, high, fixed = index.bounds(query)
        sort = list((sort or {}).items())
        down = bool(sort) and sort[0][1] < 0
        # May the index's order stand for the one asked for?
        in_order = not sort or (all((value < 0) == down for _, value in sort) and
                                [name for name, _ in sort] in (index.fields[:len(sort)], index.fields[fixed:fixed + len(sort)]))
        found = []
        for at in (range(high - 1, low - 1, -1) if down and in_order else range(low, high)):
            document = self.documents[index.entries[at][-1]]
            if matches(document, query):
                found.append(document)
                if in_order and limit and len(found) == limit:
                    break
        if not in_order:
            for name, direction in reversed(sort):
                found.sort(key=lambda document, name=name: bson.key(document.get(name)), reverse=direction < 0)
        return found[:limit] if limit else found


def changed(document, change):
    new = dict(document)
    for operator, fields in change.items():
        if operator not in ("$set", "$unset"):
            raise Refused(9, f"Unknown modifier: {operator}")
        if not fields:
            raise Refused(9, f"'{operator}' is empty. You must specify a field like so: {{{operator}: {{<field>: ...}}}}")
        for name, value in fields.items():
            if "." in name or name.startswith("$"):
                raise Refused(57, f"the path {name} is not known here")
            if name == "_id" and bson.key(value) != bson.key(document["_id"]):
                raise Refused(66, "the _id field is immutable")
            if operator == "$set":
                new[name] = value
            else:
                new.pop(name, None)
    return new


class Engine:
    """Every change goes to the log before it is answered: what was answered survives a kill -9."""

    def __init__(self, path=None):
        self.collections = {}
        self.log = None
        if path:
            self.replay(path)
            self.log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def collection(self, namespace, make=True):
        if namespace not in self.collections and make:
            self.collections[namespace] = Collection(namespace)
        return self.collections.get(namespace)

    def note(self, entry):
        if self.log is not None:
            os.write(self.log, bson.encode(entry))

    def replay(self, path):
        if not os.path.exists(path):
            return
        with open(path, "rb") as log:
            data = log.read()
        at = 0
        while at + 4 <= len(data):
            size = struct.unpack_from("<i", data, at)[0]
            if at + size > len(data):
                break  # a kill cut it: it was not answered
            self.apply(bson.decode(data[at:at + size]))
            at += size
        os.truncate(path, at)

    def apply(self, entry):
        collection = self.collection(entry["ns"])
        if entry["op"] == "put":
            collection.put(entry["o"])
        elif entry["op"] == "remove":
            collection.remove(bson.key(entry["o"]))
        elif entry["op"] == "index":
            collection.create_index(entry["name"], entry["fields"], entry["unique"])
        elif entry["op"] == "dropIndex":
            del collection.indexes[entry["name"]]
        else:
            del self.collections[entry["ns"]]

    def insert(self, namespace, document):
        self.collection(namespace).insert(document)
        self.note({"op": "put", "ns": namespace, "o": document})

    def update(self, namespace, query, change, multi=False):
        collection, modified = self.collection(namespace), 0
        found = collection.find(query, limit=0 if multi else 1)
        for old in found:
            new = changed(old, change)
            if new != old:
                collection.check(new)
                collection.put(new)
                self.note({"op": "put", "ns": namespace, "o": new})
                modified += 1
        return len(found), modified

    def delete(self, namespace, query, limit):
        collection = self.collection(namespace)
        found = collection.find(query, hint=None if query else "_id_", limit=limit)
        for document in found:
            collection.remove(bson.key(document["_id"]))
            self.note({"op": "remove", "ns": namespace, "o": document["_id"]})
        return len(found)

    def create_index(self, namespace, name, fields, unique):
        if self.collection(namespace).create_index(name, fields, unique):
            self.note({"op": "index", "ns": namespace, "name": name, "fields": fields, "unique": unique})

    def drop_index(self, namespace, name):
        collection = self.collection(namespace, make=False)
        if not collection or name not in collection.indexes or name == "_id_":
            raise Refused(27, f"index not found with name [{name}]")
        del collection.indexes[name]
        self.note({"op": "dropIndex", "ns": namespace, "name": name})

    def drop(self, namespace):
        if self.collections.pop(namespace, None):
            self.note({"op": "drop", "ns": namespace})
