#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every ```sh block of the pages for integrators and for CI engineers, in order, in an empty folder, with the programs of a build.
Last line: N passed, N failed.

    docs_test.py [PAGE...]
"""
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import build_folder  # noqa: E402

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")
PAGES = {"integrator.md": 9, "ci.md": 5}  # and how many blocks each has at least
PROGRAMS = {"pep-cli": "cli", "pep-fcc-sim": "fcc-sim"}
LIMIT_S = 120

# What an installed server knows by itself and one in a build folder does not. A page never names a folder of plugins. The audit needs none.
SERVER = """#!/bin/bash
[ "${1-}" != audit ] || exec "%(build)s/core/pep-server" "$@"
arguments=()
while [ $# -gt 0 ]; do
	arguments+=("$1")
	if [ "$1" = --config ]; then
		arguments+=("$2" --set "server.plugin_dir=%(build)s/plugins/lib")
		shift
	fi
	shift
done
exec "%(build)s/core/pep-server" "${arguments[@]}"
"""


def commands(page):
    with open(os.path.join(DOCS, page), encoding="utf-8") as file:
        blocks = re.findall(r"^```sh\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= PAGES[page], f"{len(blocks)} blocks of commands in {page}"
    return "".join(blocks)


def programs(folder, build):
    os.mkdir(folder)
    with open(f"{folder}/pep-server", "w", encoding="utf-8") as file:
        file.write(SERVER % {"build": build})
    os.chmod(f"{folder}/pep-server", 0o755)
    for name, place in PROGRAMS.items():
        os.symlink(f"{build}/{place}/{name}", f"{folder}/{name}")


def run(page, folder, env):
    """Exit code and output. What the page leaves behind after a failure is ended with it: it has a session of its own."""
    script = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + commands(page)
    with subprocess.Popen(["bash", "-euxo", "pipefail", "-c", script], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True) as shell:
        try:
            output, _ = shell.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            raise
    return shell.returncode, output


def examine(page, folder):
    """What must have come of it besides exit codes."""
    if page == "integrator.md":
        with open(f"{folder}/upload/csv-portal-0001.csv", encoding="utf-8") as file:
            lines = file.read().splitlines()
        assert len(lines) == 3, lines
        with open(f"{folder}/identity.json", encoding="utf-8") as file:
            assert re.search('"enrollmentID" ?: ?"A-', file.read())
        assert [name for name in os.listdir(folder) if re.fullmatch(r"pep-....-..-..\.db", name)], "no backup"


def attempt(page, top, build):
    folder = f"{top}/{page}.d"
    os.mkdir(folder)
    keep = {key: value for key, value in os.environ.items() if not key.startswith("PEP_")}
    env = {**keep, "PATH": f"{top}/bin:{os.environ['PATH']}", "HOME": folder, "XDG_STATE_HOME": f"{folder}/state", "LC_ALL": "C.UTF-8"}
    code, output = run(page, folder, env)
    try:
        assert code == 0, f"its commands ended with exit code {code}"
        examine(page, folder)
    except (AssertionError, OSError) as error:
        logs = ""
        for name in sorted(os.listdir(folder)):
            if name.endswith(".log"):
                with open(f"{folder}/{name}", encoding="utf-8", errors="replace") as file:
                    logs += f"--- {name}\n" + "".join(file.readlines()[-20:])
        print(f"FAIL {page}: {error}\n{output[-4000:]}\n{logs}", flush=True)
        return False
    return True


def main():
    build, pages = os.path.abspath(build_folder("asan")), sys.argv[1:] or list(PAGES)
    with tempfile.TemporaryDirectory(prefix="pep-docs-") as top:
        programs(f"{top}/bin", build)
        good = [attempt(page, top, build) for page in pages]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    return 0 if good and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
