#!/usr/bin/env python3
"""run.py [--only PATTERN] [--list]: builds asan, tsan and package, runs every part of the tests, sums them up. scripts/test calls it.

A part is one line: its name, its counts, its time. What it printed is in build/test/NAME.log, and on the screen if it failed. A part
that cannot run, or that ends with an error without saying what failed, counts as one failure: nothing is left out silently.
The last line is "N passed, N failed, N skipped"; exit 1 on any failure.
"""
import argparse
import concurrent.futures
import dataclasses
import fnmatch
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "e2e"))
from server import Server  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = os.path.join(ROOT, "build", "test")
CORES = len(os.sched_getaffinity(0))
PART_LIMIT_S = 1200
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", re.MULTILINE)
# Tests of what has one thread, which ThreadSanitizer would only slow down; and the suite of a store by pep-plugin-check, whose threads
# sqlite_conformance has there as well.
ONE_THREAD = "^(identity_sim|fuzz-|abi_|partner_test|package_test|fcc_replay|provision_memory|plugin_check_(sqlite|naughty|feed)|fcu_runner_)"
# What a sanitizer's build has said as well: long, and no different without one. Short tests, memory that stays flat, a million records and
# malloc() that fails (which a sanitizer does not let us try) are run with what users get.
SAID_BEFORE = "^(sqlite|postgres|mongo|faulty)_|^plugin_check_sqlite$|^fcu_|^push_|^identity_sim|^fcc_replay$|^fuzz-"
# Lines that say nothing of what failed.
GOOD = re.compile(r"^ *Start +\d+: |^ *\d+/\d+ Test .* Passed |^\[ +(RUN|OK) +\]|^\[\d+/\d+\] ")
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1",
              "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"}


@dataclasses.dataclass
class Result:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""


@dataclasses.dataclass
class Part:
    name: str
    run: object  # a function of a log file that returns a Result


def build_dir(preset):
    return os.path.join(ROOT, "build", preset)


def run(command, log, limit_s=PART_LIMIT_S, **options):
    """The exit code of a command whose output goes to the log; it and its children are ended after limit_s."""
    log.write(f"$ {' '.join(command)}\n".encode())
    log.flush()
    with subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT, start_new_session=True,
                          **options) as process:
        try:
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            log.write(f"\nended after {limit_s} s\n".encode())
            return -signal.SIGKILL


def log_text(log):
    log.flush()
    with open(log.name, encoding="utf-8", errors="replace") as text:
        return text.read()


def counted(code, log):
    """What a program says that counts for itself; one that does not is one test."""
    found = COUNTS.findall(log_text(log))
    if not found:
        return Result(passed=int(code == 0), failed=int(code != 0))
    passed, failed, skipped = (int(number or 0) for number in found[-1])
    if code != 0 and failed == 0:
        return Result(passed, 1, skipped, f"exit code {code}")
    return Result(passed, failed, skipped)


def command_part(name, command, **options):
    return Part(name, lambda log: counted(run(command, log, **options), log))


def build_part(preset):
    def build(log):
        code = run(["cmake", "--preset", preset, "-DPEP_TESTS=ON"], log)
        if code == 0:
            code = run(["cmake", "--build", "--preset", preset], log)
        return Result(passed=int(code == 0), failed=int(code != 0))
    return Part(f"build-{preset}", build)


def ctest_part(preset, leave_out="^$"):
    """leave_out: a regular expression of tests that have nothing to say there."""
    def ctest(log):
        report = os.path.join(LOGS, f"ctest-{preset}.xml")
        code = run(["ctest", "--test-dir", build_dir(preset), "--output-on-failure", "--no-tests=error", "--timeout", "600",
                    "-j", str(CORES), "--exclude-regex", leave_out, "--output-junit", report], log, env={**os.environ, **SANITIZERS})
        try:
            suite = xml.etree.ElementTree.parse(report).getroot()
        except (OSError, xml.etree.ElementTree.ParseError) as error:
            return Result(failed=1, note=str(error))
        total, failed = int(suite.get("tests")), int(suite.get("failures"))
        skipped = int(suite.get("skipped", 0)) + int(suite.get("disabled", 0))
        if code != 0 and failed == 0:
            failed = 1
        return Result(total - failed - skipped, failed, skipped)
    return Part(f"ctest-{preset}", ctest)


def replay_part(name, cases, identity="", cli=False):
    """The recorded cases, against a fresh server, which must then end by itself with exit code 0."""
    def replay(log):
        build = build_dir("asan")
        with tempfile.TemporaryDirectory(prefix="pep-test-") as folder:
            server = Server(build, folder, identity=identity)
            try:
                port = server.start(SANITIZERS)
                command = [sys.executable, "tests/contract/replay.py", "--url", f"http://127.0.0.1:{port}",
                           "--cases", f"tests/contract/{cases}"]
                if cli:
                    command += ["--cli", f"{build}/cli/pep-cli"]
                result = counted(run(command, log, env={**os.environ, **SANITIZERS}), log)
                if server.stop() != 0:
                    result = Result(result.passed, result.failed + 1, result.skipped, f"the server ended with {server.process.returncode}")
            finally:
                if server.process and server.process.poll() is None:
                    server.kill()
                with open(f"{LOGS}/{name}-server.log", "w", encoding="utf-8") as server_log:
                    server_log.writelines(server.log)
        return result
    return Part(name, replay)


def found_parts(pattern, make):
    """A part for each file of the pattern. None at all is a failure: the pattern or the tree is wrong."""
    files = sorted(glob.glob(os.path.join(ROOT, pattern)))
    if not files:
        return [Part(pattern.replace("/", "-").replace("*", "_"), lambda log: Result(failed=1, note=f"there is no {pattern}"))]
    return [make(os.path.relpath(file, ROOT)) for file in files]


def e2e_part(file):
    name = os.path.splitext(os.path.basename(file))[0]
    arguments = [f"{build_dir('asan')}/cli/pep-cli"] if name == "cli_test" else []
    return command_part(f"e2e-{name}", [sys.executable, file, *arguments],
                        env={**os.environ, **SANITIZERS, "PEP_BUILD": build_dir("asan")})


def all_parts():
    """Builds one after another, each on every core; then everything else side by side, the long ones first."""
    builds = [build_part(preset) for preset in ("asan", "tsan", "package")]
    parts = [
        command_part("model", ["docs/model/check", "--quick"]),
        command_part("fcc-sweep", ["tests/e2e/fcc_sweep"]),
        ctest_part("tsan", ONE_THREAD),
        command_part("simulation", ["build/package/tests/sim/identity_sim", "--schedules", "1000000"]),
        ctest_part("asan"),
        command_part("kill-loop", ["tests/e2e/kill_loop", "100"]),
        command_part("kill-loop-postgres", ["tests/e2e/kill_loop", "50", "--store", "postgres"]),
        command_part("kill-loop-mongo", ["tests/e2e/kill_loop", "50", "--store", "mongo"]),
        ctest_part("package", SAID_BEFORE),
        replay_part("contract-cli", "cli_cases.jsonl", "serial_pattern: '[A-Za-z0-9-]+'", cli=True),
        replay_part("contract-http", "cases.jsonl"),
    ]
    return builds, parts[:4] + found_parts("tests/e2e/*_test.py", e2e_part) + parts[4:]


def execute(part, lock):
    start = time.monotonic()
    path = os.path.join(LOGS, f"{part.name}.log")
    with open(path, "wb") as log:
        try:
            result = part.run(log)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            result = Result(failed=1, note=str(error))
        text = log_text(log)
    with lock:
        counts = f"{result.passed} passed, {result.failed} failed" + (f", {result.skipped} skipped" if result.skipped else "")
        print(f"{'FAILED' if result.failed else 'ok':6}  {part.name:28}  {time.monotonic() - start:6.1f} s  {counts}"
              f"{'  (' + result.note + ')' if result.note else ''}", flush=True)
        if result.failed:
            lines = [line for line in text.splitlines() if not GOOD.search(line)]
            print("".join(f"        {line}\n" for line in lines[-40:]) + f"        all of it: {path}", flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description="Builds and runs every test.")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="only the parts whose name fits; builds are parts, too")
    parser.add_argument("--list", action="store_true", help="print the names of the parts, run nothing")
    arguments = parser.parse_args()
    builds, parts = ([part for part in group if fnmatch.fnmatch(part.name, arguments.only)] for group in all_parts())
    if arguments.list:
        print("\n".join(part.name for part in builds + parts))
        return 0
    os.makedirs(LOGS, exist_ok=True)
    lock = threading.Lock()
    results = [execute(part, lock) for part in builds]
    if any(result.failed for result in results): # what an old build would say is not worth hearing
        parts = [Part(part.name, lambda log: Result(failed=1, note="not run: the build failed")) for part in parts]
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        results += pool.map(lambda part: execute(part, lock), parts)
    if not results:
        print(f"there is no part {arguments.only}", file=sys.stderr)
        results = [Result(failed=1)]
    failed = sum(result.failed for result in results)
    print(f"{sum(result.passed for result in results)} passed, {failed} failed, {sum(result.skipped for result in results)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
