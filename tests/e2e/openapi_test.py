#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built server against docs/openapi.yaml: see web/check-replies.js. Prints "N passed, N failed"."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, build_folder  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    with tempfile.TemporaryDirectory(prefix="pep-openapi-") as folder:
        server = Server(build_folder("asan"), folder, exporters="- name: jsonl")
        try:
            url = f"http://127.0.0.1:{server.start()}"
            code = subprocess.run(["node", f"{TOP}/web/check-replies.js", f"{TOP}/docs/openapi.yaml", url], check=False).returncode
            ended = server.stop()
            if code or ended:
                sys.stderr.write("".join(server.log[-30:]) + f"the server ended with {ended}\n")
            return code or ended
        finally:
            if server.process and server.process.poll() is None:
                server.kill()


if __name__ == "__main__":
    sys.exit(main())
