# SPDX-License-Identifier: Apache-2.0
"""BSON (bsonspec.org 1.1) as Python values, as much of it as a C driver and our plugin send. A document is a dict."""
import struct


class Int64(int):
    """Kept apart from a 32-bit number, so that what was stored comes back as it was."""


class Date(int):
    """Milliseconds since 1970; any of 64 bits."""


class ObjectId(bytes):
    pass


class Binary(bytes):
    pass


class Code(str):
    pass


class Timestamp(int):
    pass


class MinKey:
    pass


class MaxKey:
    pass


class BsonError(ValueError):
    pass


def _name(data, at):
    end = data.index(b"\0", at)
    return data[at:end].decode("utf-8"), end + 1


def _text(data, at):
    size = struct.unpack_from("<i", data, at)[0]
    if size < 1 or data[at + 3 + size] != 0:
        raise BsonError("a text without its end")
    return data[at + 4:at + 3 + size].decode("utf-8"), at + 4 + size


def _value(kind, data, at):
    if kind == 0x01:
        return struct.unpack_from("<d", data, at)[0], at + 8
    if kind == 0x02:
        return _text(data, at)
    if kind in (0x03, 0x04):
        size = struct.unpack_from("<i", data, at)[0]
        document = decode(data, at)
        return (list(document.values()) if kind == 0x04 else document), at + size
    if kind == 0x05:
        size = struct.unpack_from("<i", data, at)[0]
        return Binary(data[at + 4:at + 5 + size]), at + 5 + size
    if kind == 0x07:
        return ObjectId(data[at:at + 12]), at + 12
    if kind == 0x08:
        return data[at] == 1, at + 1
    if kind == 0x09:
        return Date(struct.unpack_from("<q", data, at)[0]), at + 8
    if kind == 0x0A:
        return None, at
    if kind == 0x10:
        return struct.unpack_from("<i", data, at)[0], at + 4
    if kind == 0x11:
        return Timestamp(struct.unpack_from("<Q", data, at)[0]), at + 8
    if kind == 0x12:
        return Int64(struct.unpack_from("<q", data, at)[0]), at + 8
    if kind == 0xFF:
        return MinKey(), at
    if kind == 0x7F:
        return MaxKey(), at
    raise BsonError(f"type 0x{kind:02x} is not known here")


def decode(data, at=0):
    size = struct.unpack_from("<i", data, at)[0]
    end = at + size - 1
    if size < 5 or end >= len(data) or data[end] != 0:
        raise BsonError("a document without its end")
    at += 4
    document = {}
    while at < end:
        kind = data[at]
        name, at = _name(data, at + 1)
        document[name], at = _value(kind, data, at)
    return document


def _element(value):
    if isinstance(value, bool):
        return 0x08, b"\1" if value else b"\0"
    if isinstance(value, Date):
        return 0x09, struct.pack("<q", value)
    if isinstance(value, Timestamp):
        return 0x11, struct.pack("<Q", value)
    if isinstance(value, Int64):
        return 0x12, struct.pack("<q", value)
    if isinstance(value, int):
        return 0x10, struct.pack("<i", value)
    if isinstance(value, float):
        return 0x01, struct.pack("<d", value)
    if isinstance(value, str):
        text = value.encode("utf-8")
        return 0x02, struct.pack("<i", len(text) + 1) + text + b"\0"
    if value is None:
        return 0x0A, b""
    if isinstance(value, dict):
        return 0x03, encode(value)
    if isinstance(value, (list, tuple)):
        return 0x04, encode({str(i): item for i, item in enumerate(value)})
    if isinstance(value, ObjectId):
        return 0x07, bytes(value)
    if isinstance(value, Binary):  # the first byte is the subtype
        return 0x05, struct.pack("<i", len(value) - 1) + bytes(value)
    if isinstance(value, bytes):
        return 0x05, struct.pack("<i", len(value)) + b"\0" + value
    raise BsonError(f"{type(value).__name__} has no type here")


def encode(document):
    parts = []
    for name, value in document.items():
        kind, data = _element(value)
        parts.append(bytes((kind,)) + name.encode("utf-8") + b"\0" + data)
    body = b"".join(parts)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


# The order of values of different types: www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
def key(value):
    """Something that compares as the server would compare the value; arrays are not taken apart."""
    if value is None:
        return (1,)
    if isinstance(value, bool):
        return (8, value)
    if isinstance(value, Date):
        return (9, int(value))
    if isinstance(value, Timestamp):
        return (10, int(value))
    if isinstance(value, (int, float)):
        return (2, value)
    if isinstance(value, str):
        return (3, value.encode("utf-8"))
    if isinstance(value, (dict, list, tuple)):
        return (4 if isinstance(value, dict) else 5, encode({"": value}))
    if isinstance(value, ObjectId):
        return (7, bytes(value))
    if isinstance(value, bytes):
        return (6, len(value), bytes(value))
    if isinstance(value, MinKey):
        return (0,)
    if isinstance(value, MaxKey):
        return (255,)
    raise BsonError(f"{type(value).__name__} has no order here")
