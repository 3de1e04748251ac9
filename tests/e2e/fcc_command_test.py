#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pep-server ca init, ca inspect and import-fcu. Prints "N passed, N failed"."""
import base64
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
"""
# With FCU_YML every key that is known of the tool, and all that the injector has an option for.
EVERYTHING_ELSE = """\
certificate-authority: {country: GB}
device-certificate:
  country: GB
  state: ~
  organization: Acme
  validity-years: 20
device-more:
  device-type: gw
  hardware-version: hw-1
  memory-total-kb: 2048
  timezone: Europe/London
  utc-offset: "+01:00"
secure-storage-type: x
secure-hardware-components: [a, b]
device-private-keys-in-field-generation: by_cloud
lwm2m-server-uri: coaps://lwm2m.example.com:5684?aid=1
device-certificate-chain-depth: 1
"""


def run(*arguments, **options):
    return subprocess.run([os.path.join(BUILD, "core", "pep-server"), *arguments], capture_output=True, text=True, check=False,
                          timeout=60, **options)


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
    for left in ("ca.crt", "ca.key"):
        shutil.rmtree(ca)
        os.mkdir(ca)
        with open(os.path.join(ca, left), "w", encoding="ascii"):
            pass
        ends(run("ca", "init", ca), 1, left, "nothing is overwritten")
        check(os.listdir(ca) == [left] and os.stat(os.path.join(ca, left)).st_size == 0, "half a certificate authority")
    ends(run("ca", "init", os.path.join(folder, "open"), umask=0), 0)
    check(stat.S_IMODE(os.stat(os.path.join(folder, "open", "ca.key")).st_mode) == 0o600, "others may read the key")
    ends(run("ca", "init", os.path.join(folder, "a", "b")), 1, "cannot make the folder")


def unsuitable(folder):
    """A good certificate, in DER, with other bytes here and there: inspect does not look at the signature."""
    ca = os.path.join(folder, "ca")
    ends(run("ca", "init", ca, "--days", "3"), 0)
    with open(os.path.join(ca, "ca.crt"), encoding="ascii") as f:
        good = base64.b64decode("".join(line for line in f if not line.startswith("-")))
    year = re.search(rb"\x17\x0d([0-9]{2})[0-9]{10}Z\x17", good).group(1)
    path = os.path.join(folder, "other.der")
    for old, new, code, words in [(b"", b"", 0, "usable        yes: the fcc injector can sign gateway certificates with it\n"),
                                  (b"\x01\x01\xff\x02\x01\x00", b"\x01\x01\x00\x02\x01\x00", 3, "not that of a certificate authority"),
                                  (b"\x03\x02\x01\x06", b"\x03\x02\x01\x02", 3, "must not sign certificates (key usage)"),
                                  (b"\xce\x3d\x03\x01\x07", b"\xce\x3d\x03\x01\x01", 3, "not one of P-256"),
                                  (b"\x17\x0d" + year, b"\x17\x0d20", 3, "has expired"),
                                  (b"\x17\x0d" + year, b"\x17\x0d49", 3, "not valid yet"),
                                  (b"\xce\x3d\x04\x03\x02", b"\xce\x3d\x04\x03\x03", 0, "but not send it to gateways"),
                                  (b"pep test CA", b"pep \x1b[7m CA", 0, "(not printable)")]:
        check(old in good, "no %r in the certificate" % old)
        with open(path, "wb") as f:
            f.write(good.replace(old, new) if old else good)
        result = ends(run("ca", "inspect", path), code, words)
        check("\x1b" not in result.stdout, "a control character for the terminal")


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
                      ["ca", "init", folder, "--name", "a\x1b"], ["ca", "init", folder, "--name", ""], ["ca", "inspect"], ["import-fcu"], ["import-fcu", "--nonsense"]):
        ends(run(*arguments), 2)
    for words in ("--help", "-h", "init --help", "inspect --help"):
        ends(run("ca", *words.split()), 0, "Usage: pep-server ca init")
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
    fcu, server_ca = make_fcu_folder(folder, FCU_YML + EVERYTHING_ELSE)
    result = ends(run("import-fcu", "--bootstrap-ca", os.path.basename(server_ca), fcu, cwd=os.path.dirname(server_ca)), 0,
                  "fcu.yml:13:3: not taken over", "colour")
    for words in ("16:1: not taken over: it does not concern the fcc injector: certificate-authority",
                  "28:1: not taken over: it does not concern the fcc injector: secure-storage-type",
                  "29:1: not taken over: it does not concern the fcc injector: secure-hardware-components",
                  "30:1: not taken over: it does not concern the fcc injector: device-private-keys-in-field-generation",
                  "31:1: not taken over: use-bootstrap and first-to-claim ask for another address than lwm2m-server-uri"):
        check("fcu.yml:%s\n" % words in result.stderr, "no %s in %s" % (words, result.stderr))
    check(len(result.stderr.splitlines()) == 6, result.stderr)
    for line in ('key_mode: "by_tool"', 'manufacturer: "Acme \\"Ltd\\""', 'ca_key: "%s/keystore/CA_private.pem"' % fcu,
                 'update_certificate: "%s/update-auth-certificate.der"' % fcu, "first_to_claim: true",
                 'bootstrap_ca: "%s"' % server_ca, 'subject_country: "GB"', "validity_days: 7300", "chain_depth: 1", 'utc_offset: "+01:00"',
                 'device_type: "gw"', "memory_total_kb: 2048", 'entropy: "by_device"'):
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
                            ("update-auth-certificate.der", "other.der", 'fcu.yml:7:31: "update-auth-certificate-file" names'),
                            ("update-auth-certificate.der", "<%= ENV['X'] %>", "fcu.yml:7:31: "),
                            ("GW-2", "<%= ENV['MODEL'] %>", 'fcu.yml:12:17: "model-number" holds a placeholder'),
                            ("GW-2", "[a]", 'fcu.yml:12:17: "model-number" must be a single value'),
                            ("GW-2", "x" * 257, 'fcu.yml:12:17: "model-number" must not be longer'),
                            ("colour: red", "manufacturer-name: b", 'fcu.yml:13:22: "manufacturer-name" is said for the second time'),
                            ("colour: red", "country: GBR", 'fcu.yml:13:12: "country" must be two letters'),
                            ("colour: red", "device-certificate-chain-depth: 6", "fcu.yml:13:35: "),
                            ("colour: red", "validity-years: 101", "fcu.yml:13:19: "),
                            ("colour: red", "validity-days: 0", "fcu.yml:13:18: "),
                            ("colour: red", "memory-total-kb: -1", "fcu.yml:13:20: ")]:
        fcu, server_ca = make_fcu_folder(folder, FCU_YML.replace(old, new, 1))
        result = ends(run("import-fcu", "--bootstrap-ca", server_ca, fcu), 3, words)
        check(not result.stdout and re.search(r"\d faults?, see above", result.stderr), result.stdout)
    fcu, _ = make_fcu_folder(folder)
    ends(run("import-fcu", fcu), 3, "--bootstrap-ca FILE")
    os.unlink(os.path.join(fcu, "keystore", "CA_cert.pem"))
    ends(run("import-fcu", fcu), 3, "neither CA_cert.pem nor fcu.crt")
    ends(run("import-fcu", "--bootstrap-ca", os.path.join(folder, "none"), fcu), 1, "cannot be read")


def hostile_files(folder):
    """Each is refused in one line, at once."""
    for yml, words in (("a: [", "not YAML"), ("[" * 500000, "no place"), ("a: {" * 200000, "fcu.yml:1:"),
                       ("a: &x [y, y]\nb: &z [*x, *x]\n", "an anchor"), ("x: " + "y" * 500000, "a value of 500000 bytes"),
                       ("".join("k%d: v\n" % i for i in range(1000)), "more than 256 keys"), ("a: !!python/object:os.system x", "a tag"),
                       ("x: y\n" * 300000, "over 1048576 bytes"), ("use-bootstrap: true\nuse-bootstrap: true\n", "is repeated")):
        fcu, server_ca = make_fcu_folder(folder, yml)
        result = ends(run("import-fcu", "--bootstrap-ca", server_ca, fcu), 3, words)
        check(not result.stdout and len(result.stderr.splitlines()) == 1, result.stderr[:500])


def main():
    passed = failed = 0
    for case in (make_and_inspect, encrypted_key, unsuitable, wrong_calls, import_and_use, faults_with_their_lines, hostile_files):
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
