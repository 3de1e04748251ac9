# SPDX-License-Identifier: Apache-2.0
"""The Debian packages, built by scripts/package: lintian, then, in a fresh Debian, installed, run, upgraded, removed and purged. And the image of
docker/Dockerfile: what its stages run is run in another fresh Debian, and the server as the container would run it. Without root or
debootstrap it is skipped, and says so."""
import concurrent.futures
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import debian_root
import dockerfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = os.environ.get("PEP_PACKAGES") or os.path.join(TOP, "build", "packages")
NAMES = ["pep-server", "pep-storage-postgres", "pep-storage-mongo", "pep-cli", "pep-fcc-sim", "pep-dev"]
FAKE_SYSTEMCTL = """#!/bin/sh
echo "$*" >>/var/log/systemctl
case "$*" in *is-active*pep.service*) echo active ;; *is-enabled*) echo enabled ;; esac
"""


def field(file, name):
    return subprocess.run(["dpkg-deb", "-f", file, name], check=True, capture_output=True, text=True).stdout.strip()


def built():
    files = {field(file, "Package"): file for file in glob.glob(f"{PACKAGES}/*.deb")}
    assert sorted(files) == sorted(NAMES), sorted(files)
    return files


def wanted(files):
    """Names of the packages that ours depend on and that the Dockerfile installs; of alternatives the first."""
    depends = ", ".join(field(file, "Depends") for file in files.values())
    names = {re.match(r"[a-z0-9.+-]+", part.strip()).group() for part in depends.split(",")}
    for stage in stages():
        for instruction in stage.instructions:
            installed = re.search(r"apt-get install (.*?)&&", instruction.text)
            names |= {word for word in (installed.group(1).split() if installed else []) if not word.startswith(("-", "/"))}
    return sorted(name for name in names if name not in NAMES)


def stages():
    with open(f"{TOP}/docker/Dockerfile", encoding="utf-8") as file:
        return [stage for stage in dockerfile.read(file.read()) if stage.name != "build"]


class Served:
    """A server in a root; begin() returns when it is ready."""

    def __init__(self, root, *words, user="pep:pep"):
        self.process = subprocess.Popen(root.command(words, user), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=debian_root.ENVIRONMENT, text=True, errors="replace")
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if "msg=ready" in line:
                break
        else:
            raise AssertionError("the server did not start: " + "".join(self.log[-5:]))
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        assert code == 0, f"the server ended with {code}: {''.join(self.log[-5:])}"


def next_version(files, folder):
    """The same packages, with another version and another configuration."""
    os.makedirs(folder)
    for name, file in files.items():
        tree = f"{folder}/{name}"
        subprocess.run(["dpkg-deb", "-R", file, tree], check=True)
        old = field(file, "Version")
        with open(f"{tree}/DEBIAN/control", encoding="utf-8") as control:
            text = control.read()
        with open(f"{tree}/DEBIAN/control", "w", encoding="utf-8") as control:
            control.write(text.replace(old, old + "+next1"))
        if name == "pep-server":
            with open(f"{tree}/etc/pep/pep.yaml", "a", encoding="utf-8") as conf:
                conf.write("# of the next version\n")
        subprocess.run(["dpkg-deb", "-Znone", "-b", tree, f"{folder}/{name}_next.deb"], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(tree)


def leftovers(root):
    """Every path that is ours, but for what is kept: the server's data, and in a home folder the requests that its user has begun."""
    found = root.run("find", "/", "-xdev", "-name", "*pep[-.]*", "-print", "-o", "-name", "pep", "-print", code=None)
    return sorted(path for path in found.split() if not re.match(r"/var/lib/pep(/|$)|/root/\.local/state/pep$", path))


def check_lintian(files):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", *files.values()], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def check_installed(root):
    output = root.install(PACKAGES, "pep-server", "pep-cli")
    assert "pep-server is not started yet" in output, output
    data = os.stat(root.file("/var/lib/pep"))
    user = re.search(r"^pep:x:(\d+):(\d+):.*:/var/lib/pep:/usr/sbin/nologin$", root.read("/etc/passwd"), re.MULTILINE)
    assert user, root.read("/etc/passwd")
    assert (data.st_mode & 0o7777, str(data.st_uid), str(data.st_gid)) == (0o700, user.group(1), user.group(2)), data
    assert not glob.glob(root.file("/etc/systemd/system/*.wants/pep.service")), "an installation enables nothing"
    for page in ("man8/pep-server.8.gz", "man5/pep.yaml.5.gz", "man1/pep-cli.1.gz"):
        assert os.path.exists(root.file(f"/usr/share/man/{page}")), page
    assert os.path.exists(root.file("/usr/share/doc/pep-server/README.Debian"))


def check_runs(root):
    root.run("pep-server", "--check-config", user="pep:pep")
    server = Served(root, "pep-server")
    root.run("pep-cli", "get-one-identity", "-s", "DEB-1", "-i", "127.0.0.1", "-p", "7777")
    root.run("pep-cli", "export", "--exporter", "csv", "--output", "/tmp/all.csv")
    assert "DEB-1" in root.read("/tmp/all.csv"), root.read("/tmp/all.csv")
    return server, root.run("pep-cli", "get-enrollment-id", "-s", "DEB-1")


def check_parts(root):
    root.install(PACKAGES, "pep-storage-postgres", "pep-storage-mongo", "pep-fcc-sim", "pep-dev")
    listed = root.run("pep-server", "--list-plugins")
    for plugin in ("sqlite", "postgres", "mongo", "mock", "fcc", "fcu", "csv", "json", "jsonl", "webhook", "exec"):
        assert re.search(rf"^{plugin}\s", listed, re.MULTILINE), f"{plugin} in {listed}"
    plugins = root.run("pkg-config", "--variable=plugindir", "pep-plugin").strip()
    root.run("pep-plugin-check", f"{plugins}/jsonl.so")
    root.run("pep-fcc-sim", "--version")
    check_partner(root, plugins)


def check_partner(root, plugins):
    """A partner's plugin, built against what pep-dev has installed, with the compiler of this machine: the root has none."""
    build = root.file("/partner")
    for words in (["-S", f"{TOP}/tests/package/partner", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={root.file('/usr')}"], ["--build", build]):
        done = subprocess.run(["cmake", *words], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
    shutil.copy(f"{build}/labels.so", root.file(f"{plugins}/labels.so"))
    root.run("pep-plugin-check", f"{plugins}/labels.so")
    assert re.search(r"^labels\s", root.run("pep-server", "--list-plugins"), re.MULTILINE)
    os.unlink(root.file(f"{plugins}/labels.so"))
    shutil.rmtree(build)


def check_upgraded(root, server, identity, following):
    """With systemd, or what a maintainer script sees of it: one restart, of a service that runs, when everything is in place."""
    conf = root.read("/etc/pep/pep.yaml") + "# of the administrator\n"
    root.write("/etc/pep/pep.yaml", conf)
    os.makedirs(root.file("/run/systemd/system"))
    root.write("/usr/bin/systemctl", FAKE_SYSTEMCTL, 0o755)
    root.install(following, *NAMES)
    calls = [line for line in root.read("/var/log/systemctl").splitlines() if "pep.service" in line and not re.search(r"is-\w+", line)]
    assert len(calls) == 1 and "try-restart" in calls[0], calls
    assert root.read("/etc/pep/pep.yaml") == conf and "of the next version" in root.read("/etc/pep/pep.yaml.dpkg-dist")
    assert root.run("pep-cli", "get-enrollment-id", "-s", "DEB-1") == identity, "the old program runs until the new one is in place"
    server.stop()
    server = Served(root, "pep-server")
    assert root.run("pep-cli", "get-enrollment-id", "-s", "DEB-1") == identity
    assert "Version: " in root.run("pep-cli", "version")
    server.stop()


def check_removed(root):
    os.truncate(root.file("/var/log/systemctl"), 0)
    root.run("apt-get", "-q", "-y", "remove", *NAMES)
    assert "stop pep.service" in root.read("/var/log/systemctl"), root.read("/var/log/systemctl")
    assert os.path.exists(root.file("/etc/pep/pep.yaml")) and not os.path.exists(root.file("/usr/sbin/pep-server"))
    output = root.run("dpkg", "--purge", *NAMES)
    assert "/var/lib/pep is kept" in output, output
    assert glob.glob(root.file("/var/lib/pep/*.db")), os.listdir(root.file("/var/lib/pep"))
    assert leftovers(root) == [], leftovers(root)


def check_installed_again(root, identity):
    """What a purge has left is what an installation goes on with."""
    root.install(PACKAGES, "pep-server", "pep-cli")
    server = Served(root, "pep-server")
    assert root.run("pep-cli", "get-enrollment-id", "-s", "DEB-1") == identity
    server.stop()
    # Without data, nothing at all stays.
    for entry in os.listdir(root.file("/var/lib/pep")):
        path = root.file(f"/var/lib/pep/{entry}")
        (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)
    root.run("dpkg", "--purge", *NAMES)
    assert not os.path.exists(root.file("/var/lib/pep"))


def run_stage(root, stage, state):
    """RUN, COPY from the sources and what the last stage leaves for the container; any other instruction has no part in it."""
    for instruction in stage.instructions:
        if instruction.name == "SHELL":
            state["shell"] = instruction.words()
        elif instruction.name in ("USER", "STOPSIGNAL", "ENTRYPOINT", "HEALTHCHECK"):
            state[instruction.name] = instruction
        elif instruction.name == "COPY":
            source, target = instruction.text.split()
            assert "from" not in instruction.flags and instruction.flags.get("chmod"), instruction
            os.makedirs(os.path.dirname(root.file(target)), exist_ok=True)
            shutil.copy(os.path.join(TOP, source), root.file(target))
            os.chmod(root.file(target), int(instruction.flags["chmod"], 8))
        elif instruction.name == "RUN":
            mount = dict(part.split("=", 1) for part in instruction.flags.get("mount", "").split(",") if part)
            if mount:
                assert (mount["type"], mount["from"], mount["source"]) == ("bind", "build", "/src/build/packages"), mount
                os.makedirs(root.file(mount["target"]))
                subprocess.run(["mount", "--bind", "-o", "ro", PACKAGES, root.file(mount["target"])], check=True)
            # What a build would get from the network: the lists, which the stage before may have removed.
            shutil.rmtree(root.file("/var/lib/apt/lists"))
            shutil.copytree(root.file("/lists"), root.file("/var/lib/apt/lists"))
            root.run(*state["shell"], instruction.text)
            if mount:
                subprocess.run(["umount", root.file(mount["target"])], check=True)
                os.rmdir(root.file(mount["target"]))


def check_image(root, state):
    """As a container of compose.sqlite.yaml: the user, a root that cannot be written, and the configuration that is mounted."""
    user = state["USER"].text
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), f"USER {user}: a number, so that it can be checked not to be root"
    entry = state["ENTRYPOINT"].words()
    health = json.loads(state["HEALTHCHECK"].text.removeprefix("CMD "))
    for conf in glob.glob(f"{TOP}/docker/conf/*.yaml"):
        shutil.copy(conf, root.file("/etc/pep/"))
    os.makedirs(root.file("/run/secrets"))
    root.write("/run/secrets/db-password", "a password\n", 0o600)
    os.chown(root.file("/run/secrets/db-password"), *map(int, user.split(":")))
    subprocess.run(["mount", "-t", "tmpfs", "tmp", root.file("/tmp")], check=True)
    subprocess.run(["mount", "--bind", root.file("/var/lib/pep"), root.file("/var/lib/pep")], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", root.path], check=True)
    try:
        conf = ["--config", "/etc/pep/sqlite.yaml"]
        # As a script takes it: all that is on standard output.
        token = root.run(*entry, "token", "add", *conf, "--scope", "provision,read,export", "station-1", user=user,
                         errors=subprocess.PIPE).removesuffix("\n")
        # What is not here may be missed: the container "database", and the vendor's tool. Any other fault is one of the configuration.
        for name in ("postgres", "mongo", "fcu"):
            said = root.run(*entry, "--config", f"/etc/pep/{name}.yaml", "--check-config", user=user, code=None)
            assert "the configuration is good" in said or re.search(r"host (name )?\"?database|database:27017|/opt/fcu/", said), said
        root.run(*health, user=user, code=1)
        server = Served(root, *entry, *conf, "--set", "identity.networks=127.0.0.0/8", user=user)
        root.run(*health, user=user)
        root.run("pep-cli", "get-enrollment-id", "-s", "IMG-1", code=5)
        shown = root.run("sh", "-c", "cd /tmp && pep-cli get-one-identity -s IMG-1 -i 127.0.0.1 -p 7777 && pep-cli get-enrollment-id -s IMG-1",
                         user=user, PEP_TOKEN=token)
        assert re.search(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}", shown), shown
        assert state["STOPSIGNAL"].text == "SIGTERM"
        server.stop()
        root.run(*health, user=user, code=1)
    finally:
        subprocess.run(["mount", "-o", "remount,bind,rw", root.path], check=True)


def check_packages(archived, files, folder):
    following = f"{folder}/next"
    next_version(files, following)
    root = debian_root.Root(f"{folder}/packages", archived)
    check_installed(root)
    server, identity = check_runs(root)
    check_parts(root)
    check_upgraded(root, server, identity, following)
    check_removed(root)
    check_installed_again(root, identity)


def check_docker(archived, folder):
    root = debian_root.Root(f"{folder}/image", archived)
    shutil.copytree(root.file("/var/lib/apt/lists"), root.file("/lists"))
    root.write("/etc/apt/apt.conf.d/no-network", 'Acquire::Retries "0";\n')
    state = {"shell": ["/bin/sh", "-c"]}
    server, fcu = stages()
    assert (server.name, fcu.name, fcu.image) == ("server", "fcu", "server"), "the stages are not those that are known here"
    run_stage(root, server, state)
    check_image(root, state)
    run_stage(root, fcu, dict(state))
    root.run("python3", "--version", user=state["USER"].text)


def is_good(name, check):
    start = time.monotonic()
    try:
        check()
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        print(f"{name}: FAILED: {error}", flush=True)
        return False
    print(f"{name}: ok, {time.monotonic() - start:.1f} s", flush=True)
    return True


def main():
    reason = debian_root.why_not()
    if reason is None and not os.environ.get(debian_root.IN_NAMESPACE):
        if not os.environ.get("PEP_PACKAGES"):
            subprocess.run([f"{TOP}/scripts/package"], check=True, cwd=TOP)
        try:
            os.environ["PEP_TEST_ARCHIVE"] = debian_root.archive(wanted(built()))
        except OSError as error:
            reason = str(error)
    if reason is not None:
        print(f"package_deb_test: SKIPPED: {reason}\n0 passed, 0 failed, 1 skipped")
        return
    debian_root.enter_namespace()
    files, archived = built(), os.environ["PEP_TEST_ARCHIVE"]
    with tempfile.TemporaryDirectory(prefix="pep-packages-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "pep-packages", folder], check=True)
        # Both roots have one network, with one port 5151: one after the other. lintian needs neither.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            lintian = pool.submit(is_good, "lintian", lambda: check_lintian(files))
            good = [is_good("packages", lambda: check_packages(archived, files, folder)), is_good("image", lambda: check_docker(archived, folder)),
                    lintian.result()]
        subprocess.run(["umount", "--recursive", "--lazy", folder], check=True)
    print(f"{good.count(True)} passed, {good.count(False)} failed, 0 skipped")
    sys.exit(0 if all(good) else 1)


main()
