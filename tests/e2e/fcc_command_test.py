#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pep-server ca init, ca inspect and import-fcu. Prints "N passed, N failed"."""
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import build_folder  # noqa: E402

BUILD = build_folder("asan")
FCU_YML = """\
use-bootstrap: true
time-sync: true
verify-on-device: true
first-to-claim: true
bootstrap-server-uri-first-to-claim: coaps://bootstrap.example.com:5684
bootstrap-server-uri:
update-auth-certificate-file: <%= ENV['FCU_RESOURCES_DIR'] %>/update-auth-certificate.der
vendor-id: '42fa7b48-1a65-43aa-890f-8c704daade54'
class-id: 'c56f3a62-b52b-4ef6-95a0-db7a6e3b5b21'
device-info:
  manufacturer: 'Acme "Ltd"'
  model-number: GW-2
  colour: red
device-key-generation-mode: by_tool
entropy-generation-mode: by_device
certificate-authority:
"""


def run(*arguments):
    return subprocess.run([os.path.join(BUILD, "core", "pep-server"), *arguments], capture_output=True, text=True, check=False,
                          timeout=60)


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def ends(result, code, *words):
    check(result.returncode == code, "exit %d: %s%s" % (result.returncode, result.stdout, result.stderr))
    for word in words:
        check(word in result.stdout + result.stderr, "no %r in %s%s" % (word, result.stdout, result.stderr))
    return result


def make_and_inspect(folder):
    ca = os.path.join(folder, "ca")
    ends(run("ca", "init", ca, "--name", "Line 1", "--days", "3"), 0, "ca.key", "ca.crt")
    check(stat.S_IMODE(os.stat(os.path.join(ca, "ca.key")).st_mode) == 0o600, "others may read the key")
    ends(run("ca", "inspect", os.path.join(ca, "ca.crt")), 0, "CN=Line 1", "ECDSA-SHA256", "usable        yes")
    with open(os.path.join(ca, "ca.key"), "rb") as f:
        key = f.read()
    ends(run("ca", "init", ca), 1, "nothing is overwritten")
    with open(os.path.join(ca, "ca.key"), "rb") as f:
        check(f.read() == key, "the key was overwritten")


def encrypted_key(folder):
    password = os.path.join(folder, "password")
    with open(password, "w", encoding="ascii") as f:
        f.write("s3cret-word\n")
    ca = os.path.join(folder, "encrypted")
    result = ends(run("ca", "init", "--password-file", password, ca), 0)
    with open(os.path.join(ca, "ca.key"), encoding="ascii") as f:
        check("BEGIN ENCRYPTED PRIVATE KEY" in f.read(), "not encrypted")
    check("s3cret" not in result.stdout + result.stderr, "the password is shown")
    with open(password, "w", encoding="ascii"):
        pass
    ends(run("ca", "init", "--password-file", password, os.path.join(folder, "none")), 1, "first line is empty")


def wrong_calls(folder):
    for arguments in (["ca"], ["ca", "sign"], ["ca", "init"], ["ca", "init", folder, "--days", "0"], ["ca", "init", "--nonsense", folder],
                      ["ca", "inspect"], ["import-fcu"], ["import-fcu", "--nonsense"]):
        ends(run(*arguments), 2)
    ends(run("ca", "--help"), 0, "Usage: pep-server ca init")
    ends(run("import-fcu", "--help"), 0, "Usage: pep-server import-fcu")
    ends(run("ca", "inspect", os.path.join(folder, "nothing")), 1, "cannot be read")
    junk = os.path.join(folder, "junk")
    with open(junk, "w", encoding="ascii") as f:
        f.write("-----BEGIN CERTIFICATE-----\nx\n")
    ends(run("ca", "inspect", junk), 1, "is not a certificate")
    ends(run("import-fcu", os.path.join(folder, "nothing")), 1, "cannot be read")
    ends(run("import-fcu", folder), 1, "there is no fcu.yml")


def make_fcu_folder(folder, yml=FCU_YML):
    ca, fcu = os.path.join(folder, "fcu-ca"), os.path.join(folder, "fcu")
    shutil.rmtree(fcu, ignore_errors=True)
    os.makedirs(os.path.join(fcu, "keystore"))
    if not os.path.exists(ca):
        ends(run("ca", "init", ca), 0)
    for source, name in (("ca.key", "keystore/CA_private.pem"), ("ca.crt", "keystore/CA_cert.pem"), ("ca.crt", "update-auth-certificate.der")):
        shutil.copy(os.path.join(ca, source), os.path.join(fcu, name))
    with open(os.path.join(fcu, "fcu.yml"), "w", encoding="utf-8") as f:
        f.write(yml)
    return fcu, os.path.join(ca, "ca.crt")


def import_and_use(folder):
    """What is printed is a configuration that the server starts its self test with."""
    fcu, server_ca = make_fcu_folder(folder)
    result = ends(run("import-fcu", "--bootstrap-ca", server_ca, fcu), 0, "fcu.yml:13:3: not taken over", "colour")
    for line in ('key_mode: "by_tool"', 'manufacturer: "Acme \\"Ltd\\""', 'ca_key: "%s/keystore/CA_private.pem"' % fcu,
                 'update_certificate: "%s/update-auth-certificate.der"' % fcu, "first_to_claim: true"):
        check("  %s\n" % line in result.stdout, "no %s in %s" % (line, result.stdout))
    conf = os.path.join(folder, "pep.yaml")
    with open(conf, "w", encoding="utf-8") as f:
        f.write("server:\n  name: imported\n  port: 0\n  data_dir: %s\n  plugin_dir: %s\nstorage:\n  plugin: sqlite\n%s"
                % (os.path.join(folder, "data"), os.path.join(BUILD, "plugins", "lib"), result.stdout))
    ends(run("--check-config", "--config", conf), 0, "injector fcc")
    server = subprocess.Popen([os.path.join(BUILD, "core", "pep-server"), "--config", conf], stderr=subprocess.PIPE, text=True)
    log = []
    for line in server.stderr:
        log.append(line)
        if "msg=ready" in line:
            server.terminate()
    check(server.wait(30) == 0 and any("msg=ready" in line for line in log), "".join(log))


def faults_with_their_lines(folder):
    for old, new, words in [("42fa7b48-", "42fa7b48", 'fcu.yml:8:12: "vendor-id" is not a UUID'),
                            ("coaps:", "https:", "fcu.yml:5:38: "),
                            ("mode: by_tool", "mode: externally_supplied", 'fcu.yml:14:29: "device-key-generation-mode" must be'),
                            ("use-bootstrap: true", "use-bootstrap: yes", 'fcu.yml:1:16: "use-bootstrap" must be true or false'),
                            ("use-bootstrap: true", "use-bootstrap: false", "first-to-claim needs use-bootstrap"),
                            ("first-to-claim: true", "first-to-claim: false", "bootstrap-server-uri is not set"),
                            ("5684", "5684?aid=1", "must not hold aid="),
                            ("update-auth-certificate.der", "other.der", "neither there nor in resources")]:
        fcu, server_ca = make_fcu_folder(folder, FCU_YML.replace(old, new, 1))
        result = ends(run("import-fcu", "--bootstrap-ca", server_ca, fcu), 3, words)
        check(not result.stdout and re.search(r"\d faults, see above", result.stderr), result.stdout)
    fcu, _ = make_fcu_folder(folder)
    ends(run("import-fcu", fcu), 3, "--bootstrap-ca FILE")
    os.unlink(os.path.join(fcu, "keystore", "CA_cert.pem"))
    ends(run("import-fcu", fcu), 3, "neither CA_cert.pem nor fcu.crt")
    fcu, _ = make_fcu_folder(folder, "a: [")
    ends(run("import-fcu", fcu), 3, "not YAML")


def main():
    passed = failed = 0
    for case in (make_and_inspect, encrypted_key, wrong_calls, import_and_use, faults_with_their_lines):
        with tempfile.TemporaryDirectory(prefix="pep-command-") as folder:
            try:
                case(folder)
                passed += 1
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                failed += 1
                print("FAILED %s: %s" % (case.__name__, error))
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
