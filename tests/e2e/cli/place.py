# SPDX-License-Identifier: Apache-2.0
"""A folder to run pep-cli in, and how to say what is expected of it."""
import json, os, shutil, subprocess, tempfile

from .server import LIMIT_S, Server, in_turn

IDENTITY = {"serialNumber": "S-1", "deployed": True, "enrollmentID": "A-" + ":".join(["AB"] * 32)}
RESULTS = [{"enrollmentID": "A-1", "serialNumber": "S-1", "deployed": True, "createdAt": 1795436385803}]
PAGE = {"_links": {"self": {"href": "/v3/enrollment-ids"}, "next": {"href": "/v3/enrollment-ids?last=1"}}, "results": RESULTS,
        "total_count": 1, "limit": 50, "order": "DESC"}
IDENTITY_ARGV = ["get-one-identity", "-s", "S-1", "-i", "10.0.0.5", "-p", "7000"]


class Place:
    """A folder with work/, home/ and bin/ (first in PATH), and the environment for pep-cli in it."""

    def __init__(self, cli):
        self.cli = cli
        self.top = tempfile.mkdtemp(prefix="pep-cli-test-")
        self.work, self.home, self.bin = (os.path.join(self.top, name) for name in ("work", "home", "bin"))
        for folder in (self.work, self.home, self.bin):
            os.mkdir(folder)
        self.env = {"PATH": self.bin + os.pathsep + os.environ["PATH"], "HOME": self.home, "LC_ALL": "C.UTF-8", "TOP": self.top,
                    "PEP_FSS_FILE": os.path.join(self.top, "journal", "fss")}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.servers = []

    def serve(self, *replies):
        server = Server(in_turn(*replies))
        self.servers.append(server)
        self.env["PEP_SERVER_URL"] = server.url
        return server

    def start(self, argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **env):
        return subprocess.Popen([self.cli] + argv, cwd=self.work, env=dict(self.env, **env), stdin=subprocess.DEVNULL, stdout=stdout,
                                stderr=stderr, start_new_session=True)

    def run(self, argv, **env):
        return finish(self.start(argv, **env))

    def put(self, name, text):
        with open(os.path.join(self.work, name), "w") as file:
            file.write(text)

    def files(self):
        found = {}
        for name in sorted(os.listdir(self.work)):
            path = os.path.join(self.work, name)
            found[name] = None if os.path.isdir(path) else open(path).read()
        return found

    def notes(self):
        folder = os.path.join(self.home, ".local", "state", "pep")
        return sorted(os.path.join(folder, name) for name in os.listdir(folder)) if os.path.isdir(folder) else []

    def leftovers(self):
        folders = [folder for folder in (self.work, os.path.dirname((self.notes() or [""])[0])) if folder]
        return [name for folder in folders for name in os.listdir(folder) if name.startswith(".pep-cli-")]

    def close(self):
        for server in self.servers:
            server.close()
        shutil.rmtree(self.top, ignore_errors=True)


class Ended:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)


def finish(process):
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError("pep-cli did not end")
    return Ended(process.returncode, (out or b"").decode("utf-8", "replace"), (err or b"").decode("utf-8", "replace"))


def equal(seen, expected, what="value"):
    assert seen == expected, "%s: expected %r, seen %r" % (what, expected, seen)


def ends(ended, code):
    assert ended.code == code, "exit code: expected %d, seen %d; stdout %r, stderr %r" % (code, ended.code, ended.out, ended.err)
    return ended
