# SPDX-License-Identifier: Apache-2.0
"""A gateway to provision: its files below a folder, its client, its LED, its hooks, and pep-cli on it."""
import hashlib
import json
import os
import signal
import stat
import subprocess

LIMIT_S = 60
PLACES = {
    "lmp": ("userdata/edge_gw_config/identity.json", "userdata/mbed/mcc_config", "userdata/pep"),
    "deb": ("var/lib/pelion/edge_gw_config/identity.json", "var/lib/pelion/mbed/mcc_config", "var/lib/pep-cli"),
    "snap": ("var/snap/pelion-edge/current/userdata/edge_gw_identity/identity.json",
             "var/snap/pelion-edge/current/userdata/mbed/mcc_config", "var/snap/pelion-edge/current/userdata/pep"),
    "custom": ("data/gw/identity.json", "data/credentials/store", "data/notes"),
}
BASES = {"lmp": ["userdata"], "deb": ["var/lib/pelion"], "snap": ["var/snap/pelion-edge/x7"], "custom": ["data"]}
# As FCC: its folder is below the one that it is started in. FAULTS holds one line for each start.
CLIENT = """#!/bin/sh
echo start >>{top}/starts
echo $$ >>{top}/pids
printf '%s\\n' "$ETHERNET_LINUX_IFACE_NAME" >{top}/interface
test -z "$PEP_TOKEN" || echo token >>{top}/secrets
n=$(wc -l <{top}/starts)
fault=$(sed -n "$n"p {top}/faults)
mkdir -p {store}
case $fault in
	leaves) setsid sh -c 'echo $$ >>{top}/pids; echo >{top}/left; exec cat {top}/never' &
		until test -s {top}/left; do :; done; fault= ;;
esac
case $fault in
	silent) echo waiting; exec cat {top}/never ;;
	garbage) printf '\\377\\376\\033[2J%700s\\nbye \\377\\n' x; exit 3 ;;
	gone) echo "no interface" >&2; exit 3 ;;
	?*) exec {sim} --store {store}/{inner} --fault "$fault" ;;
esac
exec {sim} --store {store}/{inner}
"""
SYSTEMCTL = """#!/bin/sh
echo "$*" >>{top}/systemctl.log
test "$1" != mask || test "$2" = --runtime || test ! -e {top}/read-only || exit 1
test "$1" != is-enabled || {{ cat {top}/enabled; exit 1; }}
"""
HOOK = """#!/bin/sh
echo "$1 $PEP_STATE $PEP_SERIAL $PEP_EXIT_CODE $PEP_CODE" >>{top}/hook.log
test -z "$PEP_TOKEN" || echo token >>{top}/secrets
"""


def is_alive(pid):
    """Also whoever waits for an init that takes its time is dead."""
    try:
        with open("/proc/%s/stat" % pid, encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Board:
    """One gateway, named by its test."""

    def __init__(self, build, folder, line, name, platform="lmp"):
        self.build, self.top, self.line = build, folder, line
        self.cli = os.path.join(build, "cli", "pep-cli")
        self.serial = name.replace("test_", "").replace("_", "-")[:60]
        self.root = os.path.join(folder, "root")
        self.ended = None
        os.makedirs(self.root)
        for name_, text in (("faults", ""), ("starts", ""), ("pids", ""), ("enabled", "enabled\n")):
            self.put(os.path.join(self.top, name_), text)
        os.mkfifo(os.path.join(self.top, "never"))
        self.put(os.path.join(self.top, "bin", "systemctl"), SYSTEMCTL.format(top=self.top), 0o755)
        self.put(os.path.join(self.root, "proc", "device-tree", "serial-number"), self.serial + "\0")
        self.put(os.path.join(self.root, "sys", "class", "net", "eth0", "address"), "02:00:5e:10:00:ff\n")
        self.put(os.path.join(self.root, "sys", "class", "net", "eth0", "type"), "1\n")
        self.put(os.path.join(self.root, "sys", "class", "net", "lo", "address"), "00:00:00:00:00:00\n")
        self.put(os.path.join(self.root, "sys", "class", "net", "lo", "type"), "772\n")
        self.env = {"PATH": os.path.join(self.top, "bin") + os.pathsep + os.environ["PATH"], "HOME": self.top,
                    "PEP_SERVER_URL": "http://127.0.0.1:%d" % line.server.port}
        for variable in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if variable in os.environ:
                self.env[variable] = os.environ[variable]
        self.use(platform)

    def use(self, platform, parsec=False):
        self.platform = platform
        self.identity, self.store, self.state = (os.path.join(self.root, path) for path in PLACES[platform])
        for base in BASES[platform]:
            os.makedirs(os.path.join(self.root, base), exist_ok=True)
        if platform == "snap":
            os.symlink("x7", os.path.join(self.root, "var/snap/pelion-edge/current"))
        self.client = os.path.join(self.top, "client")
        self.put(self.client, CLIENT.format(top=self.top, sim=os.path.join(self.build, "fcc-sim", "pep-fcc-sim"),
                                            store=self.store if parsec else "pal", inner="pst" if parsec else "WORKING"), 0o755)

    def put(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def lines(self, name):
        path = os.path.join(self.top, name)
        return open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []

    def faults(self, *faults):
        """One for each start of the client; "": none."""
        self.put(os.path.join(self.top, "faults"), "".join(fault + "\n" for fault in faults))

    def old_identity(self):
        """As an earlier life left it."""
        self.put(self.identity, '{"serialNumber": "OLD", "enrollmentID": "A-OLD"}')
        self.put(os.path.join(self.store, "WORKING", "old-key"), "old")
        self.put(os.path.join(self.root, "userdata", "keep", "me"), "kept")

    def with_systemd(self):
        os.makedirs(os.path.join(self.root, "run", "systemd", "system"))

    def with_led(self):
        led = os.path.join(self.top, "led")
        for name in ("trigger", "brightness", "delay_on", "delay_off"):
            self.put(os.path.join(led, name), "")
        self.put(os.path.join(led, "max_brightness"), "255\n")
        return ["--led", led]

    def with_hook(self):
        hook = os.path.join(self.top, "hook")
        self.put(hook, HOOK.format(top=self.top), 0o755)
        return ["--hook", hook]

    def led(self):
        return {name: open(os.path.join(self.top, "led", name), encoding="ascii").read().strip()
                for name in ("trigger", "brightness", "delay_on", "delay_off")}

    def argv(self, *more):
        paths = ["--identity-file", "/" + PLACES["custom"][0], "--store", "/" + PLACES["custom"][1], "--state", "/" + PLACES["custom"][2]]
        return [self.cli, "provision", "--json", "--platform", self.platform, "--root", self.root, "--fcc", self.client,
                "--retry-wait", "0", "--wait", "0"] + (paths if self.platform == "custom" else []) + list(more)

    def start(self, *more, argv=None, **env):
        return subprocess.Popen(argv or self.argv(*more), env=dict(self.env, **env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, cwd=self.top, start_new_session=True)

    def run(self, *more, code=0, argv=None, **env):
        """The result of a call that must end with that code (negative: a signal)."""
        process = self.start(*more, argv=argv, **env)
        self.ended = process.communicate(timeout=LIMIT_S)
        assert process.returncode == code, "exit code %d" % process.returncode
        events = [json.loads(text) for text in self.ended[0].splitlines()] if not argv else []
        results = [event for event in events if event["event"] == "result"]
        if argv or code < 0:
            return self.ended[0]
        assert len(results) == 1 and events[-1] is results[0], "not one result at the end"
        assert results[0]["exit_code"] == code, results[0]
        self.events = events
        return results[0]

    def told(self):
        return json.load(open(self.identity, encoding="utf-8"))

    def certificate(self):
        """The enrollment identity of the certificate in the store."""
        inner = os.path.join(self.store, "pst" if os.path.isdir(os.path.join(self.store, "pst")) else "WORKING")
        name, = (name for name in os.listdir(inner) if name.endswith(".crt") and "~" not in name and "Bootstrap" in name and
                 "Device" in name)
        digest = hashlib.sha256(open(os.path.join(inner, name), "rb").read()).hexdigest().upper()
        return "A-" + ":".join(digest[i:i + 2] for i in range(0, 64, 2))

    def check_provisioned(self):
        """identity.json, the credentials and the server's record say the same."""
        record = self.line.records()[self.serial]
        told = self.told()
        assert record[0] == 4 and told["enrollmentID"] == record[1] == self.certificate(), (record, told)
        assert told["serialNumber"] == self.serial
        assert stat.S_IMODE(os.stat(self.identity).st_mode) == 0o600
        assert not os.path.exists(os.path.join(self.store, "WORKING", "old-key"))
        assert not os.path.exists(os.path.join(self.state, "fcc", "pal"))
        notes = [name for name in os.listdir(self.state) if name not in ("fcc", "fcc.log", "provisioned.json")]
        assert notes == [], notes

    def digest(self):
        """Of everything below the root: names, kinds, modes, contents, times."""
        found = []
        for folder, folders, files in os.walk(self.root):
            folders.sort()
            for name in sorted(folders + files):
                path = os.path.join(folder, name)
                status = os.lstat(path)
                text = open(path, "rb").read() if stat.S_ISREG(status.st_mode) else b""
                found.append((path, status.st_mode, status.st_mtime_ns, status.st_ino, text))
        return found

    def left_behind(self):
        """Clients that still run, temporary files, secrets that went too far."""
        alive = [pid for pid in self.lines("pids") if is_alive(pid)]
        temps = [name for _, folders, files in os.walk(self.root) for name in folders + files
                 if name.startswith(".pep-cli-") or name.endswith((".pep-gone", ".pep-new"))]
        return alive + temps + self.lines("secrets")

    def last_words(self):
        return "\n".join(self.ended) if self.ended else ""

    def close(self):
        for pid in self.lines("pids"):
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
