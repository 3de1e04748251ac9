# SPDX-License-Identifier: Apache-2.0
"""malformed_test.py SERVER ABI_PLUGINS: files that are no plugins, or bad ones. Each is refused with one line and exit code 3, and a
server that looked at all of them in one process still lists the good ones."""
import os
import random
import shutil
import subprocess
import sys
import tempfile

SERVER, BUILT = sys.argv[1:]
GOOD = {"frozen_storage", "frozen_injector", "frozen_exporter", "frozen_exporter_1_1", "later", "zz_good"}


def patched(data, offset, new):
    return data[:offset] + new + data[offset + len(new):]


def broken_files(good):
    """Name and bytes of files that are damaged in one way each. Offsets are those of a 64-bit ELF header."""
    programs = int.from_bytes(good[32:40], "little")
    yield "empty", b""
    yield "text", b"#!/bin/sh\nexit 0\n"
    yield "only_magic", good[:4]
    yield "only_header", good[:64]
    yield "cut_1000", good[:1000]
    yield "cut_half", good[:len(good) // 2]
    yield "zeros", bytes(len(good))
    yield "other_class", patched(good, 4, b"\x01")
    yield "other_order", patched(good, 5, b"\x02")
    yield "other_version", patched(good, 6, b"\x09")
    yield "other_machine", patched(good, 18, b"\x28\x00")
    yield "relocatable", patched(good, 16, b"\x01\x00")
    yield "no_segments", patched(good, 56, b"\x00\x00")
    yield "far_segments", patched(good, 32, b"\xff\xff\xff\x7f\x00\x00\x00\x00")
    yield "torn_segments", patched(good, programs, bytes(random.Random(1).randbytes(56)))
    yield "no_such_symbol", good.replace(b"pep_plugin_probe\0", b"pep_plugin_prob_\0")
    yield "wrong_file_name", good


def make_folder(top):
    folder = f"{top}/plugins"
    shutil.copytree(BUILT, folder)
    with open(f"{BUILT}/zz_good.so", "rb") as file:
        good = file.read()
    for name, data in broken_files(good):
        with open(f"{folder}/{name}.so", "wb") as file:
            file.write(data)
    shutil.copy(SERVER, f"{folder}/program.so")
    os.mkdir(f"{folder}/folder.so")
    os.mkfifo(f"{folder}/pipe.so")
    os.symlink("zz_good.so", f"{folder}/link.so")
    os.symlink("nowhere.so", f"{folder}/loose_link.so")
    for name, mode in (("group_writable", 0o664), ("world_writable", 0o646)):
        shutil.copy(f"{BUILT}/zz_good.so", f"{folder}/{name}.so")
        os.chmod(f"{folder}/{name}.so", mode)
    for name in os.listdir(folder):
        if not name.endswith("writable.so") and not os.path.islink(f"{folder}/{name}"):
            os.chmod(f"{folder}/{name}", 0o755)
    os.chmod(folder, 0o755)
    if os.geteuid() == 0:
        shutil.copy(f"{BUILT}/zz_good.so", f"{folder}/strangers.so")
        os.chown(f"{folder}/strangers.so", 12345, 12345)
    return folder


def ask(folder, *question):
    return subprocess.run([SERVER, "--set", f"server.plugin_dir={folder}", *question], check=False, capture_output=True, text=True, timeout=60)


def main():
    with tempfile.TemporaryDirectory(prefix="pep-malformed-") as top:
        folder = make_folder(top)
        names = sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".so"))
        bad = [name for name in names if name not in GOOD]
        assert len(bad) >= 30, bad
        failed = 0
        for name in bad:
            done = ask(folder, "--help-plugin", name)
            lines = done.stderr.splitlines()
            if done.returncode != 3 or len(lines) != 1 or name not in lines[0] or done.stdout:
                print(f"FAILED {name}: exit code {done.returncode}: {done.stdout}{done.stderr}")
                failed += 1
            else:
                print(f"ok     {lines[0]}")
        done = ask(folder, "--list-plugins")
        listed = {line.split()[0] for line in done.stdout.splitlines()}
        # One line each, and the one that sums up.
        assert done.returncode == 3 and len(done.stderr.splitlines()) == len(bad) + 1, (done.returncode, done.stderr)
        assert listed == GOOD, listed
    print(f"{len(bad) - failed + 1} passed, {failed} failed")
    sys.exit(failed > 0)


main()
