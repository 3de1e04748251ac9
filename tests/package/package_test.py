# SPDX-License-Identifier: Apache-2.0
"""package_test.py BUILD PREFIX ETC DOC CMAKE CC: installs into a folder, builds a partner's plugin out of the tree against what was installed, both
with CMake and by hand, and lets the built server look at it."""
import glob
import os
import subprocess
import sys
import tempfile

BUILD, PREFIX, ETC, DOC, CMAKE, CC = sys.argv[1:]
PARTNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "partner")
EXPECTED = ["bin/pep-cli", "bin/pep-plugin-check", "share/man/man1/pep-plugin-check.1", "sbin/pep-server", "include/pep/plugin.h", "include/pep/identity.h",
            "include/pep/storage.h", "include/pep/injector.h", "include/pep/exporter.h", "lib*/**/pep/plugins/sqlite.so", "lib*/**/pep/plugins/mock.so", "lib*/**/pep/plugins/csv.so",
            "lib*/**/pep/plugins/json.so", "lib/systemd/system/pep.service", "share/man/man1/pep-cli.1",
            "lib*/**/pep/plugins/fcc.so", "lib*/**/pep/plugins/fcu.so", "bin/pep-fcc-sim", "libexec/pep/pep-fcu-run",
            "share/man/man1/pep-fcc-sim.1", "share/man/man5/pep.yaml.5", "share/man/man8/pep-server.8", "share/bash-completion/completions/pep-cli"]
DOCUMENTS = ["LICENSE", "README.md", "docs/README.md", "docs/openapi.yaml", "docs/plugins/sqlite.md", "docs/plugins/fcc.md",
             "docs/plugins/writing-an-exporter.md"]


def run(*command, **environment):
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment})
    assert done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def main():
    with tempfile.TemporaryDirectory(prefix="pep-package-") as top:
        run(CMAKE, "--install", BUILD, DESTDIR=f"{top}/root")
        prefix = f"{top}/root{PREFIX}"
        for path in [f"{PREFIX}/{path}" for path in EXPECTED] + [f"{DOC}/{path}" for path in DOCUMENTS] + [f"{ETC}/pep/pep.yaml"]:
            assert glob.glob(f"{top}/root{path}", recursive=True), f"{path} was not installed"

        run(CMAKE, "-S", PARTNER, "-B", f"{top}/cmake", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={CC}")
        run(CMAKE, "--build", f"{top}/cmake")
        run(CMAKE, "--install", f"{top}/cmake")
        installed = glob.glob(f"{prefix}/lib*/**/pep/plugins/labels.so", recursive=True)
        assert installed, "the partner's plugin was not installed where the server looks"

        packages = glob.glob(f"{prefix}/lib*/**/pkgconfig", recursive=True)
        flags = run("pkg-config", "--cflags", "pep-plugin", PKG_CONFIG_PATH=packages[0]).split()
        folder = run("pkg-config", "--variable=plugindir", "pep-plugin", PKG_CONFIG_PATH=packages[0]).strip()
        assert os.path.samefile(folder, os.path.dirname(installed[0])), f"pkg-config says {folder}"
        os.mkdir(f"{top}/plugins", 0o755)
        run(CC, "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,now", "-Wall", "-Wextra", "-Werror", *flags, f"{PARTNER}/labels.c",
            "-o", f"{top}/plugins/labels.so")

        for plugin in (installed[0], f"{top}/plugins/labels.so"):
            symbols = run("nm", "-D", "--defined-only", plugin).split()
            assert [word for word in symbols if word.startswith(("pep", "labels"))] == ["pep_plugin_probe"], symbols
            shown = run(f"{BUILD}/core/pep-server", "--set", f"server.plugin_dir={os.path.dirname(plugin)}", "--help-plugin", "labels")
            assert "labels" in shown and "1.0.0" in shown, shown
            run(glob.glob(f"{prefix}/bin/pep-plugin-check")[0], plugin)
    print("package_test: ok")


main()
