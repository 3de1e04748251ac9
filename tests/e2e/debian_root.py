# SPDX-License-Identifier: Apache-2.0
"""A fresh Debian in memory, to install packages in. Made once by debootstrap and kept as an archive in ${XDG_CACHE_HOME:-~/.cache}/pep, with the
packages that will be asked for, so that the next time needs no network and two seconds. It lives in a mount namespace of its own: when the
process ends, however it ends, nothing is left mounted and nothing runs.

debian_root.py make SUITE ARCHIVE PACKAGE...: what archive() runs in a namespace."""
import fcntl
import glob
import hashlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

APT = ["apt-get", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"]
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root",
               "DEBIAN_FRONTEND": "noninteractive"}
IN_NAMESPACE = "PEP_TEST_NAMESPACE"
MAKE = 2


def why_not():
    """Why there can be no such root on this machine; None: there can."""
    if os.geteuid() != 0:
        return "it needs root, to install packages in a root of their own"
    for program in ("debootstrap", "unshare", "dpkg-deb", "mount"):
        if not shutil.which(program):
            return f"there is no {program}; scripts/install-dependencies --tests installs it"
    if not suite():
        return "this is not a Debian"
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "--net", "true"], check=False, capture_output=True).returncode != 0:
        return "unshare may not make namespaces here"
    return None


def suite():
    """The release that this machine runs: packages built here are for it."""
    with open("/etc/os-release", encoding="utf-8") as file:
        values = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    return values.get("VERSION_CODENAME", "").strip('"') if values.get("ID") == "debian" else ""


def archive(packages):
    """The path of an archive of a root with the given packages ready to be installed; made if it is not there. OSError: it cannot be made."""
    names = sorted(set(packages))
    folder = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pep")
    # What make() makes is a part of the name: another make() must not take the old one for its own.
    digest = hashlib.sha256(f"{MAKE} {' '.join(names)}".encode()).hexdigest()[:12]
    arch = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    path = os.path.join(folder, f"debian-{suite()}-{arch}-{digest}.tar")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", sys.executable, os.path.abspath(__file__), "make",
                                   suite(), path, *names], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                raise OSError("debootstrap and apt could not make a Debian; its last words: "
                              + " / ".join(done.stdout.strip().splitlines()[-3:]))
    return path


def make(release, path, packages):
    """In memory, where a sync costs nothing."""
    with tempfile.TemporaryDirectory(prefix="pep-debian-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "pep-debian", folder], check=True)
        try:
            root = f"{folder}/root"
            subprocess.run(["debootstrap", "--variant=minbase", release, root], check=True)
            enter = ["chroot", root]
            # What was installed needs no package file any more; what will be installed does.
            subprocess.run([*enter, "apt-get", "clean"], check=True, env=ENVIRONMENT)
            subprocess.run([*enter, *APT, "install", "--download-only", *packages], check=True, env=ENVIRONMENT)
            shorten_lists(root)
            subprocess.run(["tar", "-C", root, "--numeric-owner", "-cf", f"{path}.new", "."], check=True)
            os.rename(f"{path}.new", path)
        finally:
            subprocess.run(["umount", folder], check=True)


def shorten_lists(root):
    """Of the 60000 packages that the lists know, those that are there. apt reads its lists at each call, for a second; what is not there could
    not be installed anyway."""
    there = {os.path.basename(file).partition("_")[0] for file in glob.glob(f"{root}/var/cache/apt/archives/*.deb")}
    with open(f"{root}/var/lib/dpkg/status", encoding="utf-8") as file:
        there |= {line.removeprefix("Package: ").rstrip() for line in file if line.startswith("Package: ")}
    for path in glob.glob(f"{root}/var/lib/apt/lists/*_Packages"):
        with open(path, encoding="utf-8") as file:
            stanzas = file.read().split("\n\n")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{stanza}\n\n" for stanza in stanzas if stanza.partition("\n")[0].removeprefix("Package: ") in there)
    for path in glob.glob(f"{root}/var/cache/apt/*.bin"):
        os.unlink(path)


def enter_namespace():
    """Runs the same program again in namespaces of its own: mounts, processes, and a network that is loopback alone. Does not return in the
    first call."""
    if os.environ.get(IN_NAMESPACE):
        bring_loopback_up()
        return
    done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--mount-proc", sys.executable, *sys.argv],
                          check=False, env={**os.environ, IN_NAMESPACE: "1"})
    sys.exit(done.returncode)


def bring_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING: netdevice(7)
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))


class Root:
    """One Debian, in this process's namespace. Commands run in it as root unless they say as whom."""

    def __init__(self, path, archived):
        self.path = path
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "pep-root", path], check=True)
        subprocess.run(["tar", "-C", path, "--numeric-owner", "-xf", archived], check=True)
        subprocess.run(["mount", "-t", "proc", "proc", f"{path}/proc"], check=True)

    def file(self, path):
        return self.path + path

    def read(self, path):
        with open(self.file(path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write(self, path, text, mode=0o644):
        with open(self.file(path), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.file(path), mode)

    def command(self, words, user=None):
        return ["chroot", *([f"--userspec={user}"] if user else []), self.path, *words]

    def run(self, *words, user=None, code=0, errors=subprocess.STDOUT, **environment):
        """Standard output of a command that has to end with the code; None: with any. What it says on standard error stands between, unless
        errors is PIPE."""
        done = subprocess.run(self.command(words, user), check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=errors, text=True, errors="replace", env={**ENVIRONMENT, **environment})
        assert code is None or done.returncode == code, f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr or ''}"
        return done.stdout

    def install(self, folder, *names):
        """Packages from the folder, what they depend on from the archive; there is no network to get anything from."""
        target = self.file("/packages")
        os.makedirs(target, exist_ok=True)
        for name in names:
            for file in os.listdir(folder):
                if file.startswith(name + "_"):
                    shutil.copy(os.path.join(folder, file), target)
        files = [f"/packages/{file}" for file in sorted(os.listdir(target))]
        output = self.run(*APT, "-o", "Dpkg::Options::=--force-confold", "install", *files)
        shutil.rmtree(target)
        return output


if __name__ == "__main__":
    assert sys.argv[1] == "make"
    make(sys.argv[2], sys.argv[3], sys.argv[4:])
