# SPDX-License-Identifier: Apache-2.0
"""A pep-server under test: a folder, a configuration, a process. Used by the end-to-end tests; standard library only."""
import http.client
import json
import os
import re
import signal
import subprocess
import threading

CONF = """\
server:
  name: {name}
  port: 0
  data_dir: {data}
  plugin_dir: {plugins}
  drain_timeout: 20s
{server_extra}
identity:
  networks: ["0.0.0.0/0", "::/0"]
{identity_extra}
injection:
  timeout: 10s
  lease: 20s
  recovery_interval: 200ms
storage:
{storage_extra}
injector:
  plugin: mock
{injector_extra}
exporters:
  - name: csv
  - name: json
{exporters_extra}
"""


class Server:
    """start() returns when it answers; its log is kept in self.log, or goes to a file while a benchmark runs."""

    def __init__(self, build, folder, name="test", log_file=None, **extra):
        self.binary = os.path.join(build, "core", "pep-server")
        self.folder, self.data = folder, os.path.join(folder, "data")
        self.conf = os.path.join(folder, "pep.yaml")
        os.makedirs(folder, exist_ok=True)
        parts = {k + "_extra": "\n".join("  " + line for line in extra.get(k, "").splitlines())
                 for k in ("server", "identity", "storage", "injector", "exporters")}
        if "plugin:" not in parts["storage_extra"]:
            parts["storage_extra"] = "  plugin: sqlite\n" + parts["storage_extra"]
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONF.format(name=name, data=self.data, plugins=os.path.join(build, "plugins", "lib"), **parts))
        self.process, self.port, self.log = None, None, []
        self.reader, self.log_file = None, log_file

    def start_with_log_file(self):
        """As start(), without a reader of the log that would take its share of the processor."""
        port_file = os.path.join(self.folder, "port")
        if os.path.exists(port_file):
            os.unlink(port_file)
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([self.binary, "--config", self.conf, "--port-file", port_file],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        while not os.path.exists(port_file):
            if self.process.poll() is not None:
                raise RuntimeError("the server did not start; see " + self.log_file)
        with open(port_file, encoding="ascii") as f:
            self.port = int(f.read())
        return self.port

    def start(self, env=None, wait=True):
        if self.log_file:
            return self.start_with_log_file()
        self.log = []
        self.process = subprocess.Popen([self.binary, "--config", self.conf], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, text=True, errors="replace")
        self.port = None
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"msg=ready .*\bport=(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        # The pipe is read to its end, so that the server never waits for us.
        self.reader = threading.Thread(target=self._drain, daemon=True)
        self.reader.start()
        if self.port is None and wait:
            code = self.process.wait()
            raise RuntimeError("the server did not start (exit %d): %s" % (code, "".join(self.log[-5:])))
        return self.port

    def _drain(self):
        for line in self.process.stderr:
            self.log.append(line)

    def kill(self):
        """SIGKILL, as a power cut would; waits for the end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        return self.wait()

    def stop(self):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, timeout=60):
        code = self.process.wait(timeout)
        if self.log_file:
            return code
        self.reader.join()
        self.process.stderr.close()
        return code

    def request(self, method, target, body=None, headers=None, timeout=30):
        """(status, headers, body) of one request on a connection of its own. OSError or HTTPException: no whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            data = None if body is None else json.dumps(body)
            head = dict(headers or {})
            if body is not None:
                head["Content-Type"] = "application/json"
            connection.request(method, target, data, head)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()


def build_folder(kind):
    """The build folder of a preset, from PEP_BUILD or beside the sources."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.environ.get("PEP_BUILD") or os.path.join(top, "build", kind)
