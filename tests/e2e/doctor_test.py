#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pep-server doctor and --check-config: what is well, what is wrong, and that nothing is left behind. Prints "N passed, N failed"."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

BUILD = build_folder("asan")


def call(server, *words):
    done = subprocess.run([server.binary, *words], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def doctor(server, *words):
    """(exit code, name -> (level, text))"""
    code, out, err = call(server, "doctor", "--config", server.conf, "--json", *words)
    assert not err, err
    told = json.loads(out)
    found = {check["name"]: (check["level"], check["text"]) for check in told["checks"]}
    levels = [level for level, _ in found.values()]
    assert (told["failed"], told["warnings"]) == (levels.count("failed"), levels.count("warning")), told
    assert (code == 1) == (told["failed"] > 0), (code, told)
    return code, found


def tree(folder):
    return sorted(os.path.join(top, name) for top, folders, files in os.walk(folder) for name in folders + files)


def before_the_first_start(server):
    code, found = doctor(server)
    assert code == 0 and found["data folder"][0] == "warning" and "storage" not in found, found
    assert not os.path.exists(server.data), "it made the data folder"
    assert found["mock"][0] == found["networks"][0] == "warning"


def all_is_well(server):
    server.start()
    assert server.stop() == 0
    before = tree(server.data)
    code, found = doctor(server)
    assert code == 0 and found["storage"][0] == found["injector"][0] == found["spool"][0] == "good", found
    assert [name for name in tree(server.data) if name not in before and not name.endswith(("-wal", "-shm"))] == []


def beside_a_server(server):
    server.start()
    code, found = doctor(server, "--set", "server.port=%d" % server.port)
    assert code == 0 and "a server runs" in found["data folder"][1] and "storage" not in found, found
    assert found["port"][0] == "warning" and "taken" in found["port"][1], found
    assert server.request("GET", "/readyz")[0] == 200
    assert server.stop() == 0


def a_store_that_is_damaged(server):
    server.start()
    assert server.stop() == 0
    with open(os.path.join(server.data, "pep.db"), "r+b") as file:
        file.write(b"no database, whatever it was before " * 4)
    code, found = doctor(server)
    assert code == 1 and found["storage"][0] == "failed", found
    code, _, err = call(server, "--config", server.conf, "--check-config")
    assert code == 12 and "pep.db" in err, (code, err)


def an_authority_that_is_missing(server):
    server.start()
    assert server.stop() == 0
    words = ["--set", "injector.plugin=fcc", "--set", "injector.ca_key=/nowhere/ca.key", "--set", "injector.ca_certificate=/nowhere/ca.crt",
             "--set", "injector.bootstrap_uri=coaps://b.example.com:5684", "--set", "injector.bootstrap_ca=/nowhere/ca.crt",
             "--set", "injector.manufacturer=A", "--set", "injector.model_number=B"]
    code, found = doctor(server, *words)
    assert code == 1 and found["injector"][0] == "failed" and "/nowhere/ca" in found["injector"][1], found
    code, _, err = call(server, "--config", server.conf, "--check-config", *words)
    assert code == 3 and "/nowhere/ca" in err, (code, err)


def what_others_can_reach(server):
    server.start()
    assert server.stop() == 0
    assert doctor(server)[1]["tls"][0] == "good"
    code, found = doctor(server, "--set", "server.listen=0.0.0.0")
    assert code == 1 and found["access"][0] == "failed" and found["storage"][0] == "good", "it stops at a fault: %s" % found
    assert found["tls"][0] == "warning" and "plain HTTP" in found["tls"][1], found


def a_secret_that_others_can_read(server):
    secret = os.path.join(server.folder, "tls.key")
    made = subprocess.run([server.binary, "tls", "init", server.folder], check=True, capture_output=True, text=True)
    assert "sha256//" in made.stdout
    words = ["--set", "tls.key=" + secret, "--set", "tls.certificate=" + os.path.join(server.folder, "tls.crt")]
    assert doctor(server, *words)[1]["certificate"][0] == "good"
    os.chmod(secret, 0o644)
    code, found = doctor(server, *words)
    assert code == 1 and found["tls"][0] == "failed" and secret in found["tls"][1], found


def words_that_are_wrong(server):
    code, _, err = call(server, "doctor", "--nonsense")
    assert code == 2 and "--nonsense" in err, (code, err)
    code, out, err = call(server, "doctor", "--config", "/nowhere/pep.yaml")
    assert code == 3 and "/nowhere/pep.yaml" in err and not out, (code, out, err)
    code, out, err = call(server, "doctor", "--json", "--config", "/nowhere/pep.yaml")
    assert code == 3 and not err and json.loads(out)["failed"] == 1 and "/nowhere/pep.yaml" in out, (code, out, err)
    code, out, _ = call(server, "doctor", "--help")
    assert code == 0 and out.startswith("Usage: pep-server doctor"), out
    code, out, _ = call(server, "doctor", "--config", server.conf)
    assert code == 0 and out.splitlines()[-1].endswith("0 wrong") and "\033" not in out, out


def main():
    passed = failed = 0
    for test in (before_the_first_start, all_is_well, beside_a_server, a_store_that_is_damaged, an_authority_that_is_missing,
                 what_others_can_reach, a_secret_that_others_can_read, words_that_are_wrong):
        folder = tempfile.mkdtemp(prefix="pep-doctor-")
        server = Server(BUILD, folder)
        try:
            test(server)
            passed += 1
        except Exception:
            failed += 1
            print("FAIL %s: %s" % (test.__name__, traceback.format_exc(limit=-2)), flush=True)
        finally:
            if server.process and server.process.poll() is None:
                server.kill()
            shutil.rmtree(folder, ignore_errors=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
