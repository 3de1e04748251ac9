# SPDX-License-Identifier: Apache-2.0
"""The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) for one user."""
import base64
import hashlib
import hmac
import os

ITERATIONS = 4096


def _hmac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


class Scram:
    def __init__(self, user, password):
        self.user = user
        self.salt = os.urandom(28)  # as long as the driver wants it
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), self.salt, ITERATIONS)
        self.stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
        self.server = _hmac(salted, b"Server Key")


class Exchange:
    """start(), then finish(); each takes and returns the payload. ValueError: wrong user or password."""

    def __init__(self, scram):
        self.scram = scram

    def start(self, payload):
        bare = payload.decode()
        if not bare.startswith("n,,"):
            raise ValueError("channel binding is not known here")
        self.first = bare[3:]
        fields = dict(part.split("=", 1) for part in self.first.split(","))
        self.right_user = fields["n"] == self.scram.user
        self.nonce = fields["r"] + base64.b64encode(os.urandom(18)).decode()
        self.answer = f"r={self.nonce},s={base64.b64encode(self.scram.salt).decode()},i={ITERATIONS}"
        return self.answer.encode()

    def finish(self, payload):
        fields = dict(part.split("=", 1) for part in payload.decode().split(","))
        text = f"{self.first},{self.answer},c={fields['c']},r={fields['r']}".encode()
        proof = base64.b64decode(fields["p"])
        client = bytes(a ^ b for a, b in zip(proof, _hmac(self.scram.stored, text)))
        if not self.right_user or fields["r"] != self.nonce or hashlib.sha256(client).digest() != self.scram.stored:
            raise ValueError("wrong user or password")
        return b"v=" + base64.b64encode(_hmac(self.scram.server, text))
