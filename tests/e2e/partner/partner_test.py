# SPDX-License-Identifier: Apache-2.0
"""partner_test.py BUILD PREFIX CMAKE DOCUMENT: runs every command of writing-an-exporter.md, one after the other in one shell, in an empty
folder, with what an installation of BUILD gives and nothing of this tree. Then it looks at what came of them."""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile

BUILD, PREFIX, CMAKE, DOCUMENT = sys.argv[1:]
LIMIT_S = 500


def commands():
    with open(DOCUMENT, encoding="utf-8") as file:
        blocks = re.findall(r"^```sh\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 8, f"{len(blocks)} blocks of commands in {DOCUMENT}"
    return "".join(blocks)


def install(root):
    subprocess.run([CMAKE, "--install", BUILD], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DESTDIR": root})
    return root + PREFIX


def environment(prefix):
    """What a partner has whose pep is installed where the system looks; here it is not."""
    packages = glob.glob(f"{prefix}/lib*/**/pkgconfig", recursive=True)
    assert len(packages) == 1, packages
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("CMAKE", "PEP_", "PKG_", "DESTDIR"))}
    return {**keep, "PATH": f"{prefix}/bin:{prefix}/sbin:{os.path.dirname(CMAKE)}:{os.environ['PATH']}", "CMAKE_PREFIX_PATH": prefix,
            "PKG_CONFIG_PATH": packages[0], "LC_ALL": "C.UTF-8"}


def run(folder, env):
    """Shows each command as it is run. What it leaves behind, such as a server after a failure, is ended with it."""
    with subprocess.Popen(["bash", "-euxo", "pipefail", "-m", "-c", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + commands()],
                          cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          start_new_session=True) as shell:
        try:
            output, _ = shell.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            raise
    return shell.returncode, output


def check_new_plugins(folder, env):
    """The template compiles under every kind of name, in C++'s stricter neighbours' eyes too: all warnings are errors."""
    for name in ("acme", "4-to-the_floor"):
        subprocess.run(["pep-plugin-check", "--new", "exporter", name, name], check=True, cwd=folder, env=env, stdout=subprocess.DEVNULL)
        flags = subprocess.run(["pkg-config", "--cflags", "pep-plugin"], check=True, env=env, capture_output=True, text=True).stdout.split()
        subprocess.run(["cc", "-std=c11", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,now", "-Wall", "-Wextra", "-Wpedantic",
                        "-Wconversion", "-Wshadow", "-Werror", *flags, f"{name}.c", "-o", f"{name}.so"],
                       check=True, cwd=f"{folder}/{name}", env=env)
        done = subprocess.run(["pep-plugin-check", f"{name}.so", "--expect", "expected.tsv"], check=False, cwd=f"{folder}/{name}", env=env,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    again = subprocess.run(["pep-plugin-check", "--new", "exporter", "acme", "acme"], check=False, cwd=folder, env=env, capture_output=True, text=True)
    assert again.returncode == 1 and "File exists" in again.stderr and len(again.stderr.splitlines()) == 1, again


def main():
    with tempfile.TemporaryDirectory(prefix="pep-partner-") as top:
        prefix = install(f"{top}/root")
        env = environment(prefix)
        folder = f"{top}/work"
        os.mkdir(folder)
        code, output = run(folder, env)
        print(output)
        assert code == 0, f"the document's commands ended with exit code {code}"
        with open(f"{folder}/labels/labels.tsv", encoding="utf-8") as file:
            lines = file.read().splitlines()
        assert lines[0] == "serial\tenrollment_id\thardware_version" and len(lines) == 2, lines
        assert re.fullmatch(r"GW-0001\tA-[0-9A-F]{2}(:[0-9A-F]{2}){31}\tizuma-edge-gateway", lines[1]), lines
        assert "\n1000001\n" in output, "a million records and a header"
        assert "GW-1\t\trev-B\n" in output, "records of one's own"
        check_new_plugins(folder, env)
    print("partner_test: ok")


main()
