#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile values, by GET and by POST: each is refused before the store or the injector sees it. Prints "N passed, N failed"."""
import csv
import http.client
import io
import json
import os
import sqlite3
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hostile_corpus import STAY_TEXT, corpus  # noqa: E402
from server import Server, build_folder  # noqa: E402


def ask(connection, field, value, by_post):
    """(status, Pep-Error). The other fields are good ones."""
    fields = {"serialNumber": b"GW-1", "ip": b"127.0.0.1", "port": b"7000"}
    fields[field] = value
    if by_post:
        try:
            body = json.dumps({name: text.decode() for name, text in fields.items()}).encode()
        except UnicodeDecodeError:
            body = b"{" + b",".join(b'"%s":"%s"' % (name.encode(), text) for name, text in fields.items()) + b"}"
        connection.request("POST", "/v3/identity", body, {"Content-Type": "application/json"})
    else:
        connection.request("GET", "/v3/identity?" + "&".join(
            urllib.parse.quote(name, safe="") + "=" + urllib.parse.quote_from_bytes(text, safe="") for name, text in fields.items()))
    reply = connection.getresponse()
    reply.read()
    return reply.status, reply.headers.get("Pep-Error")


def rows(server):
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(server.data, "pep.db"), uri=True)
    try:
        return [row[0] for row in db.execute("SELECT serial FROM identity")]
    finally:
        db.close()


def main():
    values, problems = corpus(), []
    with tempfile.TemporaryDirectory(prefix="pep-hostile-") as folder:
        conf = "networks: [127.0.0.0/8, '::1']\nlowest_gateway_port: 1024"
        server = Server(build_folder("asan"), folder)
        with open(server.conf, encoding="utf-8") as file:
            text = file.read().replace('networks: ["0.0.0.0/0", "::/0"]', conf.replace("\n", "\n  "))
        with open(server.conf, "w", encoding="utf-8") as file:
            file.write(text.replace("server:\n", "server:\n  header_timeout: 60s\n", 1))
        port = server.start()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        checks = [(field, value, by_post) for field, value in values for by_post in (False, True)]
        checks += [("port", str(port).encode(), by_post) for by_post in (False, True)]  # the server itself
        for field, value, by_post in checks:
            try:
                status, code = ask(connection, field, value, by_post)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                status, code = type(error).__name__, None
            if status not in (400, 403, 414) or code not in ("bad_argument", "bad_request", "endpoint_not_allowed", "uri_too_long"):
                problems.append("%s %s=%r: %s %s" % ("POST" if by_post else "GET", field, value, status, code))
        if rows(server):
            problems.append("the store has seen %r" % rows(server))
        if any("gateway provisioned" in line or "gateway not provisioned" in line for line in server.log):
            problems.append("the injector was asked")
        refused = len(checks) - len(problems)
        # The other half of the promise: what is a serial number is one, whatever it looks like.
        for text in STAY_TEXT:
            status, code = ask(connection, "serialNumber", text.encode(), True)
            known = server.request("GET", "/v3/enrollment-id?serialNumber=" + urllib.parse.quote(text, safe=""))[0]
            if (status, known) != (200, 200):
                problems.append("%r: %s %s, then %s" % (text, status, code, known))
        if sorted(rows(server)) != sorted(STAY_TEXT):
            problems.append("the store has %r" % sorted(set(rows(server)) ^ set(STAY_TEXT)))
        exported = csv.reader(io.StringIO(server.request("GET", "/v3/export/csv?profile=inventory")[2].decode()))
        cells = [cell for row in exported for cell in row]
        problems += ["%r is not in the export" % text for text in STAY_TEXT if text not in cells]
        connection.close()
        if server.stop() != 0:
            problems.append("the server ended with %d" % server.process.returncode)
    if len(values) < 500:
        problems.append("only %d values" % len(values))
    print("\n".join(problems[:40]))
    print("%d values, %d requests refused, %d texts that stay texts" % (len(values), refused, len(STAY_TEXT)))
    print("%d passed, %d failed" % (2 - bool(problems), bool(problems)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
